"""NESO: the average intensity of Great Britain by the half-hour, forecast and actual, free of charge and without a key.

The service is asked when ``NESO_URL`` names an address, its own being ``https://api.carbonintensity.org.uk``; else a
replay of illustrative values answers. Data of the service are CC BY 4.0. Its intensity counts what plants emit as they
run, not their life cycle, and imports at the intensity of their origin.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from greenlib.feeds.service import Answer, Service
from greenlib.feeds.signal import signal_frame, utc_window

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SERVICE", "forecast", "history"]

SERVICE = Service(
    name="NESO Carbon Intensity",
    slug="neso",
    address="https://api.carbonintensity.org.uk",
    address_variable="NESO_URL",
)

LONGEST_RANGE = datetime.timedelta(days=14)
"""Half-hours that one question may ask for."""


class Intensity(BaseModel):
    """The two values of a half-hour; the actual one is missing until it is over."""

    forecast: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    actual: float | None = Field(default=None, ge=0, allow_inf_nan=False)


class HalfHour(BaseModel):
    """One half-hour as the service states it."""

    begin: datetime.datetime = Field(alias="from")
    intensity: Intensity


class Intensities(BaseModel):
    """The answer of ``intensity/{from}/{to}``."""

    data: list[HalfHour]


def _answers(window: tuple[pd.Timestamp, pd.Timestamp]) -> list[Answer[Intensities]]:
    if not SERVICE.is_live():
        return [SERVICE.replay("intensity", Intensities)]
    answers, begin = [], window[0]
    while begin < window[1]:
        stop = min(begin + LONGEST_RANGE, window[1])
        # The service counts a half-hour to a window by its end: without the extra minute it would add one before.
        path = f"intensity/{begin + datetime.timedelta(minutes=1):%Y-%m-%dT%H:%MZ}/{stop:%Y-%m-%dT%H:%MZ}"
        answers.append(SERVICE.get(path, Intensities, fresh_s=1800))
        begin = stop
    return answers


def _frame(start: Any, end: Any, which: str, kind: str) -> pd.DataFrame:
    window = utc_window(start, end)
    pairs = []
    for answer in _answers(window):
        values = [(half.begin, getattr(half.intensity, which)) for half in answer.body.data]
        pairs.append((answer, [(begin, grams) for begin, grams in values if grams is not None]))
    return signal_frame(SERVICE, pairs, window=window, signal="average", kind=kind)


def history(start: Any, end: Any) -> pd.DataFrame:
    """Return the actual average intensity of Great Britain in a past window.

    Args:
        start: First half-hour; without a zone it is UTC.
        end: Time after the last.

    Returns:
        One row a half-hour: ``time_utc``, ``grid_g_per_kwh``, ``signal`` (average) and ``kind`` (measured or
        replayed). Half-hours that are not over have no row.

    Raises:
        ArgumentError: The times cannot be read or are not in order.
        FeedError: The service gave no usable answer, or none for the window.

    Taught in 11.

    Example:
        >>> len(history("2022-06-13", "2022-06-14"))
        48
    """
    return _frame(start, end, "actual", "measured")


def forecast(start: Any, end: Any) -> pd.DataFrame:
    """Return the forecast of the average intensity of Great Britain, as it stood last for each half-hour.

    The service keeps no earlier version, so for the past this forecast has heard nearly all the news: it flatters a
    back-test. Keep the forecasts that a schedule is made from.

    Args:
        start: First half-hour; without a zone it is UTC.
        end: Time after the last.

    Returns:
        One row a half-hour: ``time_utc``, ``grid_g_per_kwh``, ``signal`` (average) and ``kind`` (forecast or
        replayed).

    Raises:
        ArgumentError: The times cannot be read or are not in order.
        FeedError: The service gave no usable answer, or none for the window.

    Taught in 11.

    Example:
        >>> forecast("2022-06-13", "2022-06-14")["kind"].unique().tolist()
        ['replayed']
    """
    return _frame(start, end, "forecast", "forecast")
