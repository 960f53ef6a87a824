"""One parameter set for any SNR against networks of their own: accuracy, and what each costs to hold and to train."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from figures.drawing import SNR, draw_lines, legend_above, panel_grid, write_conditions
from figures.looks import Look, looks
from figures.table import CONDITIONS, INTERVAL, check, over_seeds, panels

EXPERIMENTS = ("spectrum",)
COSTS = ("parameters_stored", "parameters_sent", "train_seconds")
HATCHES = ("", "//", "..", "\\\\", "xx")


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean accuracy over seeds with its 95 % interval, parameters held, and seconds of training.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL, "parameters_sent", "train_seconds"), "spectrum")
    return over_seeds(table, also=[name for name in COSTS if name in table])


def draw(table: pd.DataFrame) -> Figure:
    """Draw it: accuracy over SNR, single members thin, and beside it both costs, relative to the first scheme's.

    Parameters held are the column `parameters_stored`, 4 bytes each; without one, the most that is sent at any SNR.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    drawn = data(table)
    parts = list(panels(drawn, ["scheme", "snr_db"]))
    look = _looks(drawn)
    figure, axes = panel_grid(2 * len(parts), entries=len(look))
    for left, right, (title, rows) in zip(axes[::2], axes[1::2], parts):
        draw_lines(left, rows, "snr_db", "title", look)
        left.set(xlabel=SNR, title=title)
        _draw_costs(right, rows, look)
        right.set_title(title)
    legend_above(figure, axes)
    write_conditions(figure, drawn, ["scheme", "snr_db"])
    return figure


def _looks(drawn: pd.DataFrame) -> dict[object, Look]:
    """Of each title; members are grey, thin, and behind the others."""
    is_member = drawn["member"].notna()
    members = dict(zip(drawn.loc[is_member, "title"], drawn.loc[is_member, "member"].astype(int)))
    look = looks(drawn.loc[~is_member, "title"])
    thin: Look = {"color": "0.45", "linewidth": 0.7, "markersize": 4, "elinewidth": 0.5, "zorder": 1}
    return look | {m: {**thin, "linestyle": (0, (1 + 2 * i, 1.5)), "marker": f"${i}$"} for m, i in members.items()}


def _draw_costs(axes: Axes, rows: pd.DataFrame, look: dict[object, Look]) -> None:
    held = "parameters_stored" in rows
    memory = "parameters_stored" if held else "parameters_sent"
    whole = rows[rows["member"].isna()]
    costs: Any = (whole if len(whole) else rows).groupby("title", sort=False)[[memory, "train_seconds"]].max()
    relative = costs / costs.iloc[0]
    width = 0.85 / len(costs)
    for number, (title, values) in enumerate(relative.iterrows()):
        places = [group + (number - (len(costs) - 1) / 2) * width for group in (0, 1)]
        bars = axes.bar(
            places, values, width, color=look[title]["color"], hatch=HATCHES[number % len(HATCHES)],
            edgecolor="white", linewidth=0.5,
        )  # fmt: skip
        size, seconds = costs.loc[title]
        axes.bar_label(bars, [_bytes(4 * size), _duration(seconds)], padding=1, fontsize="x-small")
    axes.set_xticks([0, 1], ["parameters held" if held else "parameters sent", "time of training"])
    axes.set_ylabel(f"relative to {costs.index[0]}")
    axes.margins(y=0.12)
    axes.grid(visible=False, axis="x")


def _bytes(size: float) -> str:
    """A size in bytes, for people.

    >>> _bytes(57_832.0), _bytes(58_900_000.0)
    ('57.8 kB', '58.9 MB')
    """
    return f"{size / 1e3:.3g} kB" if size < 1e6 else f"{size / 1e6:.3g} MB"


def _duration(seconds: float) -> str:
    """A duration, for people.

    >>> _duration(8.43), _duration(1_500.0)
    ('8.4 s', '25 min')
    """
    return f"{seconds:.2g} s" if seconds < 99.5 else f"{seconds / 60:.3g} min"
