"""WattTime: the *marginal* intensity of a region, which plant answers to one more kilowatt-hour, every five minutes.

With ``WATTTIME_USER`` and ``WATTTIME_PASSWORD`` in the environment the official client asks the service, else a replay
of illustrative values answers for northern California (``CAISO_NORTH``, the region that a free account sees).
``WATTTIME_API_URL`` names another address. What the service states of the past is a model's estimate, too: no meter
reads the plant that would have run otherwise.
"""

from __future__ import annotations

import datetime
import json
import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, BaseModel, Field

from greenlib.checks import ArgumentError, integer
from greenlib.feeds.service import Answer, Body, FeedError, Service, patient_adapter
from greenlib.feeds.signal import GRAMS_PER_POUND, signal_frame, utc_time, utc_window

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SERVICE", "forecast", "history"]

SERVICE = Service(
    name="WattTime",
    slug="watttime",
    address="https://api.watttime.org",
    address_variable="WATTTIME_API_URL",
    key_variables=("WATTTIME_USER", "WATTTIME_PASSWORD"),
)


class Point(BaseModel):
    """One value as the service states it, in pounds of CO2 for a megawatt-hour."""

    point_time: datetime.datetime
    value: float = Field(ge=0, allow_inf_nan=False)


class Meta(BaseModel):
    """What the service says about a series."""

    region: str
    signal_type: str
    units: str = Field(pattern=r"^lbs_co2_per_mwh$")


class Series(BaseModel):
    """The answer of ``v3/historical`` and ``v3/forecast``."""

    data: list[Point]
    meta: Meta


class SeriesOfSeries(BaseModel):
    """What the client returns for a window: one series for each stretch that it asked for."""

    parts: list[Series]


class Made(BaseModel):
    """One forecast of the past, and when it was made."""

    generated_at: AwareDatetime
    forecast: list[Point]


class PastForecasts(BaseModel):
    """The answer of ``v3/forecast/historical``."""

    data: list[Made]
    meta: Meta


class SeriesOfForecasts(BaseModel):
    """What the client returns for a window of past forecasts."""

    parts: list[PastForecasts]


KEPT_FOR = datetime.timedelta(hours=1)
"""How old the newest forecast of a past time may be: they are made every five minutes, with gaps."""


