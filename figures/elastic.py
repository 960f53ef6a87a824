"""Members of elastic networks: the score over channel uses and over multiply-accumulates, a line for each family."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from figures.drawing import draw_lines, in_thousands, legend_above, panel_grid, write_conditions
from figures.looks import looks
from figures.table import CONDITIONS, INTERVAL, check, over_seeds, panels

EXPERIMENTS = ("elastic_link", "ordered", "exits_32", "elastic")

COSTS = {"channel_uses_spent": "channel uses", "macs": "multiply-accumulates"}
"""Columns that the score is drawn over, as axes say them."""


def data(table: pd.DataFrame, also: Sequence[str] = (), figure: str = "elastic") -> pd.DataFrame:
    """What is drawn: mean score over seeds with its 95 % interval, and what each member costs to send and to run.

    The members of one `family` are joined by a line.

    Args:
        table: results.
        also: further columns, of which the mean over seeds is kept.
        figure: whose name errors bear.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL, "family", *COSTS), figure)
    families = dict(zip(table["scheme"], table["family"].fillna("")))
    drawn = over_seeds(table, also=[*COSTS, *also])
    return drawn.assign(family=[families[scheme] or title for scheme, title in zip(drawn["scheme"], drawn["title"])])


def draw(table: pd.DataFrame) -> Figure:
    """Draw it: a row for each SNR and whatever else varies, a column for each cost.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    drawn = data(table)
    parts = list(panels(drawn.assign(title=drawn["family"]), ["scheme", "title"]))
    look = looks(drawn["family"])
    figure, axes = panel_grid(len(parts) * len(COSTS), columns=len(COSTS), entries=len(look))
    for row, (title, rows) in enumerate(parts):
        for column, (cost, label) in enumerate(COSTS.items()):
            panel: Any = axes[row * len(COSTS) + column]
            panel.set_xscale("log")
            draw_lines(panel, rows, cost, "family", look)
            panel.set(xlabel=label, title=title)
            in_thousands(panel)
    legend_above(figure, axes)
    write_conditions(figure, drawn, ["scheme"])
    return figure
