"""One argument check for every room: typed errors that name the argument, the value and the allowed range.

Argument names carry their unit, so one vocabulary, :data:`QUANTITIES`, can say what each of them may be. A function
decorated with :func:`checked` accepts a float, a list, a NumPy array, a pandas Series or a Dask array for every
argument in that vocabulary, refuses what cannot be true, and returns the kind that it was given.
"""

from __future__ import annotations

import functools
import inspect
import math
import numbers
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import lazy_loader

# Scalars need no NumPy, and importing it takes longer than all the rest.
np = lazy_loader.load("numpy")

__all__ = [
    "QUANTITIES",
    "AlignmentError",
    "ArgumentError",
    "ArgumentTypeError",
    "DataError",
    "GreenlibError",
    "Interval",
    "Quantity",
    "UnknownNameError",
    "checked",
    "choice",
    "integer",
    "number",
    "quantity",
]


class GreenlibError(Exception):
    """The base of every error that greenlib raises on purpose."""


class ArgumentError(GreenlibError, ValueError):
    """An argument has an impossible value.

    Args:
        argument: Name of the argument.
        value: The value that was given.
        allowed: The allowed range or names, in words.
        suggestion: What the caller may have meant, if there is a good guess.

    Example:
        >>> raise ArgumentError("pue", 0.9, "at least 1")
        Traceback (most recent call last):
        greenlib.checks.ArgumentError: pue = 0.9 is not possible: it must be at least 1
    """

    template = "{argument} = {value} is not possible: it must be {allowed}"

    def __init__(self, argument: str, value: Any, allowed: str, suggestion: str | None = None) -> None:
        self.argument, self.value, self.allowed, self.suggestion = argument, value, allowed, suggestion
        super().__init__(argument, value, allowed, suggestion)

    def __str__(self) -> str:
        shown = repr(self.value)
        shown = shown if len(shown) <= 80 else shown[:77] + "..."
        message = self.template.format(argument=self.argument, value=shown, allowed=self.allowed)
        return message if self.suggestion is None else f"{message}; did you mean {self.suggestion}?"


class ArgumentTypeError(ArgumentError, TypeError):
    """An argument is of a kind that cannot be computed with."""

    template = "{argument} = {value} is of the wrong kind: it must be {allowed}"


class UnknownNameError(ArgumentError, KeyError):
    """A name is not in the table or list it was looked up in."""

    template = "unknown {argument} {value}: it must be {allowed}"


class AlignmentError(ArgumentError):
    """Two arguments do not belong row to row: their indexes or shapes differ."""

    template = "{argument} of {value} does not fit the other arguments: it must be {allowed}"


class DataError(GreenlibError, ValueError):
    """A data file is missing or damaged.

    Args:
        file: Name of the file.
        problem: What is wrong, in words.
        row: Line number in the file (the header is line 1), if one row is to blame.
        column: Column name, if one column is to blame.
    """

    def __init__(self, file: str, problem: str, row: int | None = None, column: str | None = None) -> None:
        self.file, self.problem, self.row, self.column = file, problem, row, column
        super().__init__(file, problem, row, column)

    def __str__(self) -> str:
        place = self.file
        place += f", row {self.row}" if self.row is not None else ""
        place += f", column {self.column!r}" if self.column is not None else ""
        return f"{place}: {self.problem}"


