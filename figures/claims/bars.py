"""Bars that a claim has to reach, each met, missed or open, and the verdict that follows from them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from figures.claims.claim import Answer, Verdict
from figures.claims.pairing import prepared, trainings
from figures.table import TableError


@dataclass(frozen=True)
class Measured:
    """What a table says of a bar.

    Args:
        said: value, interval and bar, in words.
        met: whether the whole interval is on the right side of the bar; None if the bar lies within it.
    """

    said: str
    met: bool | None

    def __str__(self) -> str:
        return f"{self.said}: {'open' if self.met is None else 'met' if self.met else 'missed'}"


class Bar(Protocol):
    """One number that a claim is judged by."""

    @property
    def says(self) -> str:
        """What is measured, in words."""
        ...

    @property
    def schemes(self) -> tuple[str, ...]:
        """The names of those that it looks at."""
        ...

    def measured(self, table: pd.DataFrame) -> Measured:
        """What a table says of it.

        Args:
            table: from `figures.claims.pairing.prepared`.

        Raises:
            TableError: the table lacks a scheme or a column.
        """
        ...


@dataclass(frozen=True)
class Bars:
    """Several bars: all met, the claim holds; some, in part; none met but none missed either, it is undecided.

    A bar whose schemes the table lacks is open and says so.

    Args:
        bars: in the order in which they are said.
    """

    bars: Sequence[Bar]

    @property
    def schemes(self) -> tuple[str, ...]:
        """See `Judgement`."""
        return tuple(dict.fromkeys(name for bar in self.bars for name in bar.schemes))

    def verdict(self, table: pd.DataFrame) -> Verdict:
        """Judge; see `Judgement`."""
        drawn, found, refused = prepared(table), [], []
        for bar in self.bars:
            try:
                found.append(bar.measured(drawn))
            except TableError as error:
                refused.append(error)
                found.append(Measured(f"{bar.says}, not in the table", None))
        if len(refused) == len(self.bars):
            raise refused[0]
        counted = trainings(drawn.loc[drawn["scheme"].isin(self.schemes), "seed"].nunique())
        return Verdict(_answer([each.met for each in found]), f"{'; '.join(map(str, found))} ({counted})")


def _answer(met: Sequence[bool | None]) -> Answer:
    if all(met):
        return "holds"
    if any(met):
        return "holds in part"
    return "does not hold here" if False in met else "undecided here"


def sided(low: float, high: float, bar: float) -> bool | None:
    """Whether an interval is at or above a bar: None if the bar lies within it.

    >>> sided(0.0, 1.0, 0.0), sided(-1.0, 1.0, 0.0), sided(-2.0, -1.0, 0.0)
    (True, None, False)
    """
    return True if low >= bar else False if high < bar else None
