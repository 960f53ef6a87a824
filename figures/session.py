"""Sessions: score over the channel uses that were spent on average, and the law of the delay."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from airdeliver.session.timeline import QUANTILES
from figures.drawing import TOP, draw_lines, in_thousands, legend_above, panel_grid, write_conditions
from figures.looks import looks
from figures.table import CONDITIONS, INTERVAL, check, over_seeds, panels

EXPERIMENTS = ("session",)

DELAYS = tuple(f"milliseconds_to_end_{share}" for share in QUANTILES)
TIMES = ("rounds", "uses_to_first", "milliseconds_to_first", "milliseconds_to_most", "uses_to_end", *DELAYS)


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean score over seeds with its 95 % interval, and when receivers had it.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL, *TIMES), "session")
    return over_seeds(table, also=TIMES)


def draw(table: pd.DataFrame) -> Figure:
    """Draw it: score over mean channel uses, and which share of receivers is done by when, at the largest budget.

    Raises:
        TableError: as `data` does.
    """
    drawn = data(table)
    look = looks(drawn["title"])
    parts = list(panels(drawn, ["title", "scheme", "channel_uses"]))
    figure, axes = panel_grid(2 * len(parts), entries=len(look))
    for left, right, (title, rows) in zip(axes[::2], axes[1::2], parts):
        left.set_xscale("log")
        draw_lines(left, rows, "uses_to_end", "title", look)
        left.set(xlabel="channel uses spent, mean", title=title)
        in_thousands(left)
        budget = rows["channel_uses"].max()
        largest: Any = rows[rows["channel_uses"] == budget]
        _delays(right, largest, look)
        right.set_title(f"{title}{', ' if title else ''}budget {budget:,} uses")
    legend_above(figure, axes)
    write_conditions(figure, drawn, ["title", "channel_uses"])
    return figure


def _delays(axes: Axes, rows: pd.DataFrame, look: dict[Any, Any]) -> None:
    """Quantiles of the time to the end, a line for each scheme."""
    shares = [share / 100 for share in QUANTILES]
    for row in rows.to_dict("records"):
        style = {**look[row["title"]], "capsize": 0}
        axes.errorbar([row[name] for name in DELAYS], shares, label=row["title"], **style)
    axes.set(xlabel="milliseconds to the end", ylabel="share of receivers done", ylim=(0, TOP))
    axes.set_xlim(left=0)
