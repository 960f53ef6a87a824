"""A base station and the receivers of its cell: the law of their scores, and what serving all of them takes."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from airdeliver.cost.carrier import Carrier
from figures.drawing import TOP, legend_above, panel_grid, say_score, write_below
from figures.fading import SHARES, ranks, weighted
from figures.looks import Look, looks
from figures.score import Score
from figures.table import CONDITIONS, SCORE, check, conditions, described, panels

EXPERIMENTS = ("city",)
TABLE = "deliveries.parquet"
"""What it is drawn from, beside the table of results: one row a delivery, which stands for a share of the receivers."""

RECEIVERS = 1000
"""That the base station serves."""

WORST = 0.05
"""Share of the receivers that are served worst."""


def data(table: pd.DataFrame, receivers: int = RECEIVERS, carrier: Carrier = Carrier()) -> pd.DataFrame:  # noqa: B008
    """What is drawn: mean and quantiles of the score over receivers, and milliseconds until all are served.

    A sender that chooses for each receiver's own channel (knowledge instantaneous) sends once for each of them; one
    that knows no more than the law of the channel sends once for all.

    Args:
        table: one row a delivery: the columns of a condition, seed, realization and accuracy.
        receivers: that are served.
        carrier: what is sent on.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", "realization", "accuracy"), "city")
    table = weighted(described(table))
    by: Any = table.groupby(list(CONDITIONS), sort=False)
    drawn: Any = by[["title", *SCORE]].first()
    drawn["mean"] = by.apply(lambda own: float(own["share"] @ own["accuracy"]), include_groups=False)
    law = by.apply(lambda own: pd.Series(ranks(own, (WORST, *SHARES))), include_groups=False)
    drawn["worst"] = law[0]
    for i, share in enumerate(SHARES, 1):
        drawn[f"quantile_{share:.2f}"] = law[i]
    drawn = drawn.reset_index()
    each = drawn["knowledge"] == "instantaneous"
    uses = drawn["channel_uses"] * np.where(each, receivers, 1)
    way = np.where(each, "to each in turn", "to all at once")
    label = drawn["title"] + ", " + way
    return drawn.assign(milliseconds=uses.map(carrier.milliseconds), label=label, each=each)


def draw(table: pd.DataFrame, receivers: int = RECEIVERS, carrier: Carrier = Carrier()) -> Figure:  # noqa: B008
    """Draw it: the law of the score over receivers at the middle budget; mean and worst twentieth over milliseconds.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    drawn = data(table, receivers, carrier)
    parts = list(panels(drawn, ["label", "scheme", "knowledge", "channel_uses", "milliseconds"]))
    look = _looks(drawn)
    figure, axes = panel_grid(2 * len(parts), entries=len(look) + 1)
    for left, right, (title, rows) in zip(axes[::2], axes[1::2], parts):
        budgets = sorted(rows["channel_uses"].unique())
        middle = budgets[len(budgets) // 2]
        _law(left, rows.loc[rows["channel_uses"] == middle], look)
        left.set_title(", ".join(filter(None, (title, f"{middle:,} channel uses"))))
        _time(right, rows, look, receivers)
        right.set_title(title)
    axes[1].add_line(Line2D([], [], color="0.35", linestyle=":", marker="v", label="the worst 5 % are below"))
    legend_above(figure, axes)
    write_below(
        figure,
        conditions(drawn, ["scheme", "knowledge", "channel_uses"]),
        f"{receivers:,} receivers are served. Carrier: {carrier}.",
    )
    return figure


def _looks(drawn: pd.DataFrame) -> dict[object, Look]:
    """A scheme has one colour and marker, which is open where it is sent to each receiver in turn."""
    of_title = looks(drawn["title"])
    turn = {"linestyle": ":", "markerfacecolor": "white"}
    rows = drawn.drop_duplicates("label")[["label", "title", "each"]].itertuples(index=False)
    return {label: {**of_title[title], **turn} if each else of_title[title] for label, title, each in rows}


def _law(axes: Axes, rows: pd.DataFrame, look: dict[object, Look]) -> None:
    for row in rows.to_dict("records"):
        scores = [row[f"quantile_{share:.2f}"] for share in SHARES]
        axes.plot(scores, SHARES, markevery=5, label=row["label"], **look[row["label"]])
    score = Score.of(rows)
    axes.set(xlabel=score.label, ylabel="share of receivers below", ylim=(-0.03, TOP))
    axes.set_xlim(score.limits(pd.concat([rows["quantile_0.00"], rows["quantile_1.00"]])))
    say_score(axes.xaxis, score)


def _time(axes: Axes, rows: pd.DataFrame, look: dict[object, Look], receivers: int) -> None:
    axes.set_xscale("log")
    for label, own in rows.groupby("label", sort=False):
        own = own.sort_values("milliseconds")
        axes.plot(own["milliseconds"], own["mean"], **look[label])
        axes.plot(
            own["milliseconds"], own["worst"], color=look[label]["color"], linestyle=":", marker="v", markersize=4
        )
    score = Score.of(rows)
    axes.set(xlabel=f"time on the air until all {receivers:,} are served (ms)", ylabel=score.label)
    axes.set_ylim(score.limits(pd.concat([rows["mean"], rows["worst"]])))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    say_score(axes.yaxis, score)
