"""The energy of one job from every source that a machine offers, the best first, each with its stamp.

Four rungs, from an instrument to none. A *counter* in the processor (RAPL, on Intel and AMD under Linux) is read
before and after. A *battery* that is discharging reports the power of the whole computer. *Load × TDP* multiplies a
processor's full-load power by the busy part of its cores and by time: an estimate. A *recorded trace* is another
machine's record, replayed: its joules are of its own job, not of yours.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from greenlib.checks import ArgumentTypeError, number

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["energy_ladder", "power_rungs"]

_COVERS = {
    "counter": ("measured", "processor"),
    "battery": ("measured", "whole computer"),
    "load × TDP": ("estimated", "processor"),
    "recorded trace": ("replayed", "another machine"),
}


class _NoRung(Exception):
    """This machine does not have the rung; the text says why."""


def power_rungs(*, cpu_tdp_w: float | None = None, sysfs: str | os.PathLike = "/sys") -> pd.DataFrame:
    """Return which sources of energy figures this machine offers, the best first.

    Args:
        cpu_tdp_w: Full-load power of the processor in W, above 0, up to 10,000; without it there is no load × TDP.
        sysfs: Where Linux shows its devices.

    Returns:
        One row a rung, from best to worst: ``rung``, its ``stamp`` (measured, estimated or replayed), what it
        ``covers``, whether it is ``available`` here, and ``why`` not. The best is the first that is available.

    Raises:
        ArgumentError: ``cpu_tdp_w`` is out of range.
        ArgumentTypeError: An argument is of the wrong kind.

    Source: linuxpowercap2026; linuxpowersupply2026. Taught in 09.

    Example:
        >>> rungs = power_rungs(cpu_tdp_w=65)
        >>> list(rungs["rung"])
        ['counter', 'battery', 'load × TDP', 'recorded trace']
        >>> rungs[rungs["available"]]["stamp"].iloc[-1]
        'replayed'
    """
    return _table(_climb(lambda: None, cpu_tdp_w, sysfs))[["rung", "stamp", "covers", "available", "why"]]


def energy_ladder(
    work: Callable[[], object], *, cpu_tdp_w: float | None = None, sysfs: str | os.PathLike = "/sys"
) -> pd.DataFrame:
    r"""Run a job once and return its energy from every rung that this machine has.

    .. math:: E_{\mathrm{counter}} = \sum_{\mathrm{package}} \Delta e, \quad
       E_{\mathrm{battery}} = \frac{p_0 + p_1}{2} \, t, \quad E_{\mathrm{load}} = P \, u \, t

    with the counters' rises :math:`\Delta e`, the battery's power before and after, and the busy part :math:`u` of all
    cores. The counter goes back to zero now and then; one such return within the job is allowed for. A battery's gauge
    is renewed every few seconds, so a job should be longer than that. The replayed trace integrates the work phase of
    the table ``power_trace``.

    Args:
        work: The job, without arguments.
        cpu_tdp_w: :math:`P`, full-load power of the processor in W, above 0, up to 10,000.
        sysfs: Where Linux shows its devices.

    Returns:
        The rows of :func:`power_rungs` with the columns ``seconds``, ``joules`` and ``watts``, NaN where a rung is not
        available; the seconds of the replayed row are the recorded job's.

    Raises:
        ArgumentError: ``cpu_tdp_w`` is out of range.
        ArgumentTypeError: An argument is of the wrong kind.

    Source: linuxpowercap2026; linuxpowersupply2026. Taught in 09.

    Example:
        >>> ladder = energy_ladder(lambda: sum(range(3_000_000)), cpu_tdp_w=65)
        >>> bool(ladder.set_index("rung").loc["load × TDP", "watts"] <= 65 * 1.01)
        True
    """
    if not callable(work):
        raise ArgumentTypeError("work", work, "a function without arguments")
    return _table(_climb(work, cpu_tdp_w, sysfs))


@dataclass(frozen=True, slots=True)
class _Reading:
    """A rung's answer: seconds and joules, or why there is none."""

    seconds: float = float("nan")
    joules: float = float("nan")
    why: str = ""


