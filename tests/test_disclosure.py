"""Disclosure: nothing is called measured that was multiplied, nothing missing is dropped, and JSON comes back whole."""

import json
import re

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import greenlib as gl
from greenlib.checks import ArgumentError, ArgumentTypeError, GreenlibError, UnknownNameError
from greenlib.disclosure import ASKED, LABELS, Amount

ROOTS = ["flops", "accelerator_hours", "power_w", "pue", "grid_g_per_kwh"]
INPUTS = st.fixed_dictionaries(
    {
        "flops": st.floats(1e15, 1e27),
        "peak_flops_per_s": st.floats(1e12, 1e16),
        "mfu": st.floats(0.01, 1),
        "power_w": st.floats(10, 2000),
        "pue": st.floats(1, 3),
        "grid_g_per_kwh": st.floats(1, 1000),
    }
)


def a_run(**changed):
    return gl.footprint(8.4e23, "H100-SXM", "gcp/us-central1", **{"mfu": 0.40} | changed)


def a_report(**changed):
    return gl.disclose(**{"footprint": a_run(), "model": "Example-70B", "boundary": "device"} | changed)


def a_full_report():
    footprint = a_run(
        power_w=np.linspace(400, 800, 200),
        wue_l_per_kwh=0.3,
        device_embodied_kg=164,
        lifetime_hours=3e4,
        utilization=0.5,
    )
    return a_report(
        footprint=footprint,
        boundary="IT",
        accelerator="H100-SXM",
        accelerators=1024,
        site="gcp/us-central1",
        total_params=70e9,
        active_params=70e9,
        other_accelerator_hours=0,
        power_basis="metered on one node",
    )


def lines(text):
    return dict(re.findall(r"^- \*\*(.+?):\*\* (.+)$", text, flags=re.MULTILINE))


@given(INPUTS, st.sets(st.sampled_from(ROOTS)))
def test_a_product_is_measured_only_where_every_factor_was(inputs, measured):
    report = gl.disclose(
        gl.footprint(**inputs), model="m", boundary="IT", kinds=dict.fromkeys(measured, "measured")
    ).quantities
    for product, factors in {
        "it_kwh": {"accelerator_hours", "power_w"},
        "facility_kwh": {"accelerator_hours", "power_w", "pue"},
        "operational_kg": {"accelerator_hours", "power_w", "pue", "grid_g_per_kwh"},
    }.items():
        assert (report[product].kind == "measured") == (factors <= measured)
    assert report["water_l"] == Amount(value=None, unit="L", kind="not measured")


@given(INPUTS)
@settings(max_examples=30)
def test_the_amounts_are_the_footprints_own_and_come_back_from_json(inputs):
    run = gl.footprint(**inputs)
    report = gl.disclose(run, model="m", boundary="device")
    for name, value in run.quantities().items():
        assert report.quantities[name].value == value
    assert gl.Disclosure.from_json(report.to_json()) == report


def test_an_energy_cannot_be_declared_measured():
    with pytest.raises(ArgumentError, match="accelerator_hours, power_w, pue"):
        a_report(kinds={"facility_kwh": "measured"})


def test_a_datasheet_is_no_meter():
    with pytest.raises(ArgumentError, match="700 W is the TDP of H100-SXM"):
        a_report(accelerator="H100-SXM", kinds={"power_w": "measured"})
    by_default = lines(a_report(accelerator="H100-SXM").model_card())["Power for one accelerator"]
    assert by_default == "700 W, estimated; TDP from the datasheet; covers the accelerator alone"
    metered = a_report(footprint=a_run(power_w=612.0), accelerator="H100-SXM", kinds={"power_w": "measured"})
    assert lines(metered.model_card())["Power for one accelerator"].startswith("612 W, measured")


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"kinds": {"power_w": "guessed"}}, UnknownNameError),
        ({"kinds": {"power": "measured"}}, UnknownNameError),
        ({"kinds": {"power_w": "not measured"}}, ArgumentError),
        ({"kinds": {"wue_l_per_kwh": "measured"}}, ArgumentError),
        ({"kinds": ["power_w"]}, ArgumentTypeError),
        ({"boundary": "building"}, UnknownNameError),
        ({"footprint": 4.2}, ArgumentTypeError),
        ({"model": ""}, ArgumentError),
        ({"model": "two\nlines"}, ArgumentError),
        ({"model": 7}, ArgumentTypeError),
        ({"accelerator": "H100SXM"}, UnknownNameError),
        ({"accelerator": 100}, ArgumentTypeError),
        ({"site": ("gcp", "us-central1")}, ArgumentTypeError),
        ({"site": "gcp/us-centrl1"}, UnknownNameError),
        ({"accelerators": 0}, ArgumentError),
        ({"accelerators": 2.5}, ArgumentTypeError),
        ({"total_params": -1}, ArgumentError),
        ({"total_params": 7e9, "active_params": 8e9}, ArgumentError),
        ({"other_accelerator_hours": float("nan")}, ArgumentError),
        ({"grid_year": 24}, ArgumentError),
        ({"footprint": a_run(mfu=np.array([0.3, 0.4]))}, ArgumentError),
        ({"footprint": a_run(mfu=np.full((20, 20), 0.4))}, ArgumentError),
    ],
)
def test_what_cannot_be_true_is_refused(wrong, error):
    with pytest.raises(error) as caught:
        a_report(**wrong)
    assert isinstance(caught.value, GreenlibError)


