"""The ladder of energy sources, on machines made of files: a counter, a battery, neither, or one that misbehaves."""

import time

import numpy as np
import pytest

from greenlib.catalog import table
from greenlib.checks import ArgumentError, ArgumentTypeError
from greenlib.power import energy_ladder, power_rungs


def write(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(f"{content}\n")
    return folder


def package(sysfs, number=0, energy_uj=1_000_000, limit_uj=262_143_328_850, name=None, kind="intel-rapl"):
    folder = sysfs / "class" / "powercap" / f"{kind}:{number}"
    name = f"package-{number}" if name is None else name
    return write(folder, name=name, energy_uj=energy_uj, max_energy_range_uj=limit_uj)


def battery(sysfs, name="BAT0", **files):
    return write(sysfs / "class" / "power_supply" / name, **{"type": "Battery", "status": "Discharging"} | files)


def nap():
    time.sleep(0.05)


def row(ladder, rung):
    return ladder.set_index("rung").loc[rung]


def test_a_bare_machine_has_a_replay_and_says_why_it_has_nothing_else(tmp_path):
    ladder = energy_ladder(nap, sysfs=tmp_path)
    assert list(ladder["rung"]) == ["counter", "battery", "load × TDP", "recorded trace"]
    assert list(ladder["available"]) == [False, False, False, True]
    assert list(ladder["why"] == "") == [False, False, False, True]
    assert ladder.loc[:2, ["seconds", "joules", "watts"]].isna().all(axis=None)
    assert set(ladder["stamp"]) == {"measured", "estimated", "replayed"}


def test_the_replay_is_the_recorded_jobs_own_energy(tmp_path):
    trace = table("power_trace")
    work = trace[trace["phase"] == "work"]
    replay = row(energy_ladder(nap, sysfs=tmp_path), "recorded trace")
    steps = np.diff(work["time_s"])
    middle = (work["power_w"].to_numpy()[1:] + work["power_w"].to_numpy()[:-1]) / 2
    assert replay["joules"] == pytest.approx(float((steps * middle).sum()))
    assert replay["seconds"] == work["time_s"].iloc[-1] - work["time_s"].iloc[0]
    assert set(trace["kind"]) == {"illustrative"}


def test_a_counter_is_the_best_rung_and_its_rise_is_the_energy(tmp_path):
    one, two = package(tmp_path, 0), package(tmp_path, 1)

    def work():
        nap()
        (one / "energy_uj").write_text("8000000\n")
        (two / "energy_uj").write_text("2500000\n")

    ladder = energy_ladder(work, sysfs=tmp_path)
    best = ladder[ladder["available"]].iloc[0]
    assert (best["rung"], best["stamp"], best["covers"]) == ("counter", "measured", "processor")
    assert best["joules"] == pytest.approx(7 + 1.5)
    assert best["watts"] == pytest.approx(best["joules"] / best["seconds"])


def test_a_counter_that_returns_to_zero_is_followed(tmp_path):
    folder = package(tmp_path, energy_uj=9_000_000, limit_uj=10_000_000)
    ladder = energy_ladder(lambda: (folder / "energy_uj").write_text("2000000\n"), sysfs=tmp_path)
    assert row(ladder, "counter")["joules"] == pytest.approx(3)


def test_parts_of_a_package_and_its_second_interface_are_not_counted_again(tmp_path):
    package(tmp_path, 0)
    parts = [package(tmp_path, "0:0", name="core"), package(tmp_path, 1, name="psys")]
    parts.append(package(tmp_path, 0, kind="intel-rapl-mmio"))

    def work():
        for part in parts:
            (part / "energy_uj").write_text("9000000\n")

    assert row(energy_ladder(work, sysfs=tmp_path), "counter")["joules"] == 0


def test_a_counter_for_the_administrator_alone_is_named(tmp_path, monkeypatch):
    package(tmp_path)
    from pathlib import Path

    read = Path.read_text

    def guarded(self, *arguments, **options):
        if self.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return read(self, *arguments, **options)

    monkeypatch.setattr(Path, "read_text", guarded)
    counter = row(power_rungs(sysfs=tmp_path), "counter")
    assert not counter["available"]
    assert "administrator" in counter["why"]


@pytest.mark.parametrize("content", ["", "many"])
def test_a_counter_that_holds_no_number_is_no_rung(tmp_path, content):
    package(tmp_path, energy_uj=content)
    assert not row(power_rungs(sysfs=tmp_path), "counter")["available"]


def test_a_counter_that_disappears_during_the_work_is_no_rung(tmp_path):
    folder = package(tmp_path)
    counter = row(energy_ladder(lambda: (folder / "energy_uj").unlink(), sysfs=tmp_path), "counter")
    assert not counter["available"]
    assert np.isnan(counter["joules"])


def test_a_discharging_battery_gives_the_mean_of_before_and_after(tmp_path):
    folder = battery(tmp_path, power_now=8_000_000)

    def work():
        nap()
        (folder / "power_now").write_text("12000000\n")

    found = row(energy_ladder(work, sysfs=tmp_path), "battery")
    assert (found["stamp"], found["covers"]) == ("measured", "whole computer")
    assert found["watts"] == pytest.approx(10)


@pytest.mark.parametrize("current", [2_000_000, -2_000_000])
def test_a_battery_may_say_current_and_voltage_instead(tmp_path, current):
    battery(tmp_path, current_now=current, voltage_now=11_000_000)
    assert row(energy_ladder(nap, sysfs=tmp_path), "battery")["watts"] == pytest.approx(22)


def test_two_batteries_add_up_and_the_mouse_stays_out(tmp_path):
    battery(tmp_path, power_now=8_000_000)
    battery(tmp_path, "BAT1", power_now=3_000_000)
    battery(tmp_path, "BAT2", power_now=70_000_000, status="Full")
    battery(tmp_path, "hid-mouse", power_now=1_000_000, scope="Device")
    write(tmp_path / "class" / "power_supply" / "AC", type="Mains", online=0)
    (tmp_path / "class" / "power_supply" / "broken").mkdir()
    assert row(energy_ladder(nap, sysfs=tmp_path), "battery")["watts"] == pytest.approx(11)


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"status": "Charging", "power_now": 1}, "pull the plug"),
        ({"status": "Full", "power_now": 1}, "pull the plug"),
        ({"voltage_now": 1}, "does not say its power"),
        ({"scope": "Device", "power_now": 1}, "no battery"),
    ],
)
def test_a_battery_that_cannot_answer_says_why(tmp_path, files, why):
    battery(tmp_path, **files)
    found = row(power_rungs(sysfs=tmp_path), "battery")
    assert not found["available"]
    assert why in found["why"]


