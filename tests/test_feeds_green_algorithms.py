"""Green Algorithms' formula: its worked terms, its defaults, and what it must and must not depend on."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import greenlib as gl
from greenlib.feeds import green_algorithms as ga

RUN = {"cores": 8, "core_w": 400, "memory_gb": 1360}


def test_the_constants_are_those_of_the_paper():
    assert (ga.MEMORY_W_PER_GB, ga.PUE_UNKNOWN) == (0.3725, 1.67)


def test_a_run_worked_out_by_hand():
    # 8 x 400 W and 1,360 GB x 0.3725 W/GB are 3,706.6 W; 168 h; PUE 1.11; 293.85 g/kWh.
    energy_kwh = ga.facility_kwh(168, **RUN, pue=1.11)
    assert energy_kwh == pytest.approx(3706.6 * 168 * 1.11 / 1000)
    kg = ga.emissions_kg(168, **RUN, pue=1.11, grid_g_per_kwh=293.85)
    assert kg == pytest.approx(203.111, abs=1e-3)


@given(
    hours=st.floats(0, 1e5),
    cores=st.integers(0, 1000),
    core_w=st.floats(0, 1000),
    memory_gb=st.floats(0, 1e4),
    usage=st.floats(0, 1),
    pue=st.floats(1, 3),
    runs=st.integers(0, 100),
)
def test_the_terms_add_and_the_factors_multiply(hours, cores, core_w, memory_gb, usage, pue, runs):
    whole = {"pue": pue, "runs": runs}
    both = ga.facility_kwh(hours, cores=cores, core_w=core_w, core_usage=usage, memory_gb=memory_gb, **whole)
    processors = gl.facility_kwh(gl.it_kwh(hours * cores * usage, power_w=core_w), pue=pue) if core_w else 0.0
    memory = ga.facility_kwh(hours, cores=0, core_w=0, memory_gb=memory_gb, **whole)
    assert both == pytest.approx(processors * runs + memory)
    assert memory == pytest.approx(hours * memory_gb * 0.3725 / 1000 * pue * runs)


def test_idle_cores_leave_the_memory_on():
    idle = ga.facility_kwh(168, **RUN, core_usage=0)
    assert idle == pytest.approx(168 * 1360 * 0.3725 * 1.67 / 1000)


def test_arrays_and_series_come_out_as_they_went_in():
    hours = pd.Series([0.0, 1.0, 168.0], index=["a", "b", "c"])
    kg = ga.emissions_kg(hours, **RUN, grid_g_per_kwh=400)
    assert isinstance(kg, pd.Series)
    assert list(kg.index) == ["a", "b", "c"]
    grid = np.array([20.0, 700.0])
    assert ga.emissions_kg(1, **RUN, grid_g_per_kwh=grid).shape == (2,)


@pytest.mark.parametrize(
    ("argument", "bad"),
    [("pue", 0.9), ("core_usage", 80), ("memory_gb", -1), ("core_w", float("nan")), ("hours", float("inf"))],
)
def test_what_cannot_be_is_refused(argument, bad):
    with pytest.raises(gl.ArgumentError, match=argument):
        ga.facility_kwh(**{"hours": 1, **RUN, argument: bad})


def test_a_percentage_gets_a_hint():
    with pytest.raises(gl.ArgumentError, match=r"0\.8"):
        ga.facility_kwh(1, **RUN, core_usage=80)


def test_misaligned_rows_are_refused():
    with pytest.raises(gl.AlignmentError):
        ga.emissions_kg(pd.Series([1.0, 2.0]), **RUN, grid_g_per_kwh=pd.Series([1.0, 2.0], index=[5, 6]))
