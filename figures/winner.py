"""Who wins where: the best scheme at each SNR and bandwidth, its lead over the other side, and how far the limit is."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from figures.drawing import SNR, legend_above, panel_grid, write_below
from figures.gains import gain_interval
from figures.holes import MARK, of_panel
from figures.hover import remember_gain
from figures.looks import looks
from figures.score import Score
from figures.table import (
    CONDITIONS,
    INTERVAL,
    SCORE,
    TableError,
    check,
    conditions,
    described,
    over_seeds,
    panels,
    said,
)

EXPERIMENTS = ("winner", "bandwidth", "best")
HATCHES = ("", "//", "..", "\\\\", "xx", "--", "oo", "++")

NOBODY = "0.85"

SITUATIONS = {
    "awgn": "SNR known",
    "rayleigh": "average SNR known, slow fading",
    "multicast": "one transmission, receivers of unlike SNR",
}
"""What a sender of knowledge `average` knows over a channel."""


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: winner, second, and the lead with its 95 % interval over channels and test images.

    Second is the best of another side (analog, digital) where there is one; else the next best scheme. Networks as
    they are and networks trained for the link compete apart, if there are two schemes of each. `limit` is the lead of
    the best scheme that is a limit over the winner, NaN without one. The interval is as wide as if the two had met
    different channels and images; they met the same, so it is rather too wide.

    Raises:
        TableError: a column is missing, there are no rows, or no place where two schemes met.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL), "winner")
    measured: Any = _prepared(over_seeds(table))
    place = [*(name for name in CONDITIONS if name != "scheme"), "prepared"]
    is_limit = measured["limit"].astype(bool)
    is_limit &= not is_limit.all()
    limits = measured[is_limit].groupby(place)["accuracy"].max().rename("accuracy_limit").reset_index()
    ranked = measured[~is_limit].sort_values("accuracy", ascending=False, kind="stable")
    first = ranked.groupby(place, as_index=False).head(1)
    others = ranked.drop(first.index).merge(first[[*place, "side"]], on=place, suffixes=("", "_first"))
    # Another side comes before the winner's own.
    others = others.sort_values("side", key=lambda _: others["side"] == others["side_first"], kind="stable")
    second = others.groupby(place, as_index=False).head(1)
    both = measured[[*place, *SCORE]].drop_duplicates(place).merge(first.drop(columns=list(SCORE)), on=place)
    both = both.merge(second, on=place, suffixes=("", "_second"), validate="one_to_one")
    # Where sides are known, nobody wins against the own side.
    both = both[(both["side"] != both["side_second"]) | both["side"].eq("")]
    if both.empty:
        raise TableError(
            "figure winner needs two schemes at the same place, of two sides (analog, digital) if they say so"
        )
    low, high = gain_interval(both, "", "_second", INTERVAL[1:])
    both = both.assign(lead=both["accuracy"] - both["accuracy_second"], lead_low=low, lead_high=high)
    both = both.merge(limits, on=place, how="left")
    both = both.assign(limit=both["accuracy_limit"] - both["accuracy"])
    both = both.rename(columns={"scheme": "winner", "scheme_second": "second"})
    numbers = ["accuracy", "accuracy_second", "lead", "lead_low", "lead_high", "limit"]
    # Nobody wins where what arrives is worth no more than nothing.
    nobody = both["accuracy_low"] <= both["floor"]
    return both.loc[:, [*place, "winner", "title", "side", "second", *numbers, *SCORE]].assign(nobody=nobody)


def _prepared(measured: pd.DataFrame) -> pd.DataFrame:
    """With how the network was prepared, empty where too few schemes are there to tell preparations apart."""
    contestants: Any = measured[~measured["limit"].astype(bool)].groupby("preparation")["scheme"].nunique()
    apart = len(contestants) > 1 and contestants.min() > 1
    return measured.assign(prepared="network " + measured["preparation"].astype(str) if apart else "")


def draw(table: pd.DataFrame) -> Figure:
    """Draw it, a panel for each knowledge and preparation, and whatever else varies.

    Colour and hatch say who wins, the number by how much over the other side (in points, if the score lies between 0
    and 1); in brackets, and pale, where the interval of the lead contains 0. Below it, how far the limit is above the
    winner. Grey where nobody wins: what arrives is within its interval of the floor. Above each panel stands in how
    many squares each side is ahead for sure.

    Raises:
        TableError: a column is missing, there are no rows, or no place where two schemes met.
    """
    drawn, missing = data(table), table.attrs.get("holes", [])
    titles = list(dict.fromkeys(described(table)["title"]))
    winners = [title for title in titles if title in set(drawn["title"])]
    look = looks(titles)
    faces = {t: {"facecolor": look[t]["color"], "hatch": HATCHES[i % len(HATCHES)]} for i, t in enumerate(winners)}
    parts = [
        ("\n".join(filter(None, (_situation(title, rows), str(prepared), _verdict(rows)))), rows)
        for title, both in panels(drawn.assign(scheme=""), ["snr_db", "channel_uses", "prepared"])
        for prepared, rows in both.groupby("prepared", sort=False)
    ]
    figure, axes = panel_grid(len(parts), entries=len(winners))
    for panel, (title, rows) in zip(axes, parts):
        _map(panel, rows, faces, _left_out(rows, missing))
        panel.set(xlabel=SNR, ylabel="channel uses", title=title)
    patches: list[Any] = [Patch(label=str(title), edgecolor="white", **face) for title, face in faces.items()]
    if any(drawn["nobody"]):
        patches.append(Patch(label="nobody: at the floor", facecolor=NOBODY, edgecolor="white"))
    if missing:
        patches.append(Line2D([], [], **{**MARK, "color": "black", "label": "a scheme does not fit"}))
    legend_above(figure, axes, patches, handleheight=1.3)
    second = "; below, what the limit is ahead of the winner" if any(drawn["limit"].notna()) else ""
    key = f"numbers: lead over the other side in {Score.of(drawn).unit}, in brackets if within its interval{second}"
    same = conditions(drawn.assign(scheme=""), ["snr_db", "channel_uses"])
    write_below(figure, key, same)
    return figure


def _verdict(rows: pd.DataFrame) -> str:
    """In how many squares of a panel each side is ahead by more than the interval of the lead.

    >>> _verdict(pd.DataFrame({"side": ["analog", "digital"], "lead_low": [0.1, -0.1], "nobody": [False, False]}))
    'ahead for sure: analog 1, digital 0 of 2'
    """
    if "" in set(rows["side"]):
        return ""
    sure = rows[(rows["lead_low"] > 0) & ~rows["nobody"]]
    sides = sorted(set(rows["side"]) | ({"analog", "digital"} if set(rows["side"]) <= {"analog", "digital"} else set()))
    counts = ", ".join(f"{side} {sum(sure['side'] == side)}" for side in sides)
    return f"ahead for sure: {counts} of {len(rows)}"


def _situation(title: str, rows: pd.DataFrame) -> str:
    """The title of a panel that shows one of the usual channels, in words."""
    usual = set(rows["knowledge"]) == {"average"} and title in {said("channel", channel) for channel in SITUATIONS}
    return SITUATIONS[rows["channel"].iloc[0]] if usual else title


Square = tuple[float, int]
"""SNR in dB, and channel uses."""


def _left_out(rows: pd.DataFrame, missing: Sequence[dict[str, Any]]) -> set[Square]:
    """The squares of a panel in which some scheme does not fit."""
    prepared = set(rows["prepared"]) - {""}
    return {
        (hole["snr_db"], hole["channel_uses"])
        for hole in of_panel(rows, missing, "snr_db", "scheme", ["channel_uses"])
        if not prepared or f"network {hole.get('preparation')}" in prepared
    }


def _map(axes: Axes, rows: pd.DataFrame, faces: dict[str, dict[str, Any]], left_out: set[Square]) -> None:
    score = Score.of(rows)
    across = sorted({*rows["snr_db"], *(snr_db for snr_db, _ in left_out)})
    up = sorted({*rows["channel_uses"], *(uses for _, uses in left_out)})
    for snr_db, uses in left_out:
        place = across.index(snr_db) - 0.38, up.index(uses) + 0.32
        axes.plot(*place, **{**MARK, "color": "black", "markersize": 4})
    for row in rows.to_dict("records"):
        x, y = across.index(row["snr_db"]), up.index(row["channel_uses"])
        sure = row["lead_low"] > 0
        look = {**faces[row["title"]], "alpha": 1.0 if sure else 0.45}
        if bool(row["nobody"]):
            axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, edgecolor="white", facecolor=NOBODY))
            continue
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, edgecolor="white", **look))
        found = pd.Series({**row, "scheme": row["winner"]})
        remember_gain(
            axes, (float(x), float(y)), found, "lead", score, said("scheme", row["second"]), str(row["title"])
        )
        text = score.said(row["lead"])
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        limit = "" if pd.isna(row["limit"]) else f"\n{score.said(row['limit'], '+')}"
        text = (text if sure else f"({text})") + limit
        axes.text(x, y, text, ha="center", va="center", fontsize="x-small" if limit else "small", bbox=box)
    axes.set_xticks(range(len(across)), [f"{value:g}" for value in across])
    axes.set_yticks(range(len(up)), [f"{value:,}" for value in up])
    axes.set(xlim=(-0.5, len(across) - 0.5), ylim=(-0.5, len(up) - 0.5))
    axes.grid(visible=False)
