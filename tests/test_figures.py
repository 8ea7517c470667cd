"""The charts say what they were given: marks, colours, labels, units, ranges, and nothing that is not so."""

from __future__ import annotations

import io
import itertools
import sys

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from matplotlib.collections import FillBetweenPolyCollection, LineCollection, PathCollection
from matplotlib.colors import same_color, to_rgb
from matplotlib.container import ErrorbarContainer
from matplotlib.text import Text

from greenlib import _layout, figures
from greenlib.checks import AlignmentError, ArgumentError, ArgumentTypeError, UnknownNameError


@pytest.fixture(autouse=True)
def _clean_matplotlib():
    with plt.rc_context():
        figures.house_style()
        yield
    plt.close("all")


def written(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def colour_of(ax, words: str) -> str:
    return next(text.get_color() for text in ax.texts if text.get_text() == words)


def names_on_rows(ax) -> list[str]:
    return [label.get_text() for label in ax.get_yticklabels()]


def ranges_along(ax, column: int) -> list[tuple[float, float]]:
    """Return the ends of every whisker along x (column 0) or y (column 1)."""
    found = []
    for container in ax.containers:
        if isinstance(container, ErrorbarContainer):
            for bar in container.lines[2]:
                found += [tuple(segment[:, column]) for segment in bar.get_segments()]
    return [pytest.approx(ends) for ends in found if ends[0] != ends[1]]


def svg_of(ax) -> bytes:
    file = io.BytesIO()
    ax.figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()


def inside_figure(ax) -> bool:
    ax.figure.canvas.draw()
    width, height = ax.figure.bbox.size
    box = ax.get_tightbbox()
    return box.x0 >= -1 and box.y0 >= -1 and box.x1 <= width + 1 and box.y1 <= height + 1


def overlaps(texts) -> list[tuple[str, str]]:
    # The extent of an annotation includes the line that leads to it, which may pass other labels.
    boxes = [(text.get_text(), Text.get_window_extent(text).padded(-1)) for text in texts if text.get_text()]
    return [(one, other) for (one, a), (other, b) in itertools.combinations(boxes, 2) if a.overlaps(b)]


TORNADO = pd.DataFrame(
    {"low": [95.0, 80.0, 300.0, 110.0], "high": [104.0, 540.0, 90.0, 130.0]},
    index=["PUE", "grid intensity", "MFU", "lifetime"],
)
TORNADO.attrs["base"] = 100.0
FACTORS = {"best case": 1, "batch size": 22, "model": 11, "precision": 1.9}


def every_chart() -> dict[str, plt.Axes]:
    long_name = "a site with quite a long name, in the north"
    return {
        "bars": figures.bars([long_name, "b"], [39, 413], unit="g CO2e/kWh", low=[30, 400], high=[60, 430]),
        "bars, negative": figures.bars(["a", "b"], [-40, 120], unit="kWh"),
        "bars, log": figures.bars(["a", "b"], [0.4, 4000], unit="J per output token", log=True),
        "lines": figures.lines(
            [1, 2, 4],
            {long_name: [1, 2, 4], "b": [1, 2, 4.1]},
            x_label="year",
            y_label="energy, MWh per year",
        ),
        "lines, log": figures.lines(
            [1, 10, 100], {"a": [300, 30, 3]}, x_label="batch size", y_label="J", log_x=True, log_y=True
        ),
        "points": figures.points(
            [1, 2, 3],
            [5, 9, 8],
            labels=["first", "second", "third"],
            x_label="J per output token",
            y_label="score",
        ),
        "tornado": figures.tornado(TORNADO, unit="kg CO2e"),
        "tornado, log": figures.tornado(TORNADO, unit="kg CO2e", log=True),
        "waterfall": figures.waterfall({"published": 552, "power": -60, "PUE": 22}, unit="t CO2e"),
        "waterfall, log": figures.waterfall(FACTORS, unit="times the best case", log=True),
    }


class TestHouseStyle:
    def test_text_is_readable_at_phone_width(self):
        width_in_points = plt.rcParams["figure.figsize"][0] * 72
        assert plt.rcParams["font.size"] >= 11
        assert width_in_points <= 375

    def test_message_is_dark_enough_for_text_on_white(self):
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(figures.MESSAGE)]
        luminance = np.dot(linear, [0.2126, 0.7152, 0.0722])
        assert 1.05 / (luminance + 0.05) >= 4.5

    def test_same_chart_gives_the_same_file(self):
        first, second = (svg_of(figures.bars(["a", "b"], [1, 2], unit="kWh")) for _ in range(2))
        assert first == second

    def test_without_a_notebook_only_the_settings_change(self, monkeypatch):
        monkeypatch.delitem(sys.modules, "IPython", raising=False)
        figures.house_style()
        assert "IPython" not in sys.modules

    def test_a_notebook_shows_svg_at_full_width(self, monkeypatch, tmp_path):
        monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
        # The shell puts its own module in place of __main__.
        monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
        from IPython.core.interactiveshell import InteractiveShell
        from traitlets.config import Config

        shell = InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))
        try:
            figures.house_style()
            shown, _ = shell.display_formatter.format(figures.bars(["a"], [1], unit="kWh").figure)
        finally:
            InteractiveShell.clear_instance()
        assert 'width="374.4pt"' in shown["image/svg+xml"]
        assert "image/png" not in shown
        assert "dc:date" not in shown["image/svg+xml"]