def test_a_plug_put_in_during_the_work_ends_the_rung(tmp_path):
    folder = battery(tmp_path, power_now=8_000_000)
    ladder = energy_ladder(lambda: (folder / "status").write_text("Charging\n"), sysfs=tmp_path)
    assert not row(ladder, "battery")["available"]


def test_load_times_tdp_follows_the_clock_of_the_cores(tmp_path, monkeypatch):
    import psutil

    seconds = iter([{"user": 5, "system": 1, "idle": 9, "iowait": 3}, {"user": 5.04, "system": 1.02, "idle": 99}])

    class Times:
        def _asdict(self):
            return next(seconds)

    monkeypatch.setattr(psutil, "cpu_times", Times)
    monkeypatch.setattr(psutil, "cpu_count", lambda: 4)
    found = row(energy_ladder(nap, cpu_tdp_w=100, sysfs=tmp_path), "load × TDP")
    assert found["stamp"] == "estimated"
    assert found["joules"] == pytest.approx(100 * 0.06 / 4)


def test_load_is_never_above_full_power(tmp_path, monkeypatch):
    import psutil

    busy = iter([0, 1000])
    monkeypatch.setattr(psutil, "cpu_times", lambda: type("T", (), {"_asdict": lambda self: {"user": next(busy)}})())
    found = row(energy_ladder(nap, cpu_tdp_w=100, sysfs=tmp_path), "load × TDP")
    assert found["watts"] == pytest.approx(100)


def test_the_work_runs_once_and_its_failure_goes_on(tmp_path):
    runs = []
    energy_ladder(lambda: runs.append(1), sysfs=tmp_path)
    assert runs == [1]
    with pytest.raises(ZeroDivisionError):
        energy_ladder(lambda: 1 / 0, sysfs=tmp_path)


@pytest.mark.parametrize("tdp", [0, -1, float("nan"), 1e6, "65"])
def test_impossible_powers_are_refused(tdp):
    with pytest.raises(ArgumentError, match="cpu_tdp_w"):
        power_rungs(cpu_tdp_w=tdp)


def test_other_impossible_arguments_are_refused():
    with pytest.raises(ArgumentTypeError, match="work"):
        energy_ladder("sleep")
    with pytest.raises(ArgumentTypeError, match="sysfs"):
        power_rungs(sysfs=3)
