"""The tracking room: real CodeCarbon, except where this machine cannot produce the case."""

import logging
import os
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path

import codecarbon
import numpy as np
import pytest

from greenlib import tracking
from greenlib.checks import ArgumentError, ArgumentTypeError, GreenlibError, UnknownNameError
from greenlib.tracking import SinkError, TrackingError, idle_power_w, repeat, runs_to_tell_apart, track

LONG_ENOUGH_S = 0.12
ROOT = Path(tracking.__file__).parents[1]


@pytest.fixture(scope="module")
def tracked():
    """One block with a step, watched by one sink: the rows it sent, its step and its result."""
    rows = []
    with track("fine-tune", country_iso3="SWE", pue=1.25, sinks=[rows.append]) as run:
        time.sleep(LONG_ENOUGH_S)
        step = run.step(epoch=1, loss=0.41)
        time.sleep(LONG_ENOUGH_S)
    return rows, step, run.result


def environment(**more):
    """What a new process needs to find greenlib from any folder."""
    return os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])} | more


def python(code, cwd, **more):
    """Run a script in a new process, away from this one's warm caches."""
    command, surroundings = [sys.executable, "-c", code], environment(**more)
    return subprocess.run(command, cwd=cwd, env=surroundings, capture_output=True, text=True, check=False)


# --- the arithmetic -----------------------------------------------------------------------------------------


def test_parts_add_up_and_the_building_is_counted_once(tracked):
    result = tracked[2]
    assert result.it_kwh == pytest.approx(result.cpu_kwh + result.gpu_kwh + result.ram_kwh)
    assert result.facility_kwh == pytest.approx(result.it_kwh * 1.25)
    assert result.emissions_kg == pytest.approx(result.it_kwh * 1.25 * result.grid_g_per_kwh / 1000)


def test_pue_does_not_touch_the_it_energy():
    with track("memory only", pue=3.0, ram_w=100.0, cpu_tdp_w=1e-6) as run:
        time.sleep(0.4)
    assert run.result.power_w == pytest.approx(100, rel=0.5)


def test_the_country_factor_is_codecarbons_own():
    tracker = codecarbon.OfflineEmissionsTracker(
        country_iso_code="POL", output_methods=[], pue=1.0, log_level="critical"
    )
    tracker.start()
    time.sleep(LONG_ENOUGH_S)
    tracker.stop()
    theirs = tracker.final_emissions_data
    with track("Poland", country_iso3="POL") as run:
        time.sleep(LONG_ENOUGH_S)
    assert run.result.grid_g_per_kwh == pytest.approx(1000 * theirs.emissions / theirs.energy_consumed)


def test_a_given_intensity_replaces_the_countrys():
    with track("own grid", country_iso3="POL", grid_g_per_kwh=30) as run:
        time.sleep(LONG_ENOUGH_S)
    assert run.result.grid_g_per_kwh == 30
    assert run.result.emissions_kg == pytest.approx(run.result.it_kwh * 0.03)


def test_no_place_means_no_emissions():
    with track("nowhere") as run:
        time.sleep(LONG_ENOUGH_S)
    assert run.result.it_kwh > 0
    assert run.result.emissions_kg is None
    assert run.result.grid_g_per_kwh is None


def test_a_block_too_short_to_sample_has_no_energy():
    with track("blink", country_iso3="SWE") as run:
        pass
    result = run.result
    assert result.it_kwh is result.facility_kwh is result.emissions_kg is result.power_w is None
    assert result.energy_kind == result.cpu_kind == result.ram_kind == "absent"
    assert result.measured_share is None
    assert result.completed


# --- what goes to the sinks ---------------------------------------------------------------------------------


def test_a_step_sends_running_totals_with_the_callers_fields(tracked):
    rows, step, result = tracked
    assert [row["status"] for row in rows] == ["running", "completed"]
    assert (rows[0]["epoch"], rows[0]["loss"]) == (1, 0.41)
    assert "epoch" not in rows[1]
    assert 0 < step.it_kwh < result.it_kwh
    assert 0 < step.seconds < result.seconds
    assert rows[1] == result.row()
    assert not step.completed


