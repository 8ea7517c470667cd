"""When to run: the cleanest start for a job, the cleanest hours for one that may pause, and what a forecast is worth.

Hours are counted from the first hour of a series, in UTC, where every day has 24 hours; :func:`hour_of` finds the hour
of a wall clock that does not. A job has a release (the first hour it may run in), a length in hours, and a deadline
(the hour before which it must be done).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from greenlib.catalog import table
from greenlib.checks import AlignmentError, ArgumentError, checked, choice, integer, quantity

__all__ = ["BestStart", "CheapestHours", "backtest", "best_start", "cheapest_hours", "hour_of", "year_of_hours"]


class BestStart(NamedTuple):
    """The cleanest start of each job: its hour, and the mean intensity over the run."""

    start_hour: Any
    mean_g_per_kwh: Any


class CheapestHours(NamedTuple):
    """The cleanest hours of each job: their mean, and the intensity at or below which to run."""

    mean_g_per_kwh: Any
    threshold_g_per_kwh: Any


class _Jobs(NamedTuple):
    """Checked jobs in whole hours, one row a job, and the shape that results take: sites, then jobs."""

    length: np.ndarray
    release: np.ndarray
    deadline: np.ndarray
    shape: tuple[int, ...]


def _series(grid_g_per_kwh: Any) -> np.ndarray:
    """Return intensities as (sites, hours)."""
    grid = np.asarray(grid_g_per_kwh)
    if grid.ndim not in (1, 2) or grid.shape[-1] == 0:
        raise ArgumentError("grid_g_per_kwh", f"shape {grid.shape}", "of shape (hours,) or (sites, hours), not empty")
    return np.atleast_2d(grid)


def _whole(name: str, value: Any) -> np.ndarray:
    hours = np.asarray(quantity(name, value, "[0, 1e9]"))
    if (hours % 1).any():
        raise ArgumentError(name, float(hours[hours % 1 != 0].flat[0]) if hours.ndim else float(hours), "whole hours")
    return hours.astype(np.int64)


def _sites_and_jobs(grid: Any, length_hours: Any, release_hour: Any, deadline_hour: Any) -> tuple[np.ndarray, _Jobs]:
    rows = _series(grid)
    return rows, _jobs(rows.shape[1], length_hours, release_hour, deadline_hour, np.shape(grid)[:-1])


def _jobs(hours: int, length_hours: Any, release_hour: Any, deadline_hour: Any, sites: tuple[int, ...] = ()) -> _Jobs:
    given = {
        "length_hours": _whole("length_hours", length_hours),
        "release_hour": _whole("release_hour", release_hour),
        "deadline_hour": _whole("deadline_hour", hours if deadline_hour is None else deadline_hour),
    }
    try:
        length, release, deadline = np.broadcast_arrays(*given.values())
    except ValueError:
        shapes = ", ".join(f"{name} {value.shape}" for name, value in given.items())
        raise AlignmentError("length_hours", f"shapes {shapes}", "of shapes that broadcast") from None
    shape = sites + length.shape
    length, release, deadline = (np.atleast_1d(values).ravel() for values in (length, release, deadline))
    if (length < 1).any():
        raise ArgumentError("length_hours", 0, "at least 1")
    if (deadline > hours).any():
        raise ArgumentError("deadline_hour", int(deadline.max()), f"at most {hours}, the hours in the series")
    tight = np.flatnonzero(release + length > deadline)
    if tight.size:
        job = tight[0]
        needed = f"at least release + length, {int(release[job] + length[job])}, for job {job}"
        raise ArgumentError("deadline_hour", int(deadline[job]), needed)
    return _Jobs(length, release, deadline, shape)


def _shaped(values: np.ndarray, jobs: _Jobs) -> Any:
    """Return (sites, jobs) results in the caller's shape: no axis for what was given as one."""
    values = values.reshape(jobs.shape)
    return values.item() if values.ndim == 0 else values


