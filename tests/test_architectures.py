"""Dense against sparse: the source's figures, and the arithmetic that they hide."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import greenlib as gl
from greenlib.checks import ArgumentError


def test_the_source_s_figures_to_the_kilogram():
    rows = gl.compare_architectures(70e9, 47e9, 13e9, 2e12)
    assert [round(kwh) for kwh in rows["facility_kwh"]] == [454_162, 84_344]
    assert [round(kg) for kg in rows["emissions_kg"]] == [181_665, 33_738]
    assert f"{rows.loc['moe', 'saving']:.1%}" == "81.4%"


def test_the_interface_is_the_source_s():
    rows = gl.compare_architectures(
        dense_params=70e9, moe_total_params=47e9, moe_active_params=13e9, tokens=2e12, flops_per_param_token=6,
        hardware_tflops=989, mfu=0.40, gpu_power_w=700, pue=1.1, co2_g_kwh=400,
    )  # fmt: skip
    assert rows.equals(gl.compare_architectures(70e9, 47e9, 13e9, 2e12))
    assert all(dtype.kind == "f" for dtype in rows.dtypes)


@given(st.floats(1e6, 1e13), st.floats(1e-3, 1), st.floats(1, 1e3))
def test_total_parameters_never_enter_the_energy(dense, active_share, surplus):
    active = dense * active_share
    rows = gl.compare_architectures(dense, active * surplus, active, 1e12)
    assert rows.loc["moe", "saving"] == pytest.approx(1 - active_share)
    assert rows.loc["moe", "weights_gb"] == pytest.approx(active * surplus * 2 / 1e9)


@pytest.mark.parametrize(
    "wrong", [(70e9, 13e9, 47e9, 2e12), (0, 47e9, 13e9, 2e12), (70e9, 47e9, "13B", 2e12), (70e9, 47e9, 13e9, -1)]
)
def test_impossible_models_are_refused(wrong):
    with pytest.raises(ArgumentError):
        gl.compare_architectures(*wrong)


@given(st.integers(1, 4096), st.integers(1, 256))
def test_a_batch_wakes_between_its_share_and_all(batch_size, experts):
    per_token = max(1, experts // 8)
    touched = gl.experts_touched(batch_size, experts=experts, experts_per_token=per_token)
    assert per_token / experts - 1e-12 <= touched <= 1
    assert gl.experts_touched(batch_size + 1, experts=experts, experts_per_token=per_token) >= touched


def test_a_batch_wakes_as_many_experts_as_random_routing_does():
    generator = np.random.default_rng(0)
    woken = [
        len(set(np.concatenate([generator.choice(64, 4, replace=False) for _ in range(16)]))) / 64 for _ in range(400)
    ]
    assert gl.experts_touched(16, experts=64, experts_per_token=4) == pytest.approx(np.mean(woken), abs=0.01)


def test_more_experts_for_a_token_than_there_are_is_refused():
    with pytest.raises(ArgumentError, match="experts_per_token / experts"):
        gl.experts_touched(8, experts=8, experts_per_token=9)