def test_each_sink_gets_its_own_row():
    rows = []
    with track("own copy", sinks=[dict.clear, rows.append]):
        pass
    assert rows[0]["name"] == "own copy"


def test_a_failing_block_is_still_delivered():
    def fail():
        time.sleep(LONG_ENOUGH_S)
        return 1 / 0

    rows = []
    with pytest.raises(ZeroDivisionError), track("broken", country_iso3="SWE", sinks=[rows.append]) as run:
        fail()
    assert rows == [run.result.row()]
    assert run.result.status == "failed"
    assert not run.result.completed
    assert run.result.emissions_kg > 0


def refuse(row):
    raise OSError(f"no room for {row['status']}")


def test_a_failing_sink_does_not_take_the_row_from_the_others():
    before, after = [], []
    with (
        pytest.raises(SinkError, match=r"sink 1 \(refuse\): OSError: no room for running") as caught,
        track("fragile", sinks=[before.append, refuse, after.append]) as run,
    ):
        run.step(epoch=1)
    assert len(before) == len(after) == 2
    assert caught.value.measurement == run.result
    assert list(caught.value.failures) == ["sink 1 (refuse)"]
    assert isinstance(caught.value, GreenlibError)


def test_a_failing_sink_does_not_hide_the_blocks_exception():
    with pytest.raises(KeyError) as caught, track("both", sinks=[refuse]):
        raise KeyError("the real one")
    assert "no room for failed" in caught.value.__notes__[0]


def test_no_step_after_the_end(tracked):
    with track("over") as run:
        pass
    with pytest.raises(TrackingError, match="takes no more steps"):
        run.step(epoch=1)


def test_a_field_may_not_take_a_measurements_name():
    with track("clash") as run, pytest.raises(ArgumentError, match="seconds"):
        run.step(seconds=3)


# --- measured or estimated ----------------------------------------------------------------------------------


def test_assumed_powers_are_reported_and_stamped_estimated():
    with track("assumed", cpu_tdp_w=100, ram_w=7) as run:
        time.sleep(LONG_ENOUGH_S)
    result = run.result
    assert (result.cpu_kind, result.ram_kind, result.energy_kind) == ("estimated", "estimated", "estimated")
    assert (result.cpu_method, result.cpu_tdp_w, result.ram_w) == ("cpu_load", 100, pytest.approx(7))
    assert result.measured_share == 0
    assert result.tracker == f"codecarbon {codecarbon.__version__}"


@pytest.fixture
def rapl(tmp_path, monkeypatch):
    """A processor energy counter in a folder of its own, which CodeCarbon's real reader finds."""
    if sys.platform != "linux":
        pytest.skip("RAPL is read from Linux's file system")
    domain = tmp_path / "intel-rapl" / "intel-rapl:0"
    domain.mkdir(parents=True)
    (domain / "name").write_text("package-0\n")
    (domain / "max_energy_range_uj").write_text("262143328850\n")
    counter = domain / "energy_uj"
    counter.write_text("1000000\n")
    from codecarbon.core import cpu, hardware_cache
    from codecarbon.external import hardware

    def reader(rapl_dir, **settings):
        return cpu.IntelRAPL(str(tmp_path), **settings)

    monkeypatch.setattr(cpu, "_get_candidate_bases", lambda rapl_dir: [str(tmp_path)])
    monkeypatch.setattr(hardware, "IntelRAPL", reader)
    hardware_cache.clear_cache()
    yield counter
    hardware_cache.clear_cache()