class TestEveryChart:
    def test_draws_on_the_axes_it_is_given(self):
        _, ax = plt.subplots()
        assert figures.bars(["a"], [1], unit="kWh", ax=ax) is ax
        _, ax = plt.subplots()
        assert figures.lines([1, 2], {"a": [1, 2]}, x_label="h", y_label="kWh", ax=ax) is ax
        _, ax = plt.subplots()
        assert figures.points([1, 2], [1, 2], x_label="h", y_label="kWh", ax=ax) is ax
        _, ax = plt.subplots()
        assert figures.tornado(TORNADO, unit="kg", ax=ax) is ax
        _, ax = plt.subplots()
        assert figures.waterfall(FACTORS, unit="kg", ax=ax) is ax

    def test_no_text_leaves_the_figure(self):
        assert {name: inside_figure(ax) for name, ax in every_chart().items()} == dict.fromkeys(every_chart(), True)

    def test_no_two_labels_overlap(self):
        for name, ax in every_chart().items():
            ax.figure.canvas.draw()
            assert (name, overlaps([*ax.texts, *ax.get_yticklabels()])) == (name, [])

    def test_is_as_wide_as_a_phone_allows(self):
        assert {ax.figure.get_figwidth() for ax in every_chart().values()} == {5.2}

    def test_log_scales_are_said_and_linear_ones_are_not(self):
        for name, ax in every_chart().items():
            assert (name, "(log scale)" in ax.get_xlabel()) == (name, ax.get_xscale() == "log")
            assert (name, "(log scale)" in ax.get_ylabel()) == (name, ax.get_yscale() == "log")

    def test_titles_are_shown_where_given(self):
        titled = [
            figures.bars(["a"], [1], unit="kWh", title="So it is"),
            figures.lines([1, 2], {"a": [1, 2]}, x_label="h", y_label="kWh", title="So it is"),
            figures.points([1, 2], [1, 2], x_label="h", y_label="kWh", title="So it is"),
            figures.tornado(TORNADO, unit="kg", title="So it is"),
            figures.waterfall(FACTORS, unit="kg", title="So it is"),
        ]
        assert [ax.get_title(loc="left") for ax in titled] == ["So it is"] * 5
        for ax in titled:
            ax.figure.canvas.draw()
            label = ax.yaxis.label.get_window_extent()
            assert ax._left_title.get_window_extent().y0 >= label.y1 or not ax.get_ylabel()

    def test_changes_nothing_it_was_given(self):
        before = TORNADO.copy()
        figures.tornado(TORNADO, unit="kg")
        pd.testing.assert_frame_equal(TORNADO, before)

    def test_round_numbers_at_the_ticks_are_plain(self):
        ax = figures.lines([2020, 2030], {"a": [10_000, 60_000]}, x_label="year", y_label="MWh")
        ax.figure.canvas.draw()
        assert "2020" in [label.get_text() for label in ax.get_xticklabels()]
        assert "20,000" in [label.get_text() for label in ax.get_yticklabels()]

    def test_huge_and_tiny_ticks_are_powers_of_ten(self):
        ax = figures.lines([1, 1e9], {"a": [1e-7, 1]}, x_label="tokens", y_label="kWh", log_x=True, log_y=True)
        ax.figure.canvas.draw()
        assert "1e8" in [label.get_text() for label in ax.get_xticklabels()]
        assert "1e\N{MINUS SIGN}6" in [label.get_text() for label in ax.get_yticklabels()]


