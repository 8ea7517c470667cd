"""How fast the scheduler is: a year, 100 sites and 10,000 jobs, beside the plain double loop on a part of them."""

import numpy as np
import pytest

import greenlib as gl

HOURS, SITES, JOBS = 8760, 100, 10_000


@pytest.fixture(scope="module")
def work():
    draw = np.random.default_rng(2)
    length = draw.integers(1, 25, JOBS)
    release = draw.integers(0, HOURS - 24 * 8, JOBS)
    window = {"length_hours": length, "release_hour": release, "deadline_hour": release + 24 * 7}
    return draw.uniform(20, 800, (SITES, HOURS)), window


@pytest.mark.benchmark(group="a year, 100 sites, 10,000 jobs")
@pytest.mark.parametrize("function", [gl.best_start, gl.cheapest_hours], ids=["best_start", "cheapest_hours"])
def test_a_year(benchmark, work, function):
    grid, window = work
    benchmark.pedantic(function, (grid,), window, rounds=3)


def double_loop(grid, length, release, deadline):
    best = []
    for site in grid:
        tried = [sum(site[start : start + length]) / length for start in range(release, deadline - length + 1)]
        best.append(min(tried))
    return best


@pytest.mark.benchmark(group="one job at 100 sites")
def test_the_double_loop_on_one_job(benchmark, work):
    """Multiply by 10,000 to compare with the year above."""
    grid, window = work
    job = {name.split("_")[0]: int(values[0]) for name, values in window.items()}
    benchmark.pedantic(double_loop, (grid,), job, rounds=3)