@pytest.mark.parametrize(("joules", "kind"), [(10_000, "measured"), (1, "estimated")])
def test_a_counter_is_measured_and_the_sum_if_it_dominates(rapl, joules, kind):
    with track("counted", ram_w=10) as run:
        time.sleep(LONG_ENOUGH_S)
        rapl.write_text(f"{1_000_000 + joules * 1_000_000}\n")
    result = run.result
    assert (result.cpu_method, result.cpu_kind, result.cpu_tdp_w) == ("intel_rapl", "measured", None)
    assert result.cpu_kwh * 3.6e6 == pytest.approx(joules)
    assert result.energy_kind == kind
    assert result.measured_share == pytest.approx(result.cpu_kwh / result.it_kwh)


def test_a_known_power_is_an_estimate_even_beside_a_counter(rapl):
    with track("overruled", cpu_tdp_w=50) as run:
        time.sleep(LONG_ENOUGH_S)
    assert run.result.cpu_kind == "estimated"


class FakeTracker:
    """A tracker on a machine that is not here: it logs ``says`` and reports the energies given."""

    says = ""
    energies = (0.001, 0.0, 0.001)
    gpu_count = 0

    def __init__(self, output_handlers, **settings):
        self.handlers = output_handlers
        logging.getLogger("codecarbon").setLevel(settings["log_level"].upper())

    def start(self):
        logging.getLogger("codecarbon").info(self.says)

    def stop(self):
        from codecarbon.output_methods.emissions_data import EmissionsData

        record = dict.fromkeys(EmissionsData.__dataclass_fields__, 0)
        cpu, gpu, ram = self.energies
        record |= {"cpu_energy": cpu, "gpu_energy": gpu, "ram_energy": ram, "gpu_count": self.gpu_count}
        total = EmissionsData(**record | {"energy_consumed": cpu + gpu + ram})
        for handler in self.handlers:
            handler.out(total, total)


@pytest.mark.parametrize(
    ("says", "energies", "gpus", "kinds"),
    [
        ("Energy consumed for all GPUs : 1 kWh", (0.01, 1.0, 0.01), 8, ("estimated", "measured", "measured")),
        (
            "for CPU with intel_rapl\nfor all GPUs",
            (0.0, 0.0, 0.0),
            1,
            ("estimated", "estimated", "estimated"),
        ),
        ("consumed for CPU with windows_emi", (1.0, 0.0, 0.2), 0, ("measured", "absent", "estimated")),
        ("consumed for all AppleSilicon GPUs", (1.0, 1.0, 0.2), 1, ("estimated", "estimated", "estimated")),
        ("consumed for CPU with a_new_guess", (1.0, 0.0, 0.0), 0, ("estimated", "absent", "estimated")),
    ],
)
def test_stamps_on_other_machines(monkeypatch, says, energies, gpus, kinds):
    for name, value in (("says", says), ("energies", energies), ("gpu_count", gpus)):
        monkeypatch.setattr(FakeTracker, name, value)
    monkeypatch.setattr(codecarbon, "OfflineEmissionsTracker", FakeTracker)
    with track("elsewhere") as run:
        time.sleep(LONG_ENOUGH_S)
    assert (run.result.cpu_kind, run.result.gpu_kind, run.result.energy_kind) == kinds


def test_a_tracker_without_a_figure_is_an_error(monkeypatch):
    monkeypatch.setattr(codecarbon, "OfflineEmissionsTracker", FakeTracker)
    monkeypatch.setattr(FakeTracker, "stop", lambda self: None)
    with pytest.raises(TrackingError, match="gave no figure for 'mute'"), track("mute"):
        pass


def test_a_tracker_that_swallows_its_failure_is_found_before_the_work(monkeypatch):
    monkeypatch.setattr("codecarbon.external.ram.RAM.total_power", lambda self: 1 / 0)
    worked = False
    with pytest.raises(TrackingError, match="did not start: ZeroDivisionError"), track("doomed"):
        worked = True
    assert not worked


# --- one process, several blocks ----------------------------------------------------------------------------


def test_blocks_may_be_nested_and_each_counts_everything():
    with track("outer") as outer:
        with track("inner") as inner:
            time.sleep(LONG_ENOUGH_S)
        assert logging.getLogger("codecarbon").filters
    assert not logging.getLogger("codecarbon").filters
    assert 0 < inner.result.it_kwh <= outer.result.it_kwh
    assert inner.result.cpu_method == outer.result.cpu_method == "cpu_load"


