"""Delivered accuracy over SNR, a line for each scheme."""

import pandas as pd
from matplotlib.figure import Figure

from figures.drawing import ACCURACY, SNR, legend_above, line, looks, panel_grid
from figures.table import CONDITIONS, check, over_seeds, panels, said

EXPERIMENTS = ("snr", "demo")
NEEDS = (*CONDITIONS, "seed", "accuracy", "accuracy_low", "accuracy_high")


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean accuracy over seeds and its 95 % interval.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, NEEDS, "snr")
    return over_seeds(table)


def draw(table: pd.DataFrame) -> Figure:
    """Draw it, a panel for each data set, model, channel, knowledge and budget that there are.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    drawn = data(table)
    parts = list(panels(drawn, ["scheme", "snr_db"]))
    look = looks(drawn["scheme"])
    figure, axes = panel_grid(len(parts), entries=len(look))
    for panel, (title, rows) in zip(axes, parts):
        for scheme, own in rows.groupby("scheme", sort=False):
            line(panel, own, "snr_db", said("scheme", scheme), look[scheme])
        panel.set(xlabel=SNR, ylabel=ACCURACY, title=title, ylim=(0, 1))
    legend_above(figure, axes)
    return figure
