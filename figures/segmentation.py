"""Slimmable segmentation: pixel accuracy and mean intersection over union over channel uses, a line for each family."""

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from figures import elastic
from figures.drawing import apart, draw_lines, in_thousands, legend_above, panel_grid, say_score, write_conditions
from figures.looks import looks
from figures.score import Score
from figures.table import between_seeds, check, panels

EXPERIMENTS = ("segmentation",)

COST, LABEL = "channel_uses_spent", "channel uses"

IOU = Score("mean_iou", 0.0, 1.0)


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: the mean over seeds of pixel accuracy, with its 95 % interval, and of the mean IoU.

    The mean intersection over union is one number for all images together, so that images give it no interval:
    `mean_iou_low` and `mean_iou_high` are those of Student's t over the seeds, and alike where there is one.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, ("mean_iou",), "segmentation")
    drawn = elastic.data(table, also=("mean_iou",), figure="segmentation")
    half = between_seeds(table, "mean_iou", drawn)
    middle = drawn["mean_iou"]
    return drawn.assign(mean_iou_low=(middle - half).clip(0, 1), mean_iou_high=(middle + half).clip(0, 1))


def draw(table: pd.DataFrame) -> Figure:
    """Draw it: a row for each SNR and whatever else varies; pixel accuracy left, mean IoU right.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    drawn = data(table)
    parts = list(panels(drawn.assign(title=drawn["family"]), ["scheme", "title"]))
    look = looks(drawn["family"])
    figure, axes = panel_grid(2 * len(parts), columns=2, entries=len(look))
    for row, (title, rows) in enumerate(parts):
        left, right = axes[2 * row : 2 * row + 2]
        for panel in (left, right):
            panel.set_xscale("log")
            panel.set(xlabel=LABEL, title=title)
        draw_lines(left, rows, COST, "family", look)
        _draw_iou(right, rows, look)
        for panel in (left, right):
            in_thousands(panel)
    legend_above(figure, axes)
    write_conditions(figure, drawn, ["scheme"])
    return figure


def _draw_iou(panel: Any, rows: pd.DataFrame, look: dict[Any, Any]) -> None:
    groups = list(rows.groupby("family", sort=False))
    for number, (family, own) in enumerate(groups):
        own: Any = own.sort_values(COST)
        middle = own["mean_iou"]
        reach = [middle - own["mean_iou_low"], own["mean_iou_high"] - middle]
        places = apart(panel, own[COST], rows[COST], number - (len(groups) - 1) / 2)
        panel.errorbar(places, middle, yerr=reach, label=str(family), **look[family])
    shown = pd.concat([rows["mean_iou_low"], rows["mean_iou_high"]])
    panel.set(ylabel="delivered mean IoU (%)", ylim=IOU.limits(shown))
    say_score(panel.yaxis, IOU)
