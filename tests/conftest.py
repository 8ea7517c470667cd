"""How tests run: properties without a clock and, in CI, on the same cases; no key, no server, files of one's own."""

import os

import pytest
from hypothesis import settings
from loopback import Loopback

settings.register_profile("book", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("book")

SWITCHES = ("_URL", "_URI", "_KEY", "_TOKEN", "_USER", "_PASSWORD")
SERVICES = ("WATTTIME", "ELECTRICITYMAPS", "NESO", "CLIMATIQ", "BOAVIZTA", "BOAGENT", "MLENERGY", "MLFLOW", "WANDB")


@pytest.fixture(autouse=True)
def offline(monkeypatch, tmp_path_factory):
    """Take the machine's own keys and servers away, and give the test an empty cache and journal."""
    for name in list(os.environ):
        if name.startswith(SERVICES) and (name.endswith(SWITCHES) or "API_KEY" in name):
            monkeypatch.delenv(name)
    folder = tmp_path_factory.mktemp("reader")
    monkeypatch.setenv("GREENLIB_CACHE", str(folder / "cache"))
    monkeypatch.setenv("GREENLIB_JOURNAL", str(folder / "predictions.jsonl"))


@pytest.fixture
def loopback():
    """A server on this machine that answers by a script."""
    server = Loopback()
    yield server
    server.close()