def _climb(work: Callable[[], object], cpu_tdp_w: float | None, sysfs: str | os.PathLike) -> dict[str, _Reading]:
    if not isinstance(sysfs, str | os.PathLike):
        raise ArgumentTypeError("sysfs", sysfs, "a path")
    tdp_w = None if cpu_tdp_w is None else number("cpu_tdp_w", cpu_tdp_w, "(0, 10000]")
    starts = {"counter": _counters, "battery": _battery, "load × TDP": lambda _: _load(tdp_w)}
    readings, ends = {}, {}
    for rung, start in starts.items():
        try:
            ends[rung] = start(Path(sysfs))
        except (_NoRung, OSError, ValueError) as problem:
            readings[rung] = _Reading(why=str(problem))
    began = time.perf_counter()
    work()
    seconds = time.perf_counter() - began
    for rung, end in ends.items():
        try:
            readings[rung] = _Reading(seconds, end(seconds))
        except (_NoRung, OSError, ValueError) as problem:
            readings[rung] = _Reading(why=str(problem))
    readings["recorded trace"] = _replay()
    return readings


def _table(readings: dict[str, _Reading]) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for rung, (stamp, covers) in _COVERS.items():
        reading = readings[rung]
        watts = reading.joules / reading.seconds if reading.seconds else float("nan")
        rows.append((rung, stamp, covers, not reading.why, reading.seconds, reading.joules, watts, reading.why))
    return pd.DataFrame(rows, columns=["rung", "stamp", "covers", "available", "seconds", "joules", "watts", "why"])


def _counters(sysfs: Path) -> Callable[[float], float]:
    """Read every processor package's counter, and return how to read the rise."""
    folder = sysfs / "class" / "powercap"
    # The parts of a package have zones of their own, and another interface shows the same package again.
    packages = [path for path in folder.glob("intel-rapl:*") if _line(path / "name").startswith("package")]
    if not packages:
        raise _NoRung("none shown: not Linux, or a virtual machine")
    limits = [int(_line(path / "max_energy_range_uj")) for path in packages]

    def read() -> list[int]:
        try:
            return [int(_line(path / "energy_uj")) for path in packages]
        except PermissionError:
            raise _NoRung("only the administrator may read it") from None

    before = read()

    def rise(_: float) -> float:
        moves = [(new - old, limit) for new, old, limit in zip(read(), before, limits, strict=True)]
        return sum(move if move >= 0 else move + limit for move, limit in moves) / 1e6

    return rise


def _battery(sysfs: Path) -> Callable[[float], float]:
    """Read the power that the battery gives, and return how to get the energy."""
    supplies = (path for path in (sysfs / "class" / "power_supply").glob("*") if (path / "type").exists())
    batteries = [
        path
        for path in sorted(supplies)
        # A mouse's battery is a device's, not the system's.
        if _line(path / "type") == "Battery" and not ((path / "scope").exists() and _line(path / "scope") == "Device")
    ]
    if not batteries:
        raise _NoRung("no battery")

    def read() -> float:
        if not any(_line(path / "status") == "Discharging" for path in batteries):
            raise _NoRung("not discharging: pull the plug")
        return sum(_battery_w(path) for path in batteries if _line(path / "status") == "Discharging")

    before = read()
    return lambda seconds: (before + read()) / 2 * seconds


def _battery_w(path: Path) -> float:
    if (path / "power_now").exists():
        return abs(int(_line(path / "power_now"))) / 1e6
    if (path / "current_now").exists() and (path / "voltage_now").exists():
        return abs(int(_line(path / "current_now"))) * int(_line(path / "voltage_now")) / 1e12
    raise _NoRung("the battery does not say its power")


def _load(tdp_w: float | None) -> Callable[[float], float]:
    """Note how long the cores have been busy, and return how to get the energy."""
    if tdp_w is None:
        raise _NoRung("no full-load power was given")
    import psutil

    cores = psutil.cpu_count() or 1

    def busy_s() -> float:
        times = psutil.cpu_times()
        # Guests are counted in user time, too; waiting for a disk is not work.
        resting = ("idle", "iowait", "steal", "guest", "guest_nice")
        return sum(seconds for name, seconds in times._asdict().items() if name not in resting)

    before = busy_s()
    # The clock of the cores ticks in hundredths of a second and may run ahead of ours.
    return lambda seconds: tdp_w * min((busy_s() - before) / cores, seconds)


def _replay() -> _Reading:
    import numpy as np

    from greenlib.catalog import table

    work = table("power_trace").query("phase == 'work'")
    times, watts = work["time_s"].to_numpy(), work["power_w"].to_numpy()
    return _Reading(float(times[-1] - times[0]), float(np.trapezoid(watts, times)))


def _line(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()
