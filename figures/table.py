"""The table of results as figures read it: one row a cell, checked before anything is drawn."""

import io
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from scipy.stats import t as student

CONDITIONS = ("dataset", "model", "scheme", "channel", "knowledge", "channel_uses", "snr_db")
"""What a cell is measured under, besides its seed; panels follow this order."""

INTERVAL = ("accuracy", "accuracy_low", "accuracy_high")
CHANNEL_INTERVAL = ("accuracy_channel_low", "accuracy_channel_high")

ABOUT = ("title", "side", "preparation", "limit", "member")
"""What a scheme says of itself; a table that was written before it did has none of these."""

SCORE = ("metric", "score_low", "score_high", "floor")
"""What is scored; a table that does not say holds accuracies."""

WORDS = {
    "awgn": "AWGN", "cdl": "CDL", "cifar10": "CIFAR-10", "cnn": "CNN", "given": "own data", "mlp": "MLP",
    "nakagami": "Nakagami", "rayleigh": "Rayleigh", "resnet20": "ResNet-20", "rician": "Rician", "tdl": "TDL",
    "vgg": "VGG", "vgg16": "VGG-16",
}  # fmt: skip
"""How people write what is not just a word."""

HOLES = "holes.parquet"
"""Beside a table of results, the cells whose budget is too small; they travel as `table.attrs["holes"]`."""

UNITS = {"snr_db": "{:g} dB", "channel_uses": "{:,} uses", "knowledge": "knowledge: {}"}


class TableError(ValueError):
    """A table that cannot be drawn, in one line."""


def read(path: Path | str) -> pd.DataFrame:
    """A table from parquet, or from CSV whose first lines may be comments that begin with `#`.

    Raises:
        TableError: there is no such file, it is no table, or it has no rows.
    """
    path = Path(path)
    if not path.is_file():
        raise TableError(f"there is no table {path}: run `python -m experiments.sweep` first, or give --results FILE")
    try:
        table = _read_csv(path) if path.suffix == ".csv" else pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise TableError(f"{path} is neither a parquet nor a CSV table: {' '.join(str(error).split())}") from error
    if table.empty:
        raise TableError(f"{path} has no rows: no cell of its sweep has finished")
    holes = path.with_name(HOLES)
    if path.suffix != ".csv" and holes.is_file():
        table.attrs["holes"] = pd.read_parquet(holes).to_dict("records")
    return table


def _read_csv(path: Path) -> pd.DataFrame:
    lines = path.read_text(encoding="utf-8").splitlines()
    return pd.read_csv(io.StringIO("\n".join(line for line in lines if not line.startswith("#"))))


def check(table: pd.DataFrame, columns: Sequence[str], figure: str) -> None:
    """Refuse a table that a figure cannot be drawn from.

    Raises:
        TableError: no rows, or columns that are missing.

    >>> check(pd.DataFrame({"scheme": ["clean"]}), ["scheme", "accuracy"], "snr")
    Traceback (most recent call last):
    ...
    figures.table.TableError: figure snr needs the columns accuracy, which the table does not have
    """
    missing = [name for name in columns if name not in table]
    if missing:
        raise TableError(f"figure {figure} needs the columns {', '.join(missing)}, which the table does not have")
    if table.empty:
        raise TableError(f"figure {figure} needs at least one row, the table has none")


def described(table: pd.DataFrame) -> pd.DataFrame:
    """The table with `ABOUT` and `SCORE` where it has none of them: names as titles, one side for all, accuracies.

    Titles are told apart: schemes with the same one have their names behind it.

    >>> described(pd.DataFrame({"scheme": ["clean_frozen"]}))[["title", "side", "metric"]].values.tolist()
    [['clean frozen', '', 'accuracy']]
    """
    usual = {"side": "", "preparation": "", "limit": False, "member": math.nan,
             "metric": "accuracy", "score_low": 0.0, "score_high": 1.0, "floor": math.nan}  # fmt: skip
    names = {scheme: said("scheme", scheme) for scheme in dict.fromkeys(table["scheme"])}
    titles = dict(zip(table["scheme"], table["title"])) if "title" in table else names
    counts = Counter(titles.values())
    told = {s: title if counts[title] == 1 else f"{title} ({names[s]})" for s, title in titles.items()}
    missing = {name: value for name, value in usual.items() if name not in table}
    return table.assign(title=[told[scheme] for scheme in table["scheme"]], **missing)


def over_seeds(table: pd.DataFrame, also: Sequence[str] = ()) -> pd.DataFrame:
    """One row for each condition: the mean over seeds, and its 95 % intervals.

    The interval of one seed is the table's own. Over S seeds its half-width is the root of the squared mean of theirs,
    because they share the test images, plus the squared half-width of Student's t over the S means, because each seed
    is another training; what both contain is counted twice, so it is rather too wide than too narrow.

    Args:
        table: with the columns of a condition, seed, accuracy, accuracy_low and accuracy_high, in 0..1.
        also: further columns, of which the mean over seeds is kept; those of `ABOUT` and `SCORE` always are.

    Raises:
        TableError: two rows of the same condition and seed.
    """
    by, holes, table = list(CONDITIONS), table.attrs.get("holes", []), described(table)
    if table.duplicated([*by, "seed"]).any():
        raise TableError(f"the table has several rows with the same {', '.join(by)} and seed: draw one sweep at a time")
    numbers = [name for name in (*INTERVAL, *CHANNEL_INTERVAL, *also) if name in table]
    groups: Any = table.groupby(by, sort=False)
    mean, seeds = groups[numbers].mean(), groups["accuracy"].count()
    quantile = pd.Series(student.ppf(0.975, (seeds - 1).clip(lower=1)), index=mean.index)
    between = (quantile * groups["accuracy"].std() / seeds**0.5).where(seeds > 1, 0.0)
    same = groups[[*ABOUT, *SCORE]].first()
    middle = mean["accuracy"]
    for end, sign in zip((*INTERVAL[1:], *CHANNEL_INTERVAL), (-1, 1, -1, 1)):
        if end in mean:
            half = ((mean[end] - middle) ** 2 + between**2) ** 0.5
            mean[end] = (middle + sign * half).clip(same["score_low"], same["score_high"])
    drawn = mean.assign(seeds=seeds, **same).reset_index()
    # What there is of them: pandas copies them at every step.
    drawn.attrs |= {k: v for k, v in {"holes": holes, "few_deliveries": _few_deliveries(table)}.items() if v}
    return drawn