@dataclass(frozen=True, slots=True)
class Interval:
    """A range of finite numbers with open or closed ends.

    Example:
        >>> share = Interval.parse("(0, 1]")
        >>> 0.4 in share, 0.0 in share, float("nan") in share
        (True, False, False)
        >>> str(share)
        'above 0, at most 1'
    """

    low: float
    high: float
    low_open: bool = False
    high_open: bool = False

    @classmethod
    def parse(cls, text: str) -> Interval:
        """Read an interval as mathematicians write it, for example ``(0, 1]`` or ``[0, inf)``."""
        text = text.strip()
        ends = text[1:-1].split(",")
        if len(ends) != 2 or text[0] not in "[(" or text[-1] not in "])":
            raise ArgumentError("interval", text, "written like [0, 1] or (0, inf)")
        return cls(float(ends[0]), float(ends[1]), text[0] == "(", text[-1] == ")")

    def __contains__(self, value: float) -> bool:
        above = self.low < value if self.low_open else self.low <= value
        return bool(above and (value < self.high if self.high_open else value <= self.high))

    def __str__(self) -> str:
        above = f"{'above' if self.low_open else 'at least'} {self.low:,g}" if math.isfinite(self.low) else ""
        below = f"{'below' if self.high_open else 'at most'} {self.high:,g}" if math.isfinite(self.high) else "finite"
        return ", ".join(part for part in (above, below) if part)


@dataclass(frozen=True, slots=True)
class Quantity:
    """What one argument name means wherever it occurs: its range, its unit and its meaning."""

    allowed: Interval
    unit: str
    meaning: str


def _vocabulary(*rows: tuple[str, str, str, str]) -> Mapping[str, Quantity]:
    return {name: Quantity(Interval.parse(allowed), unit, meaning) for name, allowed, unit, meaning in rows}


