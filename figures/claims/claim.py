"""A claim, how it is judged from a table, and the verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import pandas as pd

from figures.gains import gain_interval
from figures.score import Score
from figures.table import CHANNEL_INTERVAL, CONDITIONS, TableError, check, over_seeds

Answer = Literal["holds", "holds in part", "does not hold here"]


@dataclass(frozen=True)
class Verdict:
    """Whether a claim holds in a table.

    Args:
        answer: in two or three words.
        evidence: the numbers that it rests on, with their 95 % intervals, in a sentence.
    """

    answer: Answer
    evidence: str

    def __str__(self) -> str:
        return f"{self.answer}: {self.evidence}"


class Judgement(Protocol):
    """How a table is judged."""

    def verdict(self, table: pd.DataFrame) -> Verdict:
        """Judge.

        Raises:
            TableError: the table lacks a scheme or a column.
        """
        ...


@dataclass(frozen=True)
class Claim:
    """One claim of a paper, in our words.

    Args:
        name: of it on the command line.
        says: what is claimed.
        source: where.
        experiment: whose table tells.
        judgement: how.
        arguments: of the sweep beyond the experiment.
        tables: endings of the published tables that tell, together; none for that of the experiment.
    """

    name: str
    says: str
    source: str
    experiment: str
    judgement: Judgement
    arguments: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()

    def command(self, dataset: str) -> list[str]:
        """The arguments of the sweep whose table tells, on a data set."""
        preset = "preset=cpu" if dataset == "cifar10" else "preset=demo"
        return [f"experiment={self.experiment}", f"dataset={dataset}", preset, *self.arguments]


@dataclass(frozen=True)
class Comparison:
    """One scheme is better than another, at each SNR (and budget, channel, knowledge) that both were measured at.

    It holds if it is ahead somewhere by more than the interval and nowhere behind by more; in part if both happen. The
    interval is that over channels and trainings, the test images as given: both met the same images.

    Args:
        pairs: the name of the scheme that is claimed to be better, and of the other.
        within: points by which the first may be behind and the claim still holds ("as good as").
    """

    pairs: Sequence[tuple[str, str]]
    within: float = 0.0

    def verdict(self, table: pd.DataFrame) -> Verdict:
        """Judge; see `Judgement`."""
        check(table, (*CONDITIONS, "seed", "accuracy", "accuracy_low", "accuracy_high", *CHANNEL_INTERVAL), "claims")
        drawn = over_seeds(table)
        score = Score.of(drawn)
        ahead, behind, said = 0, 0, []
        for one, other in self.pairs:
            both: Any = _side_by_side(drawn, one, other)
            low, high = gain_interval(both, "", "_other")
            gain = both["accuracy"] - both["accuracy_other"]
            ahead += int((low + self.within / score.scale > 0).sum())
            behind += int((high + self.within / score.scale < 0).sum())
            several = both["channel_uses"].nunique() > 1
            points = [
                f"{score.said(g, '+')} [{score.said(a, '+')}, {score.said(b, '+')}] at {snr:g} dB"
                + (f" and {uses:,} uses" if several else "")
                for g, a, b, snr, uses in zip(gain, low, high, both["snr_db"], both["channel_uses"])
            ]
            said.append(
                f"{both['title'].iloc[0]} against {both['title_other'].iloc[0]}, {score.unit}: {', '.join(points)}"
            )
        answer: Answer = "does not hold here" if not ahead else "holds in part" if behind else "holds"
        return Verdict(answer, "; ".join(said))


@dataclass(frozen=True)
class Steepness:
    """One scheme degrades more gradually than another: the most that it loses from an SNR to the next is less.

    Args:
        gradual: name of the scheme.
        steep: name of the other.
    """

    gradual: str
    steep: str

    def verdict(self, table: pd.DataFrame) -> Verdict:
        """Judge; see `Judgement`."""
        check(table, (*CONDITIONS, "seed", "accuracy", "accuracy_low", "accuracy_high", *CHANNEL_INTERVAL), "claims")
        drawn = over_seeds(table)
        score = Score.of(drawn)
        falls = [_steepest(drawn, name) for name in (self.gradual, self.steep)]
        (title, fall, _, high, where), (other, steep, low, _, there) = falls
        answer: Answer = "holds" if high < low else "holds in part" if fall < steep else "does not hold here"
        return Verdict(
            answer,
            f"{title} loses at most {score.said(fall)} {score.unit} from one SNR to the next (below {where:g} dB), "
            f"{other} {score.said(steep)} (below {there:g} dB)",
        )


def _side_by_side(drawn: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
    shared = [name for name in CONDITIONS if name != "scheme"]
    parts = [_rows(drawn, name) for name in (one, other)]
    return parts[0].merge(parts[1], on=shared, suffixes=("", "_other")).sort_values(["channel_uses", "snr_db"])


def _rows(drawn: pd.DataFrame, scheme: str) -> pd.DataFrame:
    rows: Any = drawn[drawn["scheme"] == scheme]
    if rows.empty:
        raise TableError(
            f"this claim needs the scheme {scheme}, the table has {', '.join(dict.fromkeys(drawn['scheme']))}"
        )
    return rows


def _steepest(drawn: pd.DataFrame, scheme: str) -> tuple[str, float, float, float, float]:
    """Title, greatest fall between neighbouring SNRs with the ends of its interval, and the SNR that it is below."""
    rows: Any = _rows(drawn, scheme).sort_values("snr_db").reset_index(drop=True)
    if len(rows) < 2:
        raise TableError("this claim needs two SNRs at least: give more by snr_db=[...]")
    upper, lower = rows.iloc[1:].reset_index(drop=True), rows.iloc[:-1].reset_index(drop=True)
    both = upper.join(lower, rsuffix="_other")
    low, high = gain_interval(both, "", "_other")
    falls = both["accuracy"] - both["accuracy_other"]
    at = int(falls.to_numpy().argmax())
    return str(rows["title"].iloc[0]), falls[at], low[at], high[at], float(both["snr_db"][at])