def between_seeds(table: pd.DataFrame, name: str, drawn: pd.DataFrame) -> pd.Series:
    """Half of the 95 % interval of a column's mean over seeds, Student's t over them alone; 0 where there is one seed.

    Args:
        table: as for `over_seeds`.
        name: of the column.
        drawn: what `over_seeds` made of the table, whose rows the result belongs to.
    """
    groups: Any = table.groupby(list(CONDITIONS), sort=False)[name]
    seeds = groups.count()
    quantile = pd.Series(student.ppf(0.975, (seeds - 1).clip(lower=1)), index=seeds.index)
    half = (quantile * groups.std() / seeds**0.5).where(seeds > 1, 0.0)
    of: dict[Any, float] = half.to_dict()
    rows = drawn[list(CONDITIONS)].itertuples(index=False, name=None)
    return pd.Series([of[row] for row in rows], index=drawn.index)


def panels(data: pd.DataFrame, within: Sequence[str]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Split rows by the conditions that vary beside those that one panel shows.

    What follows from what the panel shows already (the bandwidth of each channel, say) does not split.

    Args:
        data: rows of conditions.
        within: the columns that one panel shows.

    Yields:
        The panel's title, empty if it is the only one, and its rows.
    """
    split: list[str] = []
    for name in CONDITIONS:
        groups: Any = data.groupby([*within, *split])
        if name not in within and groups[name].nunique().max() > 1:
            split.append(name)
    if not split:
        yield "", data
        return
    parts: Any = data.groupby(split, sort=False)
    for values, rows in parts:
        told = {**dict(zip(split, values)), **({"scheme": rows["title"].iloc[0]} if "title" in rows else {})}
        yield ", ".join(said(name, told[name]) for name in split), rows


TWO_SEEDS = (
    f"intervals over two seeds are wide (Student's t is {student.ppf(0.975, 1):.1f}, with three seeds "
    f"{student.ppf(0.975, 2):.1f})"
)
"""What is said wherever two trainings stand for all that there could be."""

WIDE = 0.1
"""Half of an interval, as a share of the score's range, from which on a small number of deliveries is told."""

FEW = 12
"""Deliveries of a point, up to which they are too few to show that no more than a quarter is lost."""


def _few_deliveries(table: pd.DataFrame) -> int:
    """Of the cells whose own interval is wide, the least number of deliveries, if that is few; 0 for none."""
    if "realizations" not in table:
        return 0
    width = (table["accuracy_high"] - table["accuracy_low"]) / (table["score_high"] - table["score_low"])
    counts = [int(count) for count in table["realizations"][width > 2 * WIDE]]
    return min(counts) if counts and min(counts) <= FEW else 0


def _losses_not_seen(deliveries: int) -> str:
    """What intervals of few deliveries count with, for people.

    >>> _losses_not_seen(4)
    'intervals count with losses that 4 deliveries need not show (up to 60 %)'
    """
    # Clopper and Pearson's upper end where none was lost.
    lost = 1 - 0.025 ** (1 / deliveries)
    return f"intervals count with losses that {deliveries} deliveries need not show (up to {100 * lost:.0f} %)"


def conditions(data: pd.DataFrame, shown: Sequence[str] = ()) -> str:
    """What is the same for all rows, for people: data set, network, channel, knowledge, budget, SNR; seeds if several.

    Args:
        data: rows of conditions.
        shown: columns that the figure shows anyway.

    >>> conditions(pd.DataFrame({"dataset": ["cifar10"], "snr_db": [5.0]}))
    'CIFAR-10, 5 dB'
    >>> conditions(pd.DataFrame({"snr_db": [5.0], "seeds": [2]}))
    "5 dB, 2 seeds; intervals over two seeds are wide (Student's t is 12.7, with three seeds 4.3)"
    """
    names = [name for name in CONDITIONS if name in data and name not in (*shown, "scheme")]
    parts = [said(name, data[name].iloc[0]) for name in names if len(set(data[name])) == 1]
    seeds = set(data["seeds"]) if "seeds" in data else {1}
    counted = [f"{count} seeds" for count in seeds if len(seeds) == 1 and count > 1]
    few = data.attrs.get("few_deliveries", 0)
    notes = [", ".join([*parts, *counted]), TWO_SEEDS if 2 in seeds else "", _losses_not_seen(few) if few else ""]
    return "; ".join(note for note in notes if note)


def said(name: str, value: object) -> str:
    """A value of a condition, for people.

    >>> said("snr_db", -5.0), said("channel_uses", 60000), said("dataset", "cifar10"), said("channel", "rayleigh_fast")
    ('-5 dB', '60,000 uses', 'CIFAR-10', 'Rayleigh fast')
    """
    text = WORDS.get(str(value)) or UNITS.get(name, "{}").format(value).replace("_", " ")
    return " ".join(WORDS.get(word, word) for word in text.split(" ")) if name == "channel" else text
