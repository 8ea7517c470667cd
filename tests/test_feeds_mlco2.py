"""The calculator's numbers come back to the last digit, on its own outputs and against another way of rounding."""

import decimal
import math
from fractions import Fraction

import pytest
from hypothesis import example, given, strategies as st

import greenlib as gl
from greenlib.feeds.mlco2 import Estimate, estimate

# Outputs of the calculator: watt, hours, g/kWh, then what it shows.
SHOWN = [
    (250, 12345, 557, 3086.25, 0.56, 1728.3),
    (250, 1, 211, 0.25, 0.21, 0.05),
    (250, 7, 205, 1.75, 0.2, 0.35),
    (72, 1, 566, 0.07, 0.57, 0.04),
    (280, 100, 297, 28.0, 0.3, 8.4),
    (350, 100, 568, 35.0, 0.57, 19.95),
    (250, 7, 297, 1.75, 0.3, 0.53),
    (150, 7, 702, 1.05, 0.7, 0.73),
    (221, 7, 517, 1.55, 0.52, 0.81),
    (70, 100, 419, 7.0, 0.42, 2.94),
    (245, 7, 516, 1.72, 0.52, 0.89),
    (230, 12345, 105, 2839.35, 0.1, 283.94),
    (225, 12345, 419, 2777.63, 0.42, 1166.6),
    (250, 1, 367, 0.25, 0.37, 0.09),
    (250, 100, 240, 25.0, 0.24, 6.0),
    (250, 12345, 568, 3086.25, 0.57, 1759.16),
    (283, 1, 516, 0.28, 0.52, 0.15),
    (105, 12345, 805, 1296.22, 0.81, 1049.94),
    (250, 7, 20, 1.75, 0.02, 0.04),
    (250, 12345, 297, 3086.25, 0.3, 925.88),
    (245, 7, 517, 1.72, 0.52, 0.89),
    (250, 1, 900, 0.25, 0.9, 0.23),
    (125, 100, 900, 12.5, 0.9, 11.25),
    (250, 7, 900, 1.75, 0.9, 1.57),
    (250, 12345, 1009, 3086.25, 1.01, 3117.11),
    (250, 1, 424, 0.25, 0.42, 0.1),
    (85, 1, 474, 0.09, 0.47, 0.04),
    (280, 7, 0, 1.96, 0.0, 0.0),
]

watts = st.one_of(st.sampled_from([70, 72, 105, 221, 245, 283, 400]), st.floats(0, 1e4))
hours = st.one_of(st.integers(0, 10**6), st.floats(0, 1e6))
grams = st.one_of(st.integers(0, 1200), st.floats(0, 5e3))


def half_up(value: float) -> float:
    """Round to two digits in exact fractions: no decimals, no strings."""
    hundredths = Fraction(value) * 100 + Fraction(1, 2)
    return float(Fraction(hundredths.numerator // hundredths.denominator, 100))


@pytest.mark.parametrize(("watt", "hours", "impact", "energy_kwh", "impact_kg", "co2_kg"), SHOWN)
def test_the_calculator_is_reproduced_to_the_last_digit(watt, hours, impact, energy_kwh, impact_kg, co2_kg):
    assert estimate(watt, hours, impact) == (energy_kwh, impact_kg, co2_kg)


@given(watts, hours, grams)
@example(1, 125, 5)  # ties that binary fractions hold exactly: 0.125 kWh, and a half even hundredth
@example(1, 375, 5)
@example(1, 1005, 5)  # 1.005 lies below the tie in binary
def test_every_step_rounds_half_up_on_the_exact_binary_value(watt, hours, impact):
    shown = estimate(watt, hours, impact)
    energy_kwh, factor = half_up(watt * hours / 1000), half_up(impact / 1000)
    assert shown == (energy_kwh, factor, half_up(energy_kwh * factor))


def test_ties_go_up_where_python_rounds_them_to_even():
    assert estimate(1, 125, 1000).energy_kwh == 0.13
    assert round(0.125, 2) == 0.12
    assert estimate(1, 1005, 1000).energy_kwh == 1.0


def test_huge_numbers_stay_as_javascript_leaves_them():
    assert estimate(1e25, 1000, 1000) == (1e25, 1, 1e25)
    assert estimate(1e100, 1e100, 1e100).co2_kg == pytest.approx(1e294)
    # The largest number that is still rounded needs 23 digits.
    assert estimate(1, 999_999_999_999_999_868_928_000, 1000).energy_kwh == 999_999_999_999_999_868_928


def test_a_clean_grid_is_rounded_away():
    assert estimate(250, 1000, 4.9).co2_kg == 0
    assert estimate(250, 1000, 5).co2_kg == 2.5


def test_the_readers_own_decimal_context_changes_nothing():
    with decimal.localcontext(decimal.Context(prec=3, rounding=decimal.ROUND_DOWN)):
        assert estimate(250, 12345, 557) == (3086.25, 0.56, 1728.3)


def test_an_estimate_reads_like_a_tuple_and_like_a_row():
    shown = estimate(250, 12345, 557)
    assert isinstance(shown, Estimate)
    assert shown["co2_kg"] == shown.co2_kg == shown[2] == 1728.3
    assert dict(shown._asdict()) == {"energy_kwh": 3086.25, "impact_kg_per_kwh": 0.56, "co2_kg": 1728.3}
    with pytest.raises((KeyError, TypeError)):
        shown["offset_kg"]


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("bad", [-1, -0.001, math.nan, math.inf, "250", None, True, [1, 2]])
def test_what_cannot_be_is_refused(place, bad):
    arguments = [250, 100, 557]
    arguments[place] = bad
    with pytest.raises(gl.ArgumentError):
        estimate(*arguments)
