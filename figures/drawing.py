"""What figures share: panels, lines with intervals, legends outside of the data."""

import math
from collections.abc import Sequence
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

STYLES = {name: Path(__file__).parent / f"{name}.mplstyle" for name in ("paper", "slides")}

ACCURACY = "delivered accuracy"
SNR = "SNR (dB)"

Look = dict[str, str]
"""Colour, marker and dash."""


def panel_grid(count: int, columns: int = 2, entries: int = 0) -> tuple[Figure, list[Axes]]:
    """A figure of equal panels, each of the size that the style gives to one.

    Args:
        count: of panels.
        columns: at most so many side by side.
        entries: of the legend, for which the figure grows.
    """
    columns = min(count, columns)
    rows = math.ceil(count / columns)
    width, height = matplotlib.rcParams["figure.figsize"]
    lines = math.ceil(entries / legend_columns(columns))
    legend = 1.5 * lines * matplotlib.rcParams["font.size"] / 72
    figure = Figure(figsize=(columns * width, rows * height + legend), layout="constrained")
    axes = list(figure.subplots(rows, columns, squeeze=False).flat)
    for unused in axes[count:]:
        unused.remove()
    return figure, axes[:count]


def legend_columns(columns: int) -> int:
    """Entries side by side above so many panels."""
    return 2 * columns


def legend_above(figure: Figure, axes: Sequence[Axes]) -> None:
    """One legend for all panels, above them, each label once."""
    entries = {}
    for panel in axes:
        for handle, label in zip(*panel.get_legend_handles_labels()):
            entries.setdefault(label, handle)
    if entries:
        columns = legend_columns(min(len(axes), 2))
        figure.legend(entries.values(), entries.keys(), loc="outside upper center", ncols=min(columns, len(entries)))


def looks(names: Sequence[object]) -> dict[object, Look]:
    """A colour, marker and dash for each name, in the order of the style's cycle."""
    cycle = list(matplotlib.rcParams["axes.prop_cycle"])
    return {name: cycle[i % len(cycle)] for i, name in enumerate(dict.fromkeys(names))}


def line(axes: Axes, rows: pd.DataFrame, x: str, label: str, look: Look) -> None:
    """Accuracy over a column, with its 95 % interval.

    Args:
        axes: to draw into.
        rows: with the columns x, accuracy, accuracy_low and accuracy_high.
        x: name of the column.
        label: for the legend.
        look: colour, marker and dash.
    """
    rows = rows.sort_values(x)
    middle = rows["accuracy"]
    below, above = middle - rows["accuracy_low"], rows["accuracy_high"] - middle
    axes.errorbar(rows[x], middle, yerr=[below.clip(lower=0), above.clip(lower=0)], label=label, **look)