def test_blocks_in_threads_keep_their_own_settings():
    results = {}

    def work(tdp_w):
        with track("thread", cpu_tdp_w=tdp_w) as run:
            time.sleep(LONG_ENOUGH_S)
        results[tdp_w] = run.result.cpu_tdp_w

    threads = [threading.Thread(target=work, args=(tdp_w,)) for tdp_w in (10.0, 20.0, 30.0, 40.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {10.0: 10.0, 20.0: 20.0, 30.0: 30.0, 40.0: 40.0}
    assert not logging.getLogger("codecarbon").filters


def test_the_logger_is_quiet_inside_and_as_before_outside(capfd):
    logger = logging.getLogger("codecarbon")
    level, handlers = logger.level, logger.handlers[:]
    with track("hush") as run:
        run.step(epoch=1)
        logger.error("an error is not hushed")
    assert (logger.level, logger.handlers) == (level, handlers)
    assert capfd.readouterr().err.strip().endswith("an error is not hushed")


def test_a_first_block_in_a_fresh_process_obeys_only_its_arguments(tmp_path):
    """The settings around it are hostile, the folder stays empty and nothing is printed."""
    settings = "[codecarbon]\npue = 9\nforce_ram_power = 9000\nemissions_endpoint = http://127.0.0.1:9/\n"
    (tmp_path / ".codecarbon.config").write_text(settings)
    done = python(
        "import time; from greenlib.tracking import track\n"
        "with track('first', grid_g_per_kwh=40, ram_w=20) as run: time.sleep(0.5)\n"
        "r = run.result; print(r.ram_w, r.pue, r.emissions_kg > 0, r.ram_kwh * 3.6e6 / r.ram_w / r.seconds)\n"
        "import logging; print(len(logging.getLogger('codecarbon').handlers))",
        tmp_path,
        CODECARBON_OUTPUT_METHODS="csv",
        CODECARBON_CLOUD_PROVIDER="aws",
        CODECARBON_CO2_SIGNAL_API_TOKEN="token",
    )
    assert done.stderr == ""
    ram_w, pue, emits, covered, handlers = done.stdout.split()
    assert handlers == "1", "the logger is as importing CodeCarbon leaves it"
    assert (float(ram_w), pue, emits) == (pytest.approx(20), "1.0", "True")
    assert float(covered) == pytest.approx(1, rel=0.25)
    assert [path.name for path in tmp_path.iterdir()] == [".codecarbon.config"]


def test_the_room_loads_no_tracker_until_it_is_used(tmp_path):
    done = python("import sys, greenlib.tracking; print({'codecarbon', 'pandas'} & set(sys.modules))", tmp_path)
    assert done.stdout.strip() == "set()", done.stderr


# --- bad input ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"country_iso3": "SWD"}, UnknownNameError, "did you mean"),
        ({"country_iso3": "swe"}, UnknownNameError, "did you mean 'SWE'"),
        ({"country_iso3": 46}, ArgumentTypeError, "country_iso3"),
        ({"pue": 0.9}, ArgumentError, "at least 1"),
        ({"pue": float("nan")}, ArgumentError, "pue"),
        ({"pue": [1.1, 1.2]}, ArgumentTypeError, "one number"),
        ({"grid_g_per_kwh": -1}, ArgumentError, "grid_g_per_kwh"),
        ({"interval_s": 0}, ArgumentError, "interval_s"),
        ({"tracking_mode": "proces"}, UnknownNameError, "did you mean 'process'"),
        ({"cpu_tdp_w": 0}, ArgumentError, "cpu_tdp_w"),
        ({"ram_w": float("inf")}, ArgumentError, "ram_w"),
        ({"sinks": ["runs.csv"]}, ArgumentTypeError, "csv_sink"),
        ({"sinks": print}, ArgumentTypeError, "a list of functions"),
        ({"sinks": "runs.csv"}, ArgumentTypeError, "a list of functions"),
        ({"name": ""}, ArgumentTypeError, "name"),
        ({"name": None}, ArgumentTypeError, "name"),
    ],
)
def test_bad_arguments_are_refused_before_the_block_runs(options, error, says):
    worked = False
    with pytest.raises(error, match=says), track(**{"name": "refused"} | options):
        worked = True
    assert not worked


