"""Networks at several resolutions: the score over mean multiply-accumulates, and which images see which."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from figures.drawing import draw_intervals, legend_above, panel_grid, say_score, write_conditions
from figures.hover import remember
from figures.looks import looks
from figures.score import Score
from figures.table import CONDITIONS, INTERVAL, TableError, check, over_seeds, panels

EXPERIMENTS = ("resolutions_32", "resolutions")

SHARE = "share_"
"""Begins the columns that hold the share of the images that took a path; the rest is the name of the path."""


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean score over seeds with its 95 % interval, mean multiply-accumulates, share of each resolution.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL, "macs"), "resolutions")
    if not shares(table):
        raise TableError("figure resolutions needs a column of shares such as share_8px, which the table does not have")
    return over_seeds(table, also=["macs", *shares(table)])


def shares(table: pd.DataFrame) -> list[str]:
    """The columns that hold shares of paths, in the order of the table."""
    return [str(name) for name in table if str(name).startswith(SHARE)]


def draw(table: pd.DataFrame) -> Figure:
    """Draw it: a row for each SNR and whatever else varies; the score left, shares right.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    drawn = data(table)
    parts = list(panels(drawn, ["scheme", "title"]))
    look = looks(drawn["title"])
    figure, axes = panel_grid(2 * len(parts), columns=2, entries=len(look))
    for row, (title, rows) in enumerate(parts):
        left, right = axes[2 * row : 2 * row + 2]
        _draw_scores(left, rows, look)
        _draw_shares(right, rows, look)
        left.set_title(title)
        right.set_title(title)
    legend_above(figure, axes[:1])
    write_conditions(figure, drawn, ["scheme", "title"])
    return figure


def _draw_scores(panel: Any, rows: pd.DataFrame, look: dict[Any, Any]) -> None:
    score = Score.of(rows)
    for point in rows.to_dict("records"):
        place, row = pd.Series([point["macs"]]), pd.DataFrame([point])
        draw_intervals(panel, place, row, str(point["title"]), {**look[point["title"]], "linestyle": "none"})
        remember(panel, place, row, "title", score)
    panel.set(
        xlabel="mean multiply-accumulates",
        ylabel=score.label,
        ylim=score.limits(value for name in INTERVAL for value in rows[name]),
    )
    panel.xaxis.set_major_formatter(EngFormatter(sep=""))
    say_score(panel.yaxis, score)


def _draw_shares(panel: Any, rows: pd.DataFrame, look: dict[Any, Any]) -> None:
    """A mark for each scheme and path, for the schemes that take one."""
    names = shares(rows)
    chosen = rows.dropna(subset=names, how="all")
    for number, point in enumerate(chosen.to_dict("records")):
        places = [at + 0.08 * (number - (len(chosen) - 1) / 2) for at in range(len(names))]
        heights = [float(point[name]) for name in names]
        panel.plot(places, heights, **{**look[point["title"]], "linestyle": "none"})
    panel.set_xticks(range(len(names)), [name.removeprefix(SHARE) for name in names])
    panel.set(xlabel="resolution", ylabel="share of the images (%)", ylim=(-0.03, 1.03))
    say_score(panel.yaxis, Score("share"))
