"""The argument check: every public formula keeps the kind it was given and refuses what cannot be true."""

import inspect
import math
import pickle

import dask.array
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

import greenlib as gl
from greenlib import checks
from greenlib.checks import (
    QUANTITIES,
    AlignmentError,
    ArgumentError,
    ArgumentTypeError,
    Interval,
    UnknownNameError,
    checked,
    choice,
    integer,
    number,
    quantity,
)

FORMULAS = {name: getattr(gl, name) for name in dir(gl) if hasattr(getattr(gl, name), "formula")}
STRUCTURED = {"best_start", "cheapest_hours", "plan_training"}
"""Checked functions that return several things at once; their own rooms test what comes out."""
POSSIBLE = {name: next(v for v in (0.5, 1.5, 4.0, 1e12) if v in q.allowed) for name, q in QUANTITIES.items()}


def arguments(function):
    """Possible values for every quantity that the function takes."""
    return {name: POSSIBLE[name] for name in inspect.signature(function).parameters if name in QUANTITIES}


each_argument = pytest.mark.parametrize(
    ("name", "argument"),
    [(name, argument) for name, function in FORMULAS.items() for argument in arguments(function)],
)


def call(name, **changed):
    function = FORMULAS[name]
    given = arguments(function) | changed
    first = [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    positional = [given.pop(n) for n in first if n in given]
    return function(*positional, **given)


def test_the_book_has_formulas():
    assert len(FORMULAS) >= 20


@each_argument
@pytest.mark.parametrize(
    "impossible", [math.nan, math.inf, -math.inf, "0.4", None, True, 1j, [1.0, math.nan], ["a"], {}]
)
def test_every_formula_refuses_what_is_no_number(name, argument, impossible):
    if impossible is None and inspect.signature(FORMULAS[name]).parameters[argument].default is None:
        pytest.skip("may be left out")
    with pytest.raises(ArgumentError) as caught:
        call(name, **{argument: impossible})
    assert argument in str(caught.value)


@each_argument
def test_every_formula_holds_both_ends_of_its_ranges(name, argument):
    allowed = QUANTITIES[argument].allowed
    for end, step in ((allowed.low, -1), (allowed.high, 1)):
        beyond = end + step * max(1.0, abs(end))
        if math.isfinite(beyond):
            for value in (beyond, np.array([POSSIBLE[argument], beyond]), pd.Series([beyond])):
                with pytest.raises(ArgumentError, match=argument):
                    call(name, **{argument: value})


@pytest.mark.parametrize("name", sorted(FORMULAS.keys() - STRUCTURED))
def test_every_formula_gives_back_the_kind_it_got(name):
    one = call(name)
    assert type(one) is float
    values = {argument: np.array([value, value]) for argument, value in arguments(FORMULAS[name]).items()}
    assert type(call(name, **values)) is np.ndarray
    index = pd.Index(["a", "b"])
    series = call(name, **{argument: pd.Series(value, index=index) for argument, value in values.items()})
    assert type(series) is pd.Series
    assert series.index.equals(index)
    lazy = call(name, **{argument: dask.array.from_array(value) for argument, value in values.items()})
    assert isinstance(lazy, dask.array.Array)
    for several in (call(name, **values), series.to_numpy(), lazy.compute()):
        np.testing.assert_allclose(several, [one, one], rtol=1e-14)


def test_lists_become_arrays_and_integers_become_floats():
    hours = gl.accelerator_hours([10**21, 2 * 10**21], peak_flops_per_s=10**15, mfu=1)
    assert hours.dtype == np.float64
    np.testing.assert_allclose(hours, [1e6 / 3600, 2e6 / 3600])


@pytest.mark.parametrize("kind", [np.array, pd.Series])
def test_integers_that_would_overflow_do_not(kind):
    flops = gl.training_flops(kind([70_000_000_000]), kind([2_000_000_000_000]))
    assert float(flops[0]) == 8.4e23


def test_series_of_integers_objects_and_nullable_numbers_are_read_as_numbers():
    for dtype in ("int64", "float32", "object", "Int64", "Float64"):
        result = gl.facility_kwh(pd.Series([1, 2], dtype=dtype), pue=2)
        assert result.tolist() == [2.0, 4.0]
    with pytest.raises(ArgumentError):
        gl.facility_kwh(pd.Series([1, None], dtype="Int64"), pue=2)
    with pytest.raises(ArgumentTypeError):
        gl.facility_kwh(pd.Series(["1", "2"]), pue=2)


def test_dask_stays_lazy_until_the_bad_value_is_computed():
    lazy = gl.facility_kwh(dask.array.from_array(np.array([1.0, math.nan])), pue=1.1)
    with pytest.raises(ArgumentError, match="it_kwh = nan"):
        lazy.compute()


def test_misaligned_series_are_refused_instead_of_padded_with_nan():
    energy = pd.Series([1.0, 2.0], index=["a", "b"])
    for other in (pd.Series([1.1, 1.2], index=["b", "c"]), pd.Series([1.2, 1.1], index=["b", "a"])):
        with pytest.raises(AlignmentError, match="pue"):
            gl.facility_kwh(energy, pue=other)
    with pytest.raises(AlignmentError):
        gl.facility_kwh(energy, pue=np.array([1.1, 1.2, 1.3]))
    with pytest.raises(AlignmentError):
        gl.facility_kwh(np.ones(2), pue=np.array([1.1, 1.2, 1.3]))
    assert gl.facility_kwh(energy, pue=np.array([2.0, 3.0])).tolist() == [2.0, 6.0]


def test_models_times_regions_by_broadcasting():
    energy, grid = np.array([[1000.0], [2000.0]]), np.array([20.0, 400.0, 700.0])
    assert gl.emissions_kg(energy, grid_g_per_kwh=grid).shape == (2, 3)


def test_the_message_names_argument_value_range_and_what_was_meant():
    with pytest.raises(ArgumentError) as caught:
        gl.accelerator_hours(1e21, peak_flops_per_s=1e15, mfu=40)
    error = caught.value
    assert (error.argument, error.value) == ("mfu", 40)
    assert str(error) == (
        "mfu = 40.0 is not possible: it must be above 0, at most 1; did you mean 0.4 (fractions run from 0 to 1)?"
    )
    with pytest.raises(ArgumentError, match="did you mean 989e12"):
        gl.accelerator_hours(1e21, peak_flops_per_s=989, mfu=0.4)


def test_the_first_bad_element_is_the_one_named():
    with pytest.raises(ArgumentError, match=r"pue = 0\.5 "):
        gl.facility_kwh(np.ones(4), pue=np.array([1.0, 1.2, 0.5, -3.0]))


@given(st.integers(0, 99_999), st.sampled_from([math.nan, math.inf, -1.0]))
def test_a_bad_value_anywhere_in_a_long_array_is_found(place, bad):
    energy = np.ones(100_000)
    energy[place] = bad
    with pytest.raises(ArgumentError, match="it_kwh"):
        gl.facility_kwh(energy, pue=1.5)


def test_long_arrays_in_blocks_equal_short_ones():
    generator = np.random.default_rng(5)
    energy, grid = generator.uniform(0, 1e6, 50_001), generator.uniform(0, 900, 50_001)
    np.testing.assert_array_equal(gl.emissions_kg(energy, grid_g_per_kwh=grid), energy * grid / 1000)


def test_the_caller_s_array_is_left_alone():
    energy = np.arange(3)
    gl.facility_kwh(energy, pue=2.0)
    assert energy.dtype == np.arange(3).dtype
    assert energy.tolist() == [0, 1, 2]


def test_empty_arrays_pass():
    assert gl.facility_kwh(np.array([]), pue=1.2).size == 0


def test_wrong_calls_fail_as_python_calls_do():
    for wrong in (lambda: gl.it_kwh(), lambda: gl.it_kwh(1, 2, power_w=3), lambda: gl.it_kwh(1, watts=2)):
        with pytest.raises(TypeError):
            wrong()
    with pytest.raises(TypeError):
        gl.it_kwh(1, accelerator_hours=1, power_w=3)


def test_choice_suggests_the_nearest_name():
    assert choice("signal", "average", ["average", "marginal"]) == "average"
    with pytest.raises(UnknownNameError) as caught:
        choice("accelerator", "h100-sxm", ["H100-SXM", "A100-SXM-80GB"])
    assert "did you mean 'H100-SXM'?" in str(caught.value)
    assert isinstance(caught.value, KeyError)
    with pytest.raises(UnknownNameError) as caught:
        choice("region", "atlantis", [f"region-{i}" for i in range(100)])
    assert caught.value.suggestion is None
    assert "one of 100 known names" in str(caught.value)
    with pytest.raises(ArgumentTypeError):
        choice("signal", 3, ["average"])


@pytest.mark.parametrize(
    ("value", "error"), [(0, ArgumentError), (11, ArgumentError), (2.5, TypeError), (True, TypeError)]
)
def test_integer_refuses(value, error):
    with pytest.raises(error, match="n"):
        integer("n", value, low=1, high=10)


def test_integer_and_number_take_numpy_scalars():
    assert integer("n", np.int64(3), low=1) == 3
    assert number("x", np.float32(0.5)) == 0.5
    assert number("x", pd.Series([0.5])) == 0.5
    with pytest.raises(ArgumentTypeError):
        number("x", [1.0, 2.0])
    with pytest.raises(ArgumentError):
        number("x", math.inf)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_interval_contains_what_mathematics_says(value):
    assert (value in Interval.parse("[0, 1)")) == (0 <= value < 1)
    assert (value in Interval.parse("(-inf, inf)")) is True


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(0, 1]", "above 0, at most 1"),
        ("[1e6, 2e6)", "at least 1e+06, below 2e+06"),
        ("[0, inf)", "at least 0, finite"),
        ("(-inf, inf)", "finite"),
    ],
)
def test_interval_in_words(text, words):
    assert str(Interval.parse(text)) == words


@pytest.mark.parametrize("text", ["0, 1", "[0; 1]", "[0, 1, 2]", "{0, 1}"])
def test_interval_refuses_other_notations(text):
    with pytest.raises(ArgumentError):
        Interval.parse(text)


def test_quantity_of_a_name_outside_the_vocabulary_needs_a_range():
    assert quantity("share of night hours", 0.5, "[0, 1]") == 0.5
    with pytest.raises(ArgumentError, match="share of night hours"):
        quantity("share of night hours", np.array([0.5, 1.5]), "[0, 1]")


def test_checked_leaves_other_arguments_alone():
    @checked
    def labelled(pue, label="x", wue_l_per_kwh=None):
        return pue, label, wue_l_per_kwh

    assert labelled(1.2, label=object) == (1.2, object, None)


def test_errors_survive_pickling():
    for error in (ArgumentError("pue", 0.5, "at least 1"), checks.DataError("a.csv", "is blank", row=3, column="b")):
        copy = pickle.loads(pickle.dumps(error))
        assert type(copy) is type(error)
        assert copy.args == error.args
