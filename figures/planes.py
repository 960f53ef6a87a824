"""Bit planes against networks of one precision: delivered accuracy over SNR."""

import pandas as pd
from matplotlib.figure import Figure

from figures.drawing import SNR, lines
from figures.table import CONDITIONS, INTERVAL, check, over_seeds

EXPERIMENTS = ("planes",)


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean accuracy over seeds with its 95 % interval, and the bits that were sent.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL, "container_bits"), "planes")
    return over_seeds(table, also=["container_bits"])


def draw(table: pd.DataFrame) -> Figure:
    """Draw it, a line for each scheme, a panel for each channel and budget.

    Raises:
        TableError: as `data` does.
    """
    figure, axes = lines(data(table), x="snr_db", by="title")
    for panel in axes:
        panel.set_xlabel(SNR)
    return figure
