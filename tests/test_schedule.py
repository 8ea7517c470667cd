"""When to run: against the plain double loop, at the edges of the window, and when clocks change."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

import greenlib as gl
from greenlib.checks import AlignmentError, ArgumentError, UnknownNameError

GRID = st.lists(st.integers(0, 900).map(float), min_size=1, max_size=40)


@st.composite
def jobs(draw):
    grid = draw(GRID)
    release = draw(st.integers(0, len(grid) - 1))
    deadline = draw(st.integers(release + 1, len(grid)))
    length = draw(st.integers(1, deadline - release))
    return grid, {"length_hours": length, "release_hour": release, "deadline_hour": deadline}


def every_window(grid, length_hours, release_hour, deadline_hour):
    starts = range(release_hour, deadline_hour - length_hours + 1)
    return {start: sum(grid[start : start + length_hours]) / length_hours for start in starts}


@given(jobs())
def test_the_best_start_is_the_double_loop_s(job):
    grid, window = job
    tried = every_window(grid, **window)
    start, mean = gl.best_start(grid, **window)
    assert mean == pytest.approx(min(tried.values()), abs=1e-6)
    assert tried[start] == pytest.approx(mean, abs=1e-6)


@given(jobs())
def test_pausing_never_costs_and_uses_the_cleanest_hours(job):
    grid, window = job
    inside = sorted(grid[window["release_hour"] : window["deadline_hour"]])[: window["length_hours"]]
    mean, threshold = gl.cheapest_hours(grid, **window)
    assert mean == pytest.approx(np.mean(inside))
    assert threshold == inside[-1]
    assert mean <= gl.best_start(grid, **window).mean_g_per_kwh + 1e-6


@given(st.integers(0, 1000))
def test_many_jobs_at_many_sites_are_each_one_alone(seed):
    draw = np.random.default_rng(seed)
    grid = draw.uniform(0, 900, (3, 50))
    release = draw.integers(0, 20, 8)
    length = draw.integers(1, 9, 8)
    deadline = release + length + draw.integers(0, 10, 8)
    together = gl.best_start(grid, length_hours=length, release_hour=release, deadline_hour=deadline)
    paused = gl.cheapest_hours(grid, length_hours=length, release_hour=release, deadline_hour=deadline)
    assert together.start_hour.shape == paused.mean_g_per_kwh.shape == (3, 8)
    for site in range(3):
        for job in range(8):
            window = {"length_hours": length[job], "release_hour": release[job], "deadline_hour": deadline[job]}
            alone = gl.best_start(grid[site], **window)
            assert together.mean_g_per_kwh[site, job] == pytest.approx(alone.mean_g_per_kwh)
            assert paused.mean_g_per_kwh[site, job] == gl.cheapest_hours(grid[site], **window).mean_g_per_kwh


def test_results_have_no_axis_for_what_was_given_as_one():
    assert gl.best_start([3, 1, 2], length_hours=1) == (1, 1.0)
    assert gl.best_start([[3, 1, 2]], length_hours=1).start_hour.shape == (1,)
    assert gl.best_start([3, 1, 2], length_hours=[1]).start_hour.shape == (1,)
    assert gl.best_start([[3, 1, 2]], length_hours=[1, 2]).start_hour.shape == (1, 2)


@pytest.mark.parametrize(
    ("window", "words"),
    [
        ({"length_hours": 0}, "length_hours"),
        ({"length_hours": 1.5}, "whole hours"),
        ({"length_hours": 5}, "release \\+ length, 5"),
        ({"length_hours": 2, "release_hour": 3}, "release \\+ length, 5"),
        ({"length_hours": 1, "deadline_hour": 9}, "at most 4"),
        ({"length_hours": 1, "release_hour": -1}, "release_hour"),
        ({"length_hours": math.nan}, "length_hours"),
        ({"length_hours": [1, 1, 9], "release_hour": 0}, "for job 2"),
    ],
)
def test_jobs_that_cannot_run_are_refused(window, words):
    for function in (gl.best_start, gl.cheapest_hours):
        with pytest.raises(ArgumentError, match=words):
            function([300.0, 200.0, 100.0, 400.0], **window)


def test_series_that_are_none_are_refused():
    for grid in ([], [[[1.0]]], [1.0, math.nan], [-1.0, 2.0], "300"):
        with pytest.raises(ArgumentError):
            gl.best_start(grid, length_hours=1)
    with pytest.raises(AlignmentError):
        gl.best_start([1.0, 2.0, 3.0], length_hours=[1, 1], release_hour=[0, 0, 0])


@given(jobs(), st.integers(0, 100))
def test_regret_is_never_negative_and_zero_for_perfect_foresight(job, seed):
    grid, window = job
    forecast = np.random.default_rng(seed).permutation(grid)
    rows = gl.backtest(grid, forecast, **window)
    assert (rows["regret"] >= 0).all()
    assert (rows["perfect"] <= rows["at_once"] + 1e-6).all()
    assert gl.backtest(grid, grid, **window)["regret"].max() == pytest.approx(0, abs=1e-9)


def test_backtest_wants_one_site_and_equal_lengths():
    with pytest.raises(AlignmentError):
        gl.backtest([1.0, 2.0], [1.0], length_hours=1)
    with pytest.raises(AlignmentError):
        gl.backtest([[1.0, 2.0]], [[1.0, 2.0]], length_hours=1)


def test_days_on_which_clocks_change():
    def hours(day, *times):
        return [gl.hour_of(f"{day} {t}", time_zone="Europe/Helsinki", series_start=f"{day} 00:00") for t in times]

    assert hours("2022-03-27", "02:00", "04:00", "23:00") == [0, 1, 20]
    assert hours("2022-10-30", "03:00", "04:00", "23:00") == [0, 2, 21]
    with pytest.raises(ArgumentError, match="clocks in Europe/Helsinki show"):
        hours("2022-03-27", "03:30")
    midnight = gl.hour_of(
        ["2022-10-30 00:00", "2022-10-31 00:00"], time_zone="Europe/Helsinki", series_start="2022-10-29"
    )
    assert np.diff(midnight).item() == 25


@pytest.mark.parametrize("clock", ["half past nine", "2022-01-01 00:00+02:00", 3.5j])
def test_times_that_are_none_are_refused(clock):
    with pytest.raises(ArgumentError):
        gl.hour_of(clock, time_zone="Europe/Helsinki", series_start="2022-01-01")


def test_unknown_zones_and_areas_are_answered_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Europe/Helsinki"):
        gl.hour_of("2022-01-01", time_zone="Europe/Helsink", series_start="2022-01-01")
    with pytest.raises(UnknownNameError, match="CISO"):
        gl.year_of_hours("CIS0", year=2022)


def test_a_year_repeats_the_month_s_mean_day():
    year = gl.year_of_hours("CISO", year=2024)
    assert len(year) == 8784
    assert str(year.index.tz) == "UTC"
    profiles = gl.table("grid_profiles").set_index(["balancing_area", "month", "hour_utc"])
    assert year["2024-07-15 20:00+00:00"] == profiles.loc[("CISO", 7, 20), "mean_g_per_kwh"]
    assert (gl.year_of_hours("CISO", year=2022, column="p10_g_per_kwh") <= year.max()).all()
