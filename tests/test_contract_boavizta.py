"""The recordings against the server they were made from: `make contract` starts it and sets BOAVIZTA_URL."""

import json
import os
from importlib import resources

import pytest
import requests

from greenlib.feeds import boavizta
from greenlib.feeds.service import FeedError

ADDRESS = os.environ.get("BOAVIZTA_URL", "").strip().rstrip("/")
pytestmark = pytest.mark.skipif(not ADDRESS, reason="BOAVIZTA_URL is not set; `make contract` sets it")


@pytest.fixture(autouse=True)
def _server(offline, monkeypatch):
    monkeypatch.setenv("BOAVIZTA_URL", ADDRESS)


def ask(path, **parameters):
    return requests.get(f"{ADDRESS}{path}", params=parameters, timeout=30).json()


FITTED = {"params", "avg_power", "use"}
"""What comes from the server's curves of power, fitted anew at each start: the last digits depend on the machine."""


def assert_alike(said, recorded, place="body", rel=1e-9):
    """Compare two answers to the last digit, but for what the server fits."""
    if isinstance(recorded, dict):
        assert isinstance(said, dict), place
        assert said.keys() == recorded.keys(), place
        for key in recorded:
            assert_alike(said[key], recorded[key], f"{place}.{key}", 0.02 if key in FITTED else rel)
    elif isinstance(recorded, list):
        assert isinstance(said, list), place
        assert len(said) == len(recorded), place
        for i, (one, other) in enumerate(zip(said, recorded, strict=True)):
            assert_alike(one, other, f"{place}[{i}]", rel)
    elif isinstance(recorded, float):
        assert said == pytest.approx(recorded, rel=rel), place
    else:
        assert said == recorded, place


def test_the_server_is_the_release_that_was_recorded():
    assert ask("/v1/utils/version") == boavizta.VERSION


@pytest.mark.parametrize("slug", boavizta.recordings())
def test_the_server_still_says_what_was_recorded(slug):
    path, parameters, body = boavizta.recordings()[slug]
    said = requests.post(f"{ADDRESS}{path}", params=parameters, json=body, timeout=30).json()
    file = resources.files("greenlib.feeds") / "replays" / f"boavizta_{slug}.json"
    assert_alike(said, json.loads(file.read_text(encoding="utf-8"))["body"])


@pytest.mark.parametrize("name", boavizta.GPUS)
def test_the_client_gives_the_same_answer_live_and_replayed(name, monkeypatch):
    live = boavizta.gpu(name)
    assert live.how == "live"
    monkeypatch.delenv("BOAVIZTA_URL")
    assert live.body == boavizta.gpu(name).body


@pytest.mark.parametrize("archetype", boavizta.SERVERS)
def test_the_client_reads_servers_alike_live_and_replayed(archetype, monkeypatch):
    live = boavizta.server(archetype)
    assert live.how == "live"
    monkeypatch.delenv("BOAVIZTA_URL")
    assert_alike(live.body.model_dump(), boavizta.server(archetype).body.model_dump())


def test_every_accelerator_the_server_knows_can_be_asked_for():
    for name in ask("/v1/utils/gpu_name"):
        answer = boavizta.gpu(name).body
        assert answer.device_embodied_kg > 0
        assert answer.impacts.gwp.use == "not implemented"


@pytest.mark.parametrize("name", ["GB200", "RTX 4090", "nonsense", ""])
def test_the_servers_default_is_noticed(name):
    with pytest.raises(FeedError, match="does not know"):
        boavizta.gpu(name)


@pytest.mark.parametrize("name", ["A100", "H100", "L4", "nvidia l4", "NVIDIA GB200"])
def test_the_servers_guess_is_noticed(name):
    with pytest.raises(FeedError, match="took"):
        boavizta.gpu(name)


def test_the_servers_own_grid_is_noticed():
    with pytest.raises(FeedError, match="'XXX'"):
        boavizta.server("p5.48xlarge", location="XXX")


def test_an_unknown_archetype_is_told():
    with pytest.raises(FeedError, match="404"):
        boavizta.server("no-such-server")
