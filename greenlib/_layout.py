"""Where the parts of a chart go: axes, ticks, values beside marks, names of points and at the ends of lines."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.text import Annotation

MESSAGE = "#0072B2"
CONTEXT = "#A8A8A8"
INK = "#333333"

MESSAGE_PALE = "#8FC3E0"
CONTEXT_PALE = "#DADADA"
CONTEXT_TEXT = "#5E5E5E"

WIDTH_IN = 5.2
FONT_PT = 11
LINE_PT = 1.25 * FONT_PT


def label_room_in(lines: int) -> float:
    """Return the padding over a level label above the axes: constrained layout counts its lower half only."""
    return 0.05 + lines * LINE_PT / 2 / 72


def row_axes(names: Sequence[str], ax: Axes | None, *, extra_rows: int = 0, row_pad_in: float = 0) -> Axes:
    wrapped = [textwrap.fill(name, 22, break_on_hyphens=False) for name in names]
    if ax is None:
        row_in = 0.16 + row_pad_in + 0.2 * max(name.count("\n") + 1 for name in wrapped)
        height = 0.8 + row_in * len(names) + 0.2 * extra_rows
        _, ax = plt.subplots(figsize=(WIDTH_IN, height), layout="constrained")
    ax.set_yticks(np.arange(len(names)), wrapped)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    return ax


def finish_rows(ax: Axes, unit: str, *, log: bool, title: str | None, pad_pt: float = 0) -> Axes:
    if not log:
        set_scale(ax, "x", log=False, ticks=4)
    ax.set_xlabel(_axis_text(unit, 34, log=log))
    if title is not None:
        ax.set_title(textwrap.fill(title, 36), loc="left", pad=6 + pad_pt)
    return ax


def plane_axes(ax: Axes | None, y_label: str, *, log_y: bool) -> Axes:
    """Return axes with the vertical label above them, level: no turned phone, no lost width."""
    text = _axis_text(y_label, 44, log=log_y)
    if ax is None:
        figure, ax = plt.subplots(figsize=(WIDTH_IN, 3.6), layout="constrained")
        figure.get_layout_engine().set(h_pad=label_room_in(text.count("\n") + 1))
    ax.set_ylabel(text, rotation="horizontal", ha="left", va="bottom")
    ax.yaxis.set_label_coords(0, 1.03)
    return ax


def finish_plane(
    ax: Axes, x_label: str, *, log_x: bool, log_y: bool, dates: bool = False, title: str | None = None
) -> None:
    if not dates:
        set_scale(ax, "x", log=log_x)
    set_scale(ax, "y", log=log_y)
    ax.set_xlabel(_axis_text(x_label, 44, log=log_x))
    if title is not None:
        ax.set_title(textwrap.fill(title, 48), loc="left", pad=12 + LINE_PT * (ax.get_ylabel().count("\n") + 1))


def _axis_text(label: str, width: int, *, log: bool) -> str:
    return textwrap.fill(f"{label} (log scale)" if log else label, width, break_on_hyphens=False)


class PlainLogLocator(ticker.Locator):
    """Put three to six ticks on a logarithmic axis, spread over whatever range it has."""

    def __call__(self) -> np.ndarray:
        return self.tick_values(*sorted(self.axis.get_view_interval()))

    def tick_values(self, low: float, high: float) -> np.ndarray:
        """Return powers of ten if there are three of them, else ever finer steps, and even ones in the end."""
        first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
        for steps in ([1.0], [1.0, 3.0], [1.0, 2.0, 5.0], [1.0, 1.5, 2.0, 3.0, 5.0, 7.0]):
            values = np.outer(10.0 ** np.arange(first, last + 1), steps).ravel()
            inside = values[(values >= low * (1 - 1e-9)) & (values <= high * (1 + 1e-9))]
            if len(inside) >= 3:
                stride = -(-len(inside) // 6)
                # Of many powers those are kept that 1 belongs to: 0.001, 1, 1000, not 0.01, 10, 10000.
                kept = np.round(np.log10(inside)).astype(int) % stride == 0
                return inside[kept] if len(steps) == 1 else inside[::stride]
        for bins in range(4, 10):
            even = ticker.MaxNLocator(nbins=bins, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
            inside = even[(even >= low) & (even <= high)]
            if len(inside) >= 3:
                break
        return inside


def plain(value: float, _position: int | None = None) -> str:
    if value != 0 and not 1e-4 <= abs(value) < 1e7:
        digits, exponent = f"{value:.9e}".split("e")
        text = f"{float(digits):g}e{int(exponent)}"
    else:
        # Four digits stay together: a year is not 2,030.
        text = f"{value:,.10g}" if abs(value) >= 10_000 else f"{value:.10g}"
    return text.replace("-", "\N{MINUS SIGN}")


def written(value: float, value_format: str | None) -> str:
    text = f"{float(f'{value:.3g}'):,.10g}" if value_format is None else value_format.format(value)
    return text.replace("-", "\N{MINUS SIGN}")


def set_scale(ax: Axes, which: str, *, log: bool, ticks: int = 5) -> None:
    axis = ax.xaxis if which == "x" else ax.yaxis
    if log:
        # matplotlib's own default leaves a log axis of less than a decade with one number or none.
        (ax.set_xscale if which == "x" else ax.set_yscale)("log")
        axis.set_major_locator(PlainLogLocator())
        axis.set_major_formatter(ticker.FuncFormatter(plain))
        axis.set_minor_formatter(ticker.NullFormatter())
    else:
        axis.set_major_locator(ticker.MaxNLocator(nbins=ticks, steps=[1, 2, 5, 10]))
        axis.set_major_formatter(ticker.FuncFormatter(plain))


def widened(low: float, high: float, share: float, *, log: bool) -> tuple[float, float]:
    if log:
        low, high = np.log10(low), np.log10(high)
    room = share * (high - low or 1.0)
    low, high = low - room, high + room
    return (10**low, 10**high) if log else (low, high)


def leave_room(ax: Axes, left_ends: np.ndarray, right_ends: np.ndarray) -> None:
    """Widen the axis to the left, where the value of a negative bar would run into the names."""
    low, high = min(0.0, left_ends.min()), max(0.0, right_ends.max())
    span = (high - low) or 1.0
    ax.set_xlim(low - (0.2 * span if low < 0 else 0), high + 0.02 * span)
    if low < 0:
        ax.axvline(0, color=INK, linewidth=0.8)


def whiskers(
    ax: Axes,
    values: np.ndarray,
    places: np.ndarray,
    along: str,
    low: np.ndarray,
    high: np.ndarray,
    *,
    colour: str = INK,
) -> None:
    known = ~np.isnan(low)
    if not known.any():
        return
    reach = [values[known] - low[known], high[known] - values[known]]
    across, up = (values, places) if along == "x" else (places, values)
    ax.errorbar(
        across[known],
        up[known],
        **{f"{along}err": reach},
        fmt="none",
        ecolor=colour,
        elinewidth=1.3,
        capsize=3,
        zorder=2.5,
    )


def beside(
    ax: Axes,
    text: str,
    x: float,
    y: float,
    *,
    side: str = "right",
    colour: str = CONTEXT_TEXT,
    gap_pt: float = 5,
) -> None:
    ax.annotate(
        text,
        (x, y),
        xytext={"right": (gap_pt, 0), "left": (-gap_pt, 0), "above": (0, gap_pt)}[side],
        textcoords="offset points",
        ha={"right": "left", "left": "right", "above": "center"}[side],
        va="bottom" if side == "above" else "center",
        color=colour,
        annotation_clip=False,
    )


def _spread(wanted: np.ndarray, heights: np.ndarray) -> np.ndarray:
    """Return the places nearest to the wanted ones at which labels of these heights do not overlap.

    Once the room that the labels need is subtracted, this is isotonic regression: neighbours that are out of
    order pool into a block at their mean.
    """
    order = np.argsort(wanted, kind="stable")
    sorted_heights = heights[order]
    room = np.concatenate([[0], np.cumsum((sorted_heights[:-1] + sorted_heights[1:]) / 2)])
    blocks: list[tuple[float, int]] = []
    for mean in wanted[order] - room:
        size = 1
        while blocks and blocks[-1][0] > mean:
            previous, previous_size = blocks.pop()
            mean = (mean * size + previous * previous_size) / (size + previous_size)
            size += previous_size
        blocks.append((mean, size))
    places = np.empty(len(wanted))
    places[order] = np.repeat([mean for mean, _ in blocks], [size for _, size in blocks]) + room
    return places


def name_line_ends(ax: Axes, x: np.ndarray, columns: Mapping[str, np.ndarray], chosen: set[str]) -> None:
    last = int(np.argmax(x))
    figure = ax.get_figure(root=True)
    figure.draw_without_rendering()
    points_per_pixel = 72 / figure.dpi
    x_end = ax.convert_xunits(x[last])
    texts = [textwrap.fill(name, 16, break_on_hyphens=False) for name in columns]
    heights = np.array([LINE_PT * (text.count("\n") + 1) for text in texts])
    ends = [ax.transData.transform((x_end, column[last]))[1] * points_per_pixel for column in columns.values()]
    shifts = _spread(np.array(ends), heights) - ends
    for (name, column), text, shift in zip(columns.items(), texts, shifts, strict=True):
        moved = abs(shift) > LINE_PT / 2
        ax.annotate(
            text,
            (x_end, column[last]),
            xytext=(16 if moved else 5, shift),
            textcoords="offset points",
            va="center",
            ha="left",
            color=MESSAGE if name in chosen else CONTEXT_TEXT,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": CONTEXT, "linewidth": 0.7, "shrinkA": 0, "shrinkB": 2}
            if moved
            else None,
        )


_PLACES = {
    (6, 0): ("left", "center"),
    (-6, 0): ("right", "center"),
    (0, 6): ("center", "bottom"),
    (0, -6): ("center", "top"),
    (4, 4): ("left", "bottom"),
    (-4, 4): ("right", "bottom"),
    (4, -4): ("left", "top"),
    (-4, -4): ("right", "top"),
}
"""Offsets of a name from its point, in points, the best first, and the alignment that goes with each."""


def name_points(
    ax: Axes, x: np.ndarray, y: np.ndarray, names: Sequence[str], chosen: set[str], strokes: Sequence[Any]
) -> None:
    """Put each name beside its point where it hides and confuses least; the message chooses its place first."""
    figure = ax.get_figure(root=True)
    figure.draw_without_rendering()
    mark = 4 * figure.dpi / 72
    centres = ax.transData.transform(np.column_stack([x, y]))
    ends = ax.transData.transform(np.array(strokes).reshape(-1, 2)).reshape(-1, 2, 2)
    left, bottom, right, top = ax.get_window_extent().extents
    spines = np.array([[(left, bottom), (left, top)], [(left, bottom), (right, bottom)]])
    ends = np.concatenate([ends[~np.isnan(ends).any(axis=(1, 2))], spines])
    frame = ax.get_window_extent().padded(-mark).extents
    ticks = [label for label in (*ax.get_xticklabels(), *ax.get_yticklabels()) if label.get_text()]
    ticks = np.array([label.get_window_extent().extents for label in ticks]).reshape(-1, 4)
    order = sorted((i for i, name in enumerate(names) if name), key=lambda i: names[i] not in chosen)
    labels, extents = {}, {}
    for i in order:
        labels[i] = ax.annotate(
            textwrap.fill(names[i], 18, break_on_hyphens=False),
            (x[i], y[i]),
            xytext=(0, 0),
            textcoords="offset points",
            color=MESSAGE if names[i] in chosen else CONTEXT_TEXT,
            annotation_clip=False,
            zorder=5,
        )
        extents[i] = np.array([_place(labels[i], place) for place in _PLACES])

    own = {}
    for i in order:
        others = np.delete(centres, i, axis=0)
        own[i] = np.array(
            [
                8 * (_shared(box, _boxes(others, mark)) + _shared(box, ticks))
                # Nearer to another point than a mark's width, a name seems to be that point's.
                + _shared(box, _boxes(others, 2.5 * mark))
                + mark * _length_inside(box, ends)
                + np.prod(box[2:] - box[:2])
                - _shared(box, frame)
                for box in extents[i]
            ]
        )
    taken: dict[int, np.ndarray] = {}
    # The first names did not know where the last would go; a second look lets them make room.
    for i in order * 2:
        others = np.array([box for j, box in taken.items() if j != i]).reshape(-1, 4)
        costs = own[i] + [8 * _shared(box, others) for box in extents[i]]
        best = int(np.argmin(costs))
        taken[i] = extents[i][best]
        _place(labels[i], list(_PLACES)[best])


def _place(label: Annotation, place: tuple[int, int]) -> np.ndarray:
    """Move a name to one of the places and return the box that it fills there."""
    ha, va = _PLACES[place]
    label.set(ha=ha, va=va, position=place)
    return label.get_window_extent().extents


def _boxes(centres: np.ndarray, half: float) -> np.ndarray:
    return np.hstack([centres - half, centres + half])


def _shared(box: np.ndarray, others: np.ndarray) -> float:
    """Return the area that a box has in common with others."""
    sides = np.minimum(box[2:], others[..., 2:]) - np.maximum(box[:2], others[..., :2])
    return float(sides.clip(0).prod(axis=-1).sum())


def _length_inside(box: np.ndarray, ends: np.ndarray) -> float:
    """Return how much of some straight strokes runs through a box."""
    start, step = ends[:, 0], ends[:, 1] - ends[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = np.stack([(box[:2] - start) / step, (box[2:] - start) / step])
    # A stroke along one axis never crosses the sides of the other: it is between them all the way, or never.
    between = (start >= box[:2]) & (start <= box[2:])
    level = step == 0
    enters = np.where(level, np.where(between, 0, 1), crossings.min(axis=0)).max(axis=1)
    leaves = np.where(level, np.where(between, 1, 0), crossings.max(axis=0)).min(axis=1)
    share = (leaves.clip(0, 1) - enters.clip(0, 1)).clip(0)
    return float((share * np.hypot(*step.T)).sum())
