"""Measure a block of code with CodeCarbon, through its public interface, into any number of sinks.

A tracker counts processor, accelerator and memory; disks, fans, power supply and network are not in its sum.
Each part carries a stamp. *Measured* means that a counter in the hardware was read: RAPL, the Windows energy
meter or Intel's Power Gadget for the processor, the driver's own reading for an accelerator. *Estimated*
means that the tracker multiplied time by an assumed power; memory is always estimated, and so is the
processor where no counter can be read, as in most virtual machines. *Absent* means that there is nothing to
report.

CodeCarbon's record does not say which of them it did. Its log does, in every sample ("energy consumed for CPU
with intel_rapl"), so the stamp is read from the log of the first sample. Words that are not recognised count
as estimated.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

from greenlib.checks import (
    ArgumentError,
    ArgumentTypeError,
    GreenlibError,
    choice,
    integer,
    number,
)
from greenlib.footprint import emissions_kg, facility_kwh

if TYPE_CHECKING:
    import pandas as pd
    from codecarbon.output import EmissionsData

__all__ = ["Measurement", "Run", "SinkError", "TrackingError", "idle_power_w", "repeat", "runs_to_tell_apart", "track"]

Sink = Callable[[dict[str, Any]], object]

SHORTEST_S = 0.1
"""CodeCarbon takes no sample within 0.05 s of the last one: a shorter block would get an energy near zero."""

MEASURED_SHARE = 0.9
"""A sum is called measured if at least this share of it was read from counters."""

_COUNTERS = {"intel_rapl", "windows_emi", "intel_power_gadget"}


# CodeCarbon takes every setting that it is not given from the environment or from a file in the home folder,
# so each that counts is given. Its own emissions are set to zero, because greenlib computes them from the
# energy; that also keeps it from asking a service for the intensity.
_SETTINGS = {
    "output_methods": [],
    "output_dir": ".",
    "log_level": "debug",
    "logger_preamble": "",
    "api_call_interval": -1,
    "emissions_endpoint": None,
    "force_carbon_intensity_g_co2e_kwh": 0.0,
    "force_mode_cpu_load": False,
    "cloud_provider": None,
    "cloud_region": None,
    "region": None,
    "country_2letter_iso_code": None,
    "gpu_ids": None,
    "pue": 1.0,
    "wue": 0.0,
    "allow_multiple_runs": True,
    "rapl_include_dram": False,
    "rapl_prefer_psys": False,
}


class TrackingError(GreenlibError, RuntimeError):
    """The tracker gave no figure."""


class SinkError(TrackingError):
    """At least one sink refused a row; the other sinks got theirs.

    Args:
        failures: For each failing sink, its name and the first error it raised.
        measurement: The result of the block, as ``run.result`` holds it.
    """

    def __init__(self, failures: Mapping[str, Exception], measurement: Measurement) -> None:
        """Keep what failed and what was measured."""
        self.failures, self.measurement = dict(failures), measurement
        super().__init__(failures, measurement)

    def __str__(self) -> str:
        """Name each failing sink and its error."""
        told = "; ".join(f"{sink}: {type(error).__name__}: {error}" for sink, error in self.failures.items())
        return f"{self.measurement.name!r} was tracked, but a sink did not take every row: {told}"


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one tracked block used, and how much of that is known.

    Energies are None where the block was too short to have one, emissions are None where no place was given.
    The ``*_kind`` fields hold ``measured``, ``estimated`` or ``absent``; ``status`` is ``running`` for a
    step, ``completed`` or ``failed`` at the end. ``cpu_tdp_w`` is the full-load power assumed for an
    estimated processor, ``ram_w`` the mean power assumed for memory.
    """

    name: str
    status: str
    timestamp: str
    seconds: float
    cpu_kwh: float | None
    gpu_kwh: float | None
    ram_kwh: float | None
    it_kwh: float | None
    pue: float
    facility_kwh: float | None
    country_iso3: str | None
    grid_g_per_kwh: float | None
    emissions_kg: float | None
    energy_kind: str
    cpu_kind: str
    gpu_kind: str
    ram_kind: str
    cpu_method: str
    cpu_model: str
    cpu_tdp_w: float | None
    gpu_model: str
    ram_gb: float
    ram_w: float
    tracking_mode: str
    tracker: str

    @property
    def completed(self) -> bool:
        """Whether the block ran to its end."""
        return self.status == "completed"

    @property
    def power_w(self) -> float | None:
        """Mean IT power over the block, in watts."""
        return None if self.it_kwh is None else self.it_kwh * 3.6e6 / self.seconds

    @property
    def measured_share(self) -> float | None:
        """The part of the IT energy that was read from counters, from 0 to 1."""
        if not self.it_kwh:
            return None
        parts = (self.cpu_kind, self.cpu_kwh), (self.gpu_kind, self.gpu_kwh), (self.ram_kind, self.ram_kwh)
        return sum(kwh for kind, kwh in parts if kind == "measured") / self.it_kwh

    def row(self, **more: Any) -> dict[str, Any]:
        """Return the fields as one flat dictionary, with ``more`` appended: what a sink receives."""
        return {column: getattr(self, column) for column in COLUMNS} | more


