"""How long the serving model takes to fit, and to be judged on each model left out."""

import pytest

import greenlib as gl
from greenlib.calibration import fit_serving, held_out_joules_per_token


@pytest.mark.benchmark(group="calibration")
def test_fit(benchmark):
    benchmark.pedantic(fit_serving, (gl.table("serving"),), rounds=3, warmup_rounds=1)


@pytest.mark.benchmark(group="calibration")
def test_fit_without_each_model(benchmark):
    benchmark.pedantic(held_out_joules_per_token, (gl.table("serving"), "model"), rounds=3)
