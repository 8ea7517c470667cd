"""What uncertainty costs: a footprint of numbers, the same with 100,000 samples of four inputs, and its percentiles."""

import pytest

import greenlib as gl

N = 100_000


@pytest.fixture(scope="module")
def inputs():
    return {
        "mfu": gl.samples(0.2, 0.5, maximum=1, n=N, seed=1),
        "power_w": gl.samples(400, 800, n=N, seed=2),
        "pue": gl.samples(1.1, 1.4, minimum=1, maximum=2, n=N, seed=3),
        "grid_g_per_kwh": gl.samples(200, 500, maximum=2000, n=N, seed=4),
    }


@pytest.mark.benchmark(group="a footprint")
def test_numbers(benchmark):
    benchmark(gl.footprint, 1e23, "H100", mfu=0.3, power_w=600, pue=1.2, grid_g_per_kwh=400)


@pytest.mark.benchmark(group="a footprint")
def test_samples(benchmark, inputs):
    def run():
        kg = gl.footprint(1e23, "H100", **inputs).operational_kg
        return kg.p10, kg.p50, kg.p90

    benchmark(run)
