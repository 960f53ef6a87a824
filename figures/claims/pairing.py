"""Scheme against scheme seed by seed: both met the same images and channels, so that their difference is sharp."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import t as student

from figures.gains import gain_interval
from figures.table import CHANNEL_INTERVAL, CONDITIONS, TableError, check, described

SHARED = tuple(name for name in CONDITIONS if name != "scheme")
"""What two schemes are compared under."""


def prepared(table: pd.DataFrame, columns: Sequence[str] = ("accuracy",)) -> pd.DataFrame:
    """A table with what claims read of it; see `figures.table.described`.

    Raises:
        TableError: columns are missing, or there are no rows.
    """
    check(table, (*CONDITIONS, "seed", "accuracy", *CHANNEL_INTERVAL, *columns), "claims")
    return described(table)


def side_by_side(table: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    """What two schemes did under the same conditions, a row for each of these and each seed that both have.

    Args:
        table: from `prepared`.
        one: name of a scheme.
        other: that of the other, whose columns end in `_other`.

    Raises:
        TableError: the table lacks one of them, or they have no condition in common.
    """
    by = [*SHARED, "seed"]
    both: Any = rows_of(table, one).merge(rows_of(table, other), on=by, suffixes=("", "_other"))
    if both.empty:
        raise TableError(f"{one} and {other} were never measured under the same conditions and seed")
    low, high = gain_interval(both, "", "_other")
    gain = both["accuracy"] - both["accuracy_other"]
    gains = pd.DataFrame({"gain": gain, "gain_low": low, "gain_high": high})
    return pd.concat([both, gains], axis=1).sort_values(["channel_uses", "snr_db", "seed"])


def rows_of(table: pd.DataFrame, scheme: str) -> pd.DataFrame:
    """The rows of a scheme, or of the same with parts that the command changed, which tables mark by a star.

    Raises:
        TableError: there are none.
    """
    names = set(table["scheme"])
    own = scheme if scheme in names or scheme.endswith("*") else f"{scheme}*"
    rows: Any = table[table["scheme"] == own]
    if rows.empty:
        raise TableError(
            f"this claim needs the scheme {scheme}, the table has {', '.join(dict.fromkeys(table['scheme']))}"
        )
    return rows


def over_pairs(values: Sequence[float], low: Sequence[float], high: Sequence[float]) -> tuple[float, float, float]:
    """The mean of a difference over seeds, and its 95 % interval, the test images as given.

    Of several seeds it is Student's t over their differences, in which trainings and channels vary together. A single
    seed has the interval that its table gives, over channels alone.

    Args:
        values: a difference for each seed.
        low: lower ends of the interval of each seed by itself.
        high: upper ends.

    >>> over_pairs([0.25, 0.5, 0.75], [0.0] * 3, [1.0] * 3)[0]
    0.5
    """
    several, mean = len(values), float(np.mean(values))
    if several < 2:
        return mean, float(low[0]), float(high[0])
    half = float(student.ppf(0.975, several - 1)) * float(np.std(values, ddof=1)) / several**0.5
    return mean, mean - half, mean + half


def trainings(seeds: int) -> str:
    """How many trainings a number rests on, for people; one says nothing of how trainings differ.

    >>> trainings(3), trainings(1)
    ('3 trainings of each', 'one training of each')
    """
    return f"{seeds} trainings of each" if seeds > 1 else "one training of each"
