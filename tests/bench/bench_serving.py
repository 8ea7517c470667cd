"""How fast the serving model is: a million configurations, and the fit with every model left out in turn."""

import numpy as np
import pytest

import greenlib as gl

CONFIGURATIONS = 1_000_000


@pytest.fixture(scope="module")
def configurations():
    draw = np.random.default_rng(1)
    return {
        "batch_size": draw.uniform(1, 2000, CONFIGURATIONS),
        "output_tokens": draw.uniform(50, 9000, CONFIGURATIONS),
        "accelerators": draw.integers(2, 9, CONFIGURATIONS).astype(float),
        "weight_precision": draw.choice(np.array(["bf16", "fp8"], dtype=object), CONFIGURATIONS),
        "accelerator": draw.choice(np.array(["H100-SXM", "B200-SXM"], dtype=object), CONFIGURATIONS),
        "model": draw.choice(np.array(["Llama-3.1-8B", "Qwen3-30B-A3B", "Qwen3-32B"], dtype=object), CONFIGURATIONS),
    }


@pytest.mark.benchmark(group="a million serving configurations")
def test_joules_per_token(benchmark, configurations):
    benchmark.pedantic(gl.joules_per_token, kwargs=configurations, rounds=3, warmup_rounds=1)


@pytest.mark.benchmark(group="fitting the serving model")
def test_fit(benchmark):
    benchmark.pedantic(gl.calibration.fit_serving, (gl.table("serving"),), rounds=3, warmup_rounds=1)


@pytest.mark.benchmark(group="fitting the serving model")
def test_fit_without_each_model(benchmark):
    benchmark.pedantic(gl.calibration.held_out_joules_per_token, (gl.table("serving"), "model"), rounds=3)