@checked
def best_start(grid_g_per_kwh, *, length_hours, release_hour=0, deadline_hour=None) -> BestStart:
    r"""Return when to start each job so that its mean grid intensity is lowest, at each site.

    .. math:: s^* = \arg\min_{r \le s \le d - L} \; \frac{1}{L} \sum_{h=s}^{s+L-1} g_h

    Sums over windows are differences of prefix sums, made once for each length that occurs; of equal starts the
    earliest wins.

    Args:
        grid_g_per_kwh: Hourly intensities in g CO2e per kWh, (hours,) for one site or (sites, hours).
        length_hours: Whole hours that each job runs without pause, :math:`L`; 1 or more; one number or (jobs,).
        release_hour: First hour that each job may run in, :math:`r`.
        deadline_hour: Hour before which each job must be done, :math:`d`; None for the end of the series.

    Returns:
        ``start_hour`` and ``mean_g_per_kwh``, of shape (sites, jobs) less the axes that were given as one.

    Raises:
        ArgumentError: An intensity is NaN or impossible, hours are not whole, or a job does not fit its window.
        AlignmentError: The jobs' shapes do not broadcast.

    Taught in 05.

    Example:
        >>> best_start([300, 200, 100, 150, 400], length_hours=2)
        BestStart(start_hour=2, mean_g_per_kwh=125.0)
        >>> best_start([300, 200, 100, 150, 400], length_hours=2, deadline_hour=[3, 5]).start_hour
        array([1, 2])
    """
    grid, jobs = _sites_and_jobs(grid_g_per_kwh, length_hours, release_hour, deadline_hour)
    sums = np.zeros((grid.shape[0], grid.shape[1] + 1))
    np.cumsum(grid, axis=1, out=sums[:, 1:])
    start = np.empty((grid.shape[0], jobs.length.size), dtype=np.int64)
    mean = np.empty(start.shape)
    everywhere = np.arange(grid.shape[0])
    for length in np.unique(jobs.length):
        windows = (sums[:, length:] - sums[:, :-length]) / length
        for job in np.flatnonzero(jobs.length == length):
            first = jobs.release[job]
            best = windows[:, first : jobs.deadline[job] - length + 1].argmin(axis=1) + first
            start[:, job] = best
            mean[:, job] = windows[everywhere, best]
    return BestStart(_shaped(start, jobs), _shaped(mean, jobs))


@checked
def cheapest_hours(grid_g_per_kwh, *, length_hours, release_hour=0, deadline_hour=None) -> CheapestHours:
    """Return the cleanest hours of each job that may pause and resume, at each site.

    The cleanest ``length_hours`` hours of the window, wherever they lie. Pausing is taken to cost nothing: what
    saving a checkpoint takes must be added by the caller.

    Args:
        grid_g_per_kwh: Hourly intensities in g CO2e per kWh, (hours,) for one site or (sites, hours).
        length_hours: Whole hours that each job needs; 1 or more; one number or (jobs,).
        release_hour: First hour that each job may run in.
        deadline_hour: Hour before which each job must be done; None for the end of the series.

    Returns:
        ``mean_g_per_kwh`` over the hours chosen, and ``threshold_g_per_kwh``, the intensity of the dirtiest of them:
        run whenever the grid is at or below it. Shape (sites, jobs) less the axes that were given as one.

    Raises:
        ArgumentError: An intensity is NaN or impossible, hours are not whole, or a job does not fit its window.
        AlignmentError: The jobs' shapes do not broadcast.

    Taught in 05.

    Example:
        >>> cheapest_hours([300, 200, 400, 100, 350], length_hours=2)
        CheapestHours(mean_g_per_kwh=150.0, threshold_g_per_kwh=200.0)
    """
    grid, jobs = _sites_and_jobs(grid_g_per_kwh, length_hours, release_hour, deadline_hour)
    mean = np.empty((grid.shape[0], jobs.length.size))
    threshold = np.empty(mean.shape)
    for job, (length, first, last) in enumerate(zip(jobs.length, jobs.release, jobs.deadline, strict=True)):
        cleanest = np.partition(grid[:, first:last], length - 1, axis=1)[:, :length]
        mean[:, job] = cleanest.mean(axis=1)
        threshold[:, job] = cleanest.max(axis=1)
    return CheapestHours(_shaped(mean, jobs), _shaped(threshold, jobs))


def backtest(actual_g_per_kwh, forecast_g_per_kwh, *, length_hours, release_hour=0, deadline_hour=None) -> pd.DataFrame:
    r"""Return what a forecast would have saved, beside running at once and beside perfect foresight.

    Each job starts when the forecast looks best and pays what the grid then was. Its regret is what it paid over what
    a forecaster who knew would have paid: never negative.

    Args:
        actual_g_per_kwh: Hourly intensities as they were, (hours,), in g CO2e per kWh.
        forecast_g_per_kwh: The same hours as they were forecast.
        length_hours: Whole hours that each job runs without pause; 1 or more; one number or (jobs,).
        release_hour: First hour that each job may run in.
        deadline_hour: Hour before which each job must be done; None for the end of the series.

    Returns:
        One row a job: ``at_once``, ``forecast`` and ``perfect``, the mean intensity paid by starting at the release,
        at the forecast's best start and at the true best start, and ``regret``, all in g CO2e per kWh.

    Raises:
        ArgumentError: An intensity is NaN or impossible, hours are not whole, or a job does not fit its window.
        AlignmentError: The two series differ in length, or the jobs' shapes do not broadcast.

    Taught in 05.

    Example:
        >>> backtest([300, 100, 200], [300, 250, 150], length_hours=1).iloc[0].tolist()
        [300.0, 200.0, 100.0, 100.0]
    """
    actual = np.asarray(quantity("grid_g_per_kwh", actual_g_per_kwh))
    forecast = np.asarray(quantity("grid_g_per_kwh", forecast_g_per_kwh))
    if actual.ndim != 1 or forecast.shape != actual.shape:
        raise AlignmentError("forecast_g_per_kwh", f"shape {forecast.shape}", f"of shape {actual.shape}, one site")
    jobs = _jobs(actual.size, length_hours, release_hour, deadline_hour)
    window = {"length_hours": jobs.length, "release_hour": jobs.release, "deadline_hour": jobs.deadline}
    chosen = best_start(forecast, **window).start_hour
    sums = np.concatenate([[0.0], np.cumsum(actual)])

    def paid(start: np.ndarray) -> np.ndarray:
        return (sums[start + jobs.length] - sums[start]) / jobs.length

    perfect = best_start(actual, **window).mean_g_per_kwh
    rows = pd.DataFrame({"at_once": paid(jobs.release), "forecast": paid(chosen), "perfect": perfect})
    return rows.assign(regret=(rows["forecast"] - rows["perfect"]).clip(lower=0))


