"""The score that a table holds, of which accuracy is one: its name, its bounds, and how axes show it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from figures.table import TableError

MARGIN = 0.03
"""Of an axis, above its upper end, so that a marker there is whole."""


SCORE_AXIS = "score"
"""The `gid` of axes that show a score, by which they are found again."""


@dataclass(frozen=True)
class Score:
    """What the columns `accuracy...` of a table mean.

    Args:
        metric: its name.
        low: least value of an example; minus infinity for none.
        high: greatest value.
        floor: what a delivery of which nothing usable arrived counts as; not a number if the table does not say.
    """

    metric: str = "accuracy"
    low: float = 0.0
    high: float = 1.0
    floor: float = math.nan

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "Score":
        """The score of rows of a table.

        Raises:
            TableError: they have several, which no axis shows.
        """
        several = list(dict.fromkeys(rows["metric"]))
        if len(several) > 1:
            raise TableError(f"one panel would show {' and '.join(several)}: draw a table for each")
        # Which examples there are decides what chance is: data sets differ in their floor, and share an axis.
        low, high, floor = (list(rows[name]) for name in ("score_low", "score_high", "floor"))
        return cls(several[0], min(low), max(high), min(floor))

    @property
    def words(self) -> str:
        """Its name, for people."""
        return self.metric.replace("_", " ")

    @property
    def label(self) -> str:
        """Of an axis; shares are said in per cent."""
        return f"delivered {self.words}{' (%)' if self.is_share else ''}"

    @property
    def is_share(self) -> bool:
        """Whether it lies between 0 and 1, so that differences are counted in points, hundredths of it."""
        return (self.low, self.high) == (0.0, 1.0)

    @property
    def unit(self) -> str:
        """Of differences."""
        return "points" if self.is_share else self.words

    @property
    def scale(self) -> float:
        """Of differences in that unit."""
        return 100.0 if self.is_share else 1.0

    def said(self, difference: float, sign: str = "") -> str:
        """A difference in that unit, as a number.

        Args:
            difference: of scores.
            sign: `+` to say it of positive ones too.

        >>> Score().said(0.1234), Score("R2", -math.inf, 1.0, 0.0).said(0.1234, "+")
        ('12.3', '+0.12')
        """
        return f"{difference * self.scale:{sign}{'.1f' if self.is_share else '.2g'}}"

    @property
    def base(self) -> float:
        """What shares of a score are counted from: its least value, or, where there is none, the floor."""
        bases = [value for value in (self.low, self.floor) if math.isfinite(value)]
        return bases[0] if bases else 0.0

    def limits(self, values: Iterable[float]) -> tuple[float, float]:
        """Ends of an axis.

        A bounded score's axis begins at a round number below the least that is shown, a tenth of the whole, and ends
        at one above the greatest. Where there is no least value, it reaches down to what is shown, but no further below
        the floor than the best is above it: a network that says nonsense may score anything.

        Args:
            values: that are shown.

        >>> Score().limits([0.5, 0.97]), Score("R2", -math.inf, 1.0, 0.0).limits([-40.0, 0.9])
        ((0.4, 1.018), (-1.0, 1.06))
        """
        shown = [value for value in values if math.isfinite(value)] or [self.base]
        top = self.high if math.isfinite(self.high) else max(shown)
        bottom = self.low
        if math.isfinite(self.low) and math.isfinite(self.high):
            tenth = (self.high - self.low) / 10
            bottom = self.low + tenth * max(0, math.floor((min(shown) - self.low) / tenth - 1e-6))
            top = self.low + tenth * min(10, max(2, math.ceil((max(shown) - self.low) / tenth)))
        elif not math.isfinite(self.low):
            bottom = max(min(*shown, self.base), 2 * self.base - top)
        return round(bottom, 9), round(top + MARGIN * (top - bottom), 9)