class TestBars:
    def test_one_bar_per_label_first_on_top(self):
        ax = figures.bars(["Iowa", "Hamina", "Mumbai"], [413, 39, 670], unit="g CO2e/kWh")
        assert [bar.get_width() for bar in ax.patches] == [413, 39, 670]
        assert names_on_rows(ax) == ["Iowa", "Hamina", "Mumbai"]
        bottom, top = ax.get_ylim()
        assert bottom > top

    def test_only_the_highlight_has_colour(self):
        ax = figures.bars(["Iowa", "Hamina"], [413, 39], unit="g", highlight="Hamina")
        assert [same_color(bar.get_facecolor(), figures.MESSAGE) for bar in ax.patches] == [False, True]
        assert colour_of(ax, "39") == figures.MESSAGE
        assert colour_of(ax, "413") != figures.MESSAGE

    def test_without_a_highlight_all_is_context(self):
        ax = figures.bars(["a", "b"], [1, 2], unit="g")
        assert all(same_color(bar.get_facecolor(), figures.CONTEXT) for bar in ax.patches)

    def test_several_highlights(self):
        ax = figures.bars([8, 16, 32], [1, 2, 3], unit="g", highlight=[8, "32"])
        assert [same_color(bar.get_facecolor(), figures.MESSAGE) for bar in ax.patches] == [True, False, True]

    def test_values_stand_beside_the_bars_and_the_unit_below(self):
        ax = figures.bars(["a", "b", "c", "d"], [0.0321, 1234.4, 41, -2.5], unit="kg CO2e")
        assert written(ax) == ["0.0321", "1,230", "41", "\N{MINUS SIGN}2.5"]
        assert ax.get_xlabel() == "kg CO2e"

    def test_values_can_be_written_otherwise(self):
        assert written(figures.bars(["a"], [1234.4], unit="kg", value_format="{:,.1f}")) == ["1,234.4"]

    def test_ranges_are_drawn_where_known(self):
        ax = figures.bars(["a", "b"], [10, 20], unit="kWh", low=[8, np.nan], high=[15, None])
        assert ranges_along(ax, 0) == [(8, 15)]

    def test_no_ranges_known_draws_none(self):
        assert ranges_along(figures.bars(["a"], [10], unit="kWh", low=[None], high=[None]), 0) == []

    def test_log_scale_draws_dots_not_lengths(self):
        ax = figures.bars(["a", "b"], [3, 3000], unit="J", low=[2, 1000], high=[9, 9000], log=True, highlight="a")
        dots = next(c for c in ax.collections if isinstance(c, PathCollection))
        assert not ax.patches
        assert dots.get_offsets()[:, 0].tolist() == [3, 3000]
        assert [same_color(colour, figures.MESSAGE) for colour in dots.get_facecolors()] == [True, False]
        assert ranges_along(ax, 0) == [(2, 9), (1000, 9000)]
        assert ax.get_xlim()[0] < 2
        assert ax.get_xlim()[1] > 9000

    def test_on_a_log_scale_a_value_stands_above_its_dot_not_at_the_end_of_its_range(self):
        ax = figures.bars(["a", "b"], [3, 3000], unit="J", low=[2, np.nan], high=[900, np.nan], log=True)
        ax.figure.canvas.draw()
        for text, value, row in zip(ax.texts, [3, 3000], [0, 1], strict=True):
            box = Text.get_window_extent(text)
            x, y = ax.transData.transform((value, row))
            assert (box.x0 + box.x1) / 2 == pytest.approx(x, abs=1)
            assert box.y0 > y
        assert overlaps([*ax.texts, *ax.get_yticklabels()]) == []

    def test_on_a_log_scale_without_ranges_values_stand_beside_their_dots(self):
        ax = figures.bars(["a", "b"], [3, 3000], unit="J", low=[3, 3000], high=[3, 3000], log=True)
        ax.figure.canvas.draw()
        assert Text.get_window_extent(ax.texts[0]).x0 > ax.transData.transform((3, 0))[0]

    def test_accepts_columns_of_a_table(self):
        table = pd.DataFrame({"site": ["a", "b"], "g": [1, 2], "low": [0.5, np.nan], "high": [3, np.nan]})
        ax = figures.bars(table["site"], table["g"], unit="g", low=table["low"], high=table["high"])
        assert ranges_along(ax, 0) == [(0.5, 3)]

    def test_accepts_generators(self):
        assert written(figures.bars((c for c in "ab"), (i for i in (1, 2)), unit="g")) == ["1", "2"]

    def test_a_range_that_ends_one_rounding_beyond_the_value_is_fine(self):
        assert figures.bars(["a"], [0.3], unit="g", low=[0.1 * 3], high=[0.4])

    @pytest.mark.parametrize(
        ("arguments", "error", "argument"),
        [
            ({"labels": [], "values": []}, ArgumentError, "labels"),
            ({"values": [1]}, AlignmentError, "values"),
            ({"values": [1, np.nan]}, ArgumentError, "values"),
            ({"values": [1, np.inf]}, ArgumentError, "values"),
            ({"values": ["1", "2"]}, ArgumentTypeError, "values"),
            ({"values": [[1, 2]]}, ArgumentTypeError, "values"),
            ({"values": [0, 2], "log": True}, ArgumentError, "values"),
            ({"low": [0, 1], "high": [3, 3], "log": True}, ArgumentError, "low"),
            ({"low": [1, 1]}, AlignmentError, "high"),
            ({"high": [3, 3]}, AlignmentError, "low"),
            ({"low": [1], "high": [3]}, AlignmentError, "low"),
            ({"low": [1, np.nan], "high": [3, 3]}, AlignmentError, "low"),
            ({"low": [1, 2.5], "high": [3, 3]}, ArgumentError, "low"),
            ({"low": [1, 2], "high": [0.5, 3]}, ArgumentError, "high"),
            ({"low": [1, 2], "high": [np.inf, 3]}, ArgumentError, "high"),
            ({"highlight": "aa"}, UnknownNameError, "highlight"),
        ],
    )
    def test_refuses(self, arguments, error, argument):
        with pytest.raises(error) as caught:
            figures.bars(**{"labels": ["a", "b"], "values": [1, 2], "unit": "kWh"} | arguments)
        assert caught.value.argument == argument
        assert not plt.get_fignums()


