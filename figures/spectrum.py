"""One parameter set for any SNR against networks of their own: accuracy, and what each costs to hold and to train."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.drawing import ACCURACY, SNR, Look, draw_lines, legend_above, looks, panel_grid
from figures.table import CONDITIONS, INTERVAL, check, over_seeds, panels

EXPERIMENTS = ("spectrum",)
COSTS = ("parameters_stored", "parameters_sent", "train_seconds")


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean accuracy over seeds with its 95 % interval, parameters held, and seconds of training.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL, "parameters_sent", "train_seconds"), "spectrum")
    return over_seeds(table, also=[name for name in COSTS if name in table])


def draw(table: pd.DataFrame) -> Figure:
    """Draw it: accuracy over SNR, and beside it both costs as multiples of the first scheme's.

    Parameters held are the column `parameters_stored`; without one, the most that is sent at any SNR.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    drawn = data(table)
    parts = list(panels(drawn, ["scheme", "snr_db"]))
    look = looks(drawn["scheme"])
    figure, axes = panel_grid(2 * len(parts), entries=len(look))
    for left, right, (title, rows) in zip(axes[::2], axes[1::2], parts):
        draw_lines(left, rows, "snr_db", "scheme", look)
        left.set(xlabel=SNR, ylabel=ACCURACY, title=title)
        _draw_costs(right, rows, look)
        right.set_title(title)
    legend_above(figure, axes)
    return figure


def _draw_costs(axes: Axes, rows: pd.DataFrame, look: dict[object, Look]) -> None:
    memory = "parameters_stored" if "parameters_stored" in rows else "parameters_sent"
    costs: Any = rows.groupby("scheme", sort=False)[[memory, "train_seconds"]].max()
    relative = costs / costs.iloc[0]
    width = 0.8 / len(costs)
    for number, (scheme, values) in enumerate(relative.iterrows()):
        places = [group + (number - (len(costs) - 1) / 2) * width for group in (0, 1)]
        bars = axes.bar(places, values, width, color=look[scheme]["color"], edgecolor="black", linewidth=0.5)
        axes.bar_label(bars, fmt="{:.2g}", padding=1, fontsize="x-small")
    axes.set_xticks(
        [0, 1], ["parameters held" if memory == "parameters_stored" else "parameters sent", "time of training"]
    )
    axes.set_ylabel("relative to the first scheme")
    axes.margins(y=0.12)
    axes.grid(visible=False, axis="x")
