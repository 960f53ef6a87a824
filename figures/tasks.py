"""Several tasks in one parameter set: the score and the channel uses over the number of tasks."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, FixedLocator, LogLocator, NullFormatter

from figures.drawing import draw_lines, legend_above, panel_grid, write_conditions
from figures.looks import looks
from figures.table import CONDITIONS, INTERVAL, check, over_seeds, panels

EXPERIMENTS = ("tasks",)

TASKS = "tasks that the receiver has"


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean score over tasks and seeds with its 95 % interval, and the uses that were spent.

    Schemes of one `family` are joined by a line; `tasks` is how many tasks a receiver has afterwards.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL, "family", "tasks", "channel_uses_spent"), "tasks")
    families = dict(zip(table["scheme"], table["family"].fillna("")))
    drawn = over_seeds(table, also=["channel_uses_spent", "tasks"])
    return drawn.assign(family=[families[scheme] or title for scheme, title in zip(drawn["scheme"], drawn["title"])])


def draw(table: pd.DataFrame) -> Figure:
    """Draw it: a row for each SNR and whatever else varies; the score on the left, channel uses on the right.

    Raises:
        TableError: as `data` does.
    """
    drawn = data(table)
    parts = list(panels(drawn.assign(title=drawn["family"]), ["scheme", "title"]))
    look = looks(drawn["family"])
    figure, axes = panel_grid(2 * len(parts), entries=len(look))
    for row, (title, rows) in enumerate(parts):
        score, spent = axes[2 * row : 2 * row + 2]
        draw_lines(score, rows, "tasks", "family", look)
        _draw_uses(spent, rows, look)
        for panel in (score, spent):
            panel.set(xlabel=TASKS, title=title)
            panel.xaxis.set_major_locator(FixedLocator(sorted(set(rows["tasks"]))))
    legend_above(figure, axes)
    write_conditions(figure, drawn, ["scheme"])
    return figure


def _draw_uses(panel: Any, rows: pd.DataFrame, look: Any) -> None:
    """What each family spends."""
    panel.set_yscale("log")
    for family, own in rows.groupby("family", sort=False):
        own = own.sort_values("tasks")
        panel.plot(own["tasks"], own["channel_uses_spent"], **look[family])
    panel.set_ylabel("channel uses")
    panel.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    panel.yaxis.set_major_formatter(EngFormatter(sep=""))
    panel.yaxis.set_minor_formatter(NullFormatter())
