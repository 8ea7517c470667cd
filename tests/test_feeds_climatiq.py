"""Climatiq: a replay that says so without a key, the documented request with one, and one error for every fault."""

import json
import traceback

import pytest
from hypothesis import given, strategies as st
from loopback import Reply

import greenlib as gl
from greenlib.feeds import climatiq, service
from greenlib.feeds.service import FeedError

KEY = "climatiq-s3cret"
PATH = "/data/v1/estimate"
# The documented answer, with the fields that are not read.
BODY = {
    "co2e": 81,
    "co2e_unit": "kg",
    "co2e_calculation_method": "ar5",
    "co2e_calculation_origin": "source",
    "emission_factor": {
        "name": "Electricity supplied from grid",
        "activity_id": "electricity-supply_grid-source_supplier_mix",
        "id": "0f0f0f0f-0000-0000-0000-000000000000",
        "access_type": "public",
        "source": "A source",
        "source_dataset": "A dataset",
        "year": 2023,
        "region": "AU-WA",
        "category": "Electricity",
        "source_lca_activity": "electricity_generation",
        "data_quality_flags": ["partial_factor"],
    },
    "constituent_gases": {"co2e_total": 81, "co2e_other": None, "co2": None, "ch4": None, "n2o": None},
    "activity_data": {"activity_value": 100, "activity_unit": "kWh"},
    "audit_trail": "selector",
    "notices": [],
}


@pytest.fixture
def live(loopback, monkeypatch):
    monkeypatch.setenv("CLIMATIQ_API_KEY", KEY)
    monkeypatch.setenv("CLIMATIQ_URL", loopback.address)
    loopback.pages[PATH] = Reply(BODY)
    return loopback


@given(st.floats(1e-6, 1e12), st.sampled_from(climatiq.RECORDED))
def test_a_replay_says_so_and_is_proportional_to_what_was_asked(kwh, region):
    answer = climatiq.electricity(kwh, region)
    assert answer.replayed
    assert "illustrative" in answer.note
    assert answer.body.activity_data.activity_value == kwh
    recorded = climatiq.SERVICE.replay(f"electricity_{region.lower()}", climatiq.Estimation).body
    assert answer.body.g_per_kwh == pytest.approx(recorded.g_per_kwh)
    assert answer.body.emission_factor.region == region


@pytest.mark.parametrize("kwh", [0, -1, float("nan"), float("inf"), "100"])
def test_an_energy_that_cannot_be_is_refused(kwh):
    with pytest.raises(gl.ArgumentError, match="facility_kwh"):
        climatiq.electricity(kwh, "US")


def test_a_replay_of_something_else_is_not_passed_off():
    with pytest.raises(gl.UnknownNameError, match="region"):
        climatiq.electricity(100, "DE")
    with pytest.raises(gl.UnknownNameError, match="year"):
        climatiq.electricity(100, "US", year=1990)
    assert climatiq.electricity(100, "US", year=2024).replayed


def test_the_documented_question_is_asked(live):
    answer = climatiq.electricity(100, "AU-WA", year=2023)
    assert (answer.how, answer.body.co2e, answer.body.g_per_kwh) == ("live", 81, 810)
    [question] = live.asked
    assert (question.method, question.path) == ("POST", PATH)
    assert question.headers["Authorization"] == f"Bearer {KEY}"
    assert question.body == {
        "emission_factor": {
            "activity_id": "electricity-supply_grid-source_supplier_mix",
            "data_version": climatiq.DATA_VERSION,
            "region": "AU-WA",
            "year": 2023,
        },
        "parameters": {"energy": 100, "energy_unit": "kWh"},
    }


def test_the_same_question_is_asked_once_a_day(live):
    climatiq.electricity(100, "AU-WA")
    assert climatiq.electricity(100, "AU-WA").how == "cached"
    assert climatiq.electricity(101, "AU-WA").how == "live"
    assert len(live.asked) == 2
    assert "year" not in live.asked[0].body["emission_factor"]


def test_a_plan_without_the_audit_trail_has_no_factor_to_show(live):
    live.pages[PATH] = Reply(BODY | {"emission_factor": None, "constituent_gases": None})
    assert climatiq.electricity(100, "AU-WA").body.emission_factor is None


def test_too_many_questions_are_waited_out(live):
    live.script = [Reply({"error": "too_many_requests"}, 429, {"Retry-After": "0"})] * 2
    assert climatiq.electricity(100, "AU-WA").how == "live"
    assert len(live.asked) == 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410])
def test_a_refusal_is_told_at_once_and_holds_no_key(live, status):
    climatiq.electricity(100, "AU-WA")
    live.pages[PATH] = Reply({"error": "unauthorized", "message": f"no such key: {KEY}"}, status)
    with pytest.raises(FeedError) as caught:
        climatiq.electricity(200, "AU-WA")
    assert caught.value.status == status
    assert len(live.asked) == 2
    assert KEY not in "".join(traceback.format_exception(caught.value))


FAULTS = {
    "500s": [Reply(status=500)] * 9,
    "silent": [Reply(wait_s=2)] * 9,
    "hangs up": [Reply(hang_up=True)] * 9,
    "not JSON": [Reply("<html>")],
    "cut off": [Reply(json.dumps(BODY)[:-40])],
    "no total": [Reply({key: value for key, value in BODY.items() if key != "co2e"})],
    "no quantity": [Reply({key: value for key, value in BODY.items() if key != "activity_data"})],
    "another unit": [Reply(BODY | {"co2e_unit": "lb"})],
    "negative": [Reply(BODY | {"co2e": -1})],
    "not a number": [Reply(json.dumps(BODY).replace("81", "NaN"))],
    "another activity": [Reply(BODY | {"activity_data": {"activity_value": 100, "activity_unit": "km"}})],
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_in_one_error_that_names_the_service(live, monkeypatch, fault):
    monkeypatch.setattr(service, "LONGEST_S", 0.5)
    monkeypatch.setattr(service, "BACKOFF_S", 0)
    live.script = list(FAULTS[fault])
    with pytest.raises(FeedError, match=r"^Climatiq: it") as caught:
        climatiq.electricity(100, "AU-WA")
    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_after_an_answer_ends_in_the_answer_which_says_so(live, monkeypatch, fault):
    monkeypatch.setattr(service, "LONGEST_S", 0.5)
    monkeypatch.setattr(service, "BACKOFF_S", 0)
    monkeypatch.setattr(climatiq, "FRESH_S", 0)
    climatiq.electricity(100, "AU-WA")
    live.script = list(FAULTS[fault])
    answer = climatiq.electricity(100, "AU-WA")
    assert answer.replayed
    assert "failed" in answer.note
    assert KEY not in repr(answer)


def test_the_cache_holds_the_answer_and_no_key(live):
    climatiq.electricity(100, "AU-WA")
    stored = b"".join(file.read_bytes() for file in service.cache_folder().iterdir())
    assert b"AU-WA" in stored
    assert KEY.encode() not in stored


def test_a_key_that_no_header_carries_is_refused_unseen(live, monkeypatch):
    monkeypatch.setenv("CLIMATIQ_API_KEY", "climatiq\u2013key")
    with pytest.raises(FeedError, match="CLIMATIQ_API_KEY") as caught:
        climatiq.electricity(100, "AU-WA")
    assert "\u2013" not in str(caught.value)
    assert live.asked == []


def test_without_a_key_nobody_is_asked(loopback, monkeypatch):
    monkeypatch.setenv("CLIMATIQ_URL", loopback.address)
    assert climatiq.electricity(100, "US").replayed
    assert loopback.asked == []