SERIES = {"no cap": [1, 2, 4], "cap": [1, 2, 2]}


class TestLines:
    def draw(self, **more):
        return figures.lines(**{"x": [2026, 2027, 2028], "series": SERIES, "x_label": "year", "y_label": "MWh"} | more)

    def test_one_named_line_per_series(self):
        ax = self.draw()
        assert {line.get_label(): line.get_ydata().tolist() for line in ax.lines} == SERIES
        assert written(ax) == ["no cap", "cap"]
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("year", "MWh")

    def test_only_the_highlight_has_colour(self):
        ax = self.draw(highlight="cap")
        assert [line.get_color() for line in ax.lines] == [figures.CONTEXT, figures.MESSAGE]
        assert colour_of(ax, "cap") == figures.MESSAGE

    def test_a_single_line_is_the_message(self):
        ax = self.draw(series={"grid": [1, 2, 3]})
        assert ax.lines[0].get_color() == figures.MESSAGE

    def test_a_single_line_can_be_context(self):
        assert self.draw(series={"grid": [1, 2, 3]}, highlight=[]).lines[0].get_color() == figures.CONTEXT

    def test_bands_are_drawn_where_given(self):
        ax = self.draw(low={"no cap": [1, 1.5, 2]}, high={"no cap": [1, 3, 6]})
        bands = [c for c in ax.collections if isinstance(c, FillBetweenPolyCollection)]
        assert len(bands) == 1
        assert bands[0].get_datalim(ax.transData).extents == pytest.approx([2026, 1, 2028, 6])

    def test_names_of_lines_that_end_together_do_not_overlap(self):
        ax = self.draw(series={f"line {i}": [1, 2, 3 + i / 100] for i in range(6)})
        ax.figure.canvas.draw()
        assert overlaps(ax.texts) == []
        heights = [Text.get_window_extent(text).y0 for text in ax.texts]
        assert heights == sorted(heights)

    def test_dates(self):
        hours = pd.date_range("2024-01-01", periods=48, freq="h")
        ax = figures.lines(hours, {"grid": np.arange(48)}, x_label="hour", y_label="g CO2e/kWh")
        assert len(ax.lines[0].get_xdata()) == 48
        assert inside_figure(ax)

    @pytest.mark.parametrize(
        ("arguments", "error", "argument"),
        [
            ({"series": {}}, ArgumentError, "series"),
            ({"x": [1, 2]}, AlignmentError, "series['no cap']"),
            ({"x": [0, 1, 2], "log_x": True}, ArgumentError, "x"),
            ({"x": ["a", "b", "c"]}, ArgumentTypeError, "x"),
            ({"x": pd.to_datetime(["2024-01-01", None, "2024-01-03"])}, ArgumentError, "x"),
            ({"x": pd.date_range("2024", periods=3), "log_x": True}, ArgumentError, "x"),
            ({"series": {"a": [0, 1, 2]}, "log_y": True}, ArgumentError, "series['a']"),
            ({"highlight": "caps"}, UnknownNameError, "highlight"),
            ({"low": {"capp": [1, 1, 1]}, "high": {"capp": [2, 2, 2]}}, UnknownNameError, "band"),
            ({"low": {"cap": [1, 1, 1]}}, AlignmentError, "high['cap']"),
            ({"low": {"cap": [1, 1, 1]}, "high": {"cap": [1, 1, 1]}}, ArgumentError, "high['cap']"),
        ],
    )
    def test_refuses(self, arguments, error, argument):
        with pytest.raises(error) as caught:
            self.draw(**arguments)
        assert caught.value.argument == argument
        assert not plt.get_fignums()