QUANTITIES: Mapping[str, Quantity] = _vocabulary(
    ("active_params", "(0, 1e16]", "parameters", "parameters used for one token"),
    ("total_params", "(0, 1e16]", "parameters", "parameters stored"),
    ("dense_params", "(0, 1e16]", "parameters", "parameters of a dense model, all of them active"),
    ("moe_total_params", "(0, 1e16]", "parameters", "parameters stored by a mixture-of-experts model"),
    (
        "moe_active_params",
        "(0, 1e16]",
        "parameters",
        "parameters a mixture-of-experts model uses for one token",
    ),
    ("tokens", "[0, 1e20]", "tokens", "tokens processed"),
    ("flops", "[0, inf)", "FLOP", "floating-point operations"),
    ("flops_per_param_token", "(0, 100]", "FLOP", "operations for one parameter and one token"),
    ("peak_flops_per_s", "[1e6, 1e21]", "FLOP/s", "peak rate of one accelerator at the precision used"),
    ("hardware_tflops", "(0, 1e9]", "TFLOP/s", "peak rate of one accelerator at the precision used"),
    ("mfu", "(0, 1]", "fraction", "model FLOP utilisation: useful operations over peak operations"),
    ("accelerator_hours", "[0, inf)", "h", "hours of one accelerator"),
    ("accelerators", "[1, 1e9]", "accelerators", "accelerators working together"),
    ("hours", "[0, 1e9]", "h", "run time"),
    ("runs", "[0, 1e9]", "runs", "times the same run is made"),
    ("cores", "[0, 1e9]", "cores", "processor cores, or accelerators, that one run keeps"),
    ("core_w", "[0, 1e6]", "W", "power of one core, or of one accelerator, at full use"),
    ("core_usage", "[0, 1]", "fraction", "mean use of the cores over the run time"),
    ("memory_gb", "[0, 1e9]", "GB", "host memory that was reserved, used or not"),
    ("memory_w_per_gb", "[0, 100]", "W/GB", "power of one gigabyte of memory"),
    ("power_w", "(0, 1e7]", "W", "mean IT power for one accelerator"),
    ("gpu_power_w", "(0, 1e7]", "W", "mean IT power for one accelerator"),
    ("it_kwh", "[0, inf)", "kWh", "energy used by the IT equipment"),
    ("facility_kwh", "[0, inf)", "kWh", "energy used by the whole building for that IT energy"),
    ("pue", "[1, 10]", "ratio", "power usage effectiveness: facility energy over IT energy"),
    ("grid_g_per_kwh", "[0, 5000]", "g CO2e/kWh", "grid intensity"),
    ("co2_g_kwh", "[0, 5000]", "g CO2e/kWh", "grid intensity"),
    ("wue_l_per_kwh", "[0, 50]", "L/kWh", "water usage effectiveness: on-site litres over IT energy"),
    ("emissions_kg", "[0, inf)", "kg CO2e", "operational emissions"),
    ("bits", "(0, 64]", "bit", "bits of one quantised number"),
    ("bits_per_weight", "(0, 64]", "bit", "bits stored for one weight, scales included"),
    ("scale_bits", "[0, 64]", "bit", "bits of one shared scale"),
    ("group_size", "[1, 1e9]", "weights", "weights that share one scale"),
    ("rows", "[1, 1e9]", "rows", "rows of a weight matrix"),
    ("columns", "[1, 1e9]", "columns", "columns of a weight matrix"),
    ("rank", "[1, 1e6]", "rank", "rank of a low-rank adapter"),
    ("trained_fraction", "(0, 1]", "fraction", "share of the parameters that is trained"),
    ("teacher_active_params", "(0, 1e16]", "parameters", "active parameters of the teacher"),
    ("batch_size", "[1, 1e9]", "tokens", "tokens computed together"),
    ("experts", "[1, 1e6]", "experts", "experts in a layer"),
    ("experts_per_token", "[1, 1e6]", "experts", "experts that one token is routed to"),
    ("before", "(0, inf)", "any", "a quantity before a change"),
    ("after", "[0, inf)", "any", "the same quantity after the change"),
    ("upfront", "(0, inf)", "any", "what a change costs once"),
    ("cost_before", "[0, inf)", "any", "cost of one use before a change"),
    ("cost_after", "[0, inf)", "any", "cost of one use after the change"),
    ("years", "(0, 1000]", "years", "time between two values"),
    ("expected_saving", "(0, 1]", "fraction", "saving promised at unchanged use"),
    ("actual_saving", "(-inf, 1]", "fraction", "saving seen; negative where the total rose"),
    ("efficiency_gain", "[1, 1e9]", "ratio", "energy of one use before over after"),
    ("elasticity", "[0, 10]", "ratio", "percent more use for one percent lower price"),
    ("pass_through", "[0, 1]", "fraction", "share of an energy gain that reaches the price"),
    ("model_growth", "(0, 1e9]", "ratio", "parameters after over before"),
    ("token_exponent", "[0, 3]", "exponent", "how training tokens follow the parameters"),
    ("cap_kwh", "[0, inf)", "kWh", "energy that may be used"),
    ("kwh_per_use", "(0, inf)", "kWh", "energy of one use"),
    ("device_embodied_kg", "(0, 1e6]", "kg CO2e", "emissions of making one accelerator"),
    ("lifetime_hours", "(0, 1e6]", "h", "hours from installation to retirement"),
    ("utilization", "(0, 1]", "fraction", "share of the lifetime in which the accelerator does work"),
    ("device_kwh", "[0, inf)", "kWh", "energy used by the accelerators alone"),
    ("it_ratio", "[1, 10]", "ratio", "IT energy over that of the accelerators"),
    ("use_ratio", "(0, 1e6]", "ratio", "requests over those planned for"),
    ("error_ratio", "(0, 1e3]", "ratio", "energy as a meter would read it over the plan's"),
    ("latitude", "[-90, 90]", "degrees", "latitude of a place, north positive"),
    ("longitude", "[-180, 180]", "degrees", "longitude of a place, east positive"),
    ("to_latitude", "[-90, 90]", "degrees", "latitude of the place it is compared with"),
    ("to_longitude", "[-180, 180]", "degrees", "longitude of the place it is compared with"),
    ("distance_km", "[0, 20100]", "km", "distance over the Earth's surface, one way"),
    ("group_index", "[1, 2]", "ratio", "speed of light in vacuum over that in a fibre"),
)


