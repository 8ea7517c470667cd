"""Fit the serving model's constants to measurements, and say how far off our estimates are on what they have not seen.

``python -m greenlib.calibration`` fits, rewrites ``greenlib/data/serving_fit.csv`` and prints the errors.
"""

from __future__ import annotations

import csv
import datetime
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from greenlib.catalog import dictionary, table
from greenlib.checks import ArgumentError, choice, quantity
from greenlib.serving import Constants, frame_inputs, step_formula
from greenlib.training import fit_mfu, published_runs

__all__ = [
    "ecologits_joules_per_token",
    "fit_serving",
    "held_out_joules_per_token",
    "held_out_mfu",
    "serving_errors",
]


@dataclass(frozen=True, slots=True)
class Prior:
    """What physics says of a constant before any measurement: a likely value, and by what factor it may be off."""

    likely: float
    spread: float
    """Standard deviation of the natural logarithm."""
    unit: str
    meaning: str


PRIORS = {
    "matmul_efficiency": Prior(0.65, 0.2, "fraction", "16-bit multiplication rate reached, over the datasheet's peak"),
    "converted_rate": Prior(1.2, 0.2, "ratio", "rate with 8- and 4-bit weights over that with 16-bit weights"),
    "layer_s": Prior(60e-6, 0.4, "s", "time a layer adds to a step: starting kernels"),
    "expert_layer_s": Prior(100e-6, 0.5, "s", "time a layer with experts adds when all of them are awake"),
    "block_scale_s": Prior(200e-6, 0.6, "s", "time a layer of block-scaled fp8 experts adds"),
    "expert_imbalance": Prior(0.2, 0.6, "fraction", "excess of the busiest accelerator's expert work, each doubling"),
    "sequence_s": Prior(60e-6, 0.4, "s", "time a sequence adds to a step: scheduling, sampling, sending"),
    "floor_fraction": Prior(0.4, 0.2, "fraction", "draw of a loaded accelerator before it does anything, over TDP"),
    "joules_per_byte": Prior(0.1e-9, 0.3, "J/byte", "energy of a byte read from memory, all on its way included"),
    "joules_per_flop": Prior(0.5e-12, 0.3, "J/FLOP", "energy of an operation at small batch; the TDP caps the sum"),
}
"""A fit to a few servers cannot tell every constant apart; where it cannot, it stays near these."""

NOISE = 0.15
"""Relative error beyond which a row counts as an outlier, whose pull grows no further."""

TIME_WEIGHT = 0.5
"""Weight of a row's step time beside its energy: two constants that trade off in energy differ in time."""


def _residuals(rows: pd.DataFrame) -> Callable[[np.ndarray], np.ndarray]:
    inputs = frame_inputs(rows)
    energy = np.log(rows["energy_per_token_j"].to_numpy())
    time = np.log(rows["batch_size"].to_numpy() / rows["throughput_tokens_per_s"].to_numpy())
    likely = np.log([prior.likely for prior in PRIORS.values()])
    spread = np.array([prior.spread for prior in PRIORS.values()])

    def residuals(logs: np.ndarray) -> np.ndarray:
        step = step_formula(inputs, _constants(logs))
        energy_off = (np.log(step.joules_per_token) - energy) / NOISE
        time_off = (np.log(step.step_s) - time) / NOISE
        return np.concatenate([energy_off, TIME_WEIGHT * time_off, (logs - likely) / spread])

    return residuals


def _constants(logs: np.ndarray) -> Constants:
    return Constants(**dict(zip(PRIORS, np.exp(logs).tolist(), strict=True)))


def _least_squares(residuals: Callable[[np.ndarray], np.ndarray], start: np.ndarray) -> np.ndarray:
    """Minimise the robust cost 2 (sqrt(1 + r^2) - 1), summed, by Levenberg and Marquardt's method."""

    def cost(r: np.ndarray) -> float:
        return float(np.sum(2 * (np.sqrt(1 + r * r) - 1)))

    point, damping, nudge = start.copy(), 1e-2, 1e-5
    r = residuals(point)
    for _ in range(100):
        nudged = [residuals(point + nudge * axis) for axis in np.eye(len(point))]
        jacobian = (np.array(nudged).T - r[:, None]) / nudge
        weights = 1 / np.sqrt(1 + r * r)
        normal = jacobian.T @ (jacobian * weights[:, None])
        gradient = jacobian.T @ (weights * r)
        for _ in range(12):
            trial = point - np.linalg.solve(normal + damping * np.diag(np.diag(normal)), gradient)
            r_trial = residuals(trial)
            if cost(r_trial) < cost(r):
                break
            damping *= 4
        else:
            return point
        gain = cost(r) - cost(r_trial)
        point, r, damping = trial, r_trial, damping / 3
        if gain < 1e-8 * cost(r):
            return point
    return point


