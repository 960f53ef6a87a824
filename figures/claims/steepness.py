"""One scheme degrades more gradually than another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from figures.claims.claim import Answer, Verdict
from figures.claims.pairing import prepared, rows_of
from figures.gains import gain_interval
from figures.score import Score
from figures.table import TableError, over_seeds


@dataclass(frozen=True)
class Steepness:
    """One scheme degrades more gradually than another: the most that it loses from an SNR to the next is less.

    Args:
        gradual: name of the scheme.
        steep: name of the other.
    """

    gradual: str
    steep: str

    @property
    def schemes(self) -> tuple[str, ...]:
        """See `Judgement`."""
        return self.gradual, self.steep

    def verdict(self, table: pd.DataFrame) -> Verdict:
        """Judge; see `Judgement`."""
        drawn = over_seeds(prepared(table, ("accuracy_low", "accuracy_high")))
        score = Score.of(drawn)
        falls = [_steepest(drawn, name) for name in self.schemes]
        (title, fall, *own, where), (other, steep, *theirs, there) = falls
        (_, high), (low, _) = own, theirs
        answer: Answer = "holds" if high < low else "holds in part" if fall < steep else "does not hold here"
        return Verdict(
            answer,
            f"{title} loses at most {score.said(fall)} {_interval(score, own)} {score.unit} from one SNR to the next "
            f"(below {where:g} dB), {other} {score.said(steep)} {_interval(score, theirs)} (below {there:g} dB)",
        )


def _interval(score: Score, ends: Sequence[float]) -> str:
    return f"[{', '.join(map(score.said, ends))}]"


def _steepest(drawn: pd.DataFrame, scheme: str) -> tuple[str, float, float, float, float]:
    """Title, greatest fall between neighbouring SNRs with the ends of its interval, and the SNR that it is below."""
    rows: Any = rows_of(drawn, scheme).sort_values("snr_db").reset_index(drop=True)
    if len(rows) < 2:
        raise TableError("this claim needs two SNRs at least: give more by snr_db=[...]")
    upper, lower = rows.iloc[1:].reset_index(drop=True), rows.iloc[:-1].reset_index(drop=True)
    both = upper.join(lower, rsuffix="_other")
    low, high = gain_interval(both, "", "_other")
    falls = both["accuracy"] - both["accuracy_other"]
    at = int(falls.to_numpy().argmax())
    return str(rows["title"].iloc[0]), falls[at], low[at], high[at], float(both["snr_db"][at])