def choice(argument: str, value: Any, allowed: Iterable[str]) -> str:
    """Return ``value`` if it is one of the ``allowed`` names.

    Args:
        argument: What the name names, for the message.
        value: The name given.
        allowed: The names there are.

    Returns:
        The value itself.

    Raises:
        ArgumentTypeError: The value is not text.
        UnknownNameError: The value is not among the names; the nearest one is suggested.

    Example:
        >>> choice("signal", "margnal", ["average", "marginal"])
        Traceback (most recent call last):
        greenlib.checks.UnknownNameError: unknown signal 'margnal': ...; did you mean 'marginal'?
    """
    names = list(allowed)
    few = len(names) <= 8
    words = f"{', '.join(names[:-1])} or {names[-1]}" if few and len(names) > 1 else ", ".join(names[:1])
    words = words if few else f"one of {len(names):,} known names"
    if not isinstance(value, str):
        raise ArgumentTypeError(argument, value, f"text: {words}")
    if value in names:
        return value
    folded = {name.casefold(): name for name in names}
    near = get_close_matches(value.casefold(), folded, n=1, cutoff=0.5)
    raise UnknownNameError(argument, value, words, repr(folded[near[0]]) if near else None)


def integer(argument: str, value: Any, *, low: int, high: int | None = None) -> int:
    """Return ``value`` as an int if it is a whole number from ``low`` to ``high``.

    Args:
        argument: Name of the argument, for the message.
        value: The number given.
        low: Smallest allowed value.
        high: Largest allowed value; None for no upper end.

    Returns:
        The value as a Python int.

    Raises:
        ArgumentTypeError: The value is not a whole number.
        ArgumentError: The value is out of range.

    Example:
        >>> integer("n", 0, low=1)
        Traceback (most recent call last):
        greenlib.checks.ArgumentError: n = 0 is not possible: it must be at least 1
    """
    words = f"at least {low:,}" if high is None else f"from {low:,} to {high:,}"
    if isinstance(value, bool | np.bool_) or not isinstance(value, numbers.Integral):
        raise ArgumentTypeError(argument, value, f"a whole number, {words}")
    if value < low or (high is not None and value > high):
        raise ArgumentError(argument, value, words)
    return int(value)


def _refuse(name: str, value: Any, allowed: Interval) -> None:
    suggestion = None
    if isinstance(value, numbers.Real) and math.isfinite(value):
        if allowed.high == 1 and 1 < value <= 100:
            suggestion = f"{value / 100:g} (fractions run from 0 to 1)"
        elif name == "peak_flops_per_s" and 0 < value < allowed.low:
            suggestion = f"{value:g}e12 (FLOP/s, not TFLOP/s)"
    raise ArgumentError(name, value, str(allowed), suggestion)


def _check_array(name: str, array: np.ndarray, allowed: Interval) -> np.ndarray:
    """Check that all of a float64 array lies in the interval; min and max carry NaN, so two passes do."""
    if array.size and not (
        np.minimum.reduce(array, axis=None) in allowed and np.maximum.reduce(array, axis=None) in allowed
    ):
        first = next(value for value in array.flat if value not in allowed)
        _refuse(name, float(first), allowed)
    return array


def _as_float64(name: str, array: Any, allowed: Interval) -> np.ndarray:
    array = np.asanyarray(array)
    if array.dtype == np.float64:
        return array
    if array.dtype.kind == "O" and all(
        isinstance(value, numbers.Real) and not isinstance(value, bool) for value in array.flat
    ):
        return array.astype(np.float64)
    if array.dtype.kind not in "iuf":
        raise ArgumentTypeError(name, array.flat[0] if array.size else array, f"numbers, {allowed}")
    return array.astype(np.float64)


def _is_dask(value: Any) -> bool:
    return "dask" in sys.modules and hasattr(value, "__dask_graph__")


def _check_block(block: Any, name: str, allowed: Interval) -> Any:
    _check_array(name, np.asarray(block), allowed)
    return block


