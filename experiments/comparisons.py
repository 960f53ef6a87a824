"""Scheme against scheme: they met the same channels, noise and test images, so their difference is sharp."""

import math
from collections.abc import Iterable, Mapping
from itertools import combinations
from statistics import fmean, variance
from typing import Any

import pandas as pd
import torch
from scipy.special import ndtri, stdtrit

from airdeliver.strata import variance_over_fades, variance_within
from experiments.planner import Cell
from experiments.result import channel_interval, scores, shares

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
    met: dict[tuple, list[tuple[Cell, Mapping[str, Any]]]] = {}
    for cell, record in finished:
        condition = tuple(getattr(cell, name) for name in CONDITIONS)
        met.setdefault(condition, []).append((cell, record))
    rows = [
        (experiment, b.scheme, a.scheme, *condition, *compared(of_b, of_a))
        for condition, cells in met.items()
        for (a, of_a), (b, of_b) in combinations(cells, 2)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def compared(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[int, float, float, float]:
    """How one cell differs from another: delivery by delivery, where they met the same channels.

    Deliveries that stand for the same strata of fades have the variance of a mean over strata. Where one has more of
    them than the other (digital links) the two are compared as if they had met different fades, which is rather too
    wide.

    Args:
        one: the record of a cell.
        other: that of another.

    Returns:
        As `paired`; the deliveries are the fewer of both.
    """
    alike = list(shares(one)) == list(shares(other))
    if alike and one["fades"] == len(shares(one)):
        return paired(list(scores(one)), list(scores(other)))
    difference = one["accuracy"] - other["accuracy"]
    if alike:
        apart, weights = torch.tensor(scores(one)) - torch.tensor(scores(other)), torch.tensor(shares(one))
        variance = variance_over_fades(apart, weights, one["fades"]) + variance_within(apart, weights)
        below = above = float(ndtri(0.975)) * math.sqrt(variance)
    else:
        (fall, rise), (others_fall, others_rise) = (_reach(record) for record in (one, other))
        below, above = math.hypot(fall, others_rise), math.hypot(rise, others_fall)
    return min(len(shares(one)), len(shares(other))), difference, difference - below, difference + above


def _reach(record: Mapping[str, Any]) -> tuple[float, float]:
    """How far the interval over channels reaches below and above the mean."""
    low, mean, high = channel_interval(record)
    return mean - low, high - mean


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
