"""boagent: a replay that says so without an address, the whole question with one, and one error for every fault."""

import json
from datetime import UTC, datetime, timedelta, timezone

import pytest
from loopback import Reply

import greenlib as gl
from greenlib.feeds import boagent, service
from greenlib.feeds.service import FeedError

START, END = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 1, 6, tzinfo=UTC)
# boagent's answer for one hour, as its own tests keep it, cut to one criterion.
BODY = {
    "emissions_calculation_data": {"energy_consumption_warning": "The time window is lower than one hour."},
    "location_warning": {"warning_message": "Location is either set as default, or has not been set."},
    "total_operational_emissions": {
        "value": {"value": 0.72, "min": 0.7, "max": 0.75},
        "description": "GHG emissions related to usage, from start_time to end_time.",
        "type": "gauge",
        "unit": "kg CO2eq",
        "long_unit": "kilograms CO2 equivalent",
    },
    "start_time": {"value": START.timestamp(), "type": "counter", "unit": "s"},
    "end_time": {"value": END.timestamp(), "type": "counter", "unit": "s"},
    "average_power_measured": {"value": 321.5, "type": "gauge", "unit": "W"},
    "embedded_emissions": {"value": 0.11, "type": "gauge", "unit": "kg CO2eq"},
}


@pytest.fixture
def live(loopback, monkeypatch):
    monkeypatch.setenv("BOAGENT_URL", loopback.address)
    loopback.pages["/query"] = Reply(BODY)
    return loopback


def test_a_replay_says_so_and_knows_its_own_window():
    answer = boagent.query(START, END)
    assert answer.replayed
    assert "illustrative" in answer.note
    body = answer.body
    assert body.hours == 24
    assert body.warnings == []
    # Power, hours and a grid make the electricity: the recording is consistent in itself.
    kwh = body.power_w * body.hours / 1000
    assert 0.3 < body.operational_kg / kwh < 0.5
    assert 0 < body.embodied_kg < body.operational_kg


def test_the_whole_question_is_asked_and_the_answer_read(live):
    answer = boagent.query(START, END, location="FRA", lifetime_years=4)
    assert answer.how == "live"
    assert (answer.body.operational_kg, answer.body.embodied_kg, answer.body.power_w) == (0.72, 0.11, 321.5)
    assert answer.body.hours == 6
    assert len(answer.body.warnings) == 2
    [question] = live.asked
    assert (question.method, question.path) == ("GET", "/query")
    assert question.parameters == {
        "start_time": str(START.timestamp()),
        "end_time": str(END.timestamp()),
        "location": "FRA",
        "lifetime": "4.0",
        "measure_power": "true",
        "verbose": "false",
    }


def test_a_zone_is_part_of_the_time(live):
    there = timezone(timedelta(hours=2))
    boagent.query(START.astimezone(there), END.astimezone(there))
    assert live.asked[0].parameters["start_time"] == str(START.timestamp())


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        ((datetime(2026, 11, 1), END), "start"),
        ((START, datetime(2026, 11, 2)), "end"),
        ((END, START), "end"),
        ((START, START), "end"),
        (("2026-11-01", END), "start"),
        ((START, None), "end"),
    ],
)
def test_a_window_that_is_none_is_refused(arguments, named):
    with pytest.raises(gl.ArgumentError, match=f"^{named} "):
        boagent.query(*arguments)


@pytest.mark.parametrize("years", [0, -1, 101, float("nan")])
def test_a_lifetime_that_cannot_be_is_refused(years):
    with pytest.raises(gl.ArgumentError, match="lifetime_years"):
        boagent.query(START, END, lifetime_years=years)


def test_a_busy_agent_is_waited_for(live):
    live.script = [Reply(status=503, headers={"Retry-After": "0"})] * 2
    assert boagent.query(START, END).how == "live"


FAULTS = {
    "401": [Reply(status=401)],
    "500s": [Reply(status=500)] * 9,
    "silent": [Reply(wait_s=2)] * 9,
    "hangs up": [Reply(hang_up=True)] * 9,
    "not JSON": [Reply("Internal Server Error")],
    "cut off": [Reply(json.dumps(BODY)[:-9])],
    "no making": [Reply({key: value for key, value in BODY.items() if key != "embedded_emissions"})],
    "no power": [Reply(BODY | {"average_power_measured": {"value": None, "unit": "W"}})],
    "another unit": [Reply(BODY | {"average_power_measured": {"value": 1, "unit": "kW"}})],
    "backwards": [Reply(BODY | {"end_time": {"value": 0, "unit": "s"}})],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_in_one_error_that_names_the_service(live, monkeypatch, fault):
    monkeypatch.setattr(service, "LONGEST_S", 0.5)
    monkeypatch.setattr(service, "BACKOFF_S", 0)
    live.script = list(FAULTS[fault])
    with pytest.raises(FeedError, match=r"^boagent: it"):
        boagent.query(START, END)


def test_an_agent_that_is_stopped_leaves_its_last_answer_which_says_so(live):
    boagent.query(START, END)
    live.close()
    answer = boagent.query(START, END)
    assert answer.replayed
    assert "cannot be reached" in answer.note
