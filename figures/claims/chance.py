"""Some schemes are no better than chance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from scipy.stats import t as student

from figures.claims.bars import Measured
from figures.claims.pairing import rows_of
from figures.score import Score


@dataclass(frozen=True)
class NearChance:
    """The mean score of some schemes is that of chance, as it must be of who lacks something.

    Args:
        says: who, in words.
        of: names of schemes, each of whose rows counts as one draw: seeds, keys and channels differ between them.
        within: the bar, in the unit of differences.
    """

    says: str
    of: Sequence[str]
    within: float

    @property
    def schemes(self) -> tuple[str, ...]:
        """See `Bar`."""
        return tuple(self.of)

    def measured(self, table: pd.DataFrame) -> Measured:
        """See `Bar`."""
        rows = pd.concat([rows_of(table, name) for name in self.of])
        score = Score.of(rows)
        # What SNR a network arrives at does not make another one of it: a draw is a scheme and a seed.
        groups: Any = rows.groupby(["scheme", "seed"])["accuracy"]
        means = groups.mean() - score.floor
        half = float(student.ppf(0.975, max(1, len(means) - 1))) * float(means.std()) / len(means) ** 0.5
        mean, bar = float(means.mean()), self.within / score.scale
        low, high = mean - half, mean + half
        inside, outside = -bar <= low and high <= bar, low > bar or high < -bar
        return Measured(
            f"{self.says} {score.said(mean, '+')} [{score.said(low, '+')}, {score.said(high, '+')}] {score.unit} from "
            f"chance over {len(means)} networks, bar ±{self.within:g}",
            True if inside else False if outside else None,
        )
