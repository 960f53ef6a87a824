"""What figures share: panels, lines with intervals, legends outside of the data."""

import math
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any, Literal

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Patch
from matplotlib.ticker import EngFormatter, FuncFormatter, LogLocator, NullFormatter

from figures.holes import mark, of_panel
from figures.hover import remember
from figures.looks import Look, looks
from figures.score import SCORE_AXIS, Score
from figures.table import INTERVAL, conditions, panels, said

STYLES = {name: Path(__file__).parent / f"{name}.mplstyle" for name in ("paper", "slides")}

SNR = "SNR (dB)"
TOP = 1.03
"""Where an axis of shares ends, so that a marker at 1 is whole."""

APART = 0.006
"""Of an axis: how far the error bars of neighbouring lines stand from each other, so that none hides another."""

BELOW = "below"
"""Marks the words below a figure."""

WIDTH: ContextVar[float | None] = ContextVar("WIDTH", default=None)
"""Of the whole figure, in inches; None for the style's own: a panel's, or two for several panels."""

LEAST_SHARE = 0.7
"""Of the style's width of a panel, below which panels stand one below the other."""


@contextmanager
def of_width(inches: float | None) -> Iterator[None]:
    """Figures of `panel_grid` made within are so wide; None leaves it to the style."""
    token = WIDTH.set(inches)
    try:
        yield
    finally:
        WIDTH.reset(token)


