"""Electricity Maps: the flow-traced *average* intensity of a zone, imports counted where they were made.

With ``ELECTRICITYMAPS_TOKEN`` in the environment the service is asked (version 4 of its interface), else a replay of
illustrative values answers for California (``US-CAL-CISO``). ``ELECTRICITYMAPS_URL`` names another address. Past values
count the life cycle of the plants unless the service says otherwise; some are estimates that are revised for days, and
the note of the frame says how many.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, Field

from greenlib.feeds.service import Answer, FeedError, Service
from greenlib.feeds.signal import signal_frame, utc_window

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SERVICE", "history", "latest"]

SERVICE = Service(
    name="Electricity Maps",
    slug="electricity_maps",
    address="https://api.electricitymaps.com",
    address_variable="ELECTRICITYMAPS_URL",
    key_variables=("ELECTRICITYMAPS_TOKEN",),
)

LONGEST_RANGE = datetime.timedelta(days=10)
"""Hours that one question may ask for."""


class Hour(BaseModel):
    """One value as the service states it."""

    datetime: datetime.datetime
    carbonIntensity: float = Field(ge=0, allow_inf_nan=False)
    isEstimated: bool = False


class Latest(Hour):
    """The answer of ``carbon-intensity/latest``."""

    zone: str


class PastRange(BaseModel):
    """The answer of ``carbon-intensity/past-range``."""

    zone: str
    data: list[Hour]


def _replayed(zone: str) -> Answer[PastRange]:
    answer = SERVICE.replay("past_range", PastRange)
    if zone != answer.body.zone:
        problem = f"the replay knows zone {answer.body.zone} alone; set ELECTRICITYMAPS_TOKEN to ask for {zone}"
        raise FeedError(SERVICE.name, problem)
    return answer


def _get(path: str, schema: type, fresh_s: float, **parameters: str) -> Answer:
    (token,) = SERVICE.key()
    headers = {"auth-token": token}
    return SERVICE.get(f"v4/carbon-intensity/{path}", schema, parameters=parameters, headers=headers, fresh_s=fresh_s)


def _frame(answers: list[tuple[Answer, list[Hour]]], window: tuple[pd.Timestamp, pd.Timestamp] | None) -> pd.DataFrame:
    pairs = [(answer, [(hour.datetime, hour.carbonIntensity) for hour in hours]) for answer, hours in answers]
    estimated = [hour.datetime for _, hours in answers for hour in hours if hour.isEstimated]
    return signal_frame(SERVICE, pairs, window=window, signal="average", kind="measured", estimated=estimated)


def latest(zone: str) -> pd.DataFrame:
    """Return the newest average intensity of a zone.

    Args:
        zone: The service's name of the zone, such as ``"US-CAL-CISO"``.

    Returns:
        One row: ``time_utc``, ``grid_g_per_kwh``, ``signal`` (average) and ``kind`` (measured, or replayed: the last
        hour of the recording).

    Raises:
        FeedError: The service gave no usable answer, or the replay does not know the zone.

    Taught in 11.

    Example:
        >>> latest("US-CAL-CISO")["signal"].tolist()
        ['average']
    """
    if SERVICE.is_live():
        answer = _get("latest", Latest, 300, zone=zone)
        hour = answer.body
    else:
        answer = _replayed(zone)
        hour = answer.body.data[-1]
    return _frame([(answer, [hour])], None)


def history(zone: str, start: Any, end: Any) -> pd.DataFrame:
    """Return the hourly average intensity of a zone in a past window.

    Args:
        zone: The service's name of the zone, such as ``"US-CAL-CISO"``.
        start: First hour; without a zone it is UTC.
        end: Hour after the last.

    Returns:
        One row an hour: ``time_utc``, ``grid_g_per_kwh``, ``signal`` (average) and ``kind`` (measured or replayed).

    Raises:
        ArgumentError: The times cannot be read or are not in order.
        FeedError: The service gave no usable answer, or none for the window.

    Taught in 11.

    Example:
        >>> week = history("US-CAL-CISO", "2022-06-13", "2022-06-20")
        >>> len(week), week["kind"].unique().tolist()
        (168, ['replayed'])
    """
    window = utc_window(start, end)
    if not SERVICE.is_live():
        answers = [_replayed(zone)]
    else:
        answers, begin = [], window[0]
        while begin < window[1]:
            stop = min(begin + LONGEST_RANGE, window[1])
            span = {"start": f"{begin:%Y-%m-%dT%H:%M:%SZ}", "end": f"{stop:%Y-%m-%dT%H:%M:%SZ}"}
            answers.append(_get("past-range", PastRange, 86_400, zone=zone, **span))
            begin = stop
    return _frame([(answer, answer.body.data) for answer in answers], window)
