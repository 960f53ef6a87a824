"""Delivered accuracy over the bits that a digital network takes for each parameter of the unpruned one."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from figures.drawing import lines
from figures.table import CONDITIONS, INTERVAL, TableError, check, over_seeds

EXPERIMENTS = ("bandwidth",)


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: bits for each parameter, container and side information included, and the mean accuracy.

    Bits are those of the container, where the table says; of a limit over AWGN, which uses all of its capacity, they
    are channel uses times log2(1 + SNR). Parameters are those of the largest network that was sent.

    Raises:
        TableError: a column is missing, or no row says its bits.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL, "parameters_sent", "channel_uses_spent"), "bits_per_parameter")
    also = [name for name in ("parameters_sent", "channel_uses_spent", "container_bits") if name in table]
    drawn = over_seeds(table, also=also)
    capacity = drawn["channel_uses_spent"] * np.log2(1 + 10 ** (drawn["snr_db"] / 10))
    of_limits = capacity.where(drawn["limit"].astype(bool) & (drawn["channel"] == "awgn"))
    bits = drawn["container_bits"].fillna(of_limits) if "container_bits" in drawn else of_limits
    largest = drawn.groupby(["dataset", "model"])["parameters_sent"].transform("max")
    drawn: Any = drawn.assign(bits_per_parameter=bits / largest)
    drawn.attrs.pop("holes", None)  # a network that cannot be sent has no bits
    drawn = drawn[drawn["bits_per_parameter"].notna()]
    if drawn.empty:
        raise TableError("figure bits_per_parameter needs digital schemes: no row of the table says its bits")
    return drawn


def draw(table: pd.DataFrame) -> Figure:
    """Draw it, a panel for each SNR and whatever else varies.

    Raises:
        TableError: a column is missing, or no row says its bits.
    """
    drawn: Any = data(table)
    figure, axes = lines(drawn, x="bits_per_parameter", by="title", within=("channel_uses",), scale="log")
    least, most = drawn["bits_per_parameter"].min(), drawn["bits_per_parameter"].max()
    ticks = [tick for tick in (0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 1, 1.5, 2, 3, 4, 8) if 0.8 * least <= tick <= 1.25 * most]
    for panel in axes:
        panel.set_xticks(ticks, [f"{tick:g}" for tick in ticks], minor=False)
        panel.minorticks_off()
        panel.set_xlabel("bits for each parameter, all included")
    return figure