def test_samples_become_a_range_and_one_number_stays_one():
    mfu = gl.samples(0.2, 0.5, maximum=1, seed=1)
    report = a_report(footprint=a_run(mfu=mfu))
    hours = report.quantities["accelerator_hours"]
    assert (hours.low, hours.value, hours.high) == gl.interval(a_run(mfu=mfu).accelerator_hours)
    assert report.quantities["power_w"].low is None
    assert "Ranges in brackets" in report.model_card()
    assert "Ranges in brackets" not in a_report().model_card()


@pytest.mark.parametrize("document", list(ASKED))
def test_every_document_has_a_line_for_all_that_it_asks(document):
    write = {"model card": "model_card", "EU form": "annex_xi"}.get(document, "checklist")
    for report in (a_report(), a_full_report()):
        text = getattr(report, write)()
        for item in ASKED[document]:
            label = "Energy used for training" if (document, item) == ("EU form", "facility_kwh") else LABELS[item]
            assert f"**{label}:**" in text


def test_what_is_not_known_is_said():
    card, form = lines(a_report().model_card()), lines(a_report().annex_xi())
    assert card["Embodied emissions"] == card["Water on site"] == "not measured"
    assert card["Site"] == card["Experiments and failed runs"] == "not known"
    assert form["Parameters"] == form["Training time"] == form["Computation for inference"] == "not known"
    assert "method: not known; year: not known" in card["Grid intensity"]
    full = a_full_report()
    assert "not known" not in full.model_card() + full.checklist() + full.annex_xi()
    assert full.left_out == ("use of the model after training",)
    assert a_report().left_out[0] == "host, network and storage"
    # Hours that are known are still not in the energy; only none at all leave nothing out.
    assert "experiments and failed runs" in a_report(other_accelerator_hours=5000).left_out


def test_checklists_are_answered_yes_only_where_all_is_known():
    none, full = a_report().checklist(), a_full_report().checklist()
    assert "**ACL checklist:** no; not known: parameters, accelerators." in none
    assert "**NeurIPS checklist:** no; not known: accelerators, memory" in none
    assert "**ACL checklist:** yes" in full
    assert "**NeurIPS checklist:** yes" in full


def test_neither_checklist_nor_law_is_told_the_emissions():
    report = a_full_report()
    assert "t CO2e" in report.model_card()
    assert "CO2e" not in report.checklist() + report.annex_xi()


def test_the_form_speaks_megawatt_hours_whatever_the_size():
    tiny, huge = (
        a_report(footprint=gl.footprint(flops, "H100-SXM", "gcp/us-central1", mfu=0.4)) for flops in (1e18, 1e27)
    )
    assert lines(tiny.annex_xi())["Energy used for training"].startswith("0.00054 MWh, estimated")
    assert lines(huge.annex_xi())["Energy used for training"].startswith("540,000 MWh, estimated")
    assert lines(huge.model_card())["Facility energy"].startswith("540 GWh, estimated")
    assert lines(tiny.model_card())["Facility energy"].startswith("0.54 kWh, estimated")


def test_known_energy_is_called_known():
    kinds = dict.fromkeys(["accelerator_hours", "power_w", "pue"], "measured")
    known = a_report(footprint=a_run(power_w=612.0), kinds=kinds).annex_xi()
    assert "The energy consumption is known" in known
    assert "397 MWh, measured" in known
    assert "estimated, from information about the computational resources used" in a_report().annex_xi()


def test_digits_say_how_much_is_known():
    estimated, counted = a_report(), a_report(kinds={"accelerator_hours": "measured"})
    assert lines(estimated.model_card())["Accelerator hours"] == "590,000 h, estimated"
    assert lines(counted.model_card())["Accelerator hours"] == "590,000 h, measured"
    assert lines(a_report(total_params=7.3e9).annex_xi())["Parameters"] == "7.30e9 in all; active: not known"
    assert lines(a_report(footprint=a_run(mfu=0.3979), kinds={"accelerator_hours": "measured"}).model_card())[
        "Accelerator hours"
    ].startswith("593,000 h")
    assert lines(a_report(footprint=a_run(mfu=0.3979)).model_card())["Accelerator hours"] == "590,000 h, estimated"


