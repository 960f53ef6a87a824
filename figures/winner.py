"""Who wins where: the best scheme at each SNR and bandwidth, its lead over the other side, and how far the limit is."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from figures.drawing import SNR, looks, panel_grid
from figures.gains import gain_interval
from figures.table import CONDITIONS, INTERVAL, TableError, check, over_seeds, panels, said

EXPERIMENTS = ("winner", "bandwidth")
HATCHES = ("", "//", "..", "\\\\", "xx", "--", "oo", "++")

AS_IT_IS = (
    "clean", "clean_equal", "clean_frozen", "clean_pruned", "clean_sender",
    "digital_adaptive", "digital_fixed", "digital_target",
)  # fmt: skip
"""Schemes that send a network as it is; all others train it for the link."""

LIMITS = {"digital_capacity": "network as it is", "digital_qat_capacity": "network trained for the link"}
"""Schemes that nobody can build, a channel code at the Shannon limit: they compete with nobody, but are a mark."""

SITUATIONS = {
    "awgn": "SNR known",
    "rayleigh": "average SNR known, slow fading",
    "multicast": "one transmission, receivers of unlike SNR",
}
"""What a sender of knowledge `average` knows over a channel."""


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: winner, second, and the lead with its 95 % interval over channels and test images.

    Second is the best of the other side, digital or analog, where both are there; else the next best scheme.
    Networks as they are and networks trained for the link compete apart, if there are two schemes of each. `limit` is
    the lead of the Shannon limit over the winner, NaN without such a scheme. The interval is as wide as if the two had
    met different channels and images; they met the same, so it is rather too wide.

    Raises:
        TableError: a column is missing, there are no rows, or no place where two schemes met.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL), "winner")
    measured: Any = _prepared(over_seeds(table))
    place = [*(name for name in CONDITIONS if name != "scheme"), "prepared"]
    is_limit = measured["scheme"].isin(list(LIMITS)) & (~measured["scheme"].isin(list(LIMITS))).any()
    limits = measured[is_limit].groupby(place)["accuracy"].max().rename("accuracy_limit").reset_index()
    ranked = measured[~is_limit].sort_values("accuracy", ascending=False, kind="stable")
    ranked = ranked.assign(digital=ranked["scheme"].str.startswith("digital"))
    first = ranked.groupby(place, as_index=False).head(1)
    others = ranked.drop(first.index).merge(first[[*place, "digital"]], on=place, suffixes=("", "_first"))
    # The other side comes before the winner's own.
    others = others.sort_values("digital", key=lambda _: others["digital"] == others["digital_first"], kind="stable")
    second = others.groupby(place, as_index=False).head(1)
    both = measured[place].drop_duplicates().merge(first, on=place)
    both = both.merge(second, on=place, suffixes=("", "_second"), validate="one_to_one")
    if both.empty:
        raise TableError("figure winner needs two schemes at the same place, every place of the table has one")
    low, high = gain_interval(both, "", "_second", INTERVAL[1:])
    both = both.assign(lead=both["accuracy"] - both["accuracy_second"], lead_low=low, lead_high=high)
    both = both.merge(limits, on=place, how="left")
    both = both.assign(limit=both["accuracy_limit"] - both["accuracy"])
    both = both.rename(columns={"scheme": "winner", "scheme_second": "second"})
    numbers = ["accuracy", "accuracy_second", "lead", "lead_low", "lead_high", "limit"]
    return both.loc[:, [*place, "winner", "second", *numbers]]


def _prepared(measured: pd.DataFrame) -> pd.DataFrame:
    """With how the network was prepared, empty where too few schemes are there to tell the two apart."""
    as_it_is, trained = LIMITS.values()
    schemes: Any = measured["scheme"]
    known = {**{name: as_it_is for name in AS_IT_IS}, **LIMITS}
    prepared = schemes.map(lambda name: known.get(name, trained))
    contestants = schemes[~schemes.isin(list(LIMITS))].groupby(prepared).nunique()
    apart = len(contestants) == 2 and contestants.min() > 1
    return measured.assign(prepared=prepared if apart else "")


def draw(table: pd.DataFrame) -> Figure:
    """Draw it, a panel for each knowledge and preparation, and whatever else varies.

    Colour and hatch say who wins, the number by how many points over the other side; in brackets, and pale, where the
    interval of the lead contains 0. Below it, how many points the Shannon limit is above the winner.

    Raises:
        TableError: a column is missing, there are no rows, or no place where two schemes met.
    """
    drawn = data(table)
    schemes = [scheme for scheme in dict.fromkeys(table["scheme"]) if scheme in set(drawn["winner"])]
    look = looks(dict.fromkeys(table["scheme"]))
    faces = {s: {"facecolor": look[s]["color"], "hatch": HATCHES[i % len(HATCHES)]} for i, s in enumerate(schemes)}
    parts = [
        ("\n".join(filter(None, (_situation(title, rows), str(prepared)))), rows)
        for title, both in panels(drawn.assign(scheme=""), ["snr_db", "channel_uses", "prepared"])
        for prepared, rows in both.groupby("prepared", sort=False)
    ]
    figure, axes = panel_grid(len(parts), entries=len(schemes))
    for panel, (title, rows) in zip(axes, parts):
        _map(panel, rows, faces)
        panel.set(xlabel=SNR, ylabel="channel uses", title=title)
    patches = [Patch(label=said("scheme", s), edgecolor="white", **face) for s, face in faces.items()]
    figure.legend(
        handles=patches, loc="outside upper center", ncols=min(2 * min(len(axes), 2), len(patches)), handleheight=1.3
    )
    return figure


def _situation(title: str, rows: pd.DataFrame) -> str:
    """The title of a panel that shows one of the usual channels, in words."""
    usual = set(rows["knowledge"]) == {"average"} and title in SITUATIONS
    return SITUATIONS[title] if usual else title


def _map(axes: Axes, rows: pd.DataFrame, faces: dict[str, dict[str, Any]]) -> None:
    across, up = sorted(set(rows["snr_db"])), sorted(set(rows["channel_uses"]))
    for row in rows.to_dict("records"):
        x, y = across.index(row["snr_db"]), up.index(row["channel_uses"])
        sure = row["lead_low"] > 0
        look = {**faces[row["winner"]], "alpha": 1.0 if sure else 0.45}
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, edgecolor="white", **look))
        text = f"{100 * row['lead']:.1f}"
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        limit = "" if pd.isna(row["limit"]) else f"\n{100 * row['limit']:+.1f}"
        text = (text if sure else f"({text})") + limit
        axes.text(x, y, text, ha="center", va="center", fontsize="x-small" if limit else "small", bbox=box)
    axes.set_xticks(range(len(across)), [f"{value:g}" for value in across])
    axes.set_yticks(range(len(up)), [f"{value:,}" for value in up])
    axes.set(xlim=(-0.5, len(across) - 0.5), ylim=(-0.5, len(up) - 0.5))
    axes.grid(visible=False)
