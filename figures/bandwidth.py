"""Delivered accuracy over bandwidth, a line for each scheme."""

import pandas as pd
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
    """Draw it, a panel for each SNR and whatever else varies; below channel uses, those for each parameter.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    drawn = data(table)
    figure, axes = lines(drawn, x="channel_uses", by="title", scale="log")
    places = sorted({*drawn["channel_uses"], *(hole["channel_uses"] for hole in drawn.attrs.get("holes", []))})
    one_model = len(drawn[["dataset", "model"]].drop_duplicates()) == 1
    largest = float((drawn["channel_uses"] / drawn["uses_per_parameter"]).iloc[0])
    said = [f"{uses:,.0f}" + (f"\n{uses / largest:.2g}" if one_model else "") for uses in places]
    bottom, top = min(panel.get_ylim()[0] for panel in axes), max(panel.get_ylim()[1] for panel in axes)
    for panel in axes:
        panel.set_ylim(bottom, top)
        panel.set_xticks(places, said, minor=False)
        panel.minorticks_off()
        panel.set_xlabel("channel uses, and for each parameter" if one_model else "channel uses")
    return figure
