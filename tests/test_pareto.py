"""The Pareto front: nobody on it is beaten, and everybody off it is."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

import greenlib as gl
from greenlib.checks import ArgumentError, ArgumentTypeError, UnknownNameError

options = hnp.arrays(float, st.tuples(st.integers(0, 30), st.integers(1, 4)), elements=st.integers(-3, 3).map(float))


def beats(a, b):
    return (a <= b).all() and (a < b).any()


@given(options)
def test_exactly_the_unbeaten_are_on_the_front(costs):
    expected = [not any(beats(other, one) for other in costs) for one in costs]
    assert gl.pareto_front(costs).tolist() == expected


@given(options, st.randoms(use_true_random=False))
def test_the_order_of_the_options_does_not_matter(costs, random):
    order = list(range(len(costs)))
    random.shuffle(order)
    assert gl.pareto_front(costs[order]).tolist() == gl.pareto_front(costs)[order].tolist()


@given(options)
def test_to_maximise_is_to_minimise_the_opposite(costs):
    positions = range(costs.shape[1])
    assert gl.pareto_front(costs, maximise=positions).tolist() == gl.pareto_front(-costs).tolist()


def test_a_frame_is_read_by_name_and_keeps_its_index():
    runs = pd.DataFrame({"name": list("abcd"), "kg": [1, 2, 2, 3], "score": [5, 9, 7, 8]}, index=[4, 3, 2, 1])
    front = gl.pareto_front(runs, minimise=["kg"], maximise=["score"])
    assert runs.loc[front, "name"].tolist() == ["a", "b"]
    assert front.index.tolist() == [4, 3, 2, 1]
    numbers = runs[["kg", "score"]]
    assert gl.pareto_front(numbers, maximise=["score"]).equals(front)


def test_equal_options_stay_together():
    assert gl.pareto_front([[1, 2], [1, 2], [2, 2]]).tolist() == [True, True, False]


def test_a_hundred_thousand_options_are_all_compared():
    generator = np.random.default_rng(0)
    costs = generator.normal(size=(100_000, 2))
    costs[777] = -100
    assert np.flatnonzero(gl.pareto_front(costs)).tolist() == [777]


@pytest.mark.parametrize(
    ("rows", "criteria", "error", "match"),
    [
        ([[1, np.nan]], {}, ArgumentError, "1 = nan"),
        ([1, 2, 3], {}, ArgumentError, "shape"),
        ([[1, 2]], {"minimise": []}, ArgumentError, "at least one column"),
        ([[1, 2]], {"minimise": [0], "maximise": [0]}, ArgumentError, "not minimised, too"),
        ([[1, 2]], {"minimise": [2]}, UnknownNameError, "minimise '2'"),
        ([["a", 2]], {}, ArgumentTypeError, "0 ="),
        (pd.DataFrame({"cost_usd": [1]}), {"minimise": "cost_usd"}, ArgumentTypeError, "a list of columns"),
        (pd.DataFrame({"cost_usd": [1]}), {"minimise": ["cost_us"]}, UnknownNameError, "did you mean 'cost_usd'"),
        (pd.DataFrame({"cost_usd": [1]}), {"minimise": 0}, ArgumentTypeError, "a list of columns"),
        (pd.DataFrame({"1": [1]}), {"minimise": [1]}, ArgumentTypeError, "'1' in another type"),
        (pd.DataFrame({"cost_usd": [1]}), {"minimise": [["cost_usd"]]}, UnknownNameError, "cost_usd"),
    ],
)
def test_what_cannot_be_compared_is_refused(rows, criteria, error, match):
    with pytest.raises(error, match=match):
        gl.pareto_front(rows, **criteria)
