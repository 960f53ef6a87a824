"""Delivered accuracy over SNR, a line for each scheme."""

import pandas as pd
from matplotlib.figure import Figure

from figures.drawing import SNR, lines
from figures.table import CONDITIONS, INTERVAL, check, over_seeds

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
    figure, axes = lines(data(table), x="snr_db", by="title")
    for panel in axes:
        panel.set_xlabel(SNR)
    return figure
