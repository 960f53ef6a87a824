"""What each part of a scheme is worth: bars of delivered accuracy, the whole scheme first."""

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from figures.drawing import panel_grid
from figures.gains import gains
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
    """Draw it, a panel for each SNR and whatever else varies; the dashed line is the first scheme.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    drawn = data(table)
    parts = list(panels(drawn, ["scheme"]))
    titles = dict(zip(drawn["scheme"], drawn["title"]))
    schemes = list(titles)
    height = matplotlib.rcParams["figure.figsize"][1] * 72 / matplotlib.rcParams["font.size"]
    figure, axes = panel_grid(len(parts), stretch=max(0.6, (2 * len(schemes) + 5) / height))
    for panel, (title, rows) in zip(axes, parts):
        places = [schemes.index(scheme) for scheme in rows["scheme"]]
        reach = [rows["accuracy"] - rows["accuracy_low"], rows["accuracy_high"] - rows["accuracy"]]
        colours = ["#56B4E9" if scheme == rows["reference"].iloc[0] else "#d0d0d0" for scheme in rows["scheme"]]
        panel.barh(places, rows["accuracy"], xerr=reach, color=colours, edgecolor="black", linewidth=0.5, height=0.7,
                   error_kw={"elinewidth": 1.0})  # fmt: skip
        first = rows.loc[rows["scheme"] == rows["reference"], "accuracy"]
        if len(first):
            panel.axvline(first.iloc[0], color="black", linestyle="--", linewidth=0.8)
        panel.set_yticks(range(len(schemes)), list(titles.values()))
        place = panel.get_subplotspec()
        panel.tick_params(labelleft=place is None or place.is_first_col())
        score = Score.of(rows)
        panel.set(xlabel=score.label, xlim=score.limits(rows["accuracy"]), ylim=(len(schemes) - 0.4, -0.6), title=title)
        panel.grid(visible=False, axis="y")
    return figure