def fit_serving(rows: pd.DataFrame, start: Constants | None = None) -> Constants:
    r"""Return the constants under which the serving model comes nearest to measured rows.

    .. math:: \min_c \sum_i \rho\left(\frac{\ln \hat J_i / J_i}{0.15}\right)
              + \rho\left(\frac{\ln \hat t_i / t_i}{0.30}\right)
              + \sum_k \rho\left(\frac{\ln c_k / p_k}{s_k}\right), \quad \rho(r) = 2 (\sqrt{1 + r^2} - 1)

    with J the joules per token, t the time of a step, and p, s the :data:`PRIORS`.

    Args:
        rows: Rows of the table ``serving``, or of its form.
        start: Where the search begins; None for the priors.

    Returns:
        The fitted constants.

    Raises:
        ArgumentError: There are no rows, or a row is impossible.

    Source: mlenergy2026. Taught in the appendix on validation.

    Example:
        >>> from greenlib.catalog import table
        >>> rows = table("serving")
        >>> fit_serving(rows[rows["task"] == "lm-arena-chat"]).matmul_efficiency < 1
        True
    """
    if rows.empty:
        raise ArgumentError("rows", 0, "at least one measured row")
    first = {name: prior.likely for name, prior in PRIORS.items()} if start is None else _as_dict(start)
    return _constants(_least_squares(_residuals(rows), np.log(list(first.values()))))


def _as_dict(constants: Constants) -> dict[str, float]:
    return {name: getattr(constants, name) for name in PRIORS}


def _leave_out_key(rows: pd.DataFrame, by: str) -> pd.Series:
    return rows[choice("by", by, ["model", "task", "accelerator", "weight_precision", "architecture"])]


def held_out_joules_per_token(rows: pd.DataFrame, by: str) -> pd.Series:
    """Return an estimate for each row, made with constants fitted to the rows of all *other* models, or tasks.

    Args:
        rows: Rows of the table ``serving``.
        by: The column whose values are left out in turn: model, task, accelerator, weight_precision or architecture.

    Returns:
        J per output token on the rows' index, no row having been seen by the fit that estimates it.

    Raises:
        UnknownNameError: ``by`` is none of these columns.

    Source: mlenergy2026. Taught in the appendix on validation.

    Example:
        >>> from greenlib.catalog import table
        >>> rows = table("serving")
        >>> estimate = held_out_joules_per_token(rows, by="model")
        >>> float((estimate / rows["energy_per_token_j"] - 1).abs().median()) < 0.15
        True
    """
    key = _leave_out_key(rows, by)
    estimate = pd.Series(np.nan, index=rows.index, name="joules_per_token")
    for value in key.unique():
        held = key == value
        constants = fit_serving(rows[~held])
        estimate[held] = step_formula(frame_inputs(rows[held]), constants).joules_per_token
    return estimate


def held_out_mfu() -> pd.DataFrame:
    """Return, for each published training run, the 80 % interval of its MFU that the *other* runs give.

    Returns:
        One row a run: ``model``, ``accelerator``, ``active_params``, ``training_tokens``, ``accelerator_hours``,
        ``implied_mfu``, then ``p10``, ``p50`` and ``p90`` of the interval, and ``holds``, whether it held the run.

    Source: the pretraining rows of ``table("training_runs")``. Taught in the appendix on validation.

    Example:
        >>> runs = held_out_mfu()
        >>> bool(0.7 <= runs["holds"].mean() <= 0.9)
        True
    """
    runs = published_runs()
    others = [fit_mfu(runs.drop(name)).interval(run["generation"]) for name, run in runs.iterrows()]
    columns = ["model", "accelerator", "active_params", "training_tokens", "accelerator_hours", "implied_mfu"]
    rows = runs[columns].reset_index(drop=True)
    rows[["p10", "p50", "p90"]] = np.array(others)
    return rows.assign(holds=rows["implied_mfu"].between(rows["p10"], rows["p90"]))


ECOLOGITS_ALPHA, ECOLOGITS_BETA, ECOLOGITS_GAMMA = 1.1665273170451914e-06, -0.011205921025579175, 4.052928146734005e-05


