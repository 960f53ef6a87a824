"""What each part of a scheme is worth: what is lost without it, against the whole scheme, the greatest loss first."""

from typing import Any

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from figures.drawing import panel_grid, write_conditions
from figures.gains import gains
from figures.hover import remember_gain
from figures.score import Score
from figures.table import panels

EXPERIMENTS = ("ablation",)


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean accuracy over seeds and gain over the first scheme, with 95 % intervals.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    return gains(table, "ablation")


def draw(table: pd.DataFrame) -> Figure:
    """Draw it, panels for each SNR and whatever else varies in one row; the order is that of the mean over panels.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    drawn = data(table)
    others: Any = drawn[drawn["scheme"] != drawn["reference"]]
    whole = dict(zip(drawn["scheme"], drawn["title"]))[drawn["reference"].iloc[0]]
    means: Any = (others if len(others) else drawn).groupby("title")["gain"].mean()
    order = list(means.sort_values().index)
    parts = list(panels(drawn, ["scheme"]))
    height = matplotlib.rcParams["figure.figsize"][1] * 72 / matplotlib.rcParams["font.size"]
    figure, axes = panel_grid(len(parts), columns=min(len(parts), 6), stretch=max(0.5, (2 * len(order) + 6) / height))
    score = Score.of(drawn)
    for panel, (title, rows) in zip(axes, parts):
        rows = rows[rows["title"].isin(order)]
        points: Any = score.scale * rows[["gain", "gain_low", "gain_high"]]
        reach = [points["gain"] - points["gain_low"], points["gain_high"] - points["gain"]]
        places = [order.index(name) for name in rows["title"]]
        panel.barh(places, points["gain"], xerr=reach, color="#56B4E9", edgecolor="black", linewidth=0.5, height=0.7,
                   error_kw={"elinewidth": 1.0})  # fmt: skip
        for place, end, (_, row) in zip(places, points["gain"], rows.iterrows()):
            remember_gain(panel, (float(end), float(place)), row, "gain", score, whole, str(row["title"]))
        panel.axvline(0, color="black", linewidth=0.8)
        panel.set_yticks(range(len(order)), order)
        place = panel.get_subplotspec()
        panel.tick_params(labelleft=place is None or place.is_first_col())
        panel.set(ylim=(len(order) - 0.4, -0.6), title=title)
        panel.grid(visible=False, axis="y")
    ends = [panel.get_xlim() for panel in axes]
    for panel in axes:
        panel.set_xlim(min(low for low, _ in ends), max(high for _, high in ends))
        panel.set_xlabel(score.unit)
    figure.suptitle(f"difference to {whole} in delivered {score.words}", fontsize="medium")
    write_conditions(figure, drawn, ["scheme"])
    return figure