def _convert(name: str, value: Any, allowed: Interval) -> tuple[Any, bool]:
    """Return the value as float64 of its own kind, and whether it is still to be checked as an array."""
    if isinstance(value, float):
        if value not in allowed:
            _refuse(name, value, allowed)
        return value, False
    if isinstance(value, np.ndarray):
        return _as_float64(name, value, allowed), True
    if isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_):
        return _convert(name, float(value), allowed)
    if isinstance(value, list | tuple):
        return _as_float64(name, value, allowed), True
    if _is_dask(value):
        block_check = functools.partial(_check_block, name=name, allowed=allowed)
        if hasattr(value, "map_blocks"):
            return value.astype(np.float64).map_blocks(block_check, dtype=np.float64), False
        return value.astype(np.float64).map_partitions(block_check, meta=value._meta.astype(np.float64)), False
    if "pandas" in sys.modules and isinstance(value, sys.modules["pandas"].Series):
        if value.dtype != np.float64:
            numeric = value.dtype.kind in "iufO"
            array = value.to_numpy(dtype=np.float64, na_value=np.nan) if numeric and value.dtype.kind != "O" else None
            array = _as_float64(name, value.to_numpy(), allowed) if array is None else array
            value = type(value)(array, index=value.index, name=value.name)
        return value, True
    raise ArgumentTypeError(name, value, f"a number or an array of numbers, {allowed}")


def _check_alignment(arrays: list[tuple[str, Any]]) -> None:
    """Series must share one index and shapes must broadcast: pandas would pad a misfit with NaN silently."""
    (first_name, first), *others = arrays
    index = getattr(first, "index", None)
    shape = np.shape(first)
    for name, other in others:
        other_index = getattr(other, "index", None)
        if index is not None and other_index is not None:
            if other_index is not index and not other_index.equals(index):
                raise AlignmentError(
                    name, f"index {list(other_index[:4])}", f"on the index of {first_name}, {list(index[:4])}"
                )
        elif other_index is not None:
            index, first_name = other_index, name
        if np.shape(other) != shape:
            series = index is not None
            try:
                broadcast = np.broadcast_shapes(shape, np.shape(other))
            except ValueError:
                broadcast = None
            if broadcast is None or (series and broadcast != np.shape(index)):
                fitting = f"of length {len(index)}" if series else f"of a shape that broadcasts with {shape}"
                raise AlignmentError(name, f"shape {np.shape(other)}", fitting) from None
            shape = broadcast


def quantity(name: str, value: Any, allowed: str | Interval | None = None) -> Any:
    """Return one argument as float64 of its own kind if it lies in its range.

    Args:
        name: Name of the argument; its range is looked up in :data:`QUANTITIES` unless ``allowed`` is given.
        value: A float, list, NumPy array, pandas Series or Dask array.
        allowed: A range such as ``"(0, 1]"`` for names outside the vocabulary.

    Returns:
        The value as float64: a float stays a float, a Series a Series, a Dask array stays lazy.

    Raises:
        ArgumentTypeError: Not numbers.
        ArgumentError: NaN, infinite or out of range.

    Example:
        >>> quantity("mfu", 40)
        Traceback (most recent call last):
        greenlib.checks.ArgumentError: mfu = 40.0 is not possible: ...; did you mean 0.4 (fractions run from 0 to 1)?
    """
    interval = QUANTITIES[name].allowed if allowed is None else allowed
    interval = Interval.parse(interval) if isinstance(interval, str) else interval
    value, is_array = _convert(name, value, interval)
    if is_array:
        _check_array(name, np.asarray(value), interval)
    return value


_BLOCK = 16_384
"""Elements in one block: seven inputs and their temporaries then stay in a core's second-level cache."""