COLUMNS = tuple(field.name for field in dataclasses.fields(Measurement))


class _TrackerLog(logging.Filter):
    """Keep CodeCarbon's log off the screen, its errors excepted, and let one thread listen to what it says.

    CodeCarbon has one logger for the whole process and each new tracker resets it. So blocks that overlap
    share this filter; the last one to end puts the logger back.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock, self._blocks, self._thread = threading.Lock(), 0, threading.local()

    def filter(self, record: logging.LogRecord) -> bool:
        if (heard := getattr(self._thread, "heard", None)) is not None:
            heard.append(record)
        return record.levelno >= logging.ERROR or (heard is None and record.exc_info is not None)

    @contextmanager
    def quiet(self) -> Iterator[None]:
        import_module("codecarbon")  # sets its logger up, so it comes before the state to return to is noted
        logger = logging.getLogger("codecarbon")
        with self._lock:
            if self._blocks == 0:
                self._before = logger.level, logger.handlers[:]
                logger.addFilter(self)
            self._blocks += 1
        try:
            yield
        finally:
            with self._lock:
                self._blocks -= 1
                if self._blocks == 0:
                    logger.removeFilter(self)
                    logger.setLevel(self._before[0])
                    logger.handlers[:] = self._before[1]

    @contextmanager
    def listening(self) -> Iterator[list[logging.LogRecord]]:
        self._thread.heard = []
        try:
            yield self._thread.heard
        finally:
            self._thread.heard = None


_log = _TrackerLog()


class Run:
    """A block being tracked: what ``with track(...) as run`` hands out.

    Attributes:
        result: The :class:`Measurement` of the block; None until the block has ended.
    """

    def __init__(
        self, name: str, pue: float, country: str | None, grid: float | None, sinks: list[Sink], options: dict
    ) -> None:
        """Start the tracker; :func:`track` checks what is passed in."""
        from codecarbon import OfflineEmissionsTracker

        # codecarbon.output has the same class, but loads every service that CodeCarbon can send to: 1.9 s.
        from codecarbon.output_methods.base_output import BaseOutput

        class Totals(BaseOutput):
            latest: EmissionsData | None = None

            def out(self, total: EmissionsData, delta: EmissionsData) -> None:
                self.latest = total

        self._name, self._pue, self._country, self._grid, self._sinks = name, pue, country, grid, sinks
        self._failures: dict[str, Exception] = {}
        self._totals = Totals()
        self.result: Measurement | None = None
        # Otherwise the first sample sent out would load these, and their 0.2 s would count as the block's.
        import_module("codecarbon.core.emissions")
        import_module("codecarbon.external.geography")
        with _log.listening() as heard:
            self._tracker = OfflineEmissionsTracker(output_handlers=[self._totals], **options)
            self._tracker.start()
        said = "\n".join(record.getMessage() for record in heard)
        mode, tdp = re.search(r"consumed for CPU with (\w+)", said), re.search(r"CPU load ([\d.]+) W", said)
        self._cpu_method = mode[1] if mode else "unknown"
        self._cpu_tdp_w = float(tdp[1]) if tdp else None
        self._reads_gpu = "consumed for all GPUs" in said
        # CodeCarbon swallows its own exceptions; without this an hour of work could end without a figure.
        if "graceful shutdown" in said:
            self._tracker.stop()
            cause = next((record.exc_info[1] for record in heard if record.exc_info), None)
            raise TrackingError(f"CodeCarbon did not start: {cause!r}") from cause
        self._started = time.perf_counter()

    def step(self, **fields: Any) -> Measurement:
        """Send the running totals to every sink, with fields of your own.

        Totals lag by up to 0.05 s, because the tracker takes no two samples closer than that.

        Args:
            **fields: What belongs beside the energy: epoch, loss, accuracy. Names of measurement fields are
                taken.

        Returns:
            The totals so far, with status ``running``.

        Raises:
            ArgumentError: A field has the name of a measurement field.
            TrackingError: The block is over, or the tracker gave no figure.
        """
        if taken := fields.keys() & set(COLUMNS):
            raise ArgumentError("field", min(taken), "a name that a measurement does not use itself")
        if self.result is not None:
            raise TrackingError(f"{self._name!r} is over: it takes no more steps")
        measurement = self._measurement("running", self._tracker.flush)
        self._deliver(measurement.row(**fields))
        return measurement

    def _finish(self, status: str) -> TrackingError | None:
        try:
            self.result = self._measurement(status, self._tracker.stop)
        except TrackingError as error:
            return error
        self._deliver(self.result.row())
        return SinkError(self._failures, self.result) if self._failures else None

    def _deliver(self, row: dict[str, Any]) -> None:
        for place, sink in enumerate(self._sinks):
            try:
                sink(dict(row))
            except Exception as error:
                name = getattr(sink, "__qualname__", type(sink).__qualname__)
                self._failures.setdefault(f"sink {place} ({name})", error)

    def _measurement(self, status: str, sample: Callable[[], object]) -> Measurement:
        # The tracker's own duration ends after it has loaded its tables, up to 0.2 s after its last sample.
        seconds = time.perf_counter() - self._started
        self._totals.latest = None
        sample()
        total = self._totals.latest
        if total is None:
            raise TrackingError(f"CodeCarbon gave no figure for {self._name!r}")
        cpu_kwh = gpu_kwh = ram_kwh = it = facility = kg = None
        cpu_kind = gpu_kind = ram_kind = energy_kind = "absent"
        if seconds >= SHORTEST_S:
            cpu_kwh, gpu_kwh, ram_kwh = total.cpu_energy, total.gpu_energy, total.ram_energy
            it = total.energy_consumed
            facility = facility_kwh(it, pue=self._pue)
            kg = None if self._grid is None else emissions_kg(facility, grid_g_per_kwh=self._grid)
            cpu_kind = "measured" if self._cpu_method in _COUNTERS else "estimated"
            if total.gpu_count:
                gpu_kind = "measured" if self._reads_gpu else "estimated"
            ram_kind = "estimated"
            counted = cpu_kwh * (cpu_kind == "measured") + gpu_kwh * (gpu_kind == "measured")
            energy_kind = "measured" if counted >= MEASURED_SHARE * it > 0 else "estimated"
        return Measurement(
            name=self._name, status=status, timestamp=total.timestamp, seconds=seconds,
            cpu_kwh=cpu_kwh, gpu_kwh=gpu_kwh, ram_kwh=ram_kwh, it_kwh=it,
            pue=self._pue, facility_kwh=facility,
            country_iso3=self._country, grid_g_per_kwh=self._grid, emissions_kg=kg,
            energy_kind=energy_kind, cpu_kind=cpu_kind, gpu_kind=gpu_kind, ram_kind=ram_kind,
            cpu_method=self._cpu_method, cpu_model=total.cpu_model, cpu_tdp_w=self._cpu_tdp_w,
            gpu_model=total.gpu_model, ram_gb=total.ram_total_size, ram_w=total.ram_power,
            tracking_mode=total.tracking_mode, tracker=f"codecarbon {total.codecarbon_version}",
        )  # fmt: skip


@contextmanager
def track(
    name: str,
    *,
    country_iso3: str | None = None,
    grid_g_per_kwh: float | None = None,
    pue: float = 1.0,
    sinks: Iterable[Sink] = (),
    tracking_mode: str = "machine",
    interval_s: float = 15.0,
    cpu_tdp_w: float | None = None,
    ram_w: float | None = None,
) -> Iterator[Run]:
    """Measure the block under ``with`` and hand the result to every sink.

    ``emissions_kg = it_kwh * pue * grid_g_per_kwh / 1000``

    CodeCarbon multiplies the energy it reports by its own PUE. It is told that the PUE is 1, so that its
    figure is IT energy, and the building is added once, here. Its files, its API and its configuration files
    are off, no place is looked up, and its log is silent until the block ends. Blocks may be nested or run in
    several threads; in machine mode each then counts the whole machine, so their energies overlap and are not
    to be added. If the block raises, the sinks still get what was used until then, with status ``failed``,
    and the exception goes on.

    Args:
        name: What the block is called in its rows.
        country_iso3: Three-letter country code; its grid intensity is taken from CodeCarbon's table.
        grid_g_per_kwh: Grid intensity in g CO2e/kWh, 0 to 5000, instead of the country's. Without a country
            or an intensity no emissions are computed; no place is ever assumed.
        pue: Power usage effectiveness, 1 to 10.
        sinks: Functions of one dictionary, called with a flat row at every step and at the end.
        tracking_mode: ``machine`` counts everything that runs, ``process`` this process and its children. A
            reading from a counter is for the whole machine in either mode.
        interval_s: Seconds between two samples, 0.1 to 3600.
        cpu_tdp_w: Full-load power of the processor in W, where you know better than the tracker; this also
            makes it estimate where it could measure.
        ram_w: Power of the memory in W, where you know better than the tracker.

    Returns:
        A context manager giving a :class:`Run`; its ``result`` is the :class:`Measurement`.

    Raises:
        ArgumentError: An argument is impossible, before the block starts.
        UnknownNameError: The country is not in CodeCarbon's table.
        SinkError: A sink did not take every row; raised after the block, or noted on the block's own
            exception.
        TrackingError: CodeCarbon gave no figure.

    Example:
        >>> rows = []
        >>> with track("sum", country_iso3="SWE", sinks=[rows.append]) as run:
        ...     total = sum(range(10_000_000))
        >>> run.result.completed, rows[0]["name"], rows[0]["country_iso3"], len(rows)
        (True, 'sum', 'SWE', 1)

    Taught in 09 and 13.
    """
    if not isinstance(name, str) or not name:
        raise ArgumentTypeError("name", name, "text, not empty")
    if isinstance(sinks, str) or not isinstance(sinks, Iterable):
        raise ArgumentTypeError("sinks", sinks, "a list of functions")
    sinks = list(sinks)
    for sink in sinks:
        if not callable(sink):
            raise ArgumentTypeError("sinks", sink, "functions of one dictionary", "csv_sink(path)")
    pue = number("pue", pue, "[1, 10]")
    grid = None if grid_g_per_kwh is None else number("grid_g_per_kwh", grid_g_per_kwh, "[0, 5000]")
    if country_iso3 is not None:
        from codecarbon.input import DataSource

        mix = DataSource().get_global_energy_mix_data()
        choice("country_iso3", country_iso3, mix)
        grid = float(mix[country_iso3]["carbon_intensity"]) if grid is None else grid
    options = {
        "project_name": name,
        "tracking_mode": choice("tracking_mode", tracking_mode, ("machine", "process")),
        "measure_power_secs": number("interval_s", interval_s, "[0.1, 3600]"),
        "force_cpu_power": None if cpu_tdp_w is None else number("cpu_tdp_w", cpu_tdp_w, "(0, 10000]"),
        "force_ram_power": None if ram_w is None else number("ram_w", ram_w, "(0, 10000]"),
        "country_iso_code": country_iso3,
    }
    with _log.quiet():
        run = Run(name, pue, country_iso3, grid, sinks, _SETTINGS | options)
        try:
            yield run
        except BaseException as error:
            if problem := run._finish("failed"):
                error.add_note(str(problem))
            raise
        if problem := run._finish("completed"):
            raise problem


def repeat(function: Callable[[], object], times: int, *, name: str | None = None, **options: Any) -> pd.DataFrame:
    """Track the same work several times: one row a run.

    Args:
        function: The work, without arguments; a run of it takes at least 0.1 s.
        times: How many runs, 1 or more.
        name: What the runs are called; the function's own name if None.
        **options: Passed to :func:`track`.

    Returns:
        A DataFrame with the columns run, seconds, it_kwh, power_w and energy_kind.

    Raises:
        ArgumentError: An argument is impossible.
        TrackingError: A run was too short to have an energy.

    Example:
        >>> runs = repeat(lambda: time.sleep(0.2), 2)
        >>> list(runs.columns)
        ['run', 'seconds', 'it_kwh', 'power_w', 'energy_kind']

    Taught in 09.
    """
    import pandas as pd

    if not callable(function):
        raise ArgumentTypeError("function", function, "a function without arguments")
    name = getattr(function, "__name__", type(function).__name__) if name is None else name
    rows = []
    for attempt in range(1, integer("times", times, low=1) + 1):
        with track(name, **options) as run:
            function()
        result = run.result
        if result.it_kwh is None:
            raise TrackingError(
                f"a run of {name!r} took {result.seconds:.3g} s and has no energy: "
                f"let the function repeat the work until it takes {SHORTEST_S} s or more"
            )
        rows.append((attempt, result.seconds, result.it_kwh, result.power_w, result.energy_kind))
    return pd.DataFrame(rows, columns=["run", "seconds", "it_kwh", "power_w", "energy_kind"])


def runs_to_tell_apart(spread: float, difference: float, *, power: float = 0.8, confidence: float = 0.95) -> int:
    r"""Return how many runs of each of two programs it takes to see a difference between their means.

    .. math:: n = \left\lceil 2 \left( \frac{(z_{(1+c)/2} + z_p) \, s}{d} \right)^2
       + \frac{z_{(1+c)/2}^2}{4} \right\rceil

    the textbook formula for two means, with the usual addition for a spread that is itself known from few runs only.
    The runs are taken to be independent; drift, such as a processor that warms up, is not made harmless by more runs.

    Args:
        spread: :math:`s`, standard deviation between runs of one program; 0 or more.
        difference: :math:`d`, smallest difference of the means worth seeing, above 0, in the unit of the spread; both
            as fractions of the mean will do.
        power: :math:`p`, chance to see the difference if it is there; above 0.5, below 1.
        confidence: :math:`c`, chance to see none if there is none; above 0.5, below 1.

    Returns:
        Runs of each program; 2 or more.

    Raises:
        ArgumentError: An argument is out of range.
        ArgumentTypeError: An argument is not a number.

    Source: cohen1988power. Taught in 09 and 13.

    Example:
        >>> runs_to_tell_apart(0.05, 0.05), runs_to_tell_apart(0.05, 0.01)
        (17, 394)
    """
    spread, difference = number("spread", spread, "[0, inf)"), number("difference", difference, "(0, inf)")
    power, confidence = number("power", power, "(0.5, 1)"), number("confidence", confidence, "(0.5, 1)")
    threshold = NormalDist().inv_cdf((1 + confidence) / 2)
    runs = 2 * ((threshold + NormalDist().inv_cdf(power)) * spread / difference) ** 2 + threshold**2 / 4
    return max(2, math.ceil(runs))


def idle_power_w(*, seconds: float = 2.0, **options: Any) -> float:
    """Return the mean IT power in watts while this process does nothing: the baseline to compare work with.

    Args:
        seconds: How long to wait, 0.1 to 3600.
        **options: Passed to :func:`track`.

    Returns:
        Watts, with the same stamp as any block tracked on this machine.

    Raises:
        ArgumentError: An argument is impossible.

    Example:
        >>> idle_power_w(seconds=0.2) > 0
        True

    Taught in 09.
    """
    seconds = number("seconds", seconds, f"[{SHORTEST_S}, 3600]")
    with track("idle", **options) as run:
        time.sleep(seconds)
    return run.result.power_w