def test_the_sites_grid_is_named_only_where_it_was_used():
    own = lines(a_report(site="gcp/us-central1").model_card())
    assert "method: provider average; year: 2024" in own["Grid intensity"]
    other = a_report(footprint=a_run(grid_g_per_kwh=20), site="gcp/us-central1", grid_method="contract, market-based")
    assert "method: contract, market-based; year: not known" in lines(other.model_card())["Grid intensity"]


def test_benchmark_and_days_follow_from_the_facts():
    report = a_full_report()
    assert report.inference_flops == gl.inference_flops(70e9, 100_000)
    assert report.training_days == pytest.approx(report.quantities["accelerator_hours"].value / 1024 / 24)
    assert a_report().training_days is None
    assert a_report().inference_flops is None


def test_json_is_stable_and_stands_alone():
    facts = json.loads(a_full_report().to_json())
    assert list(facts)[:4] == ["schema", "model", "boundary", "quantities"]
    assert facts["schema"] == "greenlib.disclosure/1"
    assert facts["quantities"]["facility_kwh"].keys() == {"value", "low", "high", "unit", "kind"}
    assert gl.Disclosure.from_dict(facts) == a_full_report()


def damaged(**changed):
    facts = a_full_report().as_dict()
    for path, value in changed.items():
        *parents, last = path.split("__")
        place = facts
        for parent in parents:
            place = place[parent]
        place[last] = value
    return facts


@pytest.mark.parametrize(
    "changed",
    [
        {"schema": "greenlib.disclosure/2"},
        {"quantities__power_w__kind": "guessed"},
        {"quantities__power_w__kind": "not measured"},
        {"quantities__power_w__low": 900.0},
        {"quantities__power_w__low": None},
        {"quantities__power_w__value": None},
        {"quantities__power_w__value": "700"},
        {"quantities__pue__value": 0.9},
        {"quantities__facility_kwh__value": -1.0},
        {"quantities__facility_kwh__unit": "MWh"},
        {"quantities__facility_kwh__kind": "measured"},
        {"quantities__embodied_kg__kind": "measured"},
        {"quantities__pue": {"value": None, "low": None, "high": None, "unit": "ratio", "kind": "not measured"}},
        {"quantities": {}},
        {"quantities": {"power_w": 700}},
        {"surprise": 1},
        {"left_out": []},
        {"model": None},
    ],
)
def test_a_damaged_file_is_refused(changed):
    with pytest.raises(GreenlibError):
        gl.Disclosure.from_dict(damaged(**changed))


@pytest.mark.parametrize("name", ["it_kwh", "facility_kwh", "operational_kg"])
def test_a_product_must_be_the_product(name):
    facts = a_report().as_dict()
    facts["quantities"][name]["value"] *= 1.01
    with pytest.raises(ArgumentError, match="follows from the other quantities"):
        gl.Disclosure.from_dict(facts)


@pytest.mark.parametrize("end", ["low", "value", "high"])
@pytest.mark.parametrize("name", ["it_kwh", "facility_kwh", "operational_kg"])
def test_so_must_each_end_of_its_range(name, end):
    facts = a_full_report().as_dict()
    facts["quantities"][name][end] *= 1.001
    with pytest.raises(ArgumentError, match="follows from the other quantities"):
        gl.Disclosure.from_dict(facts)


def test_a_product_of_two_ranges_has_a_range_of_its_own():
    mfu, power_w = gl.samples(0.2, 0.5, maximum=1, seed=1), gl.samples(400, 800, seed=2)
    report = a_report(footprint=a_run(mfu=mfu, power_w=power_w))
    assert gl.Disclosure.from_json(report.to_json()) == report


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", None])
def test_what_is_no_disclosure_is_refused(text):
    with pytest.raises(ArgumentError):
        gl.Disclosure.from_json(text)


def test_a_notebook_shows_the_report_as_a_quotation_and_the_text_stays_markdown():
    card = a_report().model_card()
    assert card.startswith("## Environmental impact\n")
    shown = card._repr_markdown_()
    assert all(line.startswith("> ") for line in shown.splitlines())
    assert "#" not in shown


def test_the_published_card_follows_from_its_hours():
    """Llama 3.1-70B: 7.0 million hours at 700 W are 4.9 GWh, and 2,040 t at the family's 385 g/kWh and PUE 1.1."""
    card = gl.table("training_runs").set_index("model").loc["Llama-3.1-70B"]
    peak = gl.accelerator("H100-SXM").peak_flops_per_s
    flops = card["accelerator_hours"] * 3600 * peak * 0.25
    run = gl.footprint(flops, "H100-SXM", mfu=0.25, pue=1.1, grid_g_per_kwh=385)
    report = gl.disclose(run, model="Llama-3.1-70B", boundary="device", accelerator="H100-SXM")
    assert lines(report.model_card())["Device energy"] == "4.9 GWh, estimated"
    assert report.quantities["operational_kg"].value == pytest.approx(card["reported_t"] * 1000, rel=0.02)
