"""Who wins where: the best scheme at each SNR and bandwidth, and its lead over the second in points."""

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


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: winner, second, and the lead with its 95 % interval over channels and test images.

    It is as wide as if the two had met different channels and images; they met the same, so it is rather too wide.

    Raises:
        TableError: a column is missing, there are no rows, or no place where two schemes met.
    """
    check(table, (*CONDITIONS, "seed", *INTERVAL), "winner")
    place = [name for name in CONDITIONS if name != "scheme"]
    measured = over_seeds(table)
    ranked = measured.sort_values("accuracy", ascending=False, kind="stable")
    order = ranked.groupby(place).cumcount()
    first, second = ranked[order == 0], ranked[order == 1]
    both = measured[place].drop_duplicates().merge(first, on=place)
    both = both.merge(second, on=place, suffixes=("", "_second"), validate="one_to_one")
    if both.empty:
        raise TableError("figure winner needs two schemes at the same place, every place of the table has one")
    low, high = gain_interval(both, "", "_second", INTERVAL[1:])
    both = both.assign(lead=both["accuracy"] - both["accuracy_second"], lead_low=low, lead_high=high)
    both = both.rename(columns={"scheme": "winner", "scheme_second": "second"})
    return both.loc[:, [*place, "winner", "second", "accuracy", "accuracy_second", "lead", "lead_low", "lead_high"]]


def draw(table: pd.DataFrame) -> Figure:
    """Draw it, a panel for each knowledge and whatever else varies.

    Colour and hatch say who wins, the number by how many points; in brackets, and pale, where the interval of the lead
    contains 0.

    Raises:
        TableError: a column is missing, there are no rows, or no place where two schemes met.
    """
    drawn = data(table)
    schemes = [scheme for scheme in dict.fromkeys(table["scheme"]) if scheme in set(drawn["winner"])]
    look = looks(dict.fromkeys(table["scheme"]))
    faces = {s: {"facecolor": look[s]["color"], "hatch": HATCHES[i % len(HATCHES)]} for i, s in enumerate(schemes)}
    parts = list(panels(drawn.assign(scheme=""), ["snr_db", "channel_uses"]))
    figure, axes = panel_grid(len(parts), entries=len(schemes))
    for panel, (title, rows) in zip(axes, parts):
        _map(panel, rows, faces)
        panel.set(xlabel=SNR, ylabel="channel uses", title=title)
    patches = [Patch(label=said("scheme", s), edgecolor="white", **face) for s, face in faces.items()]
    figure.legend(
        handles=patches, loc="outside upper center", ncols=min(2 * min(len(axes), 2), len(patches)), handleheight=1.3
    )
    return figure


def _map(axes: Axes, rows: pd.DataFrame, faces: dict[str, dict[str, Any]]) -> None:
    across, up = sorted(set(rows["snr_db"])), sorted(set(rows["channel_uses"]))
    for row in rows.to_dict("records"):
        x, y = across.index(row["snr_db"]), up.index(row["channel_uses"])
        sure = row["lead_low"] > 0
        look = {**faces[row["winner"]], "alpha": 1.0 if sure else 0.45}
        axes.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, edgecolor="white", **look))
        text = f"{100 * row['lead']:.1f}"
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
        axes.text(x, y, text if sure else f"({text})", ha="center", va="center", fontsize="small", bbox=box)
    axes.set_xticks(range(len(across)), [f"{value:g}" for value in across])
    axes.set_yticks(range(len(up)), [f"{value:,}" for value in up])
    axes.set(xlim=(-0.5, len(across) - 0.5), ylim=(-0.5, len(up) - 0.5))
    axes.grid(visible=False)