def number(argument: str, value: Any, allowed: str = "(-inf, inf)") -> float:
    """Return ``value`` as a float if it is one number in the allowed range.

    Args:
        argument: Name of the argument, for the message.
        value: A number, or an array of one element.
        allowed: The range, such as ``"[0, inf)"``.

    Returns:
        The value as a Python float.

    Raises:
        ArgumentTypeError: The value is not one number.
        ArgumentError: NaN, infinite or out of range.

    Example:
        >>> number("max_cost", 50_000, "[0, inf)")
        50000.0
    """
    one = value.item() if getattr(value, "size", None) == 1 else value
    if isinstance(one, bool) or not isinstance(one, numbers.Real):
        raise ArgumentTypeError(argument, value, f"one number, {Interval.parse(allowed)}")
    return quantity(argument, float(one), allowed)


def _in_blocks(function: Callable, arguments: dict, arrays: dict[str, np.ndarray], length: int) -> np.ndarray:
    """Check and evaluate an elementwise function block by block, so that each input is read from memory once."""
    output = np.empty(length)
    for start in range(0, length, _BLOCK):
        part = slice(start, start + _BLOCK)
        for name, array in arrays.items():
            arguments[name] = _check_array(name, array[part], QUANTITIES[name].allowed)
        output[part] = function(**arguments)
    return output


def checked(function: Callable) -> Callable:
    """Decorate an elementwise function so that its arguments are checked by name and its kinds preserved.

    Every argument whose name is in :data:`QUANTITIES` is converted to float64 and held against its range; other
    arguments pass untouched. Long one-dimensional arrays are checked and computed in cache-sized blocks. The
    undecorated function stays reachable as ``.formula``.

    Args:
        function: An elementwise function of its arguments.

    Returns:
        The checked function.

    Raises:
        ArgumentTypeError: When called with something that is not numbers.
        ArgumentError: When called with NaN, an infinite or an impossible value.
        AlignmentError: When called with Series of different indexes or shapes that do not broadcast.

    Example:
        >>> @checked
        ... def facility_kwh(it_kwh, *, pue):
        ...     return it_kwh * pue
        >>> facility_kwh(100, pue=1.1)
        110.00000000000001
        >>> facility_kwh(100, pue=0.9)
        Traceback (most recent call last):
        greenlib.checks.ArgumentError: pue = 0.9 is not possible: it must be at least 1, at most 10
    """
    parameters = inspect.signature(function).parameters
    positional = [name for name, p in parameters.items() if p.kind is p.POSITIONAL_OR_KEYWORD]
    ranges = {name: QUANTITIES[name].allowed for name in parameters if name in QUANTITIES}
    optional = {name for name, p in parameters.items() if p.default is None}

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if len(args) > len(positional) or not kwargs.keys() <= parameters.keys():
            return function(*args, **kwargs)
        arguments = dict(zip(positional, args, strict=False))
        if not kwargs.keys().isdisjoint(arguments):
            return function(*args, **kwargs)
        arguments.update(kwargs)
        arrays = []
        for name, value in arguments.items():
            allowed = ranges.get(name)
            if allowed is None or (value is None and name in optional):
                continue
            if type(value) is float and value in allowed:
                continue
            arguments[name], is_array = _convert(name, value, allowed)
            if is_array:
                arrays.append((name, arguments[name]))
        if not arrays:
            result = function(**arguments)
            return float(result) if isinstance(result, float) else result
        if len(arrays) > 1:
            _check_alignment(arrays)
        shapes = {np.shape(value) for _, value in arrays}
        if len(shapes) == 1 and len(shape := shapes.pop()) == 1 and shape[0] > _BLOCK:
            plain = {name: value for name, value in arrays if type(value) is np.ndarray}
            if len(plain) == len(arrays) and len(arguments) == len(ranges.keys() & arguments.keys()):
                return _in_blocks(function, arguments, plain, shape[0])
        for name, value in arrays:
            _check_array(name, np.asarray(value), ranges[name])
        return function(**arguments)

    wrapper.formula = function
    return wrapper
