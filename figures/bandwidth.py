"""Delivered accuracy over bandwidth, a line for each scheme."""

from typing import Any, cast

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.drawing import lines
from figures.table import CONDITIONS, INTERVAL, check, over_seeds

EXPERIMENTS = ("bandwidth",)


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean accuracy over seeds with its 95 % interval, and channel uses for each parameter.

    The parameters are those of the largest network that was sent for the data set and model.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL, "parameters_sent"), "bandwidth")
    drawn = over_seeds(table, also=["parameters_sent"])
    largest = drawn.groupby(["dataset", "model"])["parameters_sent"].transform("max")
    return drawn.assign(uses_per_parameter=drawn["channel_uses"] / largest)


def draw(table: pd.DataFrame) -> Figure:
    """Draw it, a panel for each SNR and whatever else varies.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    drawn = data(table)
    figure, axes = lines(drawn, x="channel_uses", by="title")
    places: Any = drawn.drop_duplicates("channel_uses").sort_values("channel_uses")
    one_model = len(drawn[["dataset", "model"]].drop_duplicates()) == 1
    for panel in axes:
        panel.set_xscale("log", base=2)
        _ticks(panel, places["channel_uses"], "{:,.0f}")
        panel.set_xlabel("channel uses")
        if one_model:
            above = cast(Axes, panel.twiny())
            above.set_xscale("log", base=2)
            above.set_xlim(panel.get_xlim())
            above.grid(visible=False)
            _ticks(above, places["channel_uses"], "{:.2g}", places["uses_per_parameter"])
            above.set_xlabel("channel uses per parameter")
    return figure


def _ticks(axes: Axes, places: pd.Series, form: str, labels: pd.Series | None = None) -> None:
    shown = places if labels is None else labels
    axes.set_xticks(places.tolist(), [form.format(value) for value in shown], minor=False)
    axes.minorticks_off()
