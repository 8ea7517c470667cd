"""BoaviztAPI: recordings without a server, the documented questions with one, no default passed off as an answer."""

import copy
import json

import pytest
from loopback import Reply

import greenlib as gl
from greenlib.feeds import boavizta, service
from greenlib.feeds.service import FeedError

H100 = "NVIDIA H100 SXM 80GB"
GPU_PATH, SERVER_PATH = "/v1/component/gpu", "/v1/server/"
MAKING = {"lifetime_hours": 4 * 8760, "utilization": 0.6}
USE = {"power_w": 700, "pue": 1.1, "grid_g_per_kwh": 400}


def recorded(slug):
    file = service.resources.files("greenlib.feeds") / "replays" / f"boavizta_{slug}.json"
    return json.loads(file.read_text(encoding="utf-8"))["body"]


@pytest.fixture
def live(loopback, monkeypatch):
    monkeypatch.setenv("BOAVIZTA_URL", loopback.address)
    loopback.pages[GPU_PATH] = Reply(recorded("gpu_h100_sxm_80gb"))
    loopback.pages[SERVER_PATH] = Reply(recorded("server_p5_48xlarge"))
    return loopback


@pytest.mark.parametrize(
    ("name", "kg"),
    [(H100, 575.1), ("NVIDIA A100 SXM4 80GB", 567.7), ("NVIDIA A100 SXM4 40GB", 319.3), ("NVIDIA L4", 123.5)],
)
def test_recorded_accelerators_are_the_published_ones(name, kg):
    answer = boavizta.gpu(name)
    assert answer.replayed
    assert "recorded from BoaviztAPI 2.5.0" in answer.note
    assert answer.body.device_embodied_kg == kg
    assert answer.body.impacts.gwp.use == "not implemented"


@pytest.mark.parametrize("archetype", boavizta.SERVERS)
def test_the_parts_of_a_recorded_server_add_up_to_it(archetype):
    server = boavizta.server(archetype).body
    parts = sum(part.impacts.gwp.embedded.value for part in server.parts.values())
    # The server rounds to the digits that it takes for significant.
    assert parts == pytest.approx(server.embodied.value, rel=0.02)
    assert server.parts["GPU-1"].units.value == 8
    assert server.embodied.min < server.embodied.value < server.embodied.max
    modelled = server.power_w * server.lifetime_hours * server.grid_g_per_kwh / 1e6
    assert server.impacts.gwp.use.value == pytest.approx(modelled, rel=0.1)


def test_eight_accelerators_are_made_eight_times():
    part = boavizta.server("p5.48xlarge").body.parts["GPU-1"]
    one = boavizta.gpu(H100).body.device_embodied_kg
    assert part.impacts.gwp.embedded.value == pytest.approx(8 * one, rel=1e-3)


def test_one_recorded_server_has_more_memory_than_any_server():
    parts = {name: boavizta.server(name).body.parts["RAM-1"] for name in ("a2-ultragpu", "p4de.24xlarge")}
    terabytes = {name: part.units.value * part.capacity.value / 1000 for name, part in parts.items()}
    assert terabytes["a2-ultragpu"] > 400
    assert terabytes["p4de.24xlarge"] < 2


@pytest.mark.parametrize(
    ("ask", "argument"),
    [
        (lambda: boavizta.gpu("H100"), "name"),
        (lambda: boavizta.server("p5"), "archetype"),
        (lambda: boavizta.server("p5.48xlarge", location="FRA"), "location"),
    ],
)
def test_what_is_not_recorded_is_refused_with_a_hint(ask, argument):
    with pytest.raises(gl.UnknownNameError, match=argument):
        ask()


def test_the_documented_questions_are_asked(live):
    assert boavizta.gpu(H100).how == "live"
    assert boavizta.server("p5.48xlarge").how == "live"
    gpu, server = live.asked
    assert (gpu.method, gpu.path, gpu.body) == ("POST", GPU_PATH, {"name": H100})
    assert gpu.parameters == {"verbose": "true", "criteria": "gwp"}
    assert (server.method, server.path) == ("POST", SERVER_PATH)
    assert server.body == {"usage": {"usage_location": "USA"}}
    assert server.parameters == {"archetype": "p5.48xlarge", "verbose": "true", "criteria": "gwp"}


def test_the_default_accelerator_is_not_passed_off_as_the_one_asked_for(live):
    default = recorded("gpu_h100_sxm_80gb")
    default["verbose"]["name"] = {"value": "GB200", "status": "INPUT"}
    live.pages[GPU_PATH] = Reply(default)
    with pytest.raises(FeedError, match="does not know 'GB200'"):
        boavizta.gpu("GB200")


def test_the_nearest_name_is_not_passed_off_as_the_one_asked_for(live):
    with pytest.raises(FeedError, match=r"took 'H100' for 'NVIDIA H100 SXM 80GB'"):
        boavizta.gpu("H100")


