"""Grid signals: one shape from three services, replayed without a key, live against a server that misbehaves."""

import importlib.util
import json
import logging
import traceback
from pathlib import Path

import nbformat
import pandas as pd
import pytest
from loopback import Reply
from nbclient import NotebookClient

import greenlib as gl
from greenlib.feeds import electricity_maps, neso, service, signal, watttime
from greenlib.feeds.service import FeedError

SECRET = "s3cret-word"
WEEK = ("2022-06-13", "2022-06-20")


def electricity_maps_page(hours=3, **more):
    times = pd.date_range("2024-03-31", periods=hours, freq="h", tz="UTC")
    data = [{"datetime": time.isoformat(), "carbonIntensity": 100 + i, **more} for i, time in enumerate(times)]
    return {"zone": "FI", "temporalGranularity": "hourly", "data": data}


def watttime_page(minutes=15):
    times = pd.date_range("2024-03-31", periods=minutes // 5, freq="5min", tz="UTC")
    data = [{"point_time": time.isoformat(), "value": 1000.0 + i} for i, time in enumerate(times)]
    units = {"region": "FI", "signal_type": "co2_moer", "units": "lbs_co2_per_mwh", "model": {"date": "2024-01-01"}}
    return {"data": data, "meta": units | {"warnings": []}}


def neso_page(actual=(150, None)):
    times = pd.date_range("2024-03-31", periods=len(actual), freq="30min")
    halves = [
        {"from": f"{t:%Y-%m-%dT%H:%MZ}", "to": "", "intensity": {"forecast": 140, "actual": value, "index": "low"}}
        for t, value in zip(times, actual, strict=True)
    ]
    return {"data": halves}


def ask_electricity_maps():
    return electricity_maps.history("FI", "2024-03-31", "2024-04-01")


def ask_watttime():
    return watttime.history("FI", "2024-03-31", "2024-04-01")


def ask_neso():
    return neso.history("2024-03-31", "2024-04-01")


LIVE = {
    "electricity_maps": (ask_electricity_maps, electricity_maps_page),
    "watttime": (ask_watttime, watttime_page),
    "neso": (ask_neso, neso_page),
}


@pytest.fixture(params=LIVE)
def live(request, loopback, monkeypatch):
    """A service at the loopback server: how it is asked, its page, and the server."""
    for name in ("ELECTRICITYMAPS_URL", "WATTTIME_API_URL", "NESO_URL"):
        monkeypatch.setenv(name, loopback.address)
    for name in ("ELECTRICITYMAPS_TOKEN", "WATTTIME_USER", "WATTTIME_PASSWORD"):
        monkeypatch.setenv(name, SECRET)
    monkeypatch.setattr(service, "BACKOFF_S", 0.01)
    loopback.pages["/login"] = Reply({"token": SECRET + "-token"})
    ask, page = LIVE[request.param]
    paths = ["/v4/carbon-intensity/past-range", "/v3/historical", "/intensity/2024-03-31T00:01Z/2024-04-01T00:00Z"]
    for path in paths:
        loopback.pages[path] = Reply(page())
    return ask, page, loopback, dict(zip(LIVE, paths, strict=True))[request.param]


@pytest.mark.parametrize(
    ("frame", "rows", "kind"),
    [
        (lambda: electricity_maps.history("US-CAL-CISO", *WEEK), 168, "average"),
        (lambda: electricity_maps.latest("US-CAL-CISO"), 1, "average"),
        (lambda: watttime.history("CAISO_NORTH", *WEEK), 2016, "marginal"),
        (lambda: watttime.forecast("CAISO_NORTH"), 288, "marginal"),
        (lambda: neso.history(*WEEK), 336, "average"),
        (lambda: neso.forecast(*WEEK), 336, "average"),
    ],
)
def test_without_a_key_a_replay_answers_in_the_one_shape_and_says_so(frame, rows, kind):
    found = frame()
    assert list(found.columns) == ["time_utc", "grid_g_per_kwh", "signal", "kind"]
    assert len(found) == rows
    assert set(found["signal"]) == {kind}
    assert set(found["kind"]) == {"replayed"}
    assert "illustrative" in found.attrs["note"]
    assert found["time_utc"].is_monotonic_increasing
    assert str(found["time_utc"].dt.tz) == "UTC"
    assert found["grid_g_per_kwh"].between(0, 1000).all()


@pytest.mark.parametrize(
    "ask",
    [
        lambda: electricity_maps.history("DE", *WEEK),
        lambda: watttime.history("PJM_DC", *WEEK),
        lambda: watttime.forecast("PJM_DC"),
        lambda: neso.history("2024-01-01", "2024-01-02"),
        lambda: electricity_maps.history("US-CAL-CISO", "2024-01-01", "2024-01-02"),
    ],
)
def test_what_a_replay_does_not_know_is_refused_with_what_helps(ask):
    with pytest.raises(FeedError, match=r"replay"):
        ask()


def test_a_live_answer_has_the_same_shape(live):
    ask, _, server, _ = live
    found = ask()
    assert list(found.columns) == ["time_utc", "grid_g_per_kwh", "signal", "kind"]
    assert set(found["kind"]) == {"measured"}
    assert found["time_utc"].iloc[0] == pd.Timestamp("2024-03-31", tz="UTC")
    # A half-hour that is not over has no value.
    assert len(found) == (1 if ask is ask_neso else 3)
    assert server.asked


FAULTS = {
    "500s": ([Reply(status=500)] * 9, "status 500"),
    "401": ([Reply({"error": "no"}, status=401)], "401"),
    "not JSON": ([Reply("<html>")], "not JSON"),
    "missing field": ([Reply({"zone": "FI", "meta": {"model": {"date": "x"}}})], "shape"),
    "silence": ([Reply(wait_s=3)] * 9, "in time"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_in_one_error_that_holds_no_key(live, monkeypatch, fault):
    monkeypatch.setattr(service, "LONGEST_S", 1.0)
    ask, _, server, _ = live
    replies, words = FAULTS[fault]
    if ask is ask_watttime:
        server.script = [Reply({"token": SECRET + "-token"})]
    server.script = server.script + replies
    with pytest.raises(FeedError, match=words) as caught:
        ask()
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("fault", ["500s", "not JSON", "missing field", "silence"])
def test_an_old_answer_is_replayed_after_a_fault_and_says_so(live, monkeypatch, fault):
    ask, _, server, path = live
    first = ask()
    monkeypatch.setattr(service, "LONGEST_S", 1.0)
    monkeypatch.setattr(service.Service, "ask", _stale(service.Service.ask))
    server.pages[path] = FAULTS[fault][0][0]
    found = ask()
    assert set(found["kind"]) == {"replayed"}
    assert "failed" in found.attrs["note"]
    pd.testing.assert_series_equal(found["grid_g_per_kwh"], first["grid_g_per_kwh"])


def _stale(ask):
    def asks_again(self, question, fetch, schema, *, fresh_s):
        return ask(self, question, fetch, schema, fresh_s=0)

    return asks_again


def test_a_429_is_waited_out(live):
    ask, _, server, _ = live
    server.script = [Reply(status=429, headers={"Retry-After": "0"})]
    assert set(ask()["kind"]) == {"measured"}


@pytest.mark.parametrize(("estimated", "remark"), [(True, "3 of 3 values are the service's own"), (False, "")])
def test_the_note_says_how_many_values_are_estimates(live, estimated, remark):
    ask, _, server, path = live
    if ask is ask_electricity_maps:
        server.pages[path] = Reply(electricity_maps_page(isEstimated=estimated))
        note = ask().attrs["note"]
        assert remark in note
        assert ("estimates" in note) == estimated


def test_the_note_counts_no_estimates_outside_the_window(loopback, monkeypatch):
    monkeypatch.setenv("ELECTRICITYMAPS_URL", loopback.address)
    monkeypatch.setenv("ELECTRICITYMAPS_TOKEN", SECRET)
    loopback.pages["/v4/carbon-intensity/past-range"] = Reply(electricity_maps_page(hours=30, isEstimated=True))
    note = electricity_maps.history("FI", "2024-03-31T00:00", "2024-03-31T06:00").attrs["note"]
    assert note.endswith("6 of 6 values are the service's own estimates")


def test_an_empty_series_is_an_error(live):
    ask, page, server, path = live
    body = page()
    body["data"] = []
    server.pages[path] = Reply(body)
    with pytest.raises(FeedError, match="no value"):
        ask()


def test_no_key_reaches_the_cache(live):
    ask, *_ = live
    ask()
    assert SECRET.encode() not in (service.cache_folder() / "answers.sqlite").read_bytes()


def test_keys_travel_in_headers_only(live):
    ask, _, server, _ = live
    ask()
    assert not any(SECRET in str(question.parameters) + question.path for question in server.asked)


def test_pounds_for_a_megawatt_hour_become_grams_for_a_kilowatt_hour(live):
    ask, *_ = live
    if ask is ask_watttime:
        assert ask()["grid_g_per_kwh"].iloc[0] == pytest.approx(453.59237)


def test_other_units_are_refused(live):
    ask, page, server, path = live
    if ask is ask_watttime:
        body = page()
        body["meta"]["units"] = "kg_co2_per_mwh"
        server.pages[path] = Reply(body)
        with pytest.raises(FeedError, match=r"units"):
            ask()


def test_a_long_window_is_asked_for_in_stretches(loopback, monkeypatch):
    monkeypatch.setenv("ELECTRICITYMAPS_URL", loopback.address)
    monkeypatch.setenv("ELECTRICITYMAPS_TOKEN", SECRET)
    loopback.pages["/v4/carbon-intensity/past-range"] = Reply(electricity_maps_page())
    electricity_maps.history("FI", "2024-03-25", "2024-04-20")
    spans = [(question.parameters["start"], question.parameters["end"]) for question in loopback.asked]
    assert spans == [
        ("2024-03-25T00:00:00Z", "2024-04-04T00:00:00Z"),
        ("2024-04-04T00:00:00Z", "2024-04-14T00:00:00Z"),
        ("2024-04-14T00:00:00Z", "2024-04-20T00:00:00Z"),
    ]


@pytest.mark.parametrize(("day", "hours"), [("2024-03-31", 23), ("2024-10-27", 25), ("2024-06-01", 24)])
def test_days_of_23_and_25_hours_come_out_whole(day, hours):
    start = pd.Timestamp(day, tz="Europe/Helsinki")
    window = signal.utc_window(start, start + pd.DateOffset(days=1))
    assert window[1] - window[0] == pd.Timedelta(hours=hours)


@pytest.mark.parametrize(
    ("start", "end"),
    [("soon", "2024-01-02"), ("2024-01-02", "2024-01-01"), ("2024-01-01", "2024-01-01"), (None, "2024-01-01")],
)
def test_windows_that_are_none_are_refused(start, end):
    with pytest.raises(gl.ArgumentError):
        neso.history(start, end)


def test_hours_ahead_are_held_to_what_the_service_knows():
    assert len(watttime.forecast("CAISO_NORTH", hours=1)) == 12
    with pytest.raises(gl.ArgumentError):
        watttime.forecast("CAISO_NORTH", hours=100)


def test_a_live_forecast_is_stamped_as_one(loopback, monkeypatch):
    monkeypatch.setenv("WATTTIME_API_URL", loopback.address)
    monkeypatch.setenv("WATTTIME_USER", "reader")
    monkeypatch.setenv("WATTTIME_PASSWORD", SECRET)
    loopback.pages |= {"/login": Reply({"token": "t"}), "/v3/forecast": Reply(watttime_page())}
    found = watttime.forecast("FI")
    assert found["kind"].tolist() == ["forecast"] * 3
    assert loopback.asked[-1].parameters["horizon_hours"] == "24"


def made_page(*minutes):
    times = pd.date_range("2024-03-31T12:00", periods=12, freq="5min", tz="UTC")
    data = [
        {
            "generated_at": f"2024-03-31T12:{minute:02d}:00+00:00",
            "forecast": [{"point_time": time.isoformat(), "value": 1000.0 + minute} for time in times],
        }
        for minute in minutes
    ]
    return {"data": data, "meta": watttime_page()["meta"]}


@pytest.fixture
def with_a_key(loopback, monkeypatch):
    monkeypatch.setenv("WATTTIME_API_URL", loopback.address)
    monkeypatch.setenv("WATTTIME_USER", "reader")
    monkeypatch.setenv("WATTTIME_PASSWORD", SECRET)
    loopback.pages["/login"] = Reply({"token": "t"})
    return loopback


def test_a_forecast_as_it_stood_has_not_heard_later_news(with_a_key):
    with_a_key.pages["/v3/forecast/historical"] = Reply(made_page(0, 10, 5, 20))
    found = watttime.forecast("FI", hours=1, made="2024-03-31T12:12")
    assert len(found) == 12
    assert set(found["kind"]) == {"forecast"}
    assert found["grid_g_per_kwh"].iloc[0] == pytest.approx(1010 * 0.45359237)
    asked = with_a_key.asked[-1].parameters
    assert asked["horizon_hours"] == "1"
    assert (asked["start"][:16], asked["end"][:16]) == ("2024-03-31 11:12", "2024-03-31 12:12")


@pytest.mark.parametrize("minutes", [(), (30,)])
def test_a_time_without_a_forecast_made_by_then_is_an_error(with_a_key, minutes):
    with_a_key.pages["/v3/forecast/historical"] = Reply(made_page(*minutes))
    with pytest.raises(FeedError, match="no forecast made"):
        watttime.forecast("FI", made="2024-03-31T12:12")


def test_the_replay_knows_one_forecast_and_when_it_was_made():
    newest = watttime.forecast("CAISO_NORTH")
    pd.testing.assert_frame_equal(watttime.forecast("CAISO_NORTH", made="2022-06-19T00:30"), newest)
    for time in ("2022-06-18T23:55", "2022-06-19T01:00"):
        with pytest.raises(FeedError, match="replay knows"):
            watttime.forecast("CAISO_NORTH", made=time)
    for time in ("soon", pd.Timestamp.now("UTC") + pd.Timedelta("1h")):
        with pytest.raises(gl.ArgumentError):
            watttime.forecast("CAISO_NORTH", made=time)


def test_the_client_leaves_the_readers_logging_alone(live):
    ask, *_ = live
    before = logging.getLogger().handlers[:], logging.getLogger().level
    ask()
    assert (logging.getLogger().handlers, logging.getLogger().level) == before


def test_the_replays_are_what_their_script_writes(tmp_path, monkeypatch):
    folder = Path(gl.__file__).parent / "feeds" / "replays"
    spec = importlib.util.spec_from_file_location("make_signals", folder / "_make_signals.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    monkeypatch.setattr(script, "FOLDER", tmp_path)
    script.main()
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == [
        f"{name}.json"
        for name in ("electricity_maps_past_range", "neso_intensity", "watttime_forecast", "watttime_historical")
    ]
    assert all((tmp_path / name).read_bytes() == (folder / name).read_bytes() for name in written)


def test_a_key_switches_the_chapter_to_live_and_reaches_no_output(loopback, monkeypatch):
    folder = Path(gl.__file__).parent / "feeds" / "replays"
    zones, margins, halves = (
        json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))["body"]
        for name in ("electricity_maps_past_range", "watttime_historical", "neso_intensity")
    )
    # Other values than the replay's: a sentence about the replay must not stop the reader who has a key.
    for hour in zones["data"]:
        hour["carbonIntensity"] += 20 + hour["carbonIntensity"] % 7
    margin = margins["parts"][0]
    margin["meta"] |= {"model": {"date": "2022-01-01"}}
    pages = [zones, {"token": SECRET + "-token"}, margin, halves]
    loopback.script = [Reply(page) for page in pages] + [Reply({"error": "no such zone"}, status=404)]
    for name in ("ELECTRICITYMAPS_URL", "WATTTIME_API_URL", "NESO_URL"):
        monkeypatch.setenv(name, loopback.address)
    for name in ("ELECTRICITYMAPS_TOKEN", "WATTTIME_USER", "WATTTIME_PASSWORD"):
        monkeypatch.setenv(name, SECRET)
    path = Path(gl.__file__).parent.parent / "notebooks" / "11_grid_signals.ipynb"
    chapter = nbformat.read(path, as_version=4)
    NotebookClient(chapter, timeout=60, resources={"metadata": {"path": str(path.parent)}}).execute()
    outputs = json.dumps([cell.outputs for cell in chapter.cells if cell.cell_type == "code"])
    assert "measured" in outputs
    assert SECRET not in outputs
