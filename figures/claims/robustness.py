"""One scheme loses less than another where a channel gets worse."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from figures.claims.bars import Measured, sided
from figures.claims.pairing import SHARED, over_pairs, side_by_side
from figures.score import Score
from figures.table import TableError


@dataclass(frozen=True)
class Robustness:
    """How much less one scheme loses than another from a channel to worse ones, as the mean over these.

    What senders know, SNR and budget are the same before and after, and the mean is over them too.

    Args:
        says: what gets worse, in words.
        one: name of the scheme that is claimed to lose less.
        other: that of the other.
        before: name of the channel as it is at best.
        after: names of the worse ones.
    """

    says: str
    one: str
    other: str
    before: str
    after: Sequence[str]

    @property
    def schemes(self) -> tuple[str, ...]:
        """See `Bar`."""
        return self.one, self.other

    def measured(self, table: pd.DataFrame) -> Measured:
        """See `Bar`."""
        both: Any = side_by_side(table, self.one, self.other)
        for channel in (self.before, *self.after):
            if channel not in set(both["channel"]):
                raise TableError(f"this claim needs the channel {channel}, which the table does not have")
        by = [name for name in (*SHARED, "seed") if name != "channel"]
        best = both[both["channel"] == self.before]
        lost = both[both["channel"].isin(self.after)].merge(best, on=by, suffixes=("", "_before"))
        # A lead that grows by as much as the other loses more; of one seed, as if the four numbers were independent.
        lead = lost["gain"] - lost["gain_before"]
        below = ((lost["gain"] - lost["gain_low"]) ** 2 + (lost["gain_high_before"] - lost["gain_before"]) ** 2) ** 0.5
        above = ((lost["gain_high"] - lost["gain"]) ** 2 + (lost["gain_before"] - lost["gain_low_before"]) ** 2) ** 0.5
        ends = pd.DataFrame({"lead": lead, "low": lead - below, "high": lead + above})
        means: Any = ends.groupby(lost["seed"]).mean()
        saved, low, high = over_pairs(*(means[name].tolist() for name in ("lead", "low", "high")))
        score = Score.of(lost)
        falls = [float((lost[f"accuracy{end}_before"] - lost[f"accuracy{end}"]).mean()) for end in ("", "_other")]
        return Measured(
            f"{self.says}: {lost['title'].iloc[0]} loses {score.said(falls[0])}, {lost['title_other'].iloc[0]} "
            f"{score.said(falls[1])} {score.unit}, {score.said(saved, '+')} [{score.said(low, '+')}, "
            f"{score.said(high, '+')}] more, bar +0",
            sided(low, high, 0.0),
        )
