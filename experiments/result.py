"""What the store keeps of a finished cell, beside the columns of the table."""

from collections.abc import Mapping, Sequence
from typing import Any


def scores(record: Mapping[str, Any]) -> Sequence[float]:
    """The mean score of each delivery, in the order of the realizations."""
    return record["per_realization"]


def shares(record: Mapping[str, Any]) -> Sequence[float]:
    """What each of them counts for in the mean; they add up to 1."""
    return record["shares"]


def channel_interval(record: Mapping[str, Any]) -> tuple[float, float, float]:
    """Lower end, mean score, upper end: the 95 % interval over channels alone."""
    return record["accuracy_channel_low"], record["accuracy"], record["accuracy_channel_high"]


def timeline(record: Mapping[str, Any]) -> Mapping[str, Sequence[float | None]]:
    """Of each delivery, channel uses and milliseconds: see `airdeliver.session.Timeline.record`."""
    return record["timeline"]


def segments(record: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What each segment got in the plan of the first delivery: the fields of a row of `Plan.table`."""
    return record["plan"]
