"""Points of a figure that tell what they are when a reader's pointer is on them, in the SVG of a report."""

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any
from weakref import WeakKeyDictionary

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.score import Score
from figures.table import said

RADIUS = 5.0
"""Of what a pointer hits, in points."""


@dataclass(frozen=True)
class Point:
    """A point of a line, the end of a bar, or the middle of a square.

    Args:
        x: its place along the axis.
        y: its height, a score as a rule.
        says: scheme, number and interval in words.
        row: the table's, for the command that makes it again.
    """

    x: float
    y: float
    says: str
    row: pd.Series


_POINTS: "WeakKeyDictionary[Axes, list[Callable[[], list[Point]]]]" = WeakKeyDictionary()
"""What makes the points of axes: few who draw a figure ask for them."""


def remember(axes: Axes, places: pd.Series, rows: pd.DataFrame, by: str, score: Score) -> None:
    """Keep what the points of a line are.

    Args:
        axes: that they are drawn in.
        places: of the points along the axis.
        rows: of the table, a point each.
        by: column of which the line is one value.
        score: of the rows.
    """
    _POINTS.setdefault(axes, []).append(lambda: _of_line(places, rows, by, score))


def _of_line(places: pd.Series, rows: pd.DataFrame, by: str, score: Score) -> list[Point]:
    found, unit = [], " %" if score.is_share else ""
    for place, (_, each) in zip(places, rows.iterrows()):
        row: Any = each
        ends = f"{score.said(row['accuracy_low'])} to {score.said(row['accuracy_high'])}"
        says = f"{said(by, row[by])}: {score.said(row['accuracy'])}{unit}, 95 % interval {ends}"
        found.append(Point(float(place), float(row["accuracy"]), says, row))
    return found


def remember_gain(
    axes: Axes, place: tuple[float, float], row: Any, name: str, score: Score, over: str, subject: str
) -> None:
    """Keep what a bar or a square is that shows a difference.

    Args:
        axes: that it is drawn in.
        place: where a pointer finds it, along both axes.
        row: of the table, with the difference in `name` and its interval in `name_low` and `name_high`.
        name: of the difference.
        score: of which it is a difference.
        over: whom the difference is to.
        subject: whose it is.
    """
    _POINTS.setdefault(axes, []).append(lambda: [_of_gain(place, row, name, score, over, subject)])


def _of_gain(place: tuple[float, float], row: Any, name: str, score: Score, over: str, subject: str) -> Point:
    ends = f"{score.said(row[f'{name}_low'], '+')} to {score.said(row[f'{name}_high'], '+')}"
    says = f"{subject}: {score.said(row[name], '+')} {score.unit} against {over}, 95 % interval {ends}"
    return Point(*place, says, row)


def points_of(figure: Figure) -> list[tuple[Axes, Point]]:
    """All points that are known of a figure, with their axes."""
    return [(axes, point) for axes in figure.axes for made in _POINTS.get(axes, []) for point in made()]


def with_points(svg: str, figure: Figure, told: Callable[[Point], str]) -> str:
    """A figure's SVG with an invisible circle over each point, whose title says what it is.

    Args:
        svg: that the figure was saved as.
        figure: drawn: its layout is final.
        told: what the title of a point says.
    """
    circles, height = [], figure.get_figheight() * 72
    for axes, point in points_of(figure):
        x, y = axes.transData.transform((point.x, point.y)) * 72 / figure.dpi
        circles.append(
            f'<circle class="point" tabindex="0" cx="{x:.2f}" cy="{height - y:.2f}" r="{RADIUS}" fill="#000" '
            f'fill-opacity="0"><title>{escape(told(point))}</title></circle>'
        )
    return svg.replace("</svg>", "\n".join([*circles, "</svg>"]))


def command_for(point: Point, command: str | None) -> str:
    """What makes one point of a run again, or the conditions of it where the command is not known."""
    row: Any = point.row
    asked = [f"{name}=[{row[name]:.10g}]" for name in ("snr_db", "channel_uses") if name in row]
    if "scheme" in row and not pd.isna(row["scheme"]):
        asked.insert(0, f"'scheme=[{str(row['scheme']).rstrip('*')}]'")
    return " ".join([*([command] if command else []), *asked])
