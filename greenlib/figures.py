"""House style and the five charts of the book: grey for context, one colour for the one message.

Every chart is drawn for a phone first: 5.2 inches wide, text of 11 points, labels beside the marks, and long
names to the left of horizontal bars. Each returns the matplotlib Axes, so a chapter can add to it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from greenlib import _layout
from greenlib.checks import AlignmentError, ArgumentError, ArgumentTypeError, choice, quantity
from greenlib.claims import claims_html
from greenlib.pareto import pareto_front

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "CONTEXT",
    "INK",
    "MESSAGE",
    "bars",
    "house_style",
    "lines",
    "points",
    "tornado",
    "waterfall",
]

MESSAGE = _layout.MESSAGE
"""The one colour of a figure: the blue of Okabe and Ito, safe for colour blindness, dark enough for text."""
CONTEXT = _layout.CONTEXT
"""Marks that are there for comparison."""
INK = _layout.INK
"""Axes, ranges and text."""

_OKABE_ITO = (MESSAGE, "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")

_STYLE = {
    "figure.figsize": (_layout.WIDTH_IN, 3.4),
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.h_pad": _layout.label_room_in(1),
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": _layout.FONT_PT,
    "text.color": INK,
    "axes.titlesize": _layout.FONT_PT,
    "axes.labelsize": _layout.FONT_PT,
    "axes.labelcolor": INK,
    "axes.edgecolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.prop_cycle": cycler(color=_OKABE_ITO),
    "xtick.labelsize": _layout.FONT_PT,
    "ytick.labelsize": _layout.FONT_PT,
    "xtick.color": INK,
    "ytick.color": INK,
    "legend.fontsize": _layout.FONT_PT,
    "legend.frameon": False,
    "lines.linewidth": 2,
    "date.converter": "concise",
    "svg.fonttype": "path",
    # A fixed salt names the parts of an SVG alike in every build: an unchanged figure is an unchanged file.
    "svg.hashsalt": "counting-watts",
}


def house_style() -> None:
    """Set the look of every figure drawn after this call, and of SVG and claims where the code runs in a notebook.

    Returns:
        Nothing: matplotlib's settings are changed for this process.

    Example:
        >>> with plt.rc_context():
        ...     house_style()
        ...     plt.rcParams["font.size"]
        11.0

    Taught in all chapters, in the import cell.
    """
    plt.rcParams.update(_STYLE)
    if "IPython" not in sys.modules:
        return
    from IPython import get_ipython

    if (shell := get_ipython()) is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        shell.display_formatter.formatters["text/html"].for_type(tuple, claims_html)

        # Cropping to the ink would give every figure another width, and so another text size on the page.
        set_matplotlib_formats("svg", bbox_inches=None, metadata={"Date": None})


def bars(
    labels: Iterable[Any],
    values: Iterable[float],
    *,
    unit: str,
    low: Iterable[float] | None = None,
    high: Iterable[float] | None = None,
    highlight: str | Iterable[str] | None = None,
    log: bool = False,
    value_format: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Return horizontal bars in the order given, the value written beside each.

    Bar ``i`` runs from 0 to ``values[i]``, the first on top. On a log scale the length of a bar would depend
    on where the axis happens to start, so the bars become dots there: a dot is read by its position alone.

    Args:
        labels: One name per bar.
        values: One finite number per bar, above 0 if ``log``.
        unit: Unit of the values, written under the axis.
        low: Low ends of the ranges, at most the value; NaN where no range is known.
        high: High ends of the ranges, at least the value; NaN where no range is known.
        highlight: The label or labels that carry the message; none by default.
        log: Whether the axis is logarithmic.
        value_format: How a value is written beside its bar; to three significant digits by default.
        title: Text above the chart, where a caption is not enough.
        ax: Axes to draw on; a new figure by default.

    Returns:
        The Axes.

    Raises:
        ArgumentTypeError: Values are not numbers.
        ArgumentError: A value is not finite, not above 0 on a log scale, or outside its own range.
        AlignmentError: The arguments differ in length.
        UnknownNameError: ``highlight`` is not among the labels.

    Example:
        >>> ax = bars(["Iowa", "Hamina"], [413, 39], unit="g CO2e/kWh, illustrative", highlight="Hamina")
        >>> [text.get_text() for text in ax.texts]
        ['413', '39']
        >>> ax.get_xlabel()
        'g CO2e/kWh, illustrative'

    Taught in all chapters.
    """
    names = _names("labels", labels)
    numbers = _numbers("values", values, log=log, length=len(names))
    low_ends, high_ends = _ranges(("low", low), ("high", high), numbers, log=log)
    chosen = _chosen(highlight, names)
    colours = [MESSAGE if name in chosen else CONTEXT for name in names]
    # At the far end of its range a value would be read as that end.
    above = log and bool((high_ends > low_ends).any())
    ax = _layout.row_axes(names, ax, row_pad_in=0.14 if above else 0)
    rows = np.arange(len(names))

    left_ends, right_ends = np.fmin(numbers, low_ends), np.fmax(numbers, high_ends)
    if log:
        start, stop = _layout.widened(left_ends.min(), right_ends.max(), 0.06, log=True)
        ax.hlines(rows, start, numbers, color=_layout.CONTEXT_PALE, linewidth=1.2, zorder=1)
        ax.scatter(numbers, rows, s=70, color=colours, zorder=3)
        _layout.set_scale(ax, "x", log=True)
        ax.set_xlim(start, stop)
    else:
        ax.barh(rows, numbers, height=0.62, color=colours)
        _layout.leave_room(ax, left_ends, right_ends)
    _layout.whiskers(ax, numbers, rows, "x", low_ends, high_ends)

    for row, name in enumerate(names):
        text, colour = _layout.written(numbers[row], value_format), MESSAGE if name in chosen else _layout.CONTEXT_TEXT
        if above:
            _layout.beside(ax, text, numbers[row], row, side="above", colour=colour, gap_pt=5)
        elif numbers[row] < 0:
            _layout.beside(ax, text, left_ends[row], row, side="left", colour=colour)
        else:
            _layout.beside(ax, text, right_ends[row], row, colour=colour, gap_pt=8 if log else 5)
    return _layout.finish_rows(ax, unit, log=log, title=title)