def test_another_grid_is_not_passed_off_as_the_one_asked_for(live):
    with pytest.raises(FeedError, match=r"'XYZ' and used 'USA'"):
        boavizta.server("p5.48xlarge", location="XYZ")


def test_an_unknown_archetype_is_told(live):
    live.pages[SERVER_PATH] = Reply({"detail": "nope not found"}, 404)
    with pytest.raises(FeedError, match="knows no such thing") as caught:
        boavizta.server("nope")
    assert caught.value.status == 404


def without(body, *path):
    cut = copy.deepcopy(body)
    inner = cut
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return cut


GPU_FAULTS = {
    "500s": [Reply(status=500)] * 9,
    "silent": [Reply(wait_s=2)] * 9,
    "not JSON": [Reply("Internal Server Error")],
    "cut off": [Reply(json.dumps(recorded("gpu_l4"))[:-9])],
    "refused": [Reply({"detail": []}, 422)],
    "no impact": [Reply(without(recorded("gpu_l4"), "impacts", "gwp"))],
    "no making": [Reply(without(recorded("gpu_l4"), "impacts", "gwp", "embedded"))],
    "no name": [Reply(without(recorded("gpu_l4"), "verbose", "name"))],
    "a list": [Reply([])],
}
SERVER_FAULTS = {
    "no lifetime": [Reply(without(recorded("server_p5_48xlarge"), "verbose", "hours_life_time"))],
    "no power": [Reply(without(recorded("server_p5_48xlarge"), "verbose", "avg_power"))],
    "no factor": [Reply(without(recorded("server_p5_48xlarge"), "verbose", "gwp_factor"))],
    "no location": [Reply(without(recorded("server_p5_48xlarge"), "verbose", "usage_location"))],
    "half a part": [Reply(without(recorded("server_p5_48xlarge"), "verbose", "RAM-1", "impacts", "gwp", "embedded"))],
}


@pytest.mark.parametrize("fault", GPU_FAULTS | SERVER_FAULTS)
def test_a_fault_ends_in_one_error_that_names_the_service(live, monkeypatch, fault):
    monkeypatch.setattr(service, "LONGEST_S", 0.5)
    monkeypatch.setattr(service, "BACKOFF_S", 0)
    live.script = list((GPU_FAULTS | SERVER_FAULTS)[fault])
    with pytest.raises(FeedError, match=r"^BoaviztAPI: it"):
        boavizta.gpu("NVIDIA L4") if fault in GPU_FAULTS else boavizta.server("p5.48xlarge")


def test_a_server_that_is_stopped_leaves_its_last_answer_which_says_so(live):
    boavizta.gpu(H100)
    live.close()
    answer = boavizta.gpu(H100)
    assert answer.replayed
    assert "cannot be reached" in answer.note


def test_a_busy_server_is_waited_for(live):
    live.script = [Reply(status=429, headers={"Retry-After": "0"})] * 2
    assert boavizta.gpu(H100).how == "live"


def test_the_electricity_is_ours_and_says_so():
    one = boavizta.gpu_footprint(H100, 1000, **USE, **MAKING)
    assert one.embodied_kg == pytest.approx(575.1 * 1000 / (4 * 8760 * 0.6))
    assert one.operational_kg == pytest.approx(1000 * 0.7 * 1.1 * 0.4)
    assert one.total_kg == one.embodied_kg + one.operational_kg
    assert "replayed" in one.embodied_by
    assert "greenlib" in one.operational_by


def test_electricity_that_the_server_counts_is_not_counted_again(live):
    counting = recorded("gpu_h100_sxm_80gb")
    counting["impacts"]["gwp"]["use"] = {"value": 1.0, "min": 0.5, "max": 2.0}
    live.pages[GPU_PATH] = Reply(counting)
    with pytest.raises(FeedError, match="twice"):
        boavizta.gpu_footprint(H100, 1000, **USE, **MAKING)


def test_impossible_inputs_are_refused():
    with pytest.raises(gl.ArgumentError, match="pue"):
        boavizta.gpu_footprint(H100, 1000, **USE | {"pue": 0.9}, **MAKING)


def test_everything_that_is_offered_offline_has_its_recording(live, monkeypatch, tmp_path):
    questions = boavizta.recordings()
    assert set(questions) == {*boavizta.GPUS.values(), *boavizta.SERVERS.values()}
    monkeypatch.setattr(boavizta, "__file__", str(tmp_path / "boavizta.py"))
    (tmp_path / "replays").mkdir()
    boavizta.main()
    assert len(live.asked) == len(questions)
    written = json.loads((tmp_path / "replays" / "boavizta_gpu_l4.json").read_text(encoding="utf-8"))
    assert written["body"] == recorded("gpu_h100_sxm_80gb")
