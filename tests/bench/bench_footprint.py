"""How fast the chain is: one footprint, ten million at once, and the import. Ratios are of one run on one machine."""

import subprocess
import sys

import numpy as np
import pytest

import greenlib as gl

ROWS = 10_000_000
RANGES = {
    "flops": (1e20, 1e24),
    "peak_flops_per_s": (1e14, 1e15),
    "mfu": (0.2, 0.5),
    "power_w": (300, 1000),
    "pue": (1.0, 1.6),
    "grid_g_per_kwh": (20, 700),
    "wue_l_per_kwh": (0, 2),
}


@pytest.fixture(scope="module")
def inputs():
    generator = np.random.default_rng(0)
    return {name: generator.uniform(low, high, ROWS) for name, (low, high) in RANGES.items()}


@pytest.mark.benchmark(group="one footprint")
def test_one_footprint(benchmark):
    benchmark(gl.footprint, **{name: (low + high) / 2 for name, (low, high) in RANGES.items()})


@pytest.mark.benchmark(group="ten million rows of seven inputs")
def test_add_the_seven_inputs_in_place(benchmark, inputs):
    """The yardstick: the least that any function of seven arrays has to do."""
    total = np.zeros(ROWS)

    def add():
        for values in inputs.values():
            np.add(total, values, out=total)

    benchmark.pedantic(add, rounds=7, warmup_rounds=1)


@pytest.mark.benchmark(group="ten million rows of seven inputs")
def test_ten_million_footprints(benchmark, inputs):
    benchmark.pedantic(gl.footprint, kwargs=inputs, rounds=7, warmup_rounds=1)


@pytest.mark.benchmark(group="a new process")
@pytest.mark.parametrize("code", ["pass", "import greenlib", "import numpy"])
def test_start(benchmark, code):
    benchmark.pedantic(subprocess.run, ([sys.executable, "-c", code],), {"check": True}, rounds=7, warmup_rounds=1)
