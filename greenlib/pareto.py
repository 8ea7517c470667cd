"""The options that no other beats on every count: what is left to choose from before anything is traded."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from greenlib.checks import ArgumentError, ArgumentTypeError, choice, quantity

__all__ = ["pareto_front"]


def pareto_front(
    options: pd.DataFrame | Any,
    *,
    minimise: Iterable[Hashable] | None = None,
    maximise: Iterable[Hashable] = (),
) -> Any:
    r"""Return for each option whether it is on the Pareto front: whether no other option beats it.

    .. math:: a \text{ beats } b \iff a_k \le b_k \text{ for all } k \text{ and } a_k < b_k \text{ for some } k

    after the signs of what is maximised are turned. Options that are equal in every criterion stay or go together.

    Args:
        options: One row an option: a DataFrame, or an array of shape (options, criteria).
        minimise: Columns in which less is better, by name, or by position in an array; None for all that are not
            maximised.
        maximise: Columns in which more is better.

    Returns:
        Truth values, one an option: a Series on the frame's index, or an array. ``options[front]`` are the unbeaten.

    Raises:
        ArgumentError: A value is NaN or infinite, there is no criterion, or one is both minimised and maximised.
        ArgumentTypeError: A column is not numbers, or one text is given instead of a list of columns.
        UnknownNameError: There is no such column; the nearest one is suggested.

    Taught in 04 and 13.

    Example:
        >>> sites = pd.DataFrame({"usd": [3.4, 3.1, 3.1, 2.7], "kg": [154, 231, 924, 5390]})
        >>> pareto_front(sites, minimise=["usd", "kg"]).tolist()
        [True, True, False, True]
    """
    frame = options if isinstance(options, pd.DataFrame) else _columns_by_position(options)
    more = _columns("maximise", maximise, frame)
    rest = [name for name in frame.columns if name not in more]
    less = rest if minimise is None else _columns("minimise", minimise, frame)
    if not (less or more):
        raise ArgumentError("minimise", less, "at least one column")
    for name in more:
        if name in less:
            raise ArgumentError("maximise", name, "a column that is not minimised, too")
    costs = [sign * _numbers(frame, name) for sign, names in ((1.0, less), (-1.0, more)) for name in names]
    front = _unbeaten(np.column_stack(costs))
    return pd.Series(front, index=frame.index, name="front") if frame is options else front


def _columns_by_position(options: Any) -> pd.DataFrame:
    array = np.asarray(options)
    if array.ndim != 2:
        raise ArgumentError("options", f"shape {array.shape}", "a DataFrame, or of shape (options, criteria)")
    return pd.DataFrame(array)


def _columns(argument: str, names: Iterable[Hashable], frame: pd.DataFrame) -> list[Hashable]:
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise ArgumentTypeError(argument, names, "a list of columns")
    wanted, known = list(names), list(frame.columns)
    for name in wanted:
        if name not in known:
            choice(argument, str(name), map(str, known))
            raise ArgumentTypeError(argument, name, f"a column as it is called there, {str(name)!r} in another type")
    return wanted


def _numbers(frame: pd.DataFrame, name: Hashable) -> np.ndarray:
    return np.asarray(quantity(str(name), frame[name], "(-inf, inf)"), dtype=float)


def _unbeaten(costs: np.ndarray) -> np.ndarray:
    """Mark the rows that none beats: in lexicographic order, a row can be beaten only by one before it."""
    distinct, place = np.unique(costs, axis=0, return_inverse=True)
    front = np.empty(len(distinct), dtype=bool)
    kept = np.empty_like(distinct)
    size = 0
    for row, cost in enumerate(distinct):
        front[row] = not (kept[:size] <= cost).all(axis=1).any()
        if front[row]:
            kept[size] = cost
            size += 1
    return front[place.reshape(-1)]
