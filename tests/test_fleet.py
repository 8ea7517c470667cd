"""Sizing a service: Little's law holds, the limits hold, and an idle hour is not free."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import greenlib as gl
from greenlib.checks import AlignmentError, ArgumentError, ArgumentTypeError, UnknownNameError

SERVER = {
    "output_tokens": 400,
    "max_token_ms": 50,
    "max_batch_size": 128,
    "model": "Llama-3.1-70B",
    "weight_precision": "bf16",
    "accelerator": "H100-SXM",
    "accelerators": 4,
    "prompt_tokens": 600,
}

demands = st.lists(st.floats(0, 1e6), min_size=1, max_size=24).filter(any)


def step_ms(batch_size):
    names = ("output_tokens", "model", "weight_precision", "accelerator", "accelerators", "prompt_tokens")
    return 1000 * gl.serving_step(batch_size=batch_size, **{name: SERVER[name] for name in names}).step_s


@given(demands)
def test_requests_in_flight_obey_little_s_law(demand):
    fleet = gl.size_fleet(demand, **SERVER)
    busy = fleet.batch_size >= 1
    arrivals_per_s = np.array(demand) / 3600
    in_flight = arrivals_per_s * SERVER["output_tokens"] * fleet.token_ms / 1000
    assert (fleet.batch_size * fleet.replicas)[busy] == pytest.approx(in_flight[busy], rel=0.02)


@given(demands)
def test_the_busiest_hour_is_served_within_every_limit(demand):
    fleet = gl.size_fleet(demand, **SERVER)
    assert fleet.batch_size.max() <= fleet.max_batch_size <= 128
    assert fleet.token_ms.max() <= 50
    assert fleet.accelerators == 4 * fleet.replicas.max()
    assert max(demand) <= fleet.replicas.max() * fleet.capacity_per_hour * (1 + 1e-6)
    if fleet.replicas.max() > 1:
        assert max(demand) > (fleet.replicas.max() - 1) * fleet.capacity_per_hour


@given(demands)
def test_switching_off_serves_the_same_with_no_more_energy(demand):
    always_on, switched = (gl.size_fleet(demand, switch_off=off, **SERVER) for off in (False, True))
    assert (switched.replicas <= always_on.replicas).all()
    assert switched.accelerators == always_on.accelerators
    assert (switched.power_w <= always_on.power_w * (1 + 1e-9)).all()
    assert switched.tokens == always_on.tokens == pytest.approx(sum(demand) * 400)


@given(demands, st.floats(1, 5))
def test_more_requests_never_take_less_energy(demand, factor):
    less = gl.size_fleet(demand, **SERVER)
    more = gl.size_fleet([factor * one for one in demand], **SERVER)
    assert more.accelerators >= less.accelerators
    assert more.device_kwh >= less.device_kwh * (1 - 1e-9)


def test_an_hour_at_the_limit_is_the_serving_model_s_own():
    fleet = gl.size_fleet([1.0], **SERVER)
    batch = fleet.max_batch_size
    assert fleet.capacity_per_hour == pytest.approx(3600 * 1000 * batch / (400 * step_ms(batch)))
    full = gl.size_fleet([fleet.capacity_per_hour], **SERVER)
    assert full.batch_size[0] == pytest.approx(batch)
    names = ("output_tokens", "model", "weight_precision", "accelerator", "accelerators", "prompt_tokens")
    one = gl.joules_per_token(batch_size=batch, **{name: SERVER[name] for name in names})
    assert full.joules_per_token == pytest.approx(one)


def test_idle_replicas_draw_their_floor():
    fleet = gl.size_fleet([0, 100_000], **SERVER)
    floor_w = gl.serving_constants().floor_fraction * 700
    assert fleet.power_w[0] == pytest.approx(fleet.accelerators * floor_w)
    night, day = fleet.power_w
    assert night < day
    assert fleet.joules_per_token > gl.size_fleet([100_000], **SERVER).joules_per_token


def test_latency_and_memory_bound_the_batch():
    slow, quick = (gl.size_fleet([1000], **SERVER | {"max_token_ms": ms}).max_batch_size for ms in (40, 25))
    assert step_ms(quick) <= 25 < step_ms(quick + 1)
    assert quick < slow
    # 70 GB of weights leave 6 GB of an accelerator's 80 less 5 %; 888 tokens of cache in 80 layers take 0.29 GB.
    tight = SERVER | {"weight_precision": "fp8", "accelerators": 1, "max_token_ms": 1000}
    assert gl.size_fleet([1000], **tight).max_batch_size == 20


@pytest.mark.parametrize("model", gl.table("models")["name"])
def test_every_model_of_the_table_can_be_sized(model):
    server = SERVER | {"model": model, "accelerator": "B200-SXM", "accelerators": 8, "max_token_ms": 500}
    fleet = gl.size_fleet(np.linspace(0, 1e5, 50), **server)
    assert (np.diff(fleet.batch_size) > 0).all()
    assert (fleet.power_w <= fleet.accelerators * 1000).all()
    assert fleet.power_w[0] < fleet.power_w[-1]


def test_a_fleet_that_is_given_must_suffice():
    fleet = gl.size_fleet([1000, 50_000], **SERVER)
    larger = gl.size_fleet([1000, 50_000], replicas=int(fleet.replicas[0]) + 3, **SERVER)
    assert larger.device_kwh > fleet.device_kwh
    with pytest.raises(ArgumentError, match="replicas = 1"):
        gl.size_fleet([1000, 500_000], replicas=1, **SERVER)


@pytest.mark.parametrize(
    ("changed", "error", "match"),
    [
        ({"requests_per_hour": [0, 0]}, ArgumentError, "a request in some hour"),
        ({"requests_per_hour": [[1]]}, ArgumentError, "one-dimensional"),
        ({"requests_per_hour": [1, math.nan]}, ArgumentError, "nan"),
        ({"requests_per_hour": [-1]}, ArgumentError, "requests_per_hour = -1"),
        ({"output_tokens": 0.5}, ArgumentError, "output_tokens"),
        ({"max_token_ms": 5}, ArgumentError, "for one request at a time"),
        ({"max_batch_size": 0}, ArgumentError, "max_batch_size"),
        ({"max_batch_size": 1.5}, ArgumentTypeError, "max_batch_size"),
        ({"accelerators": 1}, ArgumentError, "at least 2 for the weights to fit"),
        (
            {"accelerators": 2, "weight_precision": "fp16", "output_tokens": 1e5},
            ArgumentError,
            "at least 3 for one cache to fit",
        ),
        ({"model": "Llama-3.1-71B"}, UnknownNameError, "did you mean 'Llama-3.1-70B'"),
        ({"weight_precision": "bf61"}, UnknownNameError, "did you mean 'bf16'"),
        ({"accelerator": "H100SXM"}, UnknownNameError, "did you mean 'H100-SXM'"),
        ({"switch_off": "no"}, ArgumentTypeError, "True or False"),
        ({"replicas": 0}, ArgumentError, "replicas"),
    ],
)
def test_services_that_cannot_be_are_refused(changed, error, match):
    with pytest.raises(error, match=match):
        gl.size_fleet(**{"requests_per_hour": [1000]} | SERVER | changed)


YEAR = {
    "it_ratio": 1.5,
    "pue": 1.2,
    "grid_g_per_kwh": 200,
    "accelerator_hours": 12 * 8760,
    "device_embodied_kg": 300,
    "lifetime_hours": 5 * 8760,
}


def test_a_year_is_the_chain_and_the_making():
    kg = gl.service_kg(50_000, **YEAR)
    facility = gl.facility_kwh(50_000 * 1.5, pue=1.2)
    making = gl.embodied_kg(12 * 8760, device_embodied_kg=300, lifetime_hours=5 * 8760, utilization=1)
    assert kg == pytest.approx(gl.emissions_kg(facility, grid_g_per_kwh=200) + making)
    assert gl.service_kg(0, **YEAR) == pytest.approx(12 * 300 / 5)


def test_twice_the_use_doubles_all_and_twice_the_energy_only_the_electricity():
    kg, making = gl.service_kg(50_000, **YEAR), gl.service_kg(0, **YEAR)
    assert gl.service_kg(50_000, use_ratio=2, **YEAR) == pytest.approx(2 * kg)
    assert gl.service_kg(50_000, error_ratio=2, **YEAR) == pytest.approx(2 * kg - making)


def test_a_year_takes_samples_and_keeps_their_kind():
    grid = pd.Series([100.0, 300.0], index=["a", "b"])
    kg = gl.service_kg(50_000, **YEAR | {"grid_g_per_kwh": grid})
    assert kg.index.tolist() == ["a", "b"]
    assert kg["b"] > kg["a"]
    with pytest.raises(AlignmentError):
        gl.service_kg(pd.Series([1.0]), **YEAR | {"grid_g_per_kwh": grid})
    with pytest.raises(ArgumentError, match="it_ratio"):
        gl.service_kg(1, **YEAR | {"it_ratio": 0.9})
