"""What figures share: panels, lines with intervals, legends outside of the data."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.container import Container
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties

from figures.table import panels, said

STYLES = {name: Path(__file__).parent / f"{name}.mplstyle" for name in ("paper", "slides")}

ACCURACY = "delivered accuracy"
SNR = "SNR (dB)"
TOP = 1.03
"""Where an axis of accuracy ends, so that a marker at 1 is whole."""

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
    legend = 1.6 * math.ceil(entries / (2 * columns)) * _points("legend.fontsize") / 72
    figure = Figure(figsize=(columns * width, rows * height * stretch + legend), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for unused in axes[count:]:
        unused.remove()
    return figure, axes[:count]


def _points(setting: Literal["legend.fontsize"]) -> float:
    return FontProperties(size=matplotlib.rcParams[setting]).get_size_in_points()


def legend_above(figure: Figure, axes: Sequence[Axes]) -> None:
    """One legend for all panels, above them, each label once."""
    entries = {}
    for panel in axes:
        for handle, label in zip(*panel.get_legend_handles_labels()):
            entries.setdefault(label, handle)
    # Measurements first, reference lines after them.
    labels = sorted(entries, key=lambda label: not isinstance(entries[label], Container))
    columns = min(2 * min(len(axes), 2), len(labels))
    figure.legend([entries[label] for label in labels], labels, loc="outside upper center", ncols=columns)


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
    """Accuracy over a column, a line for each value of another, a panel for whatever else varies.

    Args:
        data: with the columns of `over_seeds`.
        x: name of the column along the axis.
        by: name of the column of which each value has a line.
        within: further columns that do not make panels.
        further: entries of the legend that the caller adds; without any, the legend is drawn.

    Returns:
        The figure, and its panels, of which the horizontal axis is still without label.
    """
    parts = list(panels(data, [by, x, *within]))
    look = looks(data[by])
    figure, axes = panel_grid(len(parts), entries=len(look) + further)
    for panel, (title, rows) in zip(axes, parts):
        draw_lines(panel, rows, x, by, look)
        panel.set(ylabel=ACCURACY, title=title)
    if not further:
        legend_above(figure, axes)
    return figure, axes


def draw_lines(axes: Axes, rows: pd.DataFrame, x: str, by: str, look: dict[object, Look]) -> None:
    """Accuracy over a column with its 95 % intervals, a line for each value of another."""
    for value, own in rows.groupby(by, sort=False):
        own = own.sort_values(x)
        middle = own["accuracy"]
        reach = [(middle - own["accuracy_low"]).clip(lower=0), (own["accuracy_high"] - middle).clip(lower=0)]
        axes.errorbar(own[x], middle, yerr=reach, label=said(by, value), **look[value])
    axes.set_ylim(0, TOP)
