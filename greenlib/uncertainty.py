"""Ranges instead of single numbers: draw samples, read intervals, rank what matters, compare two options.

The functions of greenlib take arrays, so an uncertain input is an array of samples and an uncertain result comes out
by itself. Two results share an uncertainty when they share its samples: use one draw of the grid for both options.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from greenlib.checks import (
    AlignmentError,
    ArgumentError,
    ArgumentTypeError,
    choice,
    integer,
    number,
    quantity,
)

__all__ = ["Interval80", "interval", "probability_better", "samples", "tornado"]


class Interval80(NamedTuple):
    """The middle of a distribution: 10th, 50th and 90th percentile."""

    p10: float
    p50: float
    p90: float


def samples(
    low,
    high,
    *,
    shape: str = "lognormal",
    minimum: float = -np.inf,
    maximum: float = np.inf,
    n: int = 10_000,
    seed: int,
) -> np.ndarray:
    r"""Return samples of a quantity of which a low and a high value are known.

    ``low`` and ``high`` are read as the 10th and the 90th percentile of a normal or log-normal distribution, and as
    the ends of a uniform one. Log-normal fits positive quantities that are uncertain by a factor:
    :math:`\ln x` is normal with mean :math:`(\ln l + \ln h)/2` and deviation :math:`(\ln h - \ln l)/2.563`. What
    falls outside ``minimum`` and ``maximum`` is drawn again.

    Args:
        low: Low value; above 0 for log-normal.
        high: High value, in the same unit; at least ``low``.
        shape: ``"lognormal"``, ``"normal"`` or ``"uniform"``.
        minimum: Smallest possible value; at most ``low``.
        maximum: Largest possible value, such as 1 for a fraction; at least ``high``.
        n: Number of samples; 1 or more.
        seed: Seed of the random numbers; the same seed gives the same samples, another input needs another seed.

    Returns:
        ``n`` samples in the unit of ``low`` and ``high``.

    Raises:
        ArgumentError: The values are not in the order minimum, low, high, maximum, not positive where they must be,
            or not finite.
        ArgumentTypeError: An argument is not a number.
        UnknownNameError: There is no such shape.

    Taught in 01.

    Example:
        >>> mfu = samples(0.2, 0.5, maximum=1, seed=1)
        >>> [round(value, 1) for value in interval(mfu)]
        [0.2, 0.3, 0.5]
    """
    low, high = number("low", low), number("high", high)
    n, seed = integer("n", n, low=1), integer("seed", seed, low=0)
    shape = choice("shape", shape, ["lognormal", "normal", "uniform"])
    if low > high:
        raise ArgumentError("low", low, f"at most high, which is {high:g}")
    if low <= 0 and shape == "lognormal":
        raise ArgumentError("low", low, "above 0 for a log-normal range")
    if not minimum <= low:
        raise ArgumentError("minimum", minimum, f"at most low, which is {low:g}")
    if not maximum >= high:
        raise ArgumentError("maximum", maximum, f"at least high, which is {high:g}")
    generator = np.random.default_rng(seed)
    drawn = _draw(generator, low, high, shape, n)
    while (outside := (drawn < minimum) | (drawn > maximum)).any():
        drawn[outside] = _draw(generator, low, high, shape, int(outside.sum()))
    return drawn


_BETWEEN_P10_AND_P90 = 2 * 1.2815515655446004
"""Standard deviations of a normal distribution between its 10th and its 90th percentile."""


def _draw(generator: np.random.Generator, low: float, high: float, shape: str, n: int) -> np.ndarray:
    if shape == "uniform":
        return generator.uniform(low, high, n)
    if shape == "normal":
        return generator.normal((low + high) / 2, (high - low) / _BETWEEN_P10_AND_P90, n)
    return np.exp(generator.normal(np.log(low * high) / 2, np.log(high / low) / _BETWEEN_P10_AND_P90, n))


def _samples_of(name: str, values: Any) -> np.ndarray:
    array = np.asarray(quantity(name, values, "(-inf, inf)"), dtype=np.float64)
    if array.ndim != 1 or array.size == 0:
        raise ArgumentError(name, f"shape {array.shape}", "one-dimensional and not empty")
    return array


def interval(values) -> Interval80:
    """Return the 10th, 50th and 90th percentile of samples.

    Args:
        values: Samples, one-dimensional.

    Returns:
        ``p10``, ``p50`` and ``p90`` in the unit of the samples; eight in ten samples lie between p10 and p90.

    Raises:
        ArgumentError: There are no samples, or some are not finite.
        ArgumentTypeError: They are not numbers.

    Taught in 01.

    Example:
        >>> interval(range(101))
        Interval80(p10=10.0, p50=50.0, p90=90.0)
    """
    array = _samples_of("values", list(values) if isinstance(values, range) else values)
    return Interval80(*(float(value) for value in np.percentile(array, [10, 50, 90])))


def probability_better(a, b, *, lower_is_better: bool = True) -> float:
    """Return the share of the samples in which A beats B, ties counted half.

    Args:
        a: Samples of A, one-dimensional.
        b: Samples of B, row by row from the same draws of whatever A and B share.
        lower_is_better: Whether the smaller number wins.

    Returns:
        A probability from 0 to 1; 0.5 says that the samples cannot tell A from B.

    Raises:
        ArgumentError: There are no samples, or some are not finite.
        AlignmentError: A and B have different numbers of samples.

    Taught in 01 and 16.

    Example:
        >>> grid = samples(20, 700, seed=3)
        >>> probability_better(100 * grid, 110 * grid)
        1.0
    """
    a, b = _samples_of("a", a), _samples_of("b", b)
    if a.shape != b.shape:
        raise AlignmentError("b", f"{b.size} samples", f"of {a.size} samples, as a is")
    wins = a < b if lower_is_better else a > b
    return float(wins.mean() + (a == b).mean() / 2)


def tornado(function: Callable[..., Any], ranges: Mapping[str, tuple[float, float]], **base: float) -> pd.DataFrame:
    """Return how far each uncertain input moves the result while the others stay at their base values.

    Args:
        function: A function of keyword arguments that returns one number.
        ranges: Input name to its low and high value.
        **base: Base value of every input of the function.

    Returns:
        One row an input, the one that moves the result most first: columns ``low`` and ``high``, the result at the
        input's low and high value; ``attrs["base"]`` is the result at the base values.

    Raises:
        ArgumentError: A range is upside down or has no base value.
        ArgumentTypeError: A range is not a pair of numbers.

    Taught in 01 and 16.

    Example:
        >>> from greenlib import emissions_kg
        >>> swings = tornado(emissions_kg, {"grid_g_per_kwh": (20, 700)}, facility_kwh=1000, grid_g_per_kwh=400)
        >>> swings.loc["grid_g_per_kwh"].tolist(), swings.attrs["base"]
        ([20.0, 700.0], 400.0)
    """
    rows = {}
    for name, ends in ranges.items():
        if not isinstance(ends, tuple | list) or len(ends) != 2:
            raise ArgumentTypeError(name, ends, "a pair: low and high")
        low, high = number(name, ends[0]), number(name, ends[1])
        if low > high:
            raise ArgumentError(name, ends, "a pair with the low value first")
        if name not in base:
            raise ArgumentError(name, None, "given a base value, too")
        rows[name] = [float(function(**{**base, name: end})) for end in (low, high)]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["low", "high"])
    frame = frame.loc[(frame["high"] - frame["low"]).abs().sort_values(ascending=False).index]
    frame.index.name = "input"
    frame.attrs["base"] = float(function(**base))
    return frame
