"""Split computing: the score over what an inference takes, and up to how many inferences a split network is cheaper."""

import math
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from airdeliver.cost import Carrier, Price, break_even
from figures.drawing import SNR, draw_lines, legend_above, panel_grid, write_below
from figures.looks import looks
from figures.score import Score
from figures.table import CONDITIONS, INTERVAL, SCORE, check, conditions, over_seeds, panels, said

EXPERIMENTS = ("split",)

SPENT = "channel_uses_spent"
EACH, SERVED, COMPUTING = "uses_per_inference", "uses_per_inference_served", "inference_joules"

AS_GOOD = 0.02
"""Score that the split network may lack and still count as good, as a share of the whole one's above the floor."""

PRICES = {"uses": "by channel uses", "joules": "by energy"}


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: for each SNR and budget the whole network, the cheapest split one as good, and the break-even.

    Whole is the best scheme that is not split, at what it spent. As good is a mean score of no more than `AS_GOOD` of
    the range above the floor below it, of what was measured. Up to `uses` inferences the split one takes fewer channel
    uses, as far as was expected (`uses_per_inference`), and `uses_served` as counted while test inputs were served;
    `joules` is the same in energy on the side of the device: what it computes, and what is radiated at 1 W on a 20 MHz
    carrier, in either direction. Not a number where no split one is as good.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL, "side", SPENT, EACH, SERVED, COMPUTING), "split")
    measured = over_seeds(table, also=(SPENT, EACH, SERVED, COMPUTING))
    place = [name for name in CONDITIONS if name != "scheme"]
    is_split = measured["side"] == "split"
    rows = []
    groups: Any = measured[~is_split].groupby(place, sort=False)
    for values, whole in groups:
        where = dict(zip(place, values))
        best: Any = whole.loc[whole["accuracy"].idxmax()]
        rivals: Any = measured[is_split & (measured[place] == pd.Series(where)).all(axis=1)]
        floor = 0.0 if math.isnan(best["floor"]) else best["floor"]
        least = best["accuracy"] - AS_GOOD * max(0.0, best["accuracy"] - floor)
        good = rivals[rivals["accuracy"] >= least].sort_values(SERVED, kind="stable")
        rows.append(_compared(where, best, good.iloc[0] if len(good) else None))
    drawn = pd.DataFrame(rows)
    return drawn.assign(**{name: measured[name].iloc[0] for name in SCORE})


def _compared(where: dict, whole: Any, split: Any) -> dict[str, Any]:
    told = {**where, "whole": whole["title"], "accuracy_whole": whole["accuracy"], "seeds": whole["seeds"]}
    if split is None:
        nothing = dict.fromkeys(("accuracy_split", "each", "uses", "uses_served", "joules"), math.nan)
        return {**told, "split": "", **nothing}
    radiated = 1.0 / Carrier().uses_per_millisecond / 1000

    def after(each: str, joules: bool) -> float:
        prices = []
        for row in (whole, split):
            once, again = row[SPENT], row[each]
            prices.append(Price(radiated * once, radiated * again + row[COMPUTING]) if joules else Price(once, again))
        return break_even(*prices)

    numbers = {"uses": after(EACH, False), "uses_served": after(SERVED, False), "joules": after(SERVED, True)}
    return {**told, "split": split["title"], "accuracy_split": split["accuracy"], "each": split[SERVED], **numbers}


def draw(table: pd.DataFrame) -> Figure:
    """Draw it: the score over channel uses of an inference, and maps of the break-even, a row for each channel.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    drawn = data(table)
    measured = over_seeds(table, also=(SERVED,))
    split: Any = measured[measured["side"] == "split"]
    # A split network does the same in every budget that holds its first layers.
    split = split.sort_values("channel_uses").drop_duplicates([*(n for n in CONDITIONS if n != "channel_uses")])
    split = split.assign(line=[said("snr_db", db) for db in split["snr_db"]])
    parts = list(panels(drawn.assign(scheme=""), ["snr_db", "channel_uses"]))
    look = looks(said("snr_db", db) for db in sorted(set(split["snr_db"]), reverse=True))
    figure, axes = panel_grid(3 * len(parts), columns=3, entries=len(look))
    for row, (title, rows) in enumerate(parts):
        same = [n for n in CONDITIONS if n not in ("scheme", "snr_db", "channel_uses")]
        own: Any = split[(split[same] == rows[same].iloc[0]).all(axis=1)]
        _scores(axes[3 * row], own, look, title)
        for panel, (price, words) in zip(axes[3 * row + 1 :], PRICES.items()):
            _map(panel, rows, price, ", ".join(filter(None, (title, words))))
    legend_above(figure, axes)
    key = (
        "numbers: inferences up to which the split network is cheaper than the one delivered whole, at a score no more "
        f"than {100 * AS_GOOD:g} % lower; a dash where none is"
    )
    write_below(figure, key, conditions(drawn.assign(scheme=""), ["snr_db", "channel_uses"]))
    return figure


def _scores(axes: Axes, rows: Any, look: dict, title: str) -> None:
    axes.set_xscale("log", base=2)
    # Where a cheaper network is as good, a line leaves the dearer one out.
    rows = rows.sort_values([SERVED, "accuracy"], ascending=[True, False], kind="stable")
    best: Any = rows.groupby("line", sort=False)["accuracy"].cummax()
    first: Any = ~best.groupby(rows["line"], sort=False).transform(lambda scores: scores.duplicated())
    rows = rows[first.astype(bool)]
    if len(rows):
        draw_lines(axes, rows, SERVED, "line", look)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set(xlabel="channel uses an inference", ylabel=Score.of(rows).label if len(rows) else "", title=title)


def _map(axes: Axes, rows: pd.DataFrame, price: str, title: str) -> None:
    across, up = sorted(set(rows["snr_db"])), sorted(set(rows["channel_uses"]))
    shown = np.full((len(up), len(across)), np.nan)
    for row in rows.to_dict("records"):
        x, y = across.index(row["snr_db"]), up.index(row["channel_uses"])
        value = row[price]
        text = "-" if math.isnan(value) else "always" if math.isinf(value) else f"{value:,.0f}"
        shown[y, x] = min(value, 1e6) if value > 0 else np.nan
        axes.text(
            x,
            y,
            text,
            ha="center",
            va="center",
            fontsize="small",
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 1.0},
        )
    axes.imshow(np.log10(shown), origin="lower", aspect="auto", cmap="Blues", vmin=0, vmax=4)
    axes.set_xticks(range(len(across)), [f"{value:g}" for value in across])
    axes.set_yticks(range(len(up)), [f"{value:,}" for value in up])
    axes.set(xlabel=SNR, ylabel="channel uses of the budget", title=title)
    axes.grid(visible=False)