def lines(
    x: Iterable[Any],
    series: Mapping[str, Iterable[float]],
    *,
    x_label: str,
    y_label: str,
    highlight: str | Iterable[str] | None = None,
    low: Mapping[str, Iterable[float]] | None = None,
    high: Mapping[str, Iterable[float]] | None = None,
    log_x: bool = False,
    log_y: bool = False,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Return one line per series over a common ``x``, each named at its right end.

    Line ``name`` runs through the points ``(x[i], series[name][i])``.

    Args:
        x: Finite numbers, or dates without a time zone; above 0 if ``log_x``.
        series: Name of each line and its values, as many as ``x``; above 0 if ``log_y``.
        x_label: Quantity and unit under the axis.
        y_label: Quantity and unit above the axis.
        highlight: The line or lines that carry the message; a single line does by default.
        low: Low edge of the band around a line, by name, for the lines that have one.
        high: High edge of the band around a line, for the same names.
        log_x: Whether the horizontal axis is logarithmic.
        log_y: Whether the vertical axis is logarithmic.
        title: Text above the chart, where a caption is not enough.
        ax: Axes to draw on; a new figure by default.

    Returns:
        The Axes.

    Raises:
        ArgumentTypeError: Values are not numbers.
        ArgumentError: A value is not finite, not above 0 on a log scale, or outside its own band.
        AlignmentError: The arguments differ in length, or one edge of a band is missing.
        UnknownNameError: ``highlight`` or a band is not among the series.

    Example:
        >>> energy = {"demand": [1, 2, 4], "cap": [2, 2, 2]}
        >>> ax = lines([2026, 2027, 2028], energy, x_label="year", y_label="MWh per year")
        >>> [text.get_text() for text in ax.texts]
        ['demand', 'cap']

    Taught in all chapters.
    """
    # A DataFrame is a mapping of columns, too, but its `values` is an array.
    series = dict(series)
    names = _names("series", series)
    positions = _positions(x, log=log_x)
    columns = {
        name: _numbers(f"series[{name!r}]", values, log=log_y, length=len(positions))
        for name, values in zip(names, series.values(), strict=True)
    }
    bands = _bands(columns, {} if low is None else dict(low), {} if high is None else dict(high), log=log_y)
    chosen = set(names) if highlight is None and len(names) == 1 else _chosen(highlight, names)
    ax = _layout.plane_axes(ax, y_label, log_y=log_y)

    for name, (low_edge, high_edge) in bands.items():
        colour = MESSAGE if name in chosen else CONTEXT
        ax.fill_between(positions, low_edge, high_edge, color=colour, alpha=0.22, linewidth=0)
    for name, column in columns.items():
        front = name in chosen
        ax.plot(
            positions,
            column,
            color=MESSAGE if front else CONTEXT,
            linewidth=2.4 if front else 1.6,
            zorder=3 if front else 2,
            solid_capstyle="round",
            label=name,
        )
    dates = positions.dtype.kind == "M"
    _layout.finish_plane(ax, x_label, log_x=log_x, log_y=log_y, dates=dates, title=title)
    _layout.name_line_ends(ax, positions, columns, chosen)
    return ax


def points(
    x: Iterable[float],
    y: Iterable[float],
    *,
    x_label: str,
    y_label: str,
    labels: Iterable[str | None] | None = None,
    highlight: str | Iterable[str] | None = None,
    low: Iterable[float] | None = None,
    high: Iterable[float] | None = None,
    x_low: Iterable[float] | None = None,
    x_high: Iterable[float] | None = None,
    log_x: bool = False,
    log_y: bool = False,
    pareto: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Return a scatter of points, some or all of them named, with their ranges.

    Point ``i`` stands at ``(x[i], y[i])``. With ``pareto``, a line joins the points that no other point beats
    in both directions.

    Args:
        x: Finite numbers, above 0 if ``log_x``.
        y: As many numbers, above 0 if ``log_y``.
        x_label: Quantity and unit under the axis.
        y_label: Quantity and unit above the axis.
        labels: One name per point; None or ``""`` leaves a point unnamed.
        highlight: The label or labels that carry the message; none by default.
        low: Low ends of the ranges of ``y``, at most ``y``; NaN where no range is known.
        high: High ends of the ranges of ``y``, at least ``y``; NaN where no range is known.
        x_low: Low ends of the ranges of ``x``.
        x_high: High ends of the ranges of ``x``.
        log_x: Whether the horizontal axis is logarithmic.
        log_y: Whether the vertical axis is logarithmic.
        pareto: The best corner, ``"upper left"`` for high quality at low energy; no line by default.
        title: Text above the chart, where a caption is not enough.
        ax: Axes to draw on; a new figure by default.

    Returns:
        The Axes.

    Raises:
        ArgumentTypeError: Values are not numbers.
        ArgumentError: A value is not finite, not above 0 on a log scale, or outside its own range.
        AlignmentError: The arguments differ in length.
        UnknownNameError: ``highlight`` is not among the labels, or ``pareto`` is not a corner.

    Example:
        >>> ax = points([1, 2, 3], [5, 9, 8], labels=["a", "b", None], highlight="b", pareto="upper left",
        ...             x_label="J per output token", y_label="score")
        >>> sorted(text.get_text() for text in ax.texts)
        ['a', 'b']

    Taught in all chapters.
    """
    across = _numbers("x", x, log=log_x)
    up = _numbers("y", y, log=log_y, length=len(across))
    ranges_up = _ranges(("low", low), ("high", high), up, log=log_y)
    ranges_across = _ranges(("x_low", x_low), ("x_high", x_high), across, log=log_x)
    given = [None] * len(across) if labels is None else list(labels)
    # A column of pandas holds NaN, the one value that differs from itself, where a name is missing.
    names = ["" if name is None or name != name else str(name) for name in given]
    if len(names) != len(across):
        raise AlignmentError("labels", f"length {len(names)}", f"of length {len(across)}")
    chosen = _chosen(highlight, [name for name in names if name])
    front = np.array([name in chosen for name in names])
    ax = _layout.plane_axes(ax, y_label, log_y=log_y)

    strokes = [((x, low_end), (x, high_end)) for x, low_end, high_end in zip(across, *ranges_up, strict=True)]
    strokes += [((low_end, y), (high_end, y)) for y, low_end, high_end in zip(up, *ranges_across, strict=True)]
    if pareto is not None:
        best = choice("pareto", pareto, ("upper left", "upper right", "lower left", "lower right"))
        on_front = _unbeaten(across, up, best)
        strokes += list(pairwise(zip(across[on_front], up[on_front], strict=True)))
        ax.plot(across[on_front], up[on_front], color=CONTEXT, linewidth=1.2, zorder=1)
    for group, colour, order in ((~front, CONTEXT, 3), (front, MESSAGE, 4)):
        _layout.whiskers(ax, up[group], across[group], "y", *(ends[group] for ends in ranges_up), colour=colour)
        _layout.whiskers(ax, across[group], up[group], "x", *(ends[group] for ends in ranges_across), colour=colour)
        ax.scatter(across[group], up[group], s=46, color=colour, edgecolor="white", linewidth=0.7, zorder=order)
    ax.margins(0.1)
    _layout.finish_plane(ax, x_label, log_x=log_x, log_y=log_y, title=title)
    _layout.name_points(ax, across, up, names, chosen, strokes)
    return ax


def tornado(
    rows: pd.DataFrame,
    *,
    unit: str,
    highlight: str | Iterable[str] | None = None,
    log: bool = False,
    value_format: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Return how far each input alone moves the result, the widest on top.

    Each bar runs from the result with that input at its low end (pale) to the result with it at its high end
    (dark); the upright line is the result with every input at its base.

    Args:
        rows: The result of ``greenlib.tornado``: inputs as index, columns ``low`` and ``high`` with the
            result at either end, and the base result in ``rows.attrs["base"]``.
        unit: Unit of the result, written under the axis.
        highlight: The input or inputs that carry the message; the widest bar by default.
        log: Whether the axis is logarithmic.
        value_format: How results are written beside the bars; to three significant digits by default.
        title: Text above the chart, where a caption is not enough.
        ax: Axes to draw on; a new figure by default.

    Returns:
        The Axes.

    Raises:
        ArgumentTypeError: Results are not numbers.
        ArgumentError: A column or the base is missing; a result is not finite, or not above 0 if ``log``.
        UnknownNameError: ``highlight`` is not among the inputs.

    Example:
        >>> import pandas as pd
        >>> rows = pd.DataFrame({"low": [80, 95], "high": [140, 104]}, index=["grid", "pue"])
        >>> rows.attrs["base"] = 100
        >>> ax = tornado(rows, unit="kg CO2e")
        >>> [label.get_text() for label in ax.get_yticklabels()]
        ['grid', 'pue']

    Taught in all chapters.
    """
    missing = [column for column in ("low", "high") if column not in getattr(rows, "columns", ())]
    if missing or "base" not in rows.attrs:
        raise ArgumentError(
            "rows",
            type(rows).__name__,
            'a table with columns low and high and the base result in attrs["base"]',
        )
    names = _names("rows", rows.index)
    low = _numbers("rows['low']", rows["low"], log=log)
    high = _numbers("rows['high']", rows["high"], log=log)
    base = float(_numbers("rows.attrs['base']", [rows.attrs["base"]], log=log)[0])
    reach = np.abs(np.log(high / low)) if log else np.abs(high - low)
    order = np.argsort(-reach, kind="stable")
    names, low, high = [names[i] for i in order], low[order], high[order]
    chosen = {names[0]} if highlight is None else _chosen(highlight, names)
    ax = _layout.row_axes(names, ax, extra_rows=2)

    for row, name in enumerate(names):
        front = name in chosen
        sides = [
            (low[row], _layout.MESSAGE_PALE if front else _layout.CONTEXT_PALE),
            (high[row], MESSAGE if front else CONTEXT),
        ]
        # Longer side first: where both lie on one side of the base, the shorter stays visible on top.
        sides.sort(key=lambda side: -abs(side[0] - base))
        for end, colour in sides:
            ax.barh(row, end - base, left=base, height=0.62, color=colour)
        (far, _), (near, _) = sides
        for end, side in ((far, far < base), (near, far > base)):
            if end == far or (near - base) * (far - base) <= 0:
                text_colour = MESSAGE if front else _layout.CONTEXT_TEXT
                text = _layout.written(end, value_format)
                _layout.beside(ax, text, end, row, side="left" if side else "right", colour=text_colour)
    ends = np.concatenate([low, high, [base]])
    if log:
        _layout.set_scale(ax, "x", log=True)
    ax.set_xlim(*_layout.widened(ends.min(), ends.max(), 0.24, log=log))
    ax.vlines(base, -0.5, len(names) - 0.5, color=INK, linewidth=1.2, zorder=4)
    ax.annotate(
        f"base {_layout.written(base, value_format)}",
        (base, -0.5),
        xytext=(0, 3),
        textcoords="offset points",
        ha="center",
        va="bottom",
        annotation_clip=False,
    )
    # The sides change places from row to row, so no label beside one bar could speak for all.
    ax.legend(
        handles=[Patch(color=_layout.MESSAGE_PALE, label="input low"), Patch(color=MESSAGE, label="input high")],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        borderaxespad=_layout.LINE_PT / _layout.FONT_PT + 0.3,
        borderpad=0,
        ncols=2,
        handlelength=0.9,
        handleheight=0.9,
        handletextpad=0.4,
        columnspacing=1.2,
        frameon=False,
    )
    return _layout.finish_rows(ax, unit, log=log, title=title, pad_pt=2.4 * _layout.LINE_PT)


def waterfall(
    steps: Mapping[str, float],
    *,
    unit: str,
    total: str = "total",
    highlight: str | Iterable[str] | None = None,
    log: bool = False,
    value_format: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Return the way from a first level to a last one, step by step.

    The first entry of ``steps`` is the level to start from. Each further entry is added, so
    ``total = start + step + step + …``; with ``log`` each is a factor, so
    ``total = start * factor * factor * …``.

    Args:
        steps: Name and size of the start and of every step, in order; above 0 if ``log``.
        unit: Unit of the levels, written under the axis.
        total: Name of the last bar, which is computed.
        highlight: The bar or bars that carry the message; the total by default.
        log: Whether the steps are factors on a logarithmic axis, where equal factors are equally long.
        value_format: How levels and steps are written; to three significant digits by default.
        title: Text above the chart, where a caption is not enough.
        ax: Axes to draw on; a new figure by default.

    Returns:
        The Axes.

    Raises:
        ArgumentTypeError: A step is not a number.
        ArgumentError: There is no step; one is not finite, or not above 0 if ``log``; ``total`` names a step.
        UnknownNameError: ``highlight`` is not among the steps.

    Example:
        >>> ax = waterfall({"best": 1, "batch size": 20, "region": 30}, unit="times the best", log=True)
        >>> [text.get_text() for text in ax.texts]
        ['1', '× 20', '× 30', '600']

    Taught in all chapters.
    """
    names = _names("steps", steps)
    sizes = _numbers("steps", list(steps.values()), log=log)
    if len(sizes) < 2:
        raise ArgumentError("steps", dict(steps), "a start and at least one step")
    if total in names:
        raise ArgumentError("total", total, "a name that no step has")
    levels = np.cumprod(sizes) if log else np.cumsum(sizes)
    floor = levels[0] if log else 0.0
    starts = np.concatenate([[floor], levels[:-1], [floor]])
    stops = np.concatenate([levels, levels[-1:]])
    names = [*names, total]
    chosen = {total} if highlight is None else _chosen(highlight, names)
    ax = _layout.row_axes(names, ax)

    texts = [_layout.written(sizes[0], value_format)]
    for size in sizes[1:]:
        sign = "\N{MULTIPLICATION SIGN} " if log else "+" if size >= 0 else "\N{MINUS SIGN}"
        texts.append(sign + _layout.written(abs(size), value_format))
    texts.append(_layout.written(levels[-1], value_format))
    for row, name in enumerate(names):
        colour = MESSAGE if name in chosen else CONTEXT
        ax.barh(row, stops[row] - starts[row], left=starts[row], height=0.62, color=colour)
        # A step of no length, such as the start of a chain of factors, still has to be seen.
        ax.vlines(stops[row], row - 0.31, row + 0.31, color=colour, linewidth=2)
        text_colour = MESSAGE if name in chosen else _layout.CONTEXT_TEXT
        _layout.beside(ax, texts[row], max(starts[row], stops[row]), row, colour=text_colour)
    ax.vlines(stops[:-1], np.arange(len(sizes)) + 0.31, np.arange(len(sizes)) + 0.69, color=INK, linewidth=0.8)
    if log:
        _layout.set_scale(ax, "x", log=True)
        ax.set_xlim(*_layout.widened(levels.min(), levels.max(), 0.03, log=True))
    else:
        _layout.leave_room(ax, np.fmin(starts, stops), np.fmax(starts, stops))
    return _layout.finish_rows(ax, unit, log=log, title=title)


def _names(argument: str, names: Iterable[Any]) -> list[str]:
    listed = [str(name) for name in names]
    if not listed:
        raise ArgumentError(argument, listed, "at least one")
    return listed


def _numbers(argument: str, values: Iterable[float], *, log: bool, length: int | None = None) -> np.ndarray:
    array = np.asarray(values if hasattr(values, "__array__") else list(values))
    if array.ndim != 1 or array.size == 0:
        raise ArgumentTypeError(argument, values, "a list, array or Series of at least one number")
    if length is not None and len(array) != length:
        raise AlignmentError(argument, f"length {len(array)}", f"of length {length}")
    return quantity(argument, array, "(0, inf)" if log else "(-inf, inf)")


def _positions(x: Iterable[Any], *, log: bool) -> np.ndarray:
    array = np.asarray(x if hasattr(x, "__len__") else list(x))
    if array.dtype.kind != "M":
        return _numbers("x", array, log=log)
    if log or array.ndim != 1 or array.size == 0 or np.isnat(array).any():
        raise ArgumentError("x", x, "dates without gaps, on a linear axis")
    return array


def _ranges(
    low: tuple[str, Iterable[float] | None],
    high: tuple[str, Iterable[float] | None],
    values: np.ndarray,
    *,
    log: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """Return both ends as float64, NaN where no range is known."""
    (low_name, low_ends), (high_name, high_ends) = low, high
    if low_ends is None and high_ends is None:
        return np.full(len(values), np.nan), np.full(len(values), np.nan)
    if low_ends is None or high_ends is None:
        absent, present = (low_name, high_name) if low_ends is None else (high_name, low_name)
        raise AlignmentError(absent, "None", f"given where {present} is given")
    ends = []
    for name, given in ((low_name, low_ends), (high_name, high_ends)):
        array = np.array([np.nan if value is None else value for value in given])
        known = ~np.isnan(array) if array.dtype.kind == "f" else np.ones(len(array), dtype=bool)
        if len(array) != len(values):
            raise AlignmentError(name, f"length {len(array)}", f"of length {len(values)}")
        if known.any():
            _numbers(name, array[known], log=log)
        ends.append(array.astype(float))
    low_array, high_array = ends
    if not np.array_equal(np.isnan(low_array), np.isnan(high_array)):
        raise AlignmentError(low_name, low_ends, f"known exactly where {high_name} is")
    for name, array, outside, side in (
        (low_name, low_array, low_array > values, "at most"),
        (high_name, high_array, high_array < values, "at least"),
    ):
        # A range computed by another route than the value may end one rounding beyond it.
        rows = np.flatnonzero(outside & ~np.isclose(array, values, rtol=1e-9, atol=0))
        if rows.size:
            raise ArgumentError(name, float(array[rows[0]]), f"{side} the value, {values[rows[0]]:g}")
    return np.minimum(low_array, values), np.maximum(high_array, values)


def _bands(
    columns: Mapping[str, np.ndarray],
    low: Mapping[str, Iterable[float]],
    high: Mapping[str, Iterable[float]],
    *,
    log: bool,
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    bands = {}
    for name in dict.fromkeys([*low, *high]):
        column = columns[choice("band", str(name), columns)]
        edges = (f"low[{name!r}]", low.get(name)), (f"high[{name!r}]", high.get(name))
        bands[str(name)] = _ranges(*edges, column, log=log)
    return bands


def _chosen(highlight: str | Iterable[str] | None, names: Sequence[str]) -> set[str]:
    if highlight is None:
        return set()
    single = isinstance(highlight, str) or not isinstance(highlight, Iterable)
    return {choice("highlight", str(name), names) for name in ([highlight] if single else highlight)}


def _unbeaten(x: np.ndarray, y: np.ndarray, best: str) -> np.ndarray:
    """Return the positions of the points that none beats in both directions, from left to right."""
    signs = [-1 if best.endswith("right") else 1, -1 if best.startswith("upper") else 1]
    unbeaten = np.flatnonzero(pareto_front(np.column_stack([x, y]) * signs))
    return unbeaten[np.argsort(x[unbeaten], kind="stable")]
