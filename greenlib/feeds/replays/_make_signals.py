"""Write the replays of the grid signals: the services' shapes, values of our own. Run this file to write them again.

The average intensity of California follows the June day of the table ``grid_profiles`` (2022), between its tenth and
ninetieth percentile as an invented weather has it. The marginal intensity and all of Great Britain are invented whole:
a gas plant answers to one more kilowatt-hour, harder in the evening, and hardly any plant does while the sun overflows.
None of it is a series of WattTime, Electricity Maps or NESO.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import greenlib as gl
from greenlib.feeds.signal import GRAMS_PER_POUND

FOLDER = Path(__file__).parent
WEEK = pd.date_range("2022-06-13", "2022-06-20", freq="h", inclusive="left", tz="UTC")
RECORDED = "2022-06-20T00:00:00+00:00"


def weather(hours: int, *, seed: int) -> np.ndarray:
    """Return a mood from 0 to 1 that drifts and forgets half of itself in twelve hours."""
    noise = np.random.default_rng(seed).normal(size=hours + 200)
    drift = pd.Series(noise).ewm(halflife=12).mean().iloc[200:]
    return drift.rank(pct=True).to_numpy()


def california() -> pd.Series:
    """Return the average intensity of the week, g CO2e/kWh."""
    low, high = (
        gl.year_of_hours("CISO", year=2022, column=f"{edge}_g_per_kwh").loc[WEEK].to_numpy() for edge in ("p10", "p90")
    )
    return pd.Series((low + weather(len(WEEK), seed=1) * (high - low)).round(), index=WEEK)


def california_margin() -> pd.Series:
    """Return the marginal intensity of the week by five minutes, g CO2/kWh."""
    average = california()
    fine = pd.date_range(WEEK[0], periods=12 * len(WEEK), freq="5min")
    local = fine.tz_convert("America/Los_Angeles")
    evening = np.exp(-(((local.hour + local.minute / 60 - 19.5) / 2.5) ** 2))
    overflow = (average <= average.quantile(0.08)).repeat(12).to_numpy()
    noise = np.random.default_rng(2).normal(0, 6, len(fine))
    return pd.Series(np.where(overflow, 15, 415 + 75 * evening) + np.abs(noise), index=fine)


def britain() -> tuple[pd.Series, pd.Series]:
    """Return the forecast and the actual intensity of the week by the half-hour, g CO2/kWh."""
    halves = pd.date_range(WEEK[0], periods=2 * len(WEEK), freq="30min")
    hour = halves.tz_convert("Europe/London").hour + halves.tz_convert("Europe/London").minute / 60
    day = 35 * np.exp(-(((hour - 19) / 2.5) ** 2)) - 30 * np.exp(-(((hour - 13) / 3) ** 2))
    wind = weather(len(halves), seed=3)
    expected = pd.Series(wind).rolling(24, center=True, min_periods=1).mean().to_numpy()
    forecast, actual = (200 + day - 120 * (mood - 0.5) for mood in (expected, wind))
    return pd.Series(forecast.round(), index=halves), pd.Series(actual.round(), index=halves)


def write(name: str, note: str, body: Any) -> None:
    """Write one recording, a line a value, so that a change can be read."""
    recording = {"recorded": RECORDED, "note": f"illustrative values, {note}", "body": body}
    text = json.dumps(recording, indent=0).replace("\n", " ").replace("}, {", "},\n{")
    (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


def points(series: pd.Series) -> list[dict[str, Any]]:
    pounds = (series * 1000 / GRAMS_PER_POUND).round(1)
    return [{"point_time": f"{time:%Y-%m-%dT%H:%M:%S+00:00}", "value": value} for time, value in pounds.items()]


def main() -> None:
    hours = [
        {"datetime": f"{time:%Y-%m-%dT%H:%M:%S.000Z}", "carbonIntensity": int(grams), "isEstimated": False}
        for time, grams in california().items()
    ]
    write("electricity_maps_past_range", "a week of June 2022", {"zone": "US-CAL-CISO", "data": hours})
    margin = california_margin()
    meta = {"region": "CAISO_NORTH", "signal_type": "co2_moer", "units": "lbs_co2_per_mwh"}
    past = {"parts": [{"data": points(margin), "meta": meta}]}
    write("watttime_historical", "a week of June 2022", past)
    # What a forecaster who knows the usual day, but not the week's weather, would have said on its last morning.
    usual = margin.groupby(margin.index.time).median()
    last = margin.iloc[-288:]
    ahead = pd.Series(usual.loc[last.index.time].to_numpy(), index=last.index)
    write("watttime_forecast", "the last day of that week", {"parts": [{"data": points(ahead), "meta": meta}]})
    halves = [
        {
            "from": f"{time:%Y-%m-%dT%H:%MZ}",
            "to": f"{time + pd.Timedelta(minutes=30):%Y-%m-%dT%H:%MZ}",
            "intensity": {"forecast": int(expected), "actual": int(grams), "index": "moderate"},
        }
        for (time, expected), grams in zip(britain()[0].items(), britain()[1], strict=True)
    ]
    write("neso_intensity", "a week of June 2022", {"data": halves})


if __name__ == "__main__":
    main()
