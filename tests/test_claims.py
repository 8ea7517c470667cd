"""A number in the prose is bound to the computed one, exactly as far as the prose writes it."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import greenlib as gl
from greenlib.checks import ArgumentError, ArgumentTypeError
from greenlib.claims import ClaimError, claims_html


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("81.4 %", 0.81428),
        ("81 %", 0.81428),
        ("454,162 kWh", 454161.8),
        ("10.5 times", 10.497),
        ("about 3,000 t", 2_612),
        ("≈ 10×", 9.6),
        ("−4.2 %", -0.0418),
        ("3.14e23 FLOP", 3.1416e23),
        ("0 kg", 0.2),
        ("USD 12.50", 12.496),
    ],
)
def test_agreement_to_the_last_written_digit(text, value):
    bound = gl.claim(text, value)
    assert text in repr(bound)
    assert text in bound._repr_html_()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("81.4 %", 0.8149),
        ("81.4 %", 81.4),
        ("454,162 kWh", 454_163),
        ("3,000 t", 2_999),
        ("about 3,000 t", 3_600),
        ("10 times", 9.4),
        ("4.2 %", -0.042),
    ],
)
def test_disagreement_is_an_error_that_says_both(text, value):
    with pytest.raises(ClaimError, match="the computation says") as caught:
        gl.claim(text, value)
    assert text in str(caught.value)
    assert isinstance(caught.value, AssertionError)


@given(st.floats(0.01, 1e6), st.integers(0, 3))
def test_every_rounding_of_a_number_is_a_true_claim(value, digits):
    gl.claim(f"{value:,.{digits}f} kg", value)


@given(st.floats(1, 1e5), st.floats(0.6, 5))
def test_one_step_off_is_always_noticed(value, steps):
    with pytest.raises(ClaimError):
        gl.claim(f"{round(value) + math.copysign(steps, 1):.0f} kg", value - 1.2 + (value - round(value)) * 0)


def test_several_claims_of_a_cell_are_shown_line_by_line_and_other_tuples_as_ever():
    html = claims_html((gl.claim("50 %", 0.5), gl.claim("2 kg", 2.2)))
    assert html.count('class="claim"') == 2
    assert claims_html((gl.claim("1", 1), (gl.claim("2", 2), gl.claim("3", 3)))).count('class="claim"') == 3
    mixed = claims_html((gl.claim("1", 1), gl.prediction("saving", 0, 1, 0.5)))
    assert 'class="claim"' in mixed
    assert 'class="prediction hit"' in mixed
    assert claims_html((1, 2)) is None
    assert claims_html((gl.claim("1", 1), (2, 3))) is None
    assert claims_html(()) is None


@pytest.mark.parametrize("value", [np.float64(0.5), np.array(0.5), pd.Series([0.5]), 0.5])
def test_one_number_of_any_kind_will_do(value):
    assert gl.claim("50 %", value).value == 0.5


@pytest.mark.parametrize(("text", "value"), [("no number", 1.0), ("5 kg", math.nan), ("5 kg", math.inf)])
def test_claims_that_say_nothing_are_refused(text, value):
    with pytest.raises(ArgumentError):
        gl.claim(text, value)


@pytest.mark.parametrize(("text", "value"), [(5, 5.0), ("5 kg", "5"), ("5 kg", [5.0, 6.0]), ("5 kg", None)])
def test_claims_of_the_wrong_kind_are_refused(text, value):
    with pytest.raises(ArgumentTypeError):
        gl.claim(text, value)


@pytest.mark.parametrize(
    ("low", "high", "actual", "where"),
    [(1, 3, 2, "inside"), (1, 3, 4, "above"), (1, 3, 0.5, "below"), (2, 2, 2, "inside")],
)
def test_a_prediction_says_where_the_value_fell(low, high, actual, where):
    compared = gl.prediction("saving, fraction", low, high, actual)
    assert f"lies {where} your range" in repr(compared)
    assert compared.holds == (where == "inside")
    assert ("hit" if compared.holds else "miss") in compared._repr_html_()


@pytest.mark.parametrize("bounds", [(3, 1), (math.nan, 1), (0, math.inf)])
def test_a_prediction_upside_down_or_endless_is_refused(bounds):
    with pytest.raises(ArgumentError):
        gl.prediction("saving", *bounds, 0.5)
    with pytest.raises(ArgumentTypeError):
        gl.prediction(3, 0, 1, 0.5)
