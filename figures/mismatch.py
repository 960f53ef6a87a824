"""SNR of training against SNR of delivery: what it costs to have trained for another channel."""

import math
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from figures.drawing import SNR, lines
from figures.table import CONDITIONS, INTERVAL, check, over_seeds

EXPERIMENTS = ("mismatch",)
RANGE = ("train_snr_db_low", "train_snr_db_high")


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean accuracy over seeds with its 95 % interval, and what each network was trained at.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL, *RANGE), "mismatch")
    drawn = over_seeds(table, also=RANGE)
    # Without noise, then numbers in their order, then ranges.
    is_range = drawn[RANGE[0]].ne(drawn[RANGE[1]]) & drawn[RANGE[0]].notna()
    drawn = drawn.assign(is_range=is_range).sort_values(["is_range", *RANGE], kind="stable", na_position="first")
    drawn = drawn.drop(columns="is_range")
    trained = pd.Series([_trained(*pair) for pair in zip(*(drawn[end] for end in RANGE))], index=drawn.index)
    schemes: Any = drawn.groupby(trained)["scheme"]
    if schemes.nunique().max() > 1:
        trained = drawn["title"] + ", " + trained
    return drawn.assign(trained=trained)


def draw(table: pd.DataFrame) -> Figure:
    """Draw it, a line for each SNR of training.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    figure, axes = lines(data(table), x="snr_db", by="trained", within=["scheme"])
    for panel in axes:
        panel.set_xlabel(f"{SNR} of delivery")
    return figure


def _trained(low: float, high: float) -> str:
    """At which SNR.

    >>> _trained(5.0, 5.0), _trained(0.0, 20.0), _trained(float("nan"), float("nan"))
    ('trained at 5 dB', 'trained at 0 to 20 dB', 'trained without noise')
    """
    if math.isnan(low):
        return "trained without noise"
    return f"trained at {low:g} dB" if low == high else f"trained at {low:g} to {high:g} dB"
