"""What a planned training run will take, as ranges learnt from published runs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pandas as pd

from greenlib import catalog
from greenlib.catalog import Accelerator, Site
from greenlib.checks import ArgumentError, checked
from greenlib.footprint import accelerator_hours, emissions_kg, facility_kwh, it_kwh, training_flops
from greenlib.uncertainty import Interval80

__all__ = ["TrainingPlan", "plan_training", "typical_mfu"]

PRIOR_RUNS = 1.0
"""Weight of the mean over all accelerators against the published runs of one: the spread between them is about as
large as the spread within one, so the general mean counts as much as one run."""


def _generation(accelerator: str) -> str:
    """Group the forms of one design: A100-SXM-40GB and A100-PCIe-80GB run the same code; H800 is an H100 for export."""
    return accelerator.split("-v")[0].split("-")[0].replace("H800", "H100")


def published_runs() -> pd.DataFrame:
    """Return the pretraining runs whose hours were published, with the logarithm of their whole-run MFU.

    Where two rows have the same model size, tokens, accelerator and hours, one card repeats the other, and the run
    counts once.
    """
    runs = catalog.table("training_runs")
    runs = runs[(runs["run"] == "pretraining") & runs["implied_mfu"].notna()]
    runs = runs.drop_duplicates(["total_params", "training_tokens", "accelerator", "accelerator_hours"])
    return runs.assign(generation=runs["accelerator"].map(_generation), log_mfu=np.log(runs["implied_mfu"]))


@dataclass(frozen=True, slots=True)
class _MfuModel:
    """Logarithm of the MFU: one mean a generation, drawn towards the general mean, and one spread for all."""

    general_mean: float
    means: dict[str, float]
    counts: dict[str, int]
    spread: float
    t80: float

    def interval(self, generation: str) -> Interval80:
        mean = self.means.get(generation, self.general_mean)
        spread = self.spread * np.sqrt(1 + 1 / (self.counts.get(generation, 0) + PRIOR_RUNS)) * self.t80
        return Interval80(*(float(min(1.0, np.exp(mean + step * spread))) for step in (-1, 0, 1)))


def fit_mfu(runs: pd.DataFrame) -> _MfuModel:
    """Fit the MFU model to runs; the tests call it with runs left out."""
    general = float(runs["log_mfu"].mean())
    groups = runs.groupby("generation")["log_mfu"].agg(["size", "mean"])
    means = (groups["size"] * groups["mean"] + PRIOR_RUNS * general) / (groups["size"] + PRIOR_RUNS)
    freedom = len(runs) - len(groups)
    spread = float(np.sqrt(((runs["log_mfu"] - runs["generation"].map(means)) ** 2).sum() / freedom))
    # Student's t at 90 %, by its expansion around the normal quantile; exact to 0.1 % from ten degrees of freedom on.
    z = 1.2815515655446004
    t80 = z + (z**3 + z) / (4 * freedom) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * freedom**2)
    return _MfuModel(general, means.to_dict(), groups["size"].to_dict(), spread, t80)


@cache
def _model() -> _MfuModel:
    return fit_mfu(published_runs())


def _row(accelerator: Accelerator | str) -> Accelerator:
    return catalog.accelerator(accelerator) if isinstance(accelerator, str) else accelerator


def typical_mfu(accelerator: Accelerator | str) -> Interval80:
    """Return the whole-run MFU that published training runs reached on an accelerator, as an 80 % interval.

    Whole-run means operations of the final run over everything the reserved hours could have done: restarts, idle
    time and evaluation count against it, so it lies below the MFU that papers quote for a step. The logarithm is
    taken to be normal, with one mean for each generation, drawn towards the mean of all, and one spread.

    Args:
        accelerator: A row of the accelerator table, or its name.

    Returns:
        10th, 50th and 90th percentile as fractions. Accelerators without a published run get the general range,
        which is wider.

    Raises:
        UnknownNameError: There is no such accelerator.

    Source: the pretraining rows of ``table("training_runs")``. Taught in 01.

    Example:
        >>> typical_mfu("H100-SXM").p50 < typical_mfu("A100-SXM-80GB").p50
        True
    """
    return _model().interval(_generation(_row(accelerator).name))


@cache
def power_of_tdp() -> tuple[float, float]:
    """Return the lowest and highest mean power over TDP among the published runs that measured it."""
    runs = catalog.table("training_runs")
    tdp_w = runs["accelerator"].map(catalog.table("accelerators").set_index("name")["tdp_w"])
    shares = (runs["power_w"] / tdp_w)[runs["power_basis"] == "measured"]
    return float(shares.min()), float(shares.max())


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """Accelerator hours, energy and emissions of a planned run, each as an 80 % interval.

    ``facility_kwh`` and ``operational_kg`` are None without a site. ``p10``, ``p50`` and ``p90`` are the hours'.
    """

    mfu: Interval80
    accelerator_hours: Interval80
    it_kwh: Interval80
    facility_kwh: Interval80 | None
    operational_kg: Interval80 | None

    @property
    def p10(self) -> Any:
        """Accelerator hours that one run in ten stays below."""
        return self.accelerator_hours.p10

    @property
    def p50(self) -> Any:
        """Accelerator hours that half of the runs stay below."""
        return self.accelerator_hours.p50

    @property
    def p90(self) -> Any:
        """Accelerator hours that nine runs in ten stay below."""
        return self.accelerator_hours.p90


@checked
def plan_training(
    active_params,
    tokens,
    accelerator: Accelerator | str,
    site: Site | str | None = None,
    *,
    power_w=None,
) -> TrainingPlan:
    r"""Return hours, energy and emissions of a planned training run as 80 % intervals.

    .. math:: t = \frac{6 N D}{3600 \, P \, \mathrm{MFU}}

    The hours inherit the spread of :func:`typical_mfu`. Unless it is given, power is taken to lie between the lowest
    and the highest share of TDP in the few runs that measured it, 0.54 and 1.10. PUE and grid intensity are the
    site's.

    Args:
        active_params: Parameters used for one token; above 0.
        tokens: Training tokens; above 0.
        accelerator: A row of the accelerator table, or its name.
        site: A row of the site table, or its name; None for no facility energy and no emissions.
        power_w: Mean IT power for one accelerator in W, if it is known.

    Returns:
        The plan; its quantities are of the kind that was given.

    Raises:
        ArgumentError: A value is NaN, infinite or out of range, or the accelerator has no TDP and no power was given,
            or the site publishes no PUE.
        ArgumentTypeError: An argument is not numbers.
        UnknownNameError: There is no such accelerator or site.

    Source: the pretraining rows of ``table("training_runs")``. Taught in 01.

    Example:
        >>> plan = plan_training(70e9, 15e12, "H100-SXM")
        >>> plan.p10 < 7.0e6 < plan.p90
        True
    """
    row, site = _row(accelerator), catalog.site(site) if isinstance(site, str) else site
    mfu = typical_mfu(row)
    flops = training_flops.formula(active_params, tokens)
    hours = Interval80(*(accelerator_hours(flops, peak_flops_per_s=row.peak_flops_per_s, mfu=m) for m in mfu[::-1]))
    if power_w is not None:
        energy = Interval80(*(it_kwh(h, power_w=power_w) for h in hours))
    elif row.tdp_w is None:
        raise ArgumentError("power_w", None, f"given, since {row.name} has no TDP in the tables")
    else:
        energy = _energy_of_uncertain_power(hours, mfu, row.tdp_w)
    facility = emissions = None
    if site is not None:
        if site.pue is None:
            raise ArgumentError("site", site.name, "a site with a published PUE")
        facility = Interval80(*(facility_kwh(kwh, pue=site.pue) for kwh in energy))
        emissions = Interval80(*(emissions_kg(kwh, grid_g_per_kwh=site.grid_g_per_kwh) for kwh in facility))
    return TrainingPlan(mfu, hours, energy, facility, emissions)


def _energy_of_uncertain_power(hours: Interval80, mfu: Interval80, tdp_w: float) -> Interval80:
    """Multiply two log-normal quantities: medians multiply, and the logarithms' spreads add in square."""
    low, high = power_of_tdp()
    spread = np.hypot(np.log(mfu.p90 / mfu.p50), np.log(high / low) / 2)
    median = it_kwh(hours.p50, power_w=tdp_w * np.sqrt(low * high))
    return Interval80(*(median * float(np.exp(step * spread)) for step in (-1, 0, 1)))