class TestPoints:
    def draw(self, **more):
        data = {"x": [1, 2, 3, 4], "y": [5, 9, 8, 3], "labels": ["a", "b", None, "d"]}
        return figures.points(**data | {"x_label": "J per output token", "y_label": "score"} | more)

    def test_every_point_is_drawn_and_the_named_ones_are_named(self):
        ax = self.draw()
        drawn = np.vstack([c.get_offsets() for c in ax.collections if isinstance(c, PathCollection)])
        assert drawn.tolist() == [[1, 5], [2, 9], [3, 8], [4, 3]]
        assert written(ax) == ["a", "b", "d"]
        assert (ax.get_xlabel(), ax.get_ylabel()) == ("J per output token", "score")

    def test_missing_names_of_a_table_stay_unnamed(self):
        assert written(self.draw(labels=pd.Series(["a", None, np.nan, ""]))) == ["a"]

    def test_names_are_optional(self):
        assert written(self.draw(labels=None)) == []

    def test_only_the_highlight_has_colour(self):
        ax = self.draw(highlight="b")
        coloured = [
            c.get_offsets().tolist()
            for c in ax.collections
            if isinstance(c, PathCollection) and same_color(c.get_facecolor()[0], figures.MESSAGE)
        ]
        assert coloured == [[[2, 9]]]
        assert colour_of(ax, "b") == figures.MESSAGE
        assert colour_of(ax, "a") != figures.MESSAGE

    def test_ranges_are_drawn_both_ways(self):
        nan = np.nan
        ax = self.draw(low=[4, nan, nan, 2], high=[6, nan, nan, 5], x_low=[nan, 1, nan, nan], x_high=[nan, 3, nan, nan])
        assert sorted(ranges_along(ax, 1), key=str) == sorted([(4, 6), (2, 5)], key=str)
        assert ranges_along(ax, 0) == [(1, 3)]

    @pytest.mark.parametrize(
        ("corner", "front"),
        [
            ("upper left", [[1, 5], [2, 9]]),
            ("upper right", [[2, 9], [3, 8], [4, 3]]),
            ("lower left", [[1, 5], [4, 3]]),
            ("lower right", [[4, 3]]),
        ],
    )
    def test_pareto_line_joins_the_points_that_none_beats(self, corner, front):
        line = self.draw(pareto=corner).lines[0]
        assert line.get_xydata().tolist() == front

    def test_close_points_get_names_that_do_not_overlap(self):
        ax = self.draw(x=[1, 1.02, 1.04, 4], y=[5, 5.02, 5, 3], labels=["first", "second", "third", "far"])
        ax.figure.canvas.draw()
        assert overlaps(ax.texts) == []

    @pytest.mark.parametrize(
        ("arguments", "error", "argument"),
        [
            ({"y": [1]}, AlignmentError, "y"),
            ({"labels": ["a"]}, AlignmentError, "labels"),
            ({"x": [0, 1, 2, 3], "log_x": True}, ArgumentError, "x"),
            ({"y": [0, 1, 2, 3], "log_y": True}, ArgumentError, "y"),
            ({"x_low": [9, 9, 9, 9], "x_high": [9, 9, 9, 9]}, ArgumentError, "x_low"),
            ({"highlight": "z"}, UnknownNameError, "highlight"),
            ({"pareto": "top left"}, UnknownNameError, "pareto"),
        ],
    )
    def test_refuses(self, arguments, error, argument):
        with pytest.raises(error) as caught:
            self.draw(**arguments)
        assert caught.value.argument == argument

    def test_no_name_lies_on_a_point_or_on_the_line_of_the_front_where_there_is_room(self):
        ax = self.draw(
            x=[1, 3, 4, 6], y=[8, 4, 4.2, 1], labels=["a", "central-1", "europe-north1", "south"], pareto="lower left"
        )
        ax.figure.canvas.draw()
        front = ax.transData.transform(ax.lines[0].get_xydata())
        along = np.concatenate([np.linspace(*pair, 500) for pair in itertools.pairwise(front)])
        points = ax.transData.transform([[1, 8], [3, 4], [4, 4.2], [6, 1]])
        for text in ax.texts:
            box = Text.get_window_extent(text)
            assert not any(box.contains(*point) for point in [*along, *points])


