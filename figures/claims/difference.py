"""How far some schemes are ahead of others, as the mean over pairs, seed by seed, against a bar."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from figures.claims.bars import Measured, sided
from figures.claims.pairing import SHARED, over_pairs, side_by_side
from figures.score import Score
from figures.table import TableError


@dataclass(frozen=True)
class Cost:
    """A cost that must not be higher either.

    Args:
        column: such as `macs`.
        at_most: share of the other's.
        words: for people.
    """

    column: str
    at_most: float
    words: str


@dataclass(frozen=True)
class Difference:
    """The mean lead of one scheme over another, over several pairs, in points where the score is a share.

    Args:
        says: what is compared, in words.
        pairs: names of schemes, the one that is claimed to be good first.
        at_least: the bar in the unit of differences; below 0 for "as good as, within".
        at: `clean`, at the highest SNR and largest budget alone, where the link does least; `tight`, the mean over all
            SNRs at the least budget; `all`, the mean over all conditions that both have.
        column: of the table, of which `accuracy` alone has an interval where there is one seed.
        cost: what must not be higher, if anything.
    """

    says: str
    pairs: Sequence[tuple[str, str]]
    at_least: float = 0.0
    at: Literal["clean", "tight", "all"] = "clean"
    column: str = "accuracy"
    cost: Cost | None = None

    @property
    def schemes(self) -> tuple[str, ...]:
        """See `Bar`."""
        return tuple(dict.fromkeys(name for pair in self.pairs for name in pair))

    def measured(self, table: pd.DataFrame) -> Measured:
        """See `Bar`."""
        met: Any = pd.concat([self._met(table, *pair) for pair in self.pairs])
        gain, low, high = over_pairs(*_by_seed(met))
        score = Score.of(met)
        kept = sided(low * score.scale, high * score.scale, self.at_least)
        said = (
            f"{self.says} {score.said(gain, '+')} [{score.said(low, '+')}, {score.said(high, '+')}] {score.unit}"
            f"{self._where(met)}, bar {self.at_least:+g}"
        )
        if self.cost is None:
            return Measured(said, kept)
        share = float(met[self.cost.column].mean() / met[f"{self.cost.column}_other"].mean())
        said += f", with {100 * share:.0f} % of the {self.cost.words}, bar {100 * self.cost.at_most:g} %"
        return Measured(said, kept if share <= self.cost.at_most else False)

    def _met(self, table: pd.DataFrame, one: str, other: str) -> pd.DataFrame:
        """What both did, with the gain of the column that counts."""
        missing = [name for name in (self.column, self.cost and self.cost.column) if name and name not in table]
        if missing:
            raise TableError(f"this claim needs the column {missing[0]}, which the table does not have")
        both: Any = side_by_side(table, one, other)
        if self.at == "clean":
            both = clean(both)
        elif self.at == "tight":
            both = both[both["channel_uses"] == both["channel_uses"].min()]
        if self.column == "accuracy":
            return both
        gain: Any = both[self.column] - both[f"{self.column}_other"]
        return both.assign(gain=gain, gain_low=-float("inf"), gain_high=float("inf"))

    def _where(self, met: pd.DataFrame) -> str:
        snr: Any = met["snr_db"].unique()
        least = " at the least budget" if self.at == "tight" else ""
        if len(snr) == 1:
            return f" at {snr[0]:g} dB{least}"
        return f" as the mean over {min(snr):g} to {max(snr):g} dB{least}"


def clean(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of the highest SNR and, of these, of the largest budget: where the link does least."""
    at: Any = rows[rows["snr_db"] == rows["snr_db"].max()]
    return at[at["channel_uses"] == at["channel_uses"].max()]


def _by_seed(met: pd.DataFrame) -> tuple[list[float], list[float], list[float]]:
    """For each seed that all pairs have: the mean gain, and ends of its interval, as if gains went together."""
    cells: Any = met.groupby("seed")[[*SHARED]].size()
    whole: Any = met[met["seed"].isin(cells[cells == cells.max()].index)]
    means = whole.groupby("seed")[["gain", "gain_low", "gain_high"]].mean()
    return means["gain"].tolist(), means["gain_low"].tolist(), means["gain_high"].tolist()
