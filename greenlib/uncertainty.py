"""Ranges instead of single numbers: draw samples, read intervals, rank what matters, compare two options.

The functions of greenlib take arrays, so an uncertain input is an array of :class:`Samples` and an uncertain result
comes out by itself, as samples again, with its ``p10``, ``p50`` and ``p90``. Two results share an uncertainty when they
share its samples: use one draw of the grid for both options.
"""

from __future__ import annotations

import math
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

__all__ = [
    "Interval80",
    "MeanInterval",
    "Samples",
    "interval",
    "mean_interval",
    "probability_better",
    "samples",
    "tornado",
]


class Interval80(NamedTuple):
    """The middle of a distribution: 10th, 50th and 90th percentile."""

    p10: float
    p50: float
    p90: float


class Samples(np.ndarray):
    """Samples of an uncertain quantity: an array, which arithmetic leaves one, that knows its percentiles.

    Samples lie along the first axis; with more axes, such as samples by sites, each percentile is an array over the
    others.

    Example:
        >>> grid = samples(300, 500, seed=1)
        >>> kg = 1000 * grid / 1000
        >>> isinstance(kg, Samples), kg.p10 < 310 < kg.p50 < 490 < kg.p90
        (True, True)
    """

    @property
    def p10(self) -> Any:
        """The value that one sample in ten lies below."""
        return self._percentile(10)

    @property
    def p50(self) -> Any:
        """The median."""
        return self._percentile(50)

    @property
    def p90(self) -> Any:
        """The value that nine samples in ten lie below."""
        return self._percentile(90)

    def _percentile(self, percent: float) -> Any:
        values = np.percentile(np.asarray(self, dtype=np.float64), percent, axis=0)
        return float(values) if np.ndim(values) == 0 else values

    def __array_wrap__(self, array: np.ndarray, context: Any = None, return_scalar: bool = False) -> Any:
        """Return a plain number where no axis is left: the mean of samples is no sample."""
        return array[()] if return_scalar else array.view(type(self))

    def __repr__(self) -> str:
        if self.ndim != 1 or self.size == 0:
            return f"Samples(shape={self.shape})"
        return f"Samples(n={self.size:,}, p10={self.p10:.4g}, p50={self.p50:.4g}, p90={self.p90:.4g})"


def samples(
    low,
    high,
    *,
    shape: str = "lognormal",
    minimum: float = -np.inf,
    maximum: float = np.inf,
    n: int = 10_000,
    seed: int,
) -> Samples:
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
    minimum, maximum = number("minimum", minimum, "[-inf, inf]"), number("maximum", maximum, "[-inf, inf]")
    if minimum > low:
        raise ArgumentError("minimum", minimum, f"at most low, which is {low:g}")
    if maximum < high:
        raise ArgumentError("maximum", maximum, f"at least high, which is {high:g}")
    generator = np.random.default_rng(seed)
    drawn = _draw(generator, low, high, shape, n)
    while (outside := (drawn < minimum) | (drawn > maximum)).any():
        drawn[outside] = _draw(generator, low, high, shape, int(outside.sum()))
    return drawn.view(Samples)


_BETWEEN_P10_AND_P90 = 2 * 1.2815515655446004
"""Standard deviations of a normal distribution between its 10th and its 90th percentile."""


def _draw(generator: np.random.Generator, low: float, high: float, shape: str, n: int) -> np.ndarray:
    if low == high:
        # Rounding in the formulas below could put all of them outside a minimum of the same value, draw after draw.
        return np.full(n, low)
    if shape == "uniform":
        return generator.uniform(low, high, n)
    if shape == "normal":
        return generator.normal((low + high) / 2, (high - low) / _BETWEEN_P10_AND_P90, n)
    log_low, log_high = np.log(low), np.log(high)
    return np.exp(generator.normal((log_low + log_high) / 2, (log_high - log_low) / _BETWEEN_P10_AND_P90, n))


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


