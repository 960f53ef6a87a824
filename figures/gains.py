"""Schemes against the first of them: accuracy over SNR, and the gain in points beside it."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from figures.drawing import SNR, apart, draw_lines, legend_above, panel_grid, write_conditions
from figures.hover import remember_gain
from figures.looks import looks
from figures.score import Score
from figures.table import CHANNEL_INTERVAL, CONDITIONS, INTERVAL, between_seeds, check, over_seeds, panels

NEEDS = (*CONDITIONS, "seed", *INTERVAL, *CHANNEL_INTERVAL)


def gains(table: pd.DataFrame, figure: str) -> pd.DataFrame:
    """Mean accuracy over seeds, and what each scheme gains over the first one of the table.

    The interval of a gain is for the test images as given. Of several seeds it is paired: Student's t over the seeds'
    gains, in which trainings and channels vary together. Of one seed it is over the channel's randomness: the root of
    the sum of the squares of both half-widths, as if the two had met different channels. They met the same, so it is
    rather too wide; paired ones are in the `comparisons.parquet` of a run.

    Args:
        table: results.
        figure: whose name errors bear.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, NEEDS, figure)
    drawn = over_seeds(table)
    reference = drawn["scheme"].iloc[0]
    shared = [name for name in CONDITIONS if name != "scheme"]
    first = drawn.loc[drawn["scheme"] == reference, [*shared, "accuracy", *CHANNEL_INTERVAL]]
    both = drawn.merge(first, on=shared, how="left", suffixes=("", "_first"), validate="many_to_one")
    low, high = gain_interval(both, "", "_first")
    own = drawn["scheme"] == reference
    gain = both["accuracy"] - both["accuracy_first"]
    several: Any = drawn["seeds"] > 1
    half = between_seeds(_seed_by_seed(table, reference, shared), "gain", drawn)
    low, high = low.where(~several, gain - half), high.where(~several, gain + half)
    return drawn.assign(reference=reference, gain=gain, gain_low=low.where(~own, 0.0), gain_high=high.where(~own, 0.0))


def _seed_by_seed(table: pd.DataFrame, reference: str, shared: list[str]) -> pd.DataFrame:
    """The table with the gain over a scheme of each of its rows, whose seeds both have."""
    first = table.loc[table["scheme"] == reference, [*shared, "seed", "accuracy"]]
    met = table[[*CONDITIONS, "seed", "accuracy"]].merge(first, on=[*shared, "seed"], suffixes=("", "_first"))
    return met.assign(gain=met["accuracy"] - met["accuracy_first"])


def gain_interval(both: pd.DataFrame, one: str, other: str, ends: Sequence[str] = CHANNEL_INTERVAL) -> tuple[Any, Any]:
    """Ends of the interval of one accuracy minus another, as if they were independent.

    Args:
        both: rows with the columns of both.
        one: what the names of the one's columns end in.
        other: what those of the other's end in.
        ends: columns of the interval of each.
    """
    (a, a_low, a_high), (b, b_low, b_high) = (
        [both[f"{name}{suffix}"] for name in ("accuracy", *ends)] for suffix in (one, other)
    )
    below = ((a - a_low) ** 2 + (b_high - b) ** 2) ** 0.5
    above = ((a_high - a) ** 2 + (b - b_low) ** 2) ** 0.5
    return a - b - below, a - b + above


def draw(drawn: pd.DataFrame, within: Sequence[str] = ()) -> Figure:
    """Two panels for each condition: the score over SNR, and the gain, in points if it lies between 0 and 1.

    Args:
        drawn: from `gains`.
        within: further columns that do not make panels.
    """
    parts = list(panels(drawn, ["scheme", "snr_db", *within]))
    look = looks(drawn["title"])
    reference = dict(zip(drawn["scheme"], drawn["title"]))[drawn["reference"].iloc[0]]
    figure, axes = panel_grid(2 * len(parts), entries=len(look))
    for left, right, (title, rows) in zip(axes[::2], axes[1::2], parts):
        score = Score.of(rows)
        draw_lines(left, rows, "snr_db", "title", look)
        left.set(xlabel=SNR, title=title)
        groups = list(rows.groupby("title", sort=False))
        for number, (name, own) in enumerate(groups):
            own: Any = own.sort_values("snr_db")
            places = apart(right, own["snr_db"], rows["snr_db"], number - (len(groups) - 1) / 2)
            points = score.scale * own[["gain", "gain_low", "gain_high"]]
            reach = [points["gain"] - points["gain_low"], points["gain_high"] - points["gain"]]
            right.errorbar(places, points["gain"], yerr=reach, **look[name])
            for place, height, (_, row) in zip(places, points["gain"], own.iterrows()):
                remember_gain(right, (float(place), float(height)), row, "gain", score, str(reference), str(name))
        # Above the panel, where there is room for a long name.
        against = f"gain over {reference}"
        right.set(xlabel=SNR, ylabel=f"gain ({score.unit})", title=f"{title}, {against}" if title else against)
    legend_above(figure, axes)
    write_conditions(figure, drawn, ["scheme", "snr_db", *within])
    return figure
