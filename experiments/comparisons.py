"""Scheme against scheme: they met the same channels, noise and test images, so their difference is sharp."""

import math
from collections.abc import Iterable, Mapping
from itertools import combinations
from statistics import fmean, variance
from typing import Any

import pandas as pd
from scipy.special import stdtrit

from experiments.planner import Cell
from experiments.result import scores

CONDITIONS = ("dataset", "model", "channel", "knowledge", "snr_db", "channel_uses", "seed")
COLUMNS = ("experiment", "scheme", "against", *CONDITIONS, "realizations", "difference", "difference_low",
           "difference_high")  # fmt: skip
"""In this order; differences of accuracy in 0..1, positive where `scheme` is better."""


def of(experiment: str, finished: Iterable[tuple[Cell, Mapping[str, Any]]]) -> pd.DataFrame:
    """Every pair of schemes under every condition that both met.

    The 95 % interval is for the channel's randomness, the test images as given.

    Args:
        experiment: its name.
        finished: cells and their records.
    """
    met: dict[tuple, list[tuple[Cell, list[float]]]] = {}
    for cell, record in finished:
        condition = tuple(getattr(cell, name) for name in CONDITIONS)
        met.setdefault(condition, []).append((cell, list(scores(record))))
    rows = [
        (experiment, b.scheme, a.scheme, *condition, *paired(of_b, of_a))
        for condition, cells in met.items()
        for (a, of_a), (b, of_b) in combinations(cells, 2)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def paired(one: list[float], other: list[float], level: float = 0.95) -> tuple[int, float, float, float]:
    """Student's t on the differences of accuracies that were measured on the same realizations.

    Returns:
        How many both have, the mean of one minus the other, and its interval; an infinite one for a single pair.

    >>> paired([0.9, 0.8, 0.7], [0.8, 0.7, 0.6])[0]
    3
    """
    differences = [a - b for a, b in zip(one, other)]
    count, mean = len(differences), fmean(differences)
    if count < 2:
        return count, mean, -math.inf, math.inf
    half = float(stdtrit(count - 1, (1 + level) / 2)) * math.sqrt(variance(differences, mean) / count)
    return count, mean, mean - half, mean + half
