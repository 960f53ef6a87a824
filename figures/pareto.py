"""Delivered accuracy over two costs, a mark for each scheme, and who is not beaten by anyone cheaper."""

import textwrap
from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from figures.drawing import draw_intervals, in_thousands, legend_above, panel_grid, say_score, write_conditions
from figures.holes import mark, of_panel
from figures.hover import remember
from figures.looks import looks
from figures.score import Score
from figures.table import CONDITIONS, INTERVAL, TableError, check, over_seeds, said

EXPERIMENTS = ("compact", "quantisers", "planes", "elastic", "resolutions", "resolutions_32", "segmentation", "pareto")

COSTS = ("channel_uses_spent", "inference_joules")
"""What is drawn unless something else is asked for."""

BUDGET = "channel_uses_spent"
"""The cost of which a budget that is too small is known, too: it is marked at the foot of the panel."""

SPREAD = 5
"""Largest over smallest cost from which on an axis is logarithmic."""

LABELS = {
    "channel_uses_spent": "channel uses",
    "parameters": "parameters",
    "nonzeros": "values that are not 0",
    "macs": "multiply-accumulates",
    "effective_macs": "multiply-accumulates with weights that are not 0",
    "bit_operations": "bit operations",
    "activation_bytes": "activation memory (bytes)",
    "inference_joules": "energy of an inference (J)",
    "effective_inference_joules": "energy of an inference without zeros (J)",
    "container_bits": "container (bits)",
    "milliseconds": "time on the air (ms)",
    "transmit_joules": "transmitted energy at 1 W (J)",
    "latency_seconds": "measured latency (s)",
    "train_seconds": "training (s)",
}
"""Columns of costs, as axes say them."""


def data(table: pd.DataFrame, costs: Sequence[str] = COSTS, figure: str = "pareto") -> pd.DataFrame:
    """What is drawn: for each condition and cost, the mean score over seeds and whether the scheme is on the front.

    On the front is who has a higher score than all that cost as much or less, in the same panel.

    Args:
        table: results.
        costs: names of columns.
        figure: whose name errors bear.

    Raises:
        TableError: a column is missing or no cost, or there are no rows that have it.
    """
    unknown = [name for name in costs if name not in LABELS]
    if unknown:
        raise TableError(f"{unknown[0]!r} is no cost: there are {', '.join(LABELS)}")
    check(table, (*CONDITIONS, "seed", *INTERVAL, *costs), figure)
    drawn = over_seeds(table, also=list(costs))
    parts = []
    for name in dict.fromkeys(costs):
        part = drawn.assign(cost=name, value=drawn[name]).dropna(subset=["value"])
        within = ["dataset", "channel", "knowledge", "snr_db"]
        parts += [_with_front(rows) for _, rows in part.groupby(within, sort=True)]
    if not parts:
        raise TableError(f"no row of the table has {' or '.join(costs)}: choose another cost")
    together = pd.concat(parts, ignore_index=True)
    together.attrs |= drawn.attrs
    return together


def _with_front(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows in order of cost, with the column `front`."""
    ordered = rows.sort_values(["value", "accuracy"], ascending=[True, False])
    best, front = float("-inf"), []
    for score in ordered["accuracy"]:
        front.append(score > best)
        best = max(best, score)
    return ordered.assign(front=front)


_LINES, _WIDTH = 2, 88
"""Lines above a panel for the names of its front, and their characters."""


def draw(table: pd.DataFrame, costs: Sequence[str] = COSTS, name: str = "pareto") -> Figure:
    """Draw it, a column of panels for each cost, a row for each SNR and whatever else varies.

    The stairs are the front: nobody is better at less cost. Who is on it has a ring, where it is cheapest, and is named
    above the panel, in order of cost.

    Args:
        table: results.
        costs: names of columns.
        name: of the figure, which errors bear.

    Raises:
        TableError: as `data` does.
    """
    drawn: Any = data(table, costs, name)
    costs = list(dict.fromkeys(costs))
    missing = drawn.attrs.get("holes", []) if BUDGET in costs else []
    look = looks([*drawn["title"], *(hole["title"] for hole in missing)])
    keys = [k for k in ("dataset", "channel", "knowledge", "snr_db") if drawn[k].nunique() > 1] or ["snr_db"]
    groups = list(drawn.groupby(keys, sort=True))
    figure, axes = panel_grid(len(groups) * len(costs), columns=len(costs), entries=len(look) + bool(missing))
    for row, (_, group) in enumerate(groups):
        for column, cost in enumerate(costs):
            rows, panel = group[group["cost"] == cost], axes[row * len(costs) + column]
            front, score = rows[rows["front"]], Score.of(rows)
            panel.step(front["value"], front["accuracy"], where="post", color="0.6", linewidth=1, zorder=1)
            for title, own in rows.groupby("title", sort=False):
                draw_intervals(panel, own["value"], own, str(title), {**look[title], "linestyle": "none"})
                remember(panel, own["value"], own, "title", score)
            named = front.drop_duplicates("title")
            panel.scatter(
                named["value"], named["accuracy"], s=80, facecolors="none", edgecolors="0.3", linewidths=0.8, zorder=5
            )
            shown = pd.concat([rows["accuracy"], rows["accuracy_low"], rows["accuracy_high"]])
            panel.set(
                ylabel=score.label, ylim=score.limits(shown), xlabel=LABELS[cost],
            )  # fmt: skip
            panel.set_title(", ".join(said(key, rows[key].iloc[0]) for key in keys), pad=4 + 8 * _LINES)
            panel.annotate(
                _front(named["title"].tolist()), (0, 1), (0, 3), xycoords="axes fraction", textcoords="offset points",
                fontsize="xx-small", ha="left", va="bottom",
            )  # fmt: skip
            say_score(panel.yaxis, score)
            if rows["value"].max() > SPREAD * rows["value"].min() > 0:
                panel.set_xscale("log")
                in_thousands(panel)
            if cost == BUDGET:
                left_out = of_panel(rows, missing, "channel_uses", "title")
                mark(panel, left_out, "channel_uses", "title", look)
    legend_above(figure, axes)
    write_conditions(figure, drawn, ["model", "channel_uses", *keys])
    return figure


def _front(titles: list[str]) -> str:
    """Who is on the front, in at most so many lines; the rest is counted.

    >>> print(_front(["Dense", "Ghost"]))
    front: Dense; Ghost
    """
    for shown in range(len(titles), 0, -1):
        rest = "" if shown == len(titles) else f" and {len(titles) - shown} more"
        lines = textwrap.wrap("front: " + "; ".join(titles[:shown]) + rest, _WIDTH)
        if len(lines) <= _LINES:
            return "\n".join(lines)
    return ""
