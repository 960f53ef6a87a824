"""One scheme is better than another, condition by condition."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from figures.claims.claim import Answer, Verdict
from figures.claims.pairing import SHARED, over_pairs, prepared, side_by_side, trainings
from figures.score import Score


@dataclass(frozen=True)
class Comparison:
    """One scheme is better than another, at each SNR (and budget, channel, knowledge) that both were measured at.

    It holds if it is ahead somewhere by more than the interval and nowhere behind by more; in part if both happen. The
    interval is paired over seeds; of a single seed it is that over channels.

    Args:
        pairs: the name of the scheme that is claimed to be better, and of the other.
        within: points by which the first may be behind and the claim still holds ("as good as").
    """

    pairs: Sequence[tuple[str, str]]
    within: float = 0.0

    @property
    def schemes(self) -> tuple[str, ...]:
        """See `Judgement`."""
        return tuple(dict.fromkeys(name for pair in self.pairs for name in pair))

    def verdict(self, table: pd.DataFrame) -> Verdict:
        """Judge; see `Judgement`."""
        drawn = prepared(table)
        score = Score.of(drawn)
        ahead, behind, said = 0, 0, []
        for one, other in self.pairs:
            both: Any = side_by_side(drawn, one, other)
            several, points = both["channel_uses"].nunique() > 1, []
            parts: Any = both.groupby(list(SHARED), sort=False)
            for condition, rows in parts:
                gain, low, high = over_pairs(*(rows[name].tolist() for name in ("gain", "gain_low", "gain_high")))
                ahead += low + self.within / score.scale > 0
                behind += high + self.within / score.scale < 0
                met = dict(zip(SHARED, condition))
                points.append(
                    f"{score.said(gain, '+')} [{score.said(low, '+')}, {score.said(high, '+')}] at {met['snr_db']:g} dB"
                    + (f" and {met['channel_uses']:,} uses" if several else "")
                )
            titles = f"{both['title'].iloc[0]} against {both['title_other'].iloc[0]}"
            counted = trainings(both["seed"].nunique())
            said.append(f"{titles}, {score.unit}, {counted}: {', '.join(points)}")
        answer: Answer = "does not hold here" if not ahead else "holds in part" if behind else "holds"
        return Verdict(answer, "; ".join(said))
