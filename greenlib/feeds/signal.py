"""The one shape in which every grid signal comes out, whoever answered: UTC time, g CO2e/kWh, signal, kind."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from greenlib.checks import ArgumentError
from greenlib.feeds.service import Answer, FeedError, Service

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GRAMS_PER_POUND", "signal_frame", "utc_time", "utc_window"]

GRAMS_PER_POUND = 453.59237
"""Exact by definition. A pound for a megawatt-hour is this many thousandths of a gram for a kilowatt-hour."""


def utc_time(name: str, value: Any) -> pd.Timestamp:
    """Return a time in UTC; one without a zone is taken to be UTC, where no hour is missing or doubled.

    Args:
        name: Name of the argument, for the error.
        value: A time, as text, datetime or Timestamp.

    Returns:
        The Timestamp in UTC.

    Raises:
        ArgumentError: The time cannot be read.

    Taught in 11.

    Example:
        >>> utc_time("start", "2024-03-31T03:00+03:00").isoformat()
        '2024-03-31T00:00:00+00:00'
    """
    import pandas as pd

    try:
        time = pd.Timestamp(value)
    except (ValueError, TypeError) as error:
        raise ArgumentError(name, value, "a time that can be read, such as 2024-03-31T00:00") from error
    if pd.isna(time):
        raise ArgumentError(name, value, "a time")
    return time.tz_localize("UTC") if time.tzinfo is None else time.tz_convert("UTC")


def utc_window(start: Any, end: Any) -> tuple[pd.Timestamp, pd.Timestamp]:
    """Return the two ends of a window in UTC, each as :func:`utc_time` reads it.

    Args:
        start: First time, as text, datetime or Timestamp.
        end: Time after the last, later than ``start``.

    Returns:
        Both as Timestamps in UTC.

    Raises:
        ArgumentError: A time cannot be read, or they are not in order.

    Taught in 11.

    Example:
        >>> utc_window("2024-03-31T00:00+01:00", "2024-04-01T00:00+02:00")[1].isoformat()
        '2024-03-31T22:00:00+00:00'
    """
    window = utc_time("start", start), utc_time("end", end)
    if window[0] >= window[1]:
        raise ArgumentError("start", str(start), f"before end, {end}")
    return window


def signal_frame(
    service: Service,
    answers: Iterable[tuple[Answer, Iterable[tuple[Any, float]]]],
    *,
    window: tuple[pd.Timestamp, pd.Timestamp] | None,
    signal: str,
    kind: str,
    estimated: Iterable[Any] = (),
) -> pd.DataFrame:
    """Return times and intensities as a frame.

    Args:
        service: Who answered, for the error.
        answers: Each answer with its (time, g CO2e/kWh) pairs.
        window: First time and time after the last; what lies outside is dropped. None keeps all.
        signal: ``average`` or ``marginal``.
        kind: ``measured`` for what is over, ``forecast`` for what is to come; what was replayed says ``replayed``
            instead.
        estimated: Times whose value the service calls its own estimate.

    Returns:
        Columns ``time_utc``, ``grid_g_per_kwh``, ``signal`` and ``kind``, in order of time, one row a time.
        ``attrs["note"]`` says where the answers come from, and how many values are estimates.

    Raises:
        FeedError: There is no value in the window.
    """
    import pandas as pd

    parts, notes = [], []
    for answer, pairs in answers:
        part = pd.DataFrame(pairs, columns=["time_utc", "grid_g_per_kwh"])
        parts.append(part.assign(signal=signal, kind="replayed" if answer.replayed else kind))
        notes.append(answer.note)
    frame = pd.concat(parts, ignore_index=True)
    frame["time_utc"] = pd.to_datetime(frame["time_utc"], utc=True)
    frame = frame.sort_values("time_utc", kind="stable").drop_duplicates("time_utc", ignore_index=True)
    if window is not None:
        available = "" if frame.empty else f"; there are values from {frame['time_utc'].min()} on"
        frame = frame[(frame["time_utc"] >= window[0]) & (frame["time_utc"] < window[1])].reset_index(drop=True)
        if frame.empty:
            raise FeedError(service.name, f"no value from {window[0]} to {window[1]}{available} ({notes[0]})")
    if frame.empty:
        raise FeedError(service.name, f"an empty series ({notes[0]})")
    frame["grid_g_per_kwh"] = frame["grid_g_per_kwh"].astype(float)
    guessed = int(frame["time_utc"].isin(pd.to_datetime(list(estimated), utc=True)).sum())
    remark = [f"{guessed} of {len(frame)} values are the service's own estimates"] if guessed else []
    frame.attrs["note"] = "; ".join([*dict.fromkeys(notes), *remark])
    return frame
