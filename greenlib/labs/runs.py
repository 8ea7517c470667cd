"""Measure one run of an experiment, and read a table with one row a run.

The cost to compare is processor seconds: the time for which processor cores worked for this process, which a busy
neighbour disturbs less than the clock on the wall. Joules come from :func:`greenlib.tracking.track`, with the stamp
that says whether a counter was read. Where none can be read they are seconds times a constant: they then say nothing
that the seconds did not say.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from greenlib.checks import ArgumentError, choice
from greenlib.tracking import track
from greenlib.uncertainty import mean_interval

__all__ = ["Cost", "compare", "measured", "one_thread", "seconds_per_call", "summary"]


@dataclass
class Cost:
    """What a block took; the fields are filled when the block ends, energy is NaN if it was too short to have one."""

    seconds: float = np.nan
    cpu_seconds: float = np.nan
    energy_j: float = np.nan
    energy_kind: str = "absent"


@contextmanager
def one_thread() -> Iterator[bool]:
    """Let matrix products in the block use one core, if the library that NumPy multiplies with can be asked.

    On several cores the threads of small products spend more time waiting for each other than multiplying, and the
    waiting counts as work. OpenBLAS, MKL and BLIS can be asked; Apple's Accelerate computes as it likes, and then
    ``cpu_seconds`` exceed ``seconds``.

    Returns:
        A context manager giving whether it was possible.

    Example:
        >>> with one_thread() as pinned:
        ...     pinned in (True, False)
        True

    Taught in the labs.
    """
    with threadpool_limits(limits=1, user_api="blas") as limits:
        yield bool(limits.get_original_num_threads().get("blas"))


@contextmanager
def measured(name: str) -> Iterator[Cost]:
    """Measure a block on one thread: seconds, processor seconds, and joules of this process.

    Args:
        name: What the block is called.

    Returns:
        A context manager giving a :class:`Cost`, filled when the block ends.

    Raises:
        TrackingError: CodeCarbon gave no figure.

    Example:
        >>> with measured("sum") as cost:
        ...     total = sum(range(10_000_000))
        >>> cost.cpu_seconds > 0
        True

    Taught in the labs.
    """
    cost = Cost()
    with one_thread(), track(name, tracking_mode="process") as run:
        started, cpu_started = time.perf_counter(), time.process_time()
        yield cost
        cost.cpu_seconds = time.process_time() - cpu_started
        cost.seconds = time.perf_counter() - started
    if run.result.it_kwh is not None:
        cost.energy_j, cost.energy_kind = run.result.it_kwh * 3.6e6, run.result.energy_kind


def seconds_per_call(function: Callable[..., object], *arguments: Any, seconds: float = 0.05) -> float:
    """Return the time of one call on one thread: the quickest of the calls that fill about ``seconds``.

    The quickest call is the one that was disturbed least.

    Args:
        function: What to call.
        *arguments: With what.
        seconds: For how long to go on calling it; above 0.

    Returns:
        Seconds a call.

    Example:
        >>> seconds_per_call(sum, range(1000), seconds=0.01) > 0
        True

    Taught in the labs.
    """
    taken: list[float] = []
    with one_thread():
        function(*arguments)
        while sum(taken) < seconds or len(taken) < 3:
            started = time.perf_counter()
            function(*arguments)
            taken.append(time.perf_counter() - started)
    return min(taken)


def _check(runs: pd.DataFrame, columns: Iterable[str]) -> None:
    missing = [column for column in ("variant", "seed", *columns) if column not in runs.columns]
    if missing:
        raise ArgumentError("runs", list(runs.columns), f"a table with the columns {', '.join(missing)}")


def summary(runs: pd.DataFrame, columns: Iterable[str]) -> pd.DataFrame:
    """Return each variant's mean over the seeds, and how far its 95 % interval reaches to either side.

    Args:
        runs: One row a run, with ``variant``, ``seed`` and the columns.
        columns: Names of the columns to summarise; a value that is NaN in any run makes its mean NaN.

    Returns:
        One row a variant in the order of the table, and for each column ``mean`` and ``±`` under its name.

    Raises:
        ArgumentError: A column is missing, or a variant has fewer than two runs.

    Example:
        >>> runs = pd.DataFrame({"variant": ["a", "a"], "seed": [0, 1], "bits": [2.0, 2.2]})
        >>> summary(runs, ["bits"])["bits"].round(2).values.tolist()
        [[2.1, 1.27]]

    Taught in the labs.
    """
    columns = list(columns)
    _check(runs, columns)
    rows = {}
    for variant, group in runs.groupby("variant", sort=False):
        rows[variant] = []
        for column in columns:
            known = group[column].notna().all()
            mean, _, high = mean_interval(group[column]) if known else (np.nan, np.nan, np.nan)
            rows[variant] += [mean, high - mean]
    names = pd.MultiIndex.from_product([columns, ["mean", "±"]])
    return pd.DataFrame.from_dict(rows, orient="index", columns=names)


def compare(runs: pd.DataFrame, column: str, pairs: Iterable[tuple[str, str]], *, ratio: bool = False) -> pd.DataFrame:
    """Return how two variants differ seed by seed, and whether the seeds agree on the sign.

    Both variants of a pair saw the same seeds, so the differences are taken within a seed and their mean gets the
    interval. With ``ratio`` the same is done with logarithms.

    Args:
        runs: One row a run, with ``variant``, ``seed`` and the column.
        column: What is compared.
        pairs: Pairs of variants: the first minus, or over, the second.
        ratio: Whether to give first over second in place of first minus second.

    Returns:
        One row a pair: ``mean``, ``low``, ``high`` of the 95 % interval, and ``verdict``: ``lower`` or ``higher`` if
        the interval keeps clear of no difference, else ``cannot tell``.

    Raises:
        ArgumentError: A column is missing, or a variant has fewer than two runs.
        UnknownNameError: There is no such variant.

    Example:
        >>> runs = pd.DataFrame({"variant": ["a", "a", "b", "b"], "seed": [0, 1, 0, 1], "bits": [2.0, 2.2, 2.5, 2.7]})
        >>> compare(runs, "bits", [("a", "b")])["verdict"].to_dict()
        {'a − b': 'lower'}

    Taught in the labs.
    """
    _check(runs, [column])
    table = runs.pivot(index="seed", columns="variant", values=column)
    rows = {}
    for pair in pairs:
        first, second = (table[choice("variant", name, list(table.columns))] for name in pair)
        middle, low, high = mean_interval(np.log(first / second) if ratio else first - second)
        verdict = "lower" if high < 0 else "higher" if low > 0 else "cannot tell"
        ends = np.exp([middle, low, high]) if ratio else [middle, low, high]
        rows[(" / " if ratio else " − ").join(pair)] = [*map(float, ends), verdict]
    return pd.DataFrame.from_dict(rows, orient="index", columns=["mean", "low", "high", "verdict"])
