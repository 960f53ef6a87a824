"""Holes: where a budget is too small there is no score, and a figure says so by a mark."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from figures.table import CONDITIONS

MARK: dict[str, Any] = {"marker": "x", "linestyle": "none", "clip_on": False, "zorder": 5, "label": "does not fit"}
HEIGHT = 0.02
STEP = 0.035
"""Of a panel's height: where the first row of marks is, and how far one row is above another."""


def of_panel(
    rows: pd.DataFrame, holes: Sequence[dict[str, Any]], x: str, by: str, within: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The holes that belong to a panel: alike in every condition that its rows share.

    Args:
        rows: of the panel.
        holes: of the whole table.
        x: name of the column along the axis.
        by: name of the column of which each value has a line.
        within: further columns that do not make panels.

    >>> rows = pd.DataFrame({"channel": ["awgn"], "scheme": ["clean"], "snr_db": [5.0]})
    >>> holes = [{"channel": name, "scheme": "airnet", "snr_db": 5.0} for name in ("awgn", "tdl")]
    >>> [hole["channel"] for hole in of_panel(rows, holes, x="snr_db", by="scheme")]
    ['awgn']
    """
    free = {x, by, *within, *(["scheme"] if by == "title" else [])}
    shared = [name for name in CONDITIONS if name in rows and name not in free and len(set(rows[name])) == 1]
    return [hole for hole in holes if all(hole[name] == rows[name].iloc[0] for name in shared)]


def mark(axes: Axes, holes: Sequence[dict[str, Any]], x: str, by: str, look: dict[object, dict[str, Any]]) -> None:
    """A cross at the foot of the panel for every hole, in the colour of its line, a row for each line.

    Args:
        axes: the panel.
        holes: that belong to it.
        x: name of the column along the axis.
        by: name of the column of which each value has a line.
        look: of each line.
    """
    names = [name for name in look if any(hole[by] == name for hole in holes)]
    for row, name in enumerate(names):
        places = sorted({hole[x] for hole in holes if hole[by] == name})
        heights = [HEIGHT + row * STEP] * len(places)
        color = look[name].get("color", "0.3")
        shown = {**MARK, "label": "_", "color": color, "transform": axes.get_xaxis_transform()}
        for crosses in axes.plot(places, heights, **shown):
            crosses.set_in_layout(False)
    if holes:  # one entry of the legend for all of them
        axes.plot([], [], **{**MARK, "color": "0.3", "clip_on": True})