class TestTornado:
    def test_widest_input_on_top_and_in_colour(self):
        ax = figures.tornado(TORNADO, unit="kg CO2e")
        assert names_on_rows(ax) == ["grid intensity", "MFU", "lifetime", "PUE"]
        coloured = {round(bar.get_y()) for bar in ax.patches if same_color(bar.get_facecolor(), figures.MESSAGE)}
        assert coloured == {0}
        assert ax.get_xlabel() == "kg CO2e"

    def test_on_a_log_scale_the_widest_factor_is_on_top(self):
        rows = pd.DataFrame({"low": [1, 100], "high": [100, 300]}, index=["factor 100", "plus 200"])
        rows.attrs["base"] = 100
        assert names_on_rows(figures.tornado(rows, unit="kg", log=True)) == ["factor 100", "plus 200"]
        assert names_on_rows(figures.tornado(rows, unit="kg")) == ["plus 200", "factor 100"]

    def test_bars_reach_from_the_base_to_both_results(self):
        ax = figures.tornado(TORNADO.loc[["PUE"]], unit="kg")
        assert sorted((bar.get_x(), bar.get_x() + bar.get_width()) for bar in ax.patches) == [
            (100, 95),
            (100, 104),
        ]

    def test_results_and_base_are_written(self):
        assert set(written(figures.tornado(TORNADO.loc[["PUE"]], unit="kg"))) == {"95", "104", "base 100"}

    def test_highlight_can_be_chosen(self):
        ax = figures.tornado(TORNADO, unit="kg", highlight="PUE")
        coloured = {round(bar.get_y()) for bar in ax.patches if same_color(bar.get_facecolor(), figures.MESSAGE)}
        assert coloured == {3}

    def test_both_sides_of_an_input_are_told_apart(self):
        ax = figures.tornado(TORNADO, unit="kg")
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["input low", "input high"]
        first = [bar for bar in ax.patches if round(bar.get_y()) == 0]
        assert not same_color(first[0].get_facecolor(), first[1].get_facecolor())

    def test_where_both_results_lie_on_one_side_the_shorter_stays_visible(self):
        bars = figures.tornado(TORNADO.loc[["lifetime"]], unit="kg").patches
        assert [bar.get_width() for bar in bars] == [30, 10]

    @pytest.mark.parametrize(
        ("rows", "argument"),
        [
            (TORNADO.drop(columns="low"), "rows"),
            ([1, 2], "rows"),
            (pd.DataFrame({"low": [1], "high": [2]}, index=["a"]), "rows"),
            (TORNADO.assign(low=np.nan), "rows['low']"),
            (TORNADO.iloc[:0], "rows"),
        ],
    )
    def test_refuses(self, rows, argument):
        with pytest.raises(ArgumentError) as caught:
            figures.tornado(rows, unit="kg")
        assert caught.value.argument == argument

    def test_refuses_unknown_highlight(self):
        with pytest.raises(UnknownNameError, match="did you mean 'PUE'"):
            figures.tornado(TORNADO, unit="kg", highlight="pue")

    def test_refuses_a_result_of_zero_on_a_log_scale(self):
        with pytest.raises(ArgumentError, match="low"):
            figures.tornado(TORNADO.assign(low=0.0), unit="kg", log=True)


