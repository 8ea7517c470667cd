"""Rebound: the identities that hold whatever the numbers are."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

import greenlib as gl
from greenlib.checks import ArgumentError

GAIN, SHARE = st.floats(1.01, 1000), st.floats(0.05, 1)


@given(GAIN, st.floats(0, 3), SHARE)
def test_rebound_and_energy_tell_the_same_story(gain, elasticity, pass_through):
    ratio = gl.energy_ratio(gain, elasticity=elasticity, pass_through=pass_through)
    if ratio < 1e12:
        rebound = gl.rebound_fraction(1 - 1 / gain, 1 - ratio)
        assert (rebound > 1 + 1e-9) == (ratio > 1 + 1e-9 * (1 - 1 / gain))
        assert rebound >= -1e-9


@given(GAIN, SHARE)
def test_at_the_break_even_elasticity_the_total_stays(gain, pass_through):
    elasticity = gl.break_even_elasticity(gain, pass_through=pass_through)
    if elasticity <= 10:
        ratio = gl.energy_ratio(gain, elasticity=elasticity, pass_through=pass_through)
        assert ratio == pytest.approx(1, rel=1e-6)
    assert elasticity >= 1 - 1e-9


def test_no_answer_of_demand_no_rebound():
    assert gl.rebound_fraction(0.5, 1 - gl.energy_ratio(2.0, elasticity=0)) == 0
    assert gl.energy_ratio(4.0, elasticity=3.0, pass_through=0.0) == 0.25


def test_no_gain_cannot_be_eaten():
    for wrong in ({"efficiency_gain": 1.0}, {"efficiency_gain": 2.0, "pass_through": 0.0}):
        with pytest.raises(ArgumentError):
            gl.break_even_elasticity(**wrong)


@given(st.floats(1e-3, 1e3), st.floats(1.001, 20), st.floats(0.1, 30))
def test_growth_compounds_back(before, factor, years):
    after = before * factor**years
    assert gl.annual_growth(before, after, years=years) == pytest.approx(factor)


def test_frontier_training_grew_by_the_published_rate():
    """Epoch AI: four to five times a year since 2020; GPT-3 to Grok 4 in its table gives 4.2."""
    runs = gl.table("frontier").set_index("model")
    first, last = runs.loc[runs.index.str.contains("GPT-3 175B")].iloc[0], runs.loc["Grok 4"]
    years = (np.datetime64(last["date"]) - np.datetime64(first["date"])) / np.timedelta64(365250, "D") * 1000
    growth = gl.annual_growth(first["training_flop"], last["training_flop"], years=float(years))
    assert 4.0 < growth < 4.5


def test_four_times_the_model_on_twice_the_efficiency():
    fixed, optimal = gl.scaled_energy_ratio(2.0, model_growth=4.0, token_exponent=np.array([0.0, 1.0]))
    assert (fixed, optimal) == (2.0, 8.0)


@given(st.floats(1, 1e9), st.floats(1e-6, 1e3), GAIN)
def test_under_a_cap_efficiency_buys_uses_not_savings(cap, per_use, gain):
    uses = gl.uses_under_cap(cap, kwh_per_use=per_use / gain)
    assert uses * per_use / gain == pytest.approx(cap)
    assert math.isclose(uses, gain * gl.uses_under_cap(cap, kwh_per_use=per_use), rel_tol=1e-9)
