"""The distribution of delivered accuracy over channel realizations, and outage."""

from collections.abc import Sequence
from typing import Any

import pandas as pd
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import norm

from airdeliver.strata import quantiles
from figures.drawing import SNR, TOP, legend_above, panel_grid, say_score, write_conditions
from figures.holes import mark, of_panel
from figures.looks import looks
from figures.score import Score
from figures.table import CONDITIONS, SCORE, check, described, panels, said

EXPERIMENTS = ("fading",)
TABLE = "deliveries.parquet"
"""What it is drawn from, beside the table of results: one row a delivery."""

SHARES = tuple(share / 20 for share in range(21))
TARGET = 0.9
"""The score below which a delivery is in outage, as a share of the best mean score of its data set and model."""


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: quantiles of accuracy over deliveries (all seeds together), and outage with Wilson's interval.

    Where deliveries stand for many fades, these are counted, and the interval is that of as many independent deliveries
    as there were, which is rather too wide.

    Args:
        table: one row a delivery: the columns of a condition, seed, realization and accuracy in 0..1.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", "realization", "accuracy"), "fading")
    table = described(table)
    table = weighted(table)
    by: Any = table.groupby(list(CONDITIONS), sort=False)
    means: Any = (table["share"] * table["accuracy"]).groupby([table[name] for name in CONDITIONS], sort=False).sum()
    counts: Any = by.agg(deliveries=("accuracy", "count"), seeds=("seed", "nunique"))
    drawn: Any = counts.join(means.rename("mean")).join(by[["title", *SCORE]].first())
    best = drawn.groupby(["dataset", "model"])["mean"].transform("max")
    base = Score.of(drawn).base
    drawn["target"] = (base + TARGET * (best - base)).round(2)
    target = table.merge(drawn["target"].reset_index(), on=list(CONDITIONS))["target"].to_numpy()
    lost = table["share"] * (table["accuracy"] < target)
    missed: Any = lost.groupby([table[name] for name in CONDITIONS], sort=False).sum()
    drawn["outage"] = missed.reindex(drawn.index)
    drawn["outage_low"], drawn["outage_high"] = _wilson(drawn["outage"], drawn["deliveries"])
    quantiles = by.apply(lambda own: pd.Series(ranks(own, SHARES)), include_groups=False)
    for i, share in enumerate(SHARES):
        drawn[f"quantile_{share:.2f}"] = quantiles[i].reindex(drawn.index)
    return drawn.reset_index()


def weighted(table: pd.DataFrame) -> pd.DataFrame:
    """With what each delivery counts for among all of its condition; alike, if the table does not say."""
    shares = table["share"] if "share" in table else pd.Series(1.0, index=table.index)
    together: Any = shares.groupby([table[name] for name in CONDITIONS], sort=False).transform("sum")
    return table.assign(share=shares / together)


def ranks(rows: pd.DataFrame, at: Sequence[float]) -> list[float]:
    """Quantiles of the accuracy of deliveries, each of which counts for its share.

    Args:
        rows: with the columns accuracy and share; the shares add up to 1.
        at: which quantiles.
    """
    scores, shares = (torch.tensor(rows[name].to_numpy(dtype=float)) for name in ("accuracy", "share"))
    return quantiles(scores, shares, at).tolist()


def draw(table: pd.DataFrame) -> Figure:
    """Draw it: the distribution at the SNR where about half are in outage, and the probability of outage over SNR.

    Args:
        table: one row a delivery.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    drawn = data(table)
    names = [name for name in ("scheme", "channel") if len(set(drawn[name])) > 1] or ["scheme"]
    label = drawn.apply(lambda row: _label(row, names), axis=1)
    drawn = drawn.assign(label=label)
    missing = [{**hole, "label": _label(hole, names)} for hole in table.attrs.get("holes", [])]
    look = looks([*label, *(hole["label"] for hole in missing)])
    parts = list(panels(drawn, ["label", "scheme", "channel", "snr_db"]))
    figure, axes = panel_grid(2 * len(parts), entries=len(look) + bool(missing))
    for left, right, (title, rows) in zip(axes[::2], axes[1::2], parts):
        outage: Any = rows.groupby("snr_db")["outage"].mean()
        telling = (outage - 0.5).abs().idxmin()
        _distribution(left, rows.loc[rows["snr_db"] == telling], look)
        left.set_title(", ".join(filter(None, (title, said("snr_db", telling)))))
        _outage(right, rows, look)
        mark(right, of_panel(rows, missing, "snr_db", "label", ["scheme", "channel"]), "snr_db", "label", look)
        right.set_title(title)
    legend_above(figure, axes)
    write_conditions(figure, drawn, ["scheme", "channel", "snr_db"])
    return figure


def _label(row: Any, names: Sequence[str]) -> str:
    """What a line is called: the scheme by its title, and its channel where several are shown."""
    return ", ".join(said(name, row["title" if name == "scheme" else name]) for name in names)


def _distribution(axes: Axes, rows: pd.DataFrame, look: dict) -> None:
    for row in rows.to_dict("records"):
        accuracies = [row[f"quantile_{share:.2f}"] for share in SHARES]
        axes.plot(accuracies, SHARES, markevery=5, label=row["label"], **look[row["label"]])
    axes.axvline(rows["target"].iloc[0], color="black", linewidth=0.8, linestyle="--")
    score = Score.of(rows)
    axes.set(xlabel=score.label, ylabel="share of deliveries below", ylim=(-0.03, TOP))
    axes.set_xlim(score.limits(pd.concat([rows["quantile_0.00"], rows["quantile_1.00"]])))
    say_score(axes.xaxis, score)


def _outage(axes: Axes, rows: pd.DataFrame, look: dict) -> None:
    for label, own in rows.groupby("label", sort=False):
        own = own.sort_values("snr_db")
        reach = [own["outage"] - own["outage_low"], own["outage_high"] - own["outage"]]
        axes.errorbar(own["snr_db"], own["outage"], yerr=[side.clip(lower=0) for side in reach], **look[label])
    axes.set(xlabel=SNR, ylabel=f"outage: P({Score.of(rows).metric} < {rows['target'].iloc[0]:g})", ylim=(-0.03, TOP))


def _wilson(share: pd.Series, count: pd.Series, level: float = 0.95) -> tuple[pd.Series, pd.Series]:
    """Wilson's interval for a share of so many.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference, JASA 22, 1927.

    >>> low, high = _wilson(pd.Series([0.0]), pd.Series([64]))
    >>> print(f"{low[0]:.3f} {high[0]:.3f}")
    0.000 0.057
    """
    z = float(norm.ppf((1 + level) / 2))
    middle = (share + z**2 / (2 * count)) / (1 + z**2 / count)
    half = z / (1 + z**2 / count) * (share * (1 - share) / count + z**2 / (4 * count**2)) ** 0.5
    return (middle - half).clip(lower=0), (middle + half).clip(upper=1)
