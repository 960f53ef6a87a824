"""How far the best of several schemes is from the worst."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from figures.claims.bars import Measured, sided
from figures.claims.difference import clean
from figures.claims.pairing import over_pairs, rows_of, side_by_side
from figures.score import Score


@dataclass(frozen=True)
class Spread:
    """The best of several schemes less the worst, where the link does least; which they are, their means say.

    That the two were chosen for it makes the difference rather too large.

    Args:
        says: what is compared, in words.
        of: names of schemes; the lead of the best over the worst is what is measured.
        at_most: the bar, in the unit of differences.
    """

    says: str
    of: Sequence[str]
    at_most: float

    @property
    def schemes(self) -> tuple[str, ...]:
        """See `Bar`."""
        return tuple(self.of)

    def measured(self, table: pd.DataFrame) -> Measured:
        """See `Bar`."""
        rows: dict[str, Any] = {name: clean(rows_of(table, name)) for name in self.of}
        means = {name: float(own["accuracy"].mean()) for name, own in rows.items()}
        best, worst = max(means, key=lambda name: means[name]), min(means, key=lambda name: means[name])
        both: Any = clean(side_by_side(table, best, worst))
        score = Score.of(both)
        lead, low, high = over_pairs(*(both[name].tolist() for name in ("gain", "gain_low", "gain_high")))
        return Measured(
            f"{self.says}: {both['title'].iloc[0]} is {score.said(lead)} [{score.said(low)}, {score.said(high)}] "
            f"{score.unit} above {both['title_other'].iloc[0]}, bar {self.at_most:g}",
            sided(-high * score.scale, -low * score.scale, -self.at_most),
        )
