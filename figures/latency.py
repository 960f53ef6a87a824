"""Delivered accuracy over the time that the delivery takes on an NR carrier."""

import math

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator

from airdeliver.cost.carrier import Carrier
from figures.drawing import legend_above, lines
from figures.table import CONDITIONS, INTERVAL, check, over_seeds

EXPERIMENTS = ("bandwidth",)

BUDGET_MILLISECONDS = 1000.0
"""TS 22.261 table 7.10.1-2: most end-to-end latency of downloading a model, for image and for speech recognition."""

RATES = {1.1e9: "1.1 Gbit/s", 640e6: "640 Mbit/s"}
"""The same table: experienced data rates in bit/s, which are 138 and 80 MByte in that second."""

BITS = 32


def data(table: pd.DataFrame, carrier: Carrier = Carrier()) -> pd.DataFrame:  # noqa: B008
    """What is drawn: mean accuracy over seeds with its 95 % interval, and milliseconds on the air.

    Args:
        table: results; the channel uses that were spent are counted, not those that were allowed.
        carrier: what they are sent on.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL, "channel_uses_spent", "parameters_sent"), "latency")
    drawn = over_seeds(table, also=["channel_uses_spent", "parameters_sent"])
    found = drawn.assign(milliseconds=drawn["channel_uses_spent"].map(carrier.milliseconds), carrier=str(carrier))
    # What does not fit would have had all of its budget.
    missing = drawn.attrs.get("holes", [])
    found.attrs["holes"] = [{**hole, "milliseconds": carrier.milliseconds(hole["channel_uses"])} for hole in missing]
    return found


def draw(table: pd.DataFrame, carrier: Carrier = Carrier()) -> Figure:  # noqa: B008
    """Draw it, a panel for each SNR and whatever else varies.

    Dashed: the second that TS 22.261 allows. Dotted and dash-dotted: the largest network of the table, uncompressed in
    float32, at the data rates of its clause 7.10: what a download of it would take.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    drawn = data(table, carrier)
    figure, axes = lines(
        drawn, x="milliseconds", by="title", within=["channel_uses"], further=1 + len(RATES), scale="log"
    )
    bits = BITS * max(drawn["parameters_sent"])
    marks = {f"float32 at {label}": 1000 * bits / rate for rate, label in RATES.items()}
    marks["TS 22.261 budget: 1 s"] = BUDGET_MILLISECONDS
    for panel in axes:
        longest = 5 * drawn["milliseconds"].max()
        for dash, (label, milliseconds) in zip((":", "-.", "--"), marks.items()):
            # A mark far beyond the data would squeeze them; the legend says where it is.
            far = milliseconds > longest
            place, beyond = (math.nan, f" (off the axis: {milliseconds:,.0f} ms)") if far else (milliseconds, "")
            panel.axvline(place, color="black", linestyle=dash, label=label + beyond)
        panel.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        panel.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        panel.minorticks_off()
        panel.set_xlabel(f"time on the air (ms)\n{carrier}")
    legend_above(figure, axes)
    return figure