class TestWaterfall:
    def test_changes_add_up_to_the_total(self):
        ax = figures.waterfall({"published": 552, "power": -60, "PUE": 22}, unit="t CO2e", total="ours")
        assert names_on_rows(ax) == ["published", "power", "PUE", "ours"]
        assert written(ax) == ["552", "\N{MINUS SIGN}60", "+22", "514"]
        assert [bar.get_x() for bar in ax.patches] == [0, 552, 492, 0]
        assert ax.get_xlabel() == "t CO2e"

    def test_factors_multiply_to_the_total(self):
        ax = figures.waterfall(FACTORS, unit="times the best case", log=True)
        assert written(ax) == ["1", "× 22", "× 11", "× 1.9", "460"]
        assert ax.patches[-1].get_x() + ax.patches[-1].get_width() == pytest.approx(22 * 11 * 1.9)

    def test_each_step_begins_where_the_last_ended(self):
        ax = figures.waterfall(FACTORS, unit="times the best case", log=True)
        ends = [bar.get_x() + bar.get_width() for bar in ax.patches]
        assert [bar.get_x() for bar in ax.patches[1:-1]] == pytest.approx(ends[:-2])
        assert any(isinstance(c, LineCollection) for c in ax.collections)

    def test_the_total_is_the_message_unless_another_bar_is(self):
        coloured = [
            [same_color(bar.get_facecolor(), figures.MESSAGE) for bar in ax.patches]
            for ax in (
                figures.waterfall({"a": 1, "b": 2}, unit="kg"),
                figures.waterfall({"a": 1, "b": 2}, unit="kg", highlight="b"),
            )
        ]
        assert coloured == [[False, False, True], [False, True, False]]

    @pytest.mark.parametrize(
        ("arguments", "argument"),
        [
            ({"steps": {}}, "steps"),
            ({"steps": {"a": 1}}, "steps"),
            ({"steps": {"a": 1, "b": np.nan}}, "steps"),
            ({"steps": {"a": 1, "b": -2}, "log": True}, "steps"),
            ({"total": "a"}, "total"),
            ({"highlight": "c"}, "highlight"),
        ],
    )
    def test_refuses(self, arguments, argument):
        with pytest.raises(ArgumentError) as caught:
            figures.waterfall(**{"steps": {"a": 1, "b": 2}, "unit": "kg"} | arguments)
        assert caught.value.argument == argument
        assert not plt.get_fignums()


def test_lines_take_a_frame_as_a_mapping_of_columns():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [2.0, 1.0]})
    band = frame[["a"]]
    ax = figures.lines(frame.index, frame, low=band - 0.5, high=band + 0.5, x_label="x", y_label="y")
    assert {"a", "b"} <= {text.get_text() for text in ax.texts}


@given(st.floats(1e-6, 1e20), st.floats(1.02, 1e12))
def test_a_tick_of_a_log_axis_says_its_own_value(low, factor):
    ticks = _layout.PlainLogLocator().tick_values(low, low * factor)
    said = [_layout.plain(value).replace(",", "").replace("\N{MINUS SIGN}", "-") for value in ticks]
    assert [float(text) for text in said] == pytest.approx(ticks)
    assert len(set(said)) == len(said)


@given(st.floats(1e-6, 1e20), st.floats(1.02, 1e12))
def test_a_log_axis_has_three_to_six_ticks_over_its_whole_range(low, factor):
    ticks = _layout.PlainLogLocator().tick_values(low, low * factor)
    assert 3 <= len(ticks) <= 6
    assert (np.diff(ticks) > 0).all()
    assert low * 0.999 <= ticks[0] <= low * factor**0.67
    assert low * factor**0.33 <= ticks[-1] <= low * factor * 1.001