def _client(name: str) -> Any:
    """Return one of the official clients, quiet, and bound to our address and waiting times."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    import watttime

    # Importing the client sets up logging for the whole process; that is the reader's to decide.
    root.handlers[:] = handlers
    root.setLevel(level)
    client = getattr(watttime, name)()
    client.url_base = SERVICE.base()
    for scheme in ("http://", "https://"):
        client.session.mount(scheme, patient_adapter())
    return client


def _history(region: str, start: datetime.datetime, end: datetime.datetime) -> dict[str, Any]:
    # The client's window includes its end.
    last = end - datetime.timedelta(seconds=1)
    return {"parts": _client("WattTimeHistorical").get_historical_jsons(start, last, region)}


def _forecast(region: str, hours: int) -> dict[str, Any]:
    return {"parts": [_client("WattTimeForecast").get_forecast_json(region, horizon_hours=hours)]}


def _forecasts_made(region: str, made: datetime.datetime, hours: int) -> dict[str, Any]:
    client = _client("WattTimeForecast")
    return {"parts": client.get_historical_forecast_json(made - KEPT_FOR, made, region, horizon_hours=hours)}


def _replayed(name: str, region: str) -> Answer[SeriesOfSeries]:
    answer = SERVICE.replay(name, SeriesOfSeries)
    known = answer.body.parts[0].meta.region
    if region != known:
        switches = " and ".join(SERVICE.key_variables)
        raise FeedError(SERVICE.name, f"the replay knows region {known} alone; set {switches} to ask for {region}")
    return answer


def _points(answer: Answer[SeriesOfSeries]) -> list[Point]:
    return [point for part in answer.body.parts for point in part.data]


def _frame(answer: Answer, points: list[Point], window: Any, kind: str) -> pd.DataFrame:
    pairs = [(point.point_time, point.value * GRAMS_PER_POUND / 1000) for point in points]
    return signal_frame(SERVICE, [(answer, pairs)], window=window, signal="marginal", kind=kind)


def _ask(question: list[Any], fetch: Any, schema: type[Body], fresh_s: float) -> Answer[Body]:
    SERVICE.key()
    return SERVICE.ask(json.dumps([SERVICE.base(), *question]), fetch, schema, fresh_s=fresh_s)


def _newest(made: pd.Timestamp, known: list[Made]) -> list[Point]:
    standing = [one for one in known if one.generated_at <= made]
    if not standing:
        raise FeedError(SERVICE.name, f"no forecast made in the hour up to {made}")
    return max(standing, key=lambda one: one.generated_at).forecast


def history(region: str, start: Any, end: Any) -> pd.DataFrame:
    """Return the marginal intensity of a region in a past window (MOER, the marginal operating emissions rate).

    Args:
        region: The service's name of the region, such as ``"CAISO_NORTH"``.
        start: First five minutes; without a zone it is UTC.
        end: Time after the last.

    Returns:
        One row for five minutes: ``time_utc``, ``grid_g_per_kwh``, ``signal`` (marginal) and ``kind`` (measured or
        replayed).

    Raises:
        ArgumentError: The times cannot be read or are not in order.
        FeedError: The service gave no usable answer, or none for the window.

    Taught in 11.

    Example:
        >>> day = history("CAISO_NORTH", "2022-06-13", "2022-06-14")
        >>> len(day), day["signal"].unique().tolist()
        (288, ['marginal'])
    """
    window = utc_window(start, end)
    if SERVICE.is_live():
        question = ["historical", region, window[0].isoformat(), window[1].isoformat()]
        fetch = partial(_history, region, *(time.to_pydatetime() for time in window))
        answer = _ask(question, fetch, SeriesOfSeries, 86_400)
    else:
        answer = _replayed("historical", region)
    return _frame(answer, _points(answer), window, "measured")


def forecast(region: str, *, hours: int = 24, made: Any = None) -> pd.DataFrame:
    """Return a forecast of the marginal intensity of a region: the newest, or the one that stood at a time.

    Back-test a schedule with the forecast that stood when it had to be decided: later ones have heard the news.

    Args:
        region: The service's name of the region, such as ``"CAISO_NORTH"``.
        hours: How far ahead; 1 to 72 hours.
        made: A past time, for the forecast that was the newest then; without a zone it is UTC. None for now.

    Returns:
        One row for five minutes: ``time_utc``, ``grid_g_per_kwh``, ``signal`` (marginal) and ``kind`` (forecast or
        replayed).

    Raises:
        ArgumentError: The hours are out of range, or the time cannot be read or is to come.
        FeedError: The service gave no usable answer, or none made by then.

    Taught in 11.

    Example:
        >>> len(forecast("CAISO_NORTH", hours=2, made="2022-06-19T00:05"))
        24
    """
    hours = integer("hours", hours, low=1, high=72)
    moment = None if made is None else utc_time("made", made)
    if moment is not None and moment > datetime.datetime.now(datetime.UTC):
        raise ArgumentError("made", made, "a past time: no forecast has been made later")
    answer: Answer
    if not SERVICE.is_live():
        answer = _replayed("forecast", region)
        points = _points(answer)
        if moment is not None and not points[0].point_time <= moment < points[0].point_time + KEPT_FOR:
            raise FeedError(SERVICE.name, f"the replay knows the forecast made at {points[0].point_time} alone")
    elif moment is None:
        answer = _ask(["forecast", region, hours], partial(_forecast, region, hours), SeriesOfSeries, 300)
        points = _points(answer)
    else:
        fetch = partial(_forecasts_made, region, moment.to_pydatetime(), hours)
        answer = _ask(["forecast made", region, hours, moment.isoformat()], fetch, SeriesOfForecasts, 86_400)
        points = _newest(moment, [one for part in answer.body.parts for one in part.data])
    frame = _frame(answer, points, None, "forecast")
    end = frame["time_utc"].iloc[0] + datetime.timedelta(hours=hours)
    kept = frame[frame["time_utc"] < end].reset_index(drop=True)
    kept.attrs["note"] = frame.attrs["note"]
    return kept
