"""The chain from work to footprint: golden runs, physical bounds, and the whole equal to its steps."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import greenlib as gl
from greenlib.checks import ArgumentError, UnknownNameError

POSITIVE = st.floats(1e-3, 1e12)
FRACTION = st.floats(1e-3, 1)
INPUTS = st.fixed_dictionaries(
    {
        "flops": st.floats(1, 1e27),
        "peak_flops_per_s": st.floats(1e9, 1e17),
        "mfu": FRACTION,
        "power_w": st.floats(1, 1e5),
        "pue": st.floats(1, 3),
        "grid_g_per_kwh": st.floats(1e-3, 1500),
    }
)


@given(INPUTS)
def test_the_footprint_is_its_steps(inputs):
    run = gl.footprint(**inputs)
    hours = gl.accelerator_hours(inputs["flops"], peak_flops_per_s=inputs["peak_flops_per_s"], mfu=inputs["mfu"])
    energy = gl.it_kwh(hours, power_w=inputs["power_w"])
    facility = gl.facility_kwh(energy, pue=inputs["pue"])
    assert (run.accelerator_hours, run.it_kwh, run.facility_kwh) == (hours, energy, facility)
    assert run.operational_kg == gl.emissions_kg(facility, grid_g_per_kwh=inputs["grid_g_per_kwh"])


@given(INPUTS, st.floats(1.01, 10))
def test_doubling_work_doubles_and_better_never_costs(inputs, factor):
    base = gl.footprint(**inputs)
    more = gl.footprint(**inputs | {"flops": inputs["flops"] * factor})
    assert math.isclose(more.operational_kg, base.operational_kg * factor, rel_tol=1e-9)
    faster = gl.footprint(**inputs | {"peak_flops_per_s": inputs["peak_flops_per_s"] * factor})
    assert faster.facility_kwh <= base.facility_kwh
    assert base.facility_kwh >= base.it_kwh


def test_joules_and_kilowatt_hours_agree():
    """1 FLOP/s at 1 W for 3.6e6 FLOP is 3.6e6 J, which is 1 kWh."""
    hours = gl.accelerator_hours(3.6e6 * 1e9, peak_flops_per_s=1e9, mfu=1)
    assert math.isclose(gl.it_kwh(hours, power_w=1), 1.0)


@pytest.mark.parametrize(
    ("model", "facility_mwh", "tonnes"), [("LLaMA-7B", 36, 14), ("LLaMA-13B", 59, 23), ("LLaMA-65B", 449, 173)]
)
def test_published_llama_energy_follows_from_its_hours(model, facility_mwh, tonnes):
    """Table 15 of the LLaMA paper is hours × 400 W × 1.1 × 385 g/kWh, and so are we."""
    run = gl.table("training_runs").set_index("model").loc[model]
    facility = gl.facility_kwh(gl.it_kwh(run["accelerator_hours"], power_w=400), pue=1.1)
    assert round(facility / 1000) == pytest.approx(facility_mwh, abs=1)
    assert gl.emissions_kg(facility, grid_g_per_kwh=385) / 1000 == pytest.approx(tonnes, abs=0.7)


def test_published_gpt3_energy_follows_from_its_flops():
    """Patterson et al. 2021, table 4: 3.14e23 FLOP at 24.6 TFLOP/s, 330 W, PUE 1.10 and 429 g/kWh: 1,287 MWh, 552 t."""
    run = gl.footprint(3.14e23, peak_flops_per_s=125e12, mfu=24.6 / 125, power_w=330, pue=1.10, grid_g_per_kwh=429)
    assert run.facility_kwh / 1e6 == pytest.approx(1.287, rel=0.01)
    assert run.operational_kg / 1e3 == pytest.approx(552, rel=0.01)


def test_implied_mfu_of_the_training_table_is_the_chain_backwards():
    runs = gl.table("training_runs")
    runs = runs[runs["implied_mfu"].notna() & (runs["run"] == "pretraining")]
    accelerators = gl.table("accelerators").set_index("name")
    assert len(runs) >= 20
    peak = runs["accelerator"].map(accelerators["peak_bf16_tflop_per_s"]) * 1e12
    flops = gl.training_flops(runs["active_params"], runs["training_tokens"])
    hours = gl.accelerator_hours(flops, peak_flops_per_s=peak, mfu=runs["implied_mfu"])
    np.testing.assert_allclose(hours, runs["accelerator_hours"], rtol=0.01)


def test_rows_of_the_tables_fill_in_and_keywords_win():
    h100, iowa = gl.accelerator("H100-SXM"), gl.site("gcp/us-central1")
    run = gl.footprint(8.4e23, h100, iowa, mfu=0.4)
    assert (run.power_w, run.pue, run.grid_g_per_kwh) == (h100.tdp_w, iowa.pue, iowa.grid_g_per_kwh)
    cooler = gl.footprint(8.4e23, h100, iowa, mfu=0.4, power_w=350, pue=1.0, grid_g_per_kwh=10)
    assert cooler.inputs()["pue"] == 1.0
    assert math.isclose(cooler.it_kwh, run.it_kwh / 2)


def test_what_is_neither_given_nor_known_is_named():
    with pytest.raises(ArgumentError, match="peak_flops_per_s = None"):
        gl.footprint(1e21, mfu=0.4)
    tpu = gl.accelerator("TPU-v4")
    with pytest.raises(ArgumentError, match=r"power_w = None.*TPU-v4 has none"):
        gl.footprint(1e21, tpu, mfu=0.4, pue=1.1, grid_g_per_kwh=100)
    without_pue = gl.table("sites").query("pue.isna()")["name"].iloc[0]
    with pytest.raises(ArgumentError, match=f"pue = None.*{without_pue} has none"):
        gl.footprint(1e21, gl.accelerator("H100-SXM"), gl.site(without_pue), mfu=0.4)
    with pytest.raises(ArgumentError, match="utilization"):
        gl.footprint(
            1e21, peak_flops_per_s=1e15, mfu=0.4, power_w=700, pue=1.1, grid_g_per_kwh=100,
            device_embodied_kg=150, lifetime_hours=35_040,
        )  # fmt: skip


def test_a_name_will_do_for_a_row():
    by_name = gl.footprint(1e21, "H100", "gcp/us-central1", mfu=0.4)
    assert by_name == gl.footprint(1e21, gl.accelerator("H100-SXM"), gl.site("gcp/us-central1"), mfu=0.4)
    with pytest.raises(UnknownNameError, match="did you mean 'gcp/us-central1'"):
        gl.footprint(1e21, "H100", "gcp/us-centrl1", mfu=0.4)


def test_optional_quantities_are_none_without_their_inputs_and_checked_with_them():
    given = {"peak_flops_per_s": 1e15, "mfu": 0.4, "power_w": 700, "pue": 1.1, "grid_g_per_kwh": 100}
    bare = gl.footprint(1e21, **given)
    assert bare.water_l is None
    assert bare.embodied_kg is None
    assert list(bare.quantities()) == ["accelerator_hours", "it_kwh", "facility_kwh", "operational_kg"]
    full = gl.footprint(
        1e21, **given, wue_l_per_kwh=0.5, device_embodied_kg=150, lifetime_hours=35_040, utilization=0.5
    )
    assert math.isclose(full.water_l, full.it_kwh * 0.5)
    assert math.isclose(full.embodied_kg, 150 * full.accelerator_hours / 17_520)
    for wrong in ({"wue_l_per_kwh": -1}, {"device_embodied_kg": 150, "lifetime_hours": 1, "utilization": 50}):
        with pytest.raises(ArgumentError):
            gl.footprint(1e21, **given, **wrong)


def test_water_comes_from_it_energy_whatever_the_pue():
    given = {"flops": 1e21, "peak_flops_per_s": 1e15, "mfu": 0.4, "power_w": 700, "grid_g_per_kwh": 100}
    litres = {gl.footprint(**given, pue=pue, wue_l_per_kwh=1.8).water_l for pue in (1.0, 1.5, 3.0)}
    assert len(litres) == 1


def test_a_footprint_of_arrays_and_of_series():
    models = pd.Series({"small": 8e9, "large": 70e9})
    run = gl.footprint(
        gl.training_flops(models, 2e12), peak_flops_per_s=1e15, mfu=0.4, power_w=700, pue=1.1, grid_g_per_kwh=400
    )
    assert run.operational_kg.index.tolist() == ["small", "large"]
    assert "Series" in repr(run)
    assert run._repr_html_() is None


def test_a_footprint_shows_itself_with_units():
    run = gl.footprint(
        1e21, peak_flops_per_s=1e15, mfu=0.4, power_w=700, pue=1.1, grid_g_per_kwh=100, wue_l_per_kwh=1.0
    )
    html = run._repr_html_()
    for words in ("Accelerator time", "Facility energy", "kg CO2e", "<td>L</td>"):
        assert words in html
    assert "embodied" not in html.lower()
    assert "it_kwh=" in repr(run)


def test_the_function_keeps_its_name_whatever_is_imported_first():
    import importlib

    importlib.import_module("greenlib.footprint")
    assert callable(gl.footprint)