def hour_of(wall_clock, *, time_zone: str, series_start) -> Any:
    """Return the hour of a UTC series in which a wall clock somewhere shows a time.

    Days on which clocks change have 23 or 25 hours; hours of the series do not care. A wall-clock time that occurs
    twice means its first occurrence; one that the clocks skip is refused, since no one can be there on time.

    Args:
        wall_clock: A local time without zone, such as ``"2022-03-27 09:30"``, or several.
        time_zone: Name of the zone, such as ``"Europe/Helsinki"``.
        series_start: First hour of the series, in UTC unless it says otherwise.

    Returns:
        Whole hours since the start, negative before it: an int, or an array for several times.

    Raises:
        ArgumentError: A time cannot be read or does not exist.
        UnknownNameError: There is no such time zone.

    Taught in 05.

    Example:
        >>> hour_of(["2022-03-27 02:00", "2022-03-27 04:00"], time_zone="Europe/Helsinki", series_start="2022-03-27")
        array([0, 1])
    """
    from zoneinfo import available_timezones

    zone = choice("time_zone", time_zone, available_timezones())
    several = not isinstance(wall_clock, str) and np.ndim(wall_clock) > 0
    try:
        start = pd.Timestamp(series_start)
        times = pd.DatetimeIndex(pd.to_datetime(list(wall_clock) if several else [wall_clock]))
    except (ValueError, TypeError) as error:
        raise ArgumentError("wall_clock", wall_clock, "local times that can be read") from error
    if times.tz is not None:
        raise ArgumentError("wall_clock", wall_clock, "local, without a zone of its own")
    utc_start = start.tz_localize("UTC") if start.tzinfo is None else start.tz_convert("UTC")
    try:
        utc = times.tz_localize(zone, ambiguous=np.ones(len(times), dtype=bool), nonexistent="raise").tz_convert("UTC")
    except ValueError as error:
        raise ArgumentError("wall_clock", wall_clock, f"a time that clocks in {zone} show") from error
    hours = np.asarray((utc - utc_start) // pd.Timedelta(hours=1), dtype=np.int64)
    return hours if several else int(hours[0])


def year_of_hours(balancing_area: str, *, year: int, column: str = "mean_g_per_kwh") -> pd.Series:
    """Return a year of hourly intensities in which every day of a month repeats the month's mean day.

    Args:
        balancing_area: A balancing area of the table ``grid_profiles``, such as ``"CISO"``.
        year: Calendar year whose hours are wanted; the profile stays that of 2022.
        column: ``"mean_g_per_kwh"``, ``"p10_g_per_kwh"`` or ``"p90_g_per_kwh"``.

    Returns:
        Intensities in g CO2e per kWh, indexed by UTC hour: 8,760 of them, 8,784 in a leap year.

    Raises:
        UnknownNameError: There is no such balancing area or column.
        ArgumentError: The year is out of range.

    Source: eia2022grid, with ipcc2014factors. Taught in 05.

    Example:
        >>> california = year_of_hours("CISO", year=2022)
        >>> len(california), california.groupby(california.index.hour).mean().idxmin() in range(16, 23)
        (8760, True)
    """
    profiles = table("grid_profiles")
    area = choice("balancing_area", balancing_area, profiles["balancing_area"].unique())
    column = choice("column", column, ["mean_g_per_kwh", "p10_g_per_kwh", "p90_g_per_kwh"])
    year = integer("year", year, low=1970, high=2200)
    hours = pd.date_range(f"{year}-01-01", f"{year + 1}-01-01", freq="h", inclusive="left", tz="UTC")
    days = profiles[profiles["balancing_area"] == area].set_index(["month", "hour_utc"])[column]
    values = days.loc[pd.MultiIndex.from_arrays([hours.month, hours.hour])].to_numpy()
    return pd.Series(values, index=hours, name=column)
