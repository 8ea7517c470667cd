"""Ranges, samples and comparisons."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

import greenlib as gl
from greenlib.checks import AlignmentError, ArgumentError, ArgumentTypeError, UnknownNameError


@given(st.floats(0.01, 1e6), st.floats(1, 100), st.integers(0, 1000))
def test_lognormal_samples_have_the_percentiles_asked_for(low, factor, seed):
    found = gl.interval(gl.samples(low, low * factor, seed=seed))
    spread = math.log(factor)
    assert math.log(found.p10 / low) == pytest.approx(0, abs=0.05 * spread + 1e-9)
    assert math.log(found.p90 / (low * factor)) == pytest.approx(0, abs=0.05 * spread + 1e-9)


def test_normal_and_uniform_samples():
    normal = gl.interval(gl.samples(-1, 3, shape="normal", n=100_000, seed=1))
    assert (normal.p10, normal.p50, normal.p90) == pytest.approx((-1, 1, 3), abs=0.05)
    uniform = gl.samples(2, 4, shape="uniform", seed=1)
    assert uniform.min() >= 2
    assert uniform.max() <= 4


@given(st.integers(0, 100))
def test_samples_stay_within_what_is_possible(seed):
    mfu = gl.samples(0.2, 0.5, minimum=0.1, maximum=0.6, n=1000, seed=seed)
    assert len(mfu) == 1000
    assert 0.1 <= mfu.min() <= 0.2
    assert 0.5 <= mfu.max() <= 0.6
    for wrong in ({"minimum": 0.3}, {"maximum": 0.4}, {"maximum": math.nan}):
        with pytest.raises(ArgumentError):
            gl.samples(0.2, 0.5, **wrong, seed=seed)


def test_the_same_seed_gives_the_same_samples_and_another_gives_others():
    np.testing.assert_array_equal(gl.samples(1, 2, seed=7), gl.samples(1, 2, seed=7))
    assert not np.array_equal(gl.samples(1, 2, seed=7), gl.samples(1, 2, seed=8))


def test_samples_go_through_the_whole_chain():
    run = gl.footprint(
        8.4e23, peak_flops_per_s=989e12, mfu=gl.samples(0.2, 0.5, maximum=1, seed=1), power_w=700, pue=1.1,
        grid_g_per_kwh=gl.samples(20, 700, maximum=1000, seed=2),
    )  # fmt: skip
    low, middle, high = gl.interval(run.operational_kg)
    assert low < middle < high


@pytest.mark.parametrize("wrong", [(3, 2), (0, 1), (-1, 1), (math.nan, 1), (1, math.inf)])
def test_impossible_ranges_are_refused(wrong):
    with pytest.raises(ArgumentError):
        gl.samples(*wrong, seed=1)


def test_other_wrong_arguments_of_samples():
    with pytest.raises(UnknownNameError, match="did you mean 'lognormal'"):
        gl.samples(1, 2, shape="log-normal", seed=1)
    with pytest.raises(ArgumentTypeError):
        gl.samples([1, 2], 3, seed=1)
    with pytest.raises(ArgumentError):
        gl.samples(1, 2, n=0, seed=1)


@pytest.mark.parametrize("wrong", [[], [1.0, math.nan], [[1.0]], ["a"]])
def test_interval_refuses_what_are_no_samples(wrong):
    with pytest.raises(ArgumentError):
        gl.interval(wrong)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50))
def test_of_two_one_is_better_or_they_tie(values):
    a = np.array(values)
    b = a[::-1].copy()
    assert gl.probability_better(a, b) + gl.probability_better(b, a) == pytest.approx(1)
    assert gl.probability_better(a, a) == 0.5
    assert gl.probability_better(a, a - 1) == 0.0
    assert gl.probability_better(a, a - 1, lower_is_better=False) == 1.0


def test_a_shared_input_stays_shared():
    """A uses 10 % less energy on the same grid: it wins always; on grids drawn apart it does not."""
    grid, other_grid = gl.samples(20, 700, seed=1), gl.samples(20, 700, seed=2)
    assert gl.probability_better(90 * grid, 100 * grid) == 1.0
    assert 0.4 < gl.probability_better(90 * grid, 100 * other_grid) < 0.6


def test_probability_needs_pairs():
    with pytest.raises(AlignmentError):
        gl.probability_better([1.0, 2.0], [1.0])


def test_tornado_ranks_what_moves_the_result_most():
    base = {"facility_kwh": 1000.0, "grid_g_per_kwh": 400.0}
    swings = gl.tornado(gl.emissions_kg, {"facility_kwh": (900, 1100), "grid_g_per_kwh": (20, 700)}, **base)
    assert swings.index.tolist() == ["grid_g_per_kwh", "facility_kwh"]
    assert swings.loc["facility_kwh"].tolist() == [360.0, 440.0]
    assert swings.attrs["base"] == 400.0
    ax = gl.figures.tornado(swings, unit="kg CO2e")
    assert [label.get_text() for label in ax.get_yticklabels()]


@pytest.mark.parametrize("ranges", [{"grid_g_per_kwh": (700, 20)}, {"grid_g_per_kwh": 20}, {"pue": (1, 2)}])
def test_tornado_refuses_ranges_that_are_none(ranges):
    with pytest.raises(ArgumentError):
        gl.tornado(gl.emissions_kg, ranges, facility_kwh=1000, grid_g_per_kwh=400)
