"""Plans of training runs: calibrated on published hours, each run judged by the others."""

import math

import numpy as np
import pandas as pd
import pytest

import greenlib as gl
from greenlib.calibration import held_out_mfu
from greenlib.checks import ArgumentError, UnknownNameError
from greenlib.training import power_of_tdp, published_runs


@pytest.fixture(scope="module")
def left_out():
    """For each published run, the interval that the other runs give and whether it holds the run."""
    return held_out_mfu()


def test_the_80_percent_interval_holds_70_to_90_percent_of_the_runs_it_has_not_seen(left_out):
    assert len(left_out) >= 25
    assert 0.70 <= left_out["holds"].mean() <= 0.90


def test_no_interval_is_wider_than_a_factor_of_four(left_out):
    assert (left_out["p90"] / left_out["p10"]).max() < 4


def test_published_hours_lie_around_the_median():
    runs = published_runs()
    plans = [
        gl.plan_training(n, d, a) if gl.accelerator(a).tdp_w else gl.plan_training(n, d, a, power_w=300)
        for n, d, a in zip(runs["active_params"], runs["training_tokens"], runs["accelerator"], strict=True)
    ]
    error = np.log([plan.p50 for plan in plans]) - np.log(runs["accelerator_hours"])
    assert abs(error.median()) < 0.1
    assert error.abs().median() < 0.3


def test_the_plan_is_the_chain_at_the_typical_mfu():
    plan = gl.plan_training(8e9, 15e12, "H100-SXM", "gcp/us-central1", power_w=700)
    run = gl.footprint(gl.training_flops(8e9, 15e12), "H100-SXM", "gcp/us-central1", mfu=plan.mfu.p50)
    assert math.isclose(plan.p50, run.accelerator_hours)
    assert math.isclose(plan.operational_kg.p50, run.operational_kg)
    assert plan.p10 < plan.p50 < plan.p90
    assert math.isclose(plan.p90, plan.p50 * plan.mfu.p50 / plan.mfu.p10)


def test_uncertain_power_widens_the_energy_and_not_the_hours():
    unknown, known = gl.plan_training(8e9, 15e12, "H100-SXM"), gl.plan_training(8e9, 15e12, "H100-SXM", power_w=600)
    assert unknown.accelerator_hours == known.accelerator_hours
    assert unknown.it_kwh.p90 / unknown.it_kwh.p10 > known.it_kwh.p90 / known.it_kwh.p10
    assert unknown.facility_kwh is None
    assert unknown.operational_kg is None


def test_the_docstring_s_shares_of_tdp_are_the_table_s():
    gl.claim("0.54", power_of_tdp()[0])
    gl.claim("1.10", power_of_tdp()[1])


def test_a_run_that_two_cards_report_counts_once():
    assert published_runs()["model"].isin(["Llama-3.1-70B", "Llama-3.3-70B"]).sum() == 1


def test_many_plans_at_once():
    plan = gl.plan_training(pd.Series({"small": 1e9, "large": 70e9}), 2e12, "A100-SXM-80GB")
    assert plan.p50.index.tolist() == ["small", "large"]
    assert (plan.p10 < plan.p90).all()


def test_an_accelerator_without_runs_gets_the_general_and_wider_range():
    known, new = gl.typical_mfu("A100-SXM-80GB"), gl.typical_mfu("MI300X")
    assert new.p90 / new.p10 > known.p90 / known.p10
    assert gl.typical_mfu("H800-SXM") == gl.typical_mfu("H100-SXM")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((0, 1e12, "H100-SXM"), ArgumentError),
        ((1e9, math.nan, "H100-SXM"), ArgumentError),
        ((1e9, 1e12, "H1000"), UnknownNameError),
        ((1e9, 1e12, "TPU-v4"), ArgumentError),
        ((1e9, 1e12, "H100-SXM", "azure/israelcentral"), ArgumentError),
    ],
)
def test_impossible_plans_are_refused(arguments, error):
    with pytest.raises(error):
        gl.plan_training(*arguments)