def panel_grid(count: int, columns: int = 2, entries: int = 0, stretch: float = 1.0) -> tuple[Figure, list[Axes]]:
    """A figure of equal panels, each of the size that the style gives to one.

    Args:
        count: of panels.
        columns: at most so many side by side; more than two share the width of two.
        entries: of the legend, for which the figure grows.
        stretch: of the height of a panel.
    """
    width, height = matplotlib.rcParams["figure.figsize"]
    if WIDTH.get() is not None:
        columns, width = _beside(min(count, columns), width)
    columns = min(count, columns)
    rows = math.ceil(count / columns)
    legend = math.ceil(entries / (2 * columns)) * _row_height()
    figure = Figure(figsize=(min(columns, 2) * width, rows * height * stretch + legend), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for unused in axes[count:]:
        unused.remove()
    return figure, axes[:count]


def _beside(columns: int, width: float) -> tuple[int, float]:
    """How many panels stand side by side in a figure of a given width, and the width of one of up to two."""
    whole: Any = WIDTH.get()
    if whole < LEAST_SHARE * min(columns, 2) * width:
        columns = 1
    return columns, whole / min(columns, 2)


def _points(setting: Literal["legend.fontsize"]) -> float:
    return FontProperties(size=matplotlib.rcParams[setting]).get_size_in_points()


def legend_above(figure: Figure, axes: Sequence[Axes], patches: Sequence[Patch] = (), **look: Any) -> None:
    """One legend for all panels, above them, each label once; of as many columns as fit into the figure's width.

    Args:
        figure: made by `panel_grid`; it grows if its legend needs more rows than two columns a panel.
        axes: its panels.
        patches: entries that no panel has, instead of those that they have.
        look: what else `Figure.legend` takes.
    """
    entries: dict[str, Any] = {str(patch.get_label()): patch for patch in patches}
    for panel in () if patches else axes:
        for handle, label in zip(*panel.get_legend_handles_labels()):
            entries.setdefault(label, handle)
    labels = sorted(entries, key=lambda label: _place(entries[label]))
    most = min(2 * min(len(axes), 2), len(labels))
    renderer = FigureCanvasAgg(figure).get_renderer()
    for columns in range(most, 0, -1):
        # Matplotlib fills columns, people read rows.
        shown = [label for column in range(columns) for label in labels[column::columns]]
        handles = [entries[label] for label in shown]
        legend = figure.legend(handles, shown, loc="outside upper center", ncols=columns, **look)
        if columns == 1 or legend.get_window_extent(renderer).width <= figure.bbox.width:
            more = math.ceil(len(labels) / columns) - math.ceil(len(labels) / most)
            figure.set_figheight(figure.get_figheight() + more * _row_height())
            return
        legend.remove()


def _place(handle: Any) -> tuple[bool, float]:
    """Of an entry in a legend: in the order of the curves, the uppermost first, reference lines last."""
    if not isinstance(handle, ErrorbarContainer):
        return True, 0.0
    heights = np.asarray(handle[0].get_ydata(), dtype=float)
    return False, -float(np.nanmean(heights)) if np.isfinite(heights).any() else 0.0


def _row_height() -> float:
    """Of a legend, in inches."""
    return 1.6 * _points("legend.fontsize") / 72


def lines(
    data: pd.DataFrame, x: str, by: str, within: Sequence[str] = (), further: int = 0, scale: str = "linear"
) -> tuple[Figure, list[Axes]]:
    """The score over a column, a line for each value of another, a panel for whatever else varies.

    Args:
        data: with the columns of `over_seeds`.
        x: name of the column along the axis.
        by: name of the column of which each value has a line.
        within: further columns that do not make panels.
        further: entries of the legend that the caller adds; without any, the legend is drawn.
        scale: of the horizontal axis, linear or log.

    Returns:
        The figure, and its panels, of which the horizontal axis is still without label.
    """
    parts = list(panels(data, [by, x, *within, *(["scheme"] if by == "title" else [])]))
    missing = data.attrs.get("holes", []) if by == "title" else []
    look = looks([*data[by], *(hole[by] for hole in missing)])
    figure, axes = panel_grid(len(parts), entries=len(look) + further + bool(missing))
    for panel, (title, rows) in zip(axes, parts):
        panel.set_xscale(scale)
        draw_lines(panel, rows, x, by, look)
        mark(panel, of_panel(rows, missing, x, by, within), x, by, look)
        panel.set_title(title)
    write_conditions(figure, data, [by, x, *within])
    if not further:
        legend_above(figure, axes)
    return figure, axes


def _one_scale(axes: Axes) -> None:
    """The ends of all panels of a row that show the same score: side by side they are compared."""
    figure: Any = axes.get_figure(root=True)
    beside = [p for p in figure.axes if p.yaxis.get_gid() == SCORE_AXIS and p.get_ylabel() == axes.get_ylabel()]
    alike = [panel for panel in beside if _row(panel) == _row(axes)]
    ends = [panel.get_ylim() for panel in alike]
    for panel in alike:
        panel.set_ylim(min(low for low, _ in ends), max(high for _, high in ends))


def _row(axes: Axes) -> int | None:
    place = axes.get_subplotspec()
    return None if place is None else place.rowspan.start


def in_thousands(axes: Axes) -> None:
    """Say 2k, 5k, 10k, 1M along a logarithmic axis of counts, in place of powers of ten."""
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.xaxis.set_minor_formatter(NullFormatter())


def draw_lines(axes: Axes, rows: pd.DataFrame, x: str, by: str, look: dict[object, Look]) -> None:
    """The score over a column with its 95 % intervals, a line for each value of another, and its axis.

    Lines stand a little apart from each other along the axis, so that each interval can be seen. Panels side by
    side that show the same score have the same ends.
    """
    groups, score = list(rows.groupby(by, sort=False)), Score.of(rows)
    for number, (value, own) in enumerate(groups):
        own: Any = own.sort_values(x)
        places = apart(axes, own[x], rows[x], number - (len(groups) - 1) / 2)
        draw_intervals(axes, places, own, said(by, value), look[value])
        remember(axes, places, own, by, score)
    bounded = math.isfinite(score.low) and math.isfinite(score.high)
    shown = pd.concat([rows[name] for name in ("accuracy", "accuracy_low", "accuracy_high")[: 3 if bounded else 2]])
    axes.set(ylabel=score.label, ylim=score.limits(shown))
    say_score(axes.yaxis, score)
    _one_scale(axes)
    if not math.isfinite(score.low):
        # Below it, nothing at all would be better.
        axes.axhline(score.base, color="0.5", linewidth=0.8, linestyle=":", zorder=1)


def draw_intervals(axes: Axes, places: pd.Series, rows: pd.DataFrame, label: str, look: Look) -> None:
    """Scores with their 95 % intervals, as one line or, with a look that has none, as marks.

    Args:
        axes: that they are drawn in.
        places: of the points along the axis.
        rows: of the table, a point each.
        label: of the line in a legend.
        look: of the line.
    """
    # As arrays: Matplotlib takes series apart many times.
    middle, low, high = (rows[name].to_numpy(float) for name in INTERVAL)
    reach = np.stack([middle - low, high - middle]).clip(min=0)
    axes.errorbar(places.to_numpy(float), middle, yerr=reach, label=label, **look)


def say_score(axis: Axis, score: Score) -> None:
    """Label the ticks of an axis of scores, shares in per cent, and mark it as one."""
    axis.set_gid(SCORE_AXIS)
    if score.is_share:
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}"))


def apart(axes: Axes, places: pd.Series, among: Any, steps: float) -> pd.Series:
    """Places along an axis of any scale, some steps beside where they are: as far everywhere as they are seen."""
    scale = axes.xaxis.get_transform()
    first, last = scale.transform([float(among.min()), float(among.max())])
    moved = scale.transform(places.to_numpy(float)) + APART * steps * (last - first)
    return pd.Series(scale.inverted().transform(moved), index=places.index)


def write_conditions(figure: Figure, data: pd.DataFrame, shown: Sequence[str] = ()) -> None:
    """Below a figure, small: what was the same for all that it shows, such as data set, network and budget."""
    write_below(figure, conditions(data, shown))


def write_below(figure: Figure, *paragraphs: str) -> None:
    """Below a figure, small, in lines that are no longer than the figure is wide."""
    letters = int(figure.get_figwidth() * 72 / (0.52 * FontProperties(size="x-small").get_size_in_points()))
    lines = [line for paragraph in paragraphs for line in textwrap.wrap(paragraph, letters)]
    if lines:
        figure.supxlabel("\n".join(lines), fontsize="x-small", color="0.35").set_gid(BELOW)
