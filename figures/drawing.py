"""What figures share: panels, lines with intervals, legends outside of the data."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.container import Container
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Patch

from figures.score import Score
from figures.table import panels, said

STYLES = {name: Path(__file__).parent / f"{name}.mplstyle" for name in ("paper", "slides")}

SNR = "SNR (dB)"
TOP = 1.03
"""Where an axis of shares ends, so that a marker at 1 is whole."""

Look = dict[str, Any]
"""Colour, marker and dash."""


def panel_grid(count: int, columns: int = 2, entries: int = 0, stretch: float = 1.0) -> tuple[Figure, list[Axes]]:
    """A figure of equal panels, each of the size that the style gives to one.

    Args:
        count: of panels.
        columns: at most so many side by side.
        entries: of the legend, for which the figure grows.
        stretch: of the height of a panel.
    """
    columns = min(count, columns)
    rows = math.ceil(count / columns)
    width, height = matplotlib.rcParams["figure.figsize"]
    legend = math.ceil(entries / (2 * columns)) * _row_height()
    figure = Figure(figsize=(columns * width, rows * height * stretch + legend), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for unused in axes[count:]:
        unused.remove()
    return figure, axes[:count]


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
    # Measurements first, reference lines after them.
    labels = sorted(entries, key=lambda label: not isinstance(entries[label], Container))
    most = min(2 * min(len(axes), 2), len(labels))
    renderer = FigureCanvasAgg(figure).get_renderer()
    for columns in range(most, 0, -1):
        handles = [entries[label] for label in labels]
        legend = figure.legend(handles, labels, loc="outside upper center", ncols=columns, **look)
        if columns == 1 or legend.get_window_extent(renderer).width <= figure.bbox.width:
            more = math.ceil(len(labels) / columns) - math.ceil(len(labels) / most)
            figure.set_figheight(figure.get_figheight() + more * _row_height())
            return
        legend.remove()


def _row_height() -> float:
    """Of a legend, in inches."""
    return 1.6 * _points("legend.fontsize") / 72


def looks(names: Iterable[object]) -> dict[object, Look]:
    """A colour, marker and dash for each name, in the order of the style's cycle; the second round has open markers."""
    cycle = list(matplotlib.rcParams["axes.prop_cycle"])
    return {
        name: {**cycle[i % len(cycle)], **({} if i < len(cycle) else {"markerfacecolor": "white"})}
        for i, name in enumerate(dict.fromkeys(names))
    }


def lines(
    data: pd.DataFrame, x: str, by: str, within: Sequence[str] = (), further: int = 0
) -> tuple[Figure, list[Axes]]:
    """The score over a column, a line for each value of another, a panel for whatever else varies.

    Args:
        data: with the columns of `over_seeds`.
        x: name of the column along the axis.
        by: name of the column of which each value has a line.
        within: further columns that do not make panels.
        further: entries of the legend that the caller adds; without any, the legend is drawn.

    Returns:
        The figure, and its panels, of which the horizontal axis is still without label.
    """
    parts = list(panels(data, [by, x, *within, *(["scheme"] if by == "title" else [])]))
    look = looks(data[by])
    figure, axes = panel_grid(len(parts), entries=len(look) + further)
    for panel, (title, rows) in zip(axes, parts):
        draw_lines(panel, rows, x, by, look)
        panel.set_title(title)
    if not further:
        legend_above(figure, axes)
    return figure, axes


def draw_lines(axes: Axes, rows: pd.DataFrame, x: str, by: str, look: dict[object, Look]) -> None:
    """The score over a column with its 95 % intervals, a line for each value of another, and its axis."""
    for value, own in rows.groupby(by, sort=False):
        own = own.sort_values(x)
        middle = own["accuracy"]
        reach = [(middle - own["accuracy_low"]).clip(lower=0), (own["accuracy_high"] - middle).clip(lower=0)]
        axes.errorbar(own[x], middle, yerr=reach, label=said(by, value), **look[value])
    score = Score.of(rows)
    axes.set(ylabel=score.label, ylim=score.limits(rows["accuracy"]))
    if not math.isfinite(score.low):
        # Below it, nothing at all would be better.
        axes.axhline(score.base, color="0.5", linewidth=0.8, linestyle=":", zorder=1)
