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
    for wrong in ({"minimum": "0"}, {"maximum": None}):
        with pytest.raises(ArgumentTypeError):
            gl.samples(1, 2, **wrong, seed=1)


@pytest.mark.parametrize("shape", ["lognormal", "normal", "uniform"])
@pytest.mark.parametrize("value", [0.1, 3, 1.21, 1e200, 1e-200])
def test_a_range_without_width_is_its_one_value(value, shape):
    drawn = gl.samples(value, value, minimum=value, maximum=value, shape=shape, n=5, seed=1)
    assert drawn.tolist() == [value] * 5


@pytest.mark.parametrize("low", [1e-200, 1e200])
def test_very_small_and_very_large_values_are_drawn_as_well(low):
    found = gl.interval(gl.samples(low, 2 * low, seed=1))
    assert (found.p10 / low, found.p90 / low) == pytest.approx((1, 2), rel=0.05)


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


@pytest.mark.parametrize(
    "ranges", [{"grid_g_per_kwh": (700, 20)}, {"grid_g_per_kwh": 20}, {"pue": (1, 2)}, [("grid_g_per_kwh", (20, 700))]]
)
def test_tornado_refuses_ranges_that_are_none(ranges):
    with pytest.raises(ArgumentError):
        gl.tornado(gl.emissions_kg, ranges, facility_kwh=1000, grid_g_per_kwh=400)


def test_results_of_samples_are_samples_with_their_percentiles():
    mfu = gl.samples(0.2, 0.5, maximum=1, seed=1)
    hours = gl.accelerator_hours(1e24, peak_flops_per_s=1e15, mfu=mfu)
    assert isinstance(hours, gl.Samples)
    assert hours.p10 == pytest.approx(gl.accelerator_hours(1e24, peak_flops_per_s=1e15, mfu=mfu.p90), rel=1e-3)
    assert (hours.p10, hours.p50, hours.p90) == gl.interval(hours)


def test_any_input_of_a_footprint_may_be_samples_and_a_shared_one_stays_shared():
    grid = gl.samples(100, 600, maximum=5000, seed=2)
    power = gl.samples(400, 800, seed=3)
    a = gl.footprint(1e23, "H100", mfu=0.4, pue=1.1, power_w=power, grid_g_per_kwh=grid)
    b = gl.footprint(1.2e23, "H100", mfu=0.4, pue=1.1, power_w=power, grid_g_per_kwh=grid)
    assert isinstance(a.operational_kg, gl.Samples)
    assert isinstance(a.accelerator_hours, float)
    assert gl.probability_better(a.operational_kg, b.operational_kg) == 1
    assert "p90" in a._repr_html_()
    assert f"{a.it_kwh.p50:,.4g}" in a._repr_html_() or f"{a.it_kwh.p50:,.0f}" in a._repr_html_()


def test_samples_of_a_served_model_come_out_as_samples():
    batch = gl.samples(8, 256, minimum=1, seed=4)
    server = {"output_tokens": 400, "weight_precision": "bf16", "accelerator": "H100", "accelerators": 1}
    joules = gl.joules_per_token(batch_size=batch, model="Llama-3.1-8B", **server)
    assert isinstance(joules, gl.Samples)
    assert joules.p10 < joules.p50 < joules.p90


def test_what_is_left_of_samples_without_an_axis_is_a_number():
    drawn = gl.samples(1, 2, seed=5)
    assert type(drawn.mean()) is np.float64
    assert "p50" in repr(drawn)
    by_site = drawn[:, None] * np.array([1.0, 10.0])
    assert by_site.p50.shape == (2,)
    assert by_site.p50[1] == pytest.approx(10 * by_site.p50[0])


@pytest.mark.parametrize(
    ("runs", "confidence", "t"),
    [(2, 0.95, 12.706), (3, 0.95, 4.303), (5, 0.95, 2.776), (6, 0.95, 2.571), (31, 0.95, 2.042), (5, 0.99, 4.604)],
)
def test_intervals_of_means_use_the_tables_of_student(runs, confidence, t):
    values = np.arange(runs, dtype=float)
    found = gl.mean_interval(values, confidence=confidence)
    half = t * values.std(ddof=1) / math.sqrt(runs)
    assert found.mean == pytest.approx(values.mean())
    assert (found.high - found.mean, found.mean - found.low) == pytest.approx((half, half), rel=1e-3)


@given(st.integers(2, 12))
def test_so_many_intervals_hold_the_true_mean_as_they_promise(runs):
    drawn = np.random.default_rng(runs).normal(3, 2, size=(1000, runs))
    held = [low <= 3 <= high for _, low, high in map(gl.mean_interval, drawn)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.025)


@pytest.mark.parametrize("wrong", [[1.0], [], [1.0, math.nan]])
def test_one_run_has_no_interval(wrong):
    with pytest.raises(ArgumentError):
        gl.mean_interval(wrong)
    for confidence in (0, 1, 95):
        with pytest.raises(ArgumentError):
            gl.mean_interval([1.0, 2.0], confidence=confidence)
