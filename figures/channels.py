"""Delivered accuracy over SNR, a line for each channel."""

import math
from collections.abc import Iterator

import pandas as pd
from matplotlib.figure import Figure

from figures.drawing import SNR, draw_lines, legend_above, panel_grid, write_conditions
from figures.looks import looks
from figures.table import CONDITIONS, INTERVAL, check, over_seeds, panels

EXPERIMENTS = ("channels",)

MOST_LINES = 8
"""In one panel."""


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean accuracy over seeds and its 95 % interval.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL), "channels")
    return over_seeds(table)


def draw(table: pd.DataFrame) -> Figure:
    """Draw it, a panel for each scheme; where a channel has pilots its budget is larger by them.

    More channels than can be told apart in one panel are spread over several, with the first of them in each.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    drawn = data(table)
    parts = [
        (title, rows.loc[rows["channel"].isin(shown)])
        for title, rows in panels(drawn, ["channel", "snr_db"])
        for shown in _spread(list(dict.fromkeys(rows["channel"])))
    ]
    look = looks(drawn["channel"])
    figure, axes = panel_grid(len(parts), entries=len(look))
    for panel, (title, rows) in zip(axes, parts):
        draw_lines(panel, rows, "snr_db", "channel", look)
        panel.set(xlabel=SNR, title=title)
    legend_above(figure, axes)
    write_conditions(figure, drawn, ["channel", "snr_db"])
    return figure


def _spread(channels: list[str]) -> Iterator[list[str]]:
    """Channels of each panel.

    >>> [len(shown) for shown in _spread([f"channel_{i}" for i in range(15)])]
    [8, 8]
    >>> list(_spread(["awgn", "rayleigh"]))
    [['awgn', 'rayleigh']]
    """
    first, *others = channels
    count = max(1, math.ceil(len(others) / (MOST_LINES - 1)))
    size = math.ceil(len(others) / count)
    for number in range(count):
        yield [first, *others[number * size : (number + 1) * size]]
