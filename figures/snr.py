"""Delivered accuracy over SNR, a line for each scheme."""

import pandas as pd
from matplotlib.figure import Figure

from figures.drawing import SNR, lines
from figures.table import CONDITIONS, INTERVAL, check, over_seeds

TICKS = 6
"""Of the axis of SNR at most where each says that something was measured there."""

EXPERIMENTS = ("snr", "layers", "parts", "demo")


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean accuracy over seeds and its 95 % interval.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL), "snr")
    return over_seeds(table)


def draw(table: pd.DataFrame) -> Figure:
    """Draw it, a panel for each data set, model, channel, knowledge and budget that there are.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    shown = data(table)
    figure, axes = lines(shown, x="snr_db", by="title")
    measured = sorted(set(shown["snr_db"]))
    for panel in axes:
        panel.set_xlabel(SNR)
        if len(measured) <= TICKS:
            panel.set_xticks(measured)
    return figure
