"""Budgets and break-even points of distillation, quantisation, adapters and reuse."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import greenlib as gl
from greenlib.checks import ArgumentError

POSITIVE = st.floats(1e-3, 1e12)


@given(POSITIVE, POSITIVE, POSITIVE)
def test_at_break_even_both_ways_cost_the_same(upfront, before, after):
    uses = gl.break_even_uses(upfront, cost_before=before, cost_after=after)
    if before > after:
        assert upfront + uses * after == pytest.approx(uses * before, rel=1e-6)
    else:
        assert uses == math.inf


def test_break_even_of_many_at_once_keeps_the_kind():
    costs = pd.Series({"cheaper": 1.0, "same": 3.0, "dearer": 5.0})
    uses = gl.break_even_uses(600, cost_before=3, cost_after=costs)
    assert uses.tolist() == [300.0, math.inf, math.inf]


def test_a_free_change_is_no_investment():
    with pytest.raises(ArgumentError, match="upfront"):
        gl.break_even_uses(0, cost_before=3, cost_after=1)


@given(st.floats(1e6, 1e12), st.floats(1e6, 1e12), st.floats(1, 1e13))
def test_a_student_costs_its_own_training_and_the_teacher_s_reading(student, teacher, tokens):
    flops = gl.distillation_flops(student, tokens, teacher_active_params=teacher)
    expected = gl.training_flops(student, tokens) + gl.inference_flops(teacher, tokens)
    assert flops == pytest.approx(expected)


@given(st.floats(1e-6, 1))
def test_an_adapter_saves_at_most_a_third_of_the_operations(trained_fraction):
    full = gl.training_flops(7e9, 1e6)
    adapted = gl.finetuning_flops(7e9, 1e6, trained_fraction=trained_fraction)
    assert full * 2 / 3 <= adapted <= full * (1 + 1e-12)


def test_adapter_of_a_square_matrix():
    assert gl.adapter_params(4096, 4096, rank=8) == 65_536
    with pytest.raises(ArgumentError):
        gl.adapter_params(4096, 4096, rank=0)


def test_scales_cost_bits():
    assert gl.bits_per_weight(4, group_size=32) == 4.5
    assert gl.bits_per_weight(4, group_size=128, scale_bits=32) == 4.25
    memory = gl.weights_gb(70e9, bits_per_weight=gl.bits_per_weight(np.array([4, 8, 16]), group_size=64))
    assert (np.diff(memory) > 0).all()


@given(POSITIVE, POSITIVE)
def test_saving_and_ratio_agree(before, after):
    assert 1 - gl.saving(before, after) == pytest.approx(after / before)


def test_the_table_s_changes_are_those_of_its_values():
    rows = gl.table("compression").dropna(subset=["baseline", "value", "change_fraction"])
    assert len(rows) >= 30
    np.testing.assert_allclose(-gl.saving(rows["baseline"], rows["value"]), rows["change_fraction"], atol=0.006)