# --- repeats and the baseline -------------------------------------------------------------------------------


def test_repeat_gives_one_row_a_run_and_feeds_the_sinks():
    rows = []
    runs = repeat(lambda: time.sleep(LONG_ENOUGH_S), 3, name="nap", sinks=[rows.append])
    assert list(runs.columns) == ["run", "seconds", "it_kwh", "power_w", "energy_kind"]
    assert list(runs["run"]) == [1, 2, 3]
    assert [row["it_kwh"] for row in rows] == list(runs["it_kwh"])
    assert {row["name"] for row in rows} == {"nap"}
    assert list(runs["power_w"]) == pytest.approx(list(runs["it_kwh"] * 3.6e6 / runs["seconds"]))


def blink():
    return None


def test_repeat_refuses_work_that_is_too_short():
    with pytest.raises(TrackingError, match="'blink' took"):
        repeat(blink, 2)


@pytest.mark.parametrize(("function", "times"), [(blink, 0), (blink, 1.5), (blink, True), ("blink", 3)])
def test_repeat_refuses_impossible_arguments(function, times):
    with pytest.raises(ArgumentError):
        repeat(function, times)


def test_idle_power_is_the_assumed_power_where_all_is_assumed():
    assert idle_power_w(seconds=0.4, ram_w=40, cpu_tdp_w=1e-6) == pytest.approx(40, rel=0.5)


@pytest.mark.parametrize("seconds", [0, 0.05, float("nan"), "2"])
def test_idle_power_refuses_impossible_times(seconds):
    with pytest.raises(ArgumentError, match="seconds"):
        idle_power_w(seconds=seconds)


@pytest.mark.parametrize("difference", [0.02, 0.05, 0.1])
def test_as_many_runs_as_promised_see_the_difference_as_often_as_promised(difference):
    """An oracle that knows nothing of the formula: draw, compare with what chance alone does, count."""
    runs, generator = runs_to_tell_apart(0.05, difference, power=0.9), np.random.default_rng(5)

    def statistic(shift):
        a, b = generator.normal(0, 0.05, (40_000, runs)), generator.normal(shift, 0.05, (40_000, runs))
        variance = (a.var(axis=1, ddof=1) + b.var(axis=1, ddof=1)) / runs
        return np.abs(a.mean(axis=1) - b.mean(axis=1)) / np.sqrt(variance)

    threshold = np.quantile(statistic(0.0), 0.95)
    assert 0.88 < np.mean(statistic(difference) > threshold) < 0.95


def test_more_runs_for_smaller_differences_and_more_certainty():
    assert runs_to_tell_apart(0.05, 0.01) > runs_to_tell_apart(0.05, 0.02) > runs_to_tell_apart(0.02, 0.02)
    assert runs_to_tell_apart(0.05, 0.02, power=0.95) > runs_to_tell_apart(0.05, 0.02)
    assert runs_to_tell_apart(0.05, 0.02, confidence=0.99) > runs_to_tell_apart(0.05, 0.02)
    assert runs_to_tell_apart(0.0, 0.02) == 2


@pytest.mark.parametrize(
    "arguments", [{"spread": -1}, {"difference": 0}, {"power": 0.5}, {"power": 80}, {"confidence": 95}]
)
def test_impossible_designs_are_refused(arguments):
    with pytest.raises(ArgumentError, match=next(iter(arguments))):
        runs_to_tell_apart(**{"spread": 0.05, "difference": 0.05} | arguments)


def test_a_measurement_can_be_kept(tracked):
    assert pickle.loads(pickle.dumps(tracked[2])) == tracked[2]