def ecologits_joules_per_token(*, active_params, total_params, batch_size):
    r"""Return EcoLogits' published estimate of the accelerators' joules for one output token.

    .. math:: 3600 \left(\alpha e^{\beta B} N_a + \gamma\right) \,
              2^{\lceil \log_2 \lceil 1.2 \cdot 2 N / 80 \rceil \rceil}

    with active parameters :math:`N_a` and stored parameters N in billions: a regression of watt-hours on one
    accelerator, times the accelerators of 80 GB that hold the weights at 16 bits with a fifth to spare, their number
    rounded up to a power of two.

    Args:
        active_params: Parameters used for one token; above 0.
        total_params: Parameters stored; above 0.
        batch_size: Sequences served at once; 1 or more.

    Returns:
        J per output token, of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range.
        ArgumentTypeError: An argument is not numbers.

    Source: ecologits2026. Taught in 10 and in the appendix on validation.

    Example:
        >>> round(float(ecologits_joules_per_token(active_params=8e9, total_params=8e9, batch_size=64)), 3)
        0.162
    """
    active = quantity("active_params", active_params, "(0, 1e16]") / 1e9
    total = quantity("total_params", total_params, "(0, 1e16]") / 1e9
    batch = quantity("batch_size", batch_size, "[1, 1e6]")
    one_wh = ECOLOGITS_ALPHA * np.exp(ECOLOGITS_BETA * batch) * active + ECOLOGITS_GAMMA
    return 3600 * one_wh * 2 ** np.ceil(np.log2(np.ceil(1.2 * total * 2 / 80)))


def serving_errors(rows: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return how far the serving model and its peer are from measured rows that neither has seen.

    Args:
        rows: Rows of the table ``serving``; None for all of them.

    Returns:
        One row for each of the held-out model, task, accelerator and precision, then for parts of the rows with the
        model held out; columns estimator, held_out, rows (which part), count, median_error and p90_error: relative
        errors without sign, as fractions.

    Source: mlenergy2026, ecologits2026. Taught in the appendix on validation.

    Example:
        >>> errors = serving_errors().set_index(["estimator", "held_out", "rows"])["median_error"]
        >>> bool(errors["greenlib", "model", "all"] * 2.5 < errors["EcoLogits", "–", "all"])
        True
    """
    rows = table("serving") if rows is None else rows
    measured = rows["energy_per_token_j"]
    parts = {"all": pd.Series(True, index=rows.index)}
    for column in ("task", "accelerator", "weight_precision", "architecture"):
        parts |= {value: rows[column] == value for value in rows[column].unique()}
    parts["H100 chat"] = (rows["accelerator"] == "H100-SXM") & (rows["task"] == "lm-arena-chat")
    peer = ecologits_joules_per_token(
        active_params=rows["active_params"], total_params=rows["total_params"], batch_size=rows["batch_size"]
    )
    held_out = ("model", "task", "accelerator", "weight_precision")
    estimates = {("greenlib", by): held_out_joules_per_token(rows, by) for by in held_out}
    estimates["EcoLogits", "–"] = peer
    lines = []
    for (estimator, by), estimate in estimates.items():
        error = (estimate / measured - 1).abs()
        for part, chosen in parts.items():
            if part == "all" or by in ("model", "–"):
                e = error[chosen]
                lines.append((estimator, by, part, len(e), float(e.median()), float(e.quantile(0.9))))
    return pd.DataFrame(lines, columns=["estimator", "held_out", "rows", "count", "median_error", "p90_error"])


def write_fit(path: Path, rows: pd.DataFrame, date: datetime.date) -> Constants:
    """Fit all rows, write the constants as a table with the range that leaving one model out gives, return them."""
    constants = fit_serving(rows)
    without_one = [_as_dict(fit_serving(rows[rows["model"] != model])) for model in rows["model"].unique()]
    error = (held_out_joules_per_token(rows, "model") / rows["energy_per_token_j"] - 1).abs()
    median, p90 = error.median(), error.quantile(0.9)
    note = f"error of J per token on models left out: median {median:.3f}, 90th percentile {p90:.3f}"
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(list(dictionary()["serving_fit"].columns))
        for name, prior in PRIORS.items():
            others = [fit[name] for fit in without_one]
            value = getattr(constants, name)
            figures = [f"{number:.6g}" for number in (value, min(*others, value), max(*others, value))]
            place = f"table serving, {len(rows)} rows, fitted {date.isoformat()}"
            origin = ["estimate", "mlenergy2026", place, date.year + 2, note]
            writer.writerow([name, *figures, prior.unit, prior.meaning, *origin])
    return constants


def main() -> None:
    rows = table("serving")
    write_fit(Path(__file__).parent / "data" / "serving_fit.csv", rows, datetime.datetime.now(datetime.UTC).date())
    print(serving_errors(rows).to_string(index=False, float_format="{:.3f}".format))


if __name__ == "__main__":
    main()