class MeanInterval(NamedTuple):
    """A mean of repeated runs and the two ends of its confidence interval."""

    mean: float
    low: float
    high: float


def mean_interval(values, *, confidence: float = 0.95) -> MeanInterval:
    r"""Return the mean of repeated runs and how far it may be from the mean of very many runs.

    .. math:: \bar x \pm t \, \frac{s}{\sqrt n}

    with the standard deviation :math:`s` of :math:`n` runs and Student's :math:`t` for :math:`n - 1` degrees of
    freedom. It says where the mean lies; single runs scatter more widely. To compare two methods that were run with
    the same seeds, pass their differences.

    Args:
        values: One number a run, one-dimensional, two or more.
        confidence: Share of such intervals that hold the true mean, 0 to 1.

    Returns:
        ``mean``, ``low`` and ``high`` in the unit of the values.

    Raises:
        ArgumentError: There are fewer than two runs, one is not finite, or the confidence is not between 0 and 1.
        ArgumentTypeError: They are not numbers.

    Source: abramowitz1964handbook, section 26.7. Taught in the labs.

    Example:
        >>> [round(value, 2) for value in mean_interval([4.8, 5.0, 5.1, 5.3, 4.8])]
        [5.0, 4.74, 5.26]
    """
    array = _samples_of("values", values)
    if array.size < 2:
        raise ArgumentError("values", f"{array.size} run", "at least two runs: one has no scatter")
    confidence = number("confidence", confidence, "(0, 1)")
    half = _student_t(confidence, array.size - 1) * float(array.std(ddof=1)) / math.sqrt(array.size)
    mean = float(array.mean())
    return MeanInterval(mean, mean - half, mean + half)


def _student_t(confidence: float, freedom: int) -> float:
    """Find the t that Student's distribution exceeds on both sides with probability 1 - confidence, by halving."""
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        angle = (low + high) / 2
        if _share_within(angle, freedom) < confidence:
            low = angle
        else:
            high = angle
    return math.tan((low + high) / 2) * math.sqrt(freedom)


def _share_within(angle: float, freedom: int) -> float:
    """Return the probability between -t and t, where ``angle`` is the arc tangent of t over the root of freedom."""
    cosine, sine = math.cos(angle), math.sin(angle)
    odd = freedom % 2
    term, total = (cosine, 0.0) if odd else (1.0, 0.0)
    for power in range(1 + odd, freedom, 2):
        total += term
        term *= cosine**2 * power / (power + 1)
    return 2 / math.pi * (angle + sine * total) if odd else sine * total


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
        ArgumentTypeError: They are not numbers.
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
        ArgumentTypeError: The ranges are no dictionary, or one is not a pair of numbers.

    Taught in 01 and 16.

    Example:
        >>> from greenlib import emissions_kg
        >>> swings = tornado(emissions_kg, {"grid_g_per_kwh": (20, 700)}, facility_kwh=1000, grid_g_per_kwh=400)
        >>> swings.loc["grid_g_per_kwh"].tolist(), swings.attrs["base"]
        ([20.0, 700.0], 400.0)
    """
    if not isinstance(ranges, Mapping):
        raise ArgumentTypeError("ranges", ranges, "a dictionary: input to its low and high value")
    rows = {}
    for name, ends in ranges.items():
        if not isinstance(ends, tuple | list) or len(ends) != 2:
            raise ArgumentTypeError(name, ends, "a pair: low and high")
        low, high = number(name, ends[0]), number(name, ends[1])
        if low > high:
            raise ArgumentError(name, ends, "a pair with the low value first")
        if name not in base:
            raise ArgumentError(name, None, "given a base value, too")
        rows[name] = [float(function(**base | {name: end})) for end in (low, high)]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["low", "high"])
    frame = frame.loc[(frame["high"] - frame["low"]).abs().sort_values(ascending=False).index]
    frame.index.name = "input"
    frame.attrs["base"] = float(function(**base))
    return frame
