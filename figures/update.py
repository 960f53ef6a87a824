"""Updates: score over channel uses of what brings a receiver's earlier version up to date, a panel for each change."""

import pandas as pd
from matplotlib.figure import Figure

from figures.drawing import draw_lines, in_thousands, legend_above, panel_grid, write_conditions
from figures.looks import looks
from figures.table import CONDITIONS, INTERVAL, check, over_seeds

EXPERIMENTS = ("update",)


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean score over seeds with its 95 % interval, and what was spent.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL, "family", "channel_uses_spent"), "update")
    drawn = over_seeds(table, also=["channel_uses_spent", "parameters_sent"])
    families = dict(zip(table["scheme"], table["family"], strict=True))
    return drawn.assign(family=[families[scheme] or scheme for scheme in drawn["scheme"]])


def draw(table: pd.DataFrame) -> Figure:
    """Draw it, a line for each form and link; what schemes say of their preparation makes the panels.

    Raises:
        TableError: as `data` does.
    """
    drawn = data(table)
    look = looks(drawn["family"])
    parts = list(drawn.groupby("preparation", sort=False))
    figure, axes = panel_grid(len(parts), entries=len(look))
    for panel, (preparation, rows) in zip(axes, parts, strict=True):
        panel.set_xscale("log")
        draw_lines(panel, rows, "channel_uses", "family", look)
        panel.set(xlabel="channel uses", title=str(preparation))
        in_thousands(panel)
    legend_above(figure, axes)
    write_conditions(figure, drawn, ["family", "channel_uses"])
    return figure
