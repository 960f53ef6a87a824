"""What imperfect knowledge of the channel costs: accuracy over the error of the estimate, and over pilots."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from figures.drawing import draw_lines, legend_above, panel_grid, write_conditions
from figures.looks import looks
from figures.table import CONDITIONS, INTERVAL, TableError, check, over_seeds

EXPERIMENTS = ("estimation",)

GAIN = ("estimation_error", "pilot_share", "delay_spread")

AXES = {
    "error of the estimate": ("estimation_error", "error of the estimate, mean square over E|h|²"),
    "pilots": ("pilot_share", "pilots, share of all channel uses"),
}
"""What a channel varies, and the column and words of the axis that it is drawn over."""


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean accuracy over seeds with its 95 % interval, what varies, and how the channel fades.

    Channels whose receiver is given an estimate (`estimation_error`) are drawn over its error, those that estimate from
    pilots (no number there) over the share of pilots.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL, *GAIN), "estimation")
    drawn: Any = over_seeds(table.assign(pilots=table["estimation_error"].isna()), also=[*GAIN, "pilots"])
    if drawn["snr_db"].nunique() > 1 and drawn["channel_uses"].nunique() > 1:
        raise TableError("figure estimation is of several SNRs or several budgets, not of both: choose rows")
    over = drawn["pilots"].astype(bool).map({False: "error of the estimate", True: "pilots"})
    fading = (drawn["delay_spread"] > 0).map({False: "slow flat fading", True: "frequency-selective fading"})
    return drawn.drop(columns="pilots").assign(over=over, fading=fading)


def draw(table: pd.DataFrame) -> Figure:
    """Draw it: a row of panels for each knowledge and fading, error of the estimate left, share of pilots right.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    drawn: Any = data(table)
    split = [name for name in ("snr_db", "channel_uses", "knowledge") if drawn[name].nunique() > 1]
    parts: Any = list(drawn.groupby([*split, "fading", "over"], sort=False))
    parts.sort(key=lambda part: tuple(str(value) for value in part[0][:-1]))
    look = looks(drawn["title"])
    figure, axes = panel_grid(len(parts), entries=len(look))
    for panel, (values, rows) in zip(axes, parts):
        column, label = AXES[values[-1]]
        # Powers of ten, and zero.
        panel.set_xscale("symlog", linthresh=0.01 if column == "estimation_error" else 0.001)
        draw_lines(panel, rows, column, "title", look)
        told = dict(zip(split, values))
        knows = {"average": "sender knows the average", "instantaneous": "sender is told an estimate"}
        first = [knows.get(str(told.get("knowledge")), str(told.get("knowledge", "")))]
        first += [f"{told[name]:,}" for name in split if name != "knowledge"]
        panel.set(xlabel=label, title=f"{values[-2]}\n{', '.join(filter(None, first))}")
    legend_above(figure, axes)
    write_conditions(figure, drawn, ["scheme", "channel", *split])
    return figure
