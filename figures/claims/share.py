"""What a network keeps of one cost against what it keeps of another."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from figures.claims.bars import Measured
from figures.claims.pairing import rows_of
from figures.table import TableError


@dataclass(frozen=True)
class Shares:
    """A sparse network keeps a larger share of one cost than of another: counted, so without an interval.

    Args:
        says: what is compared, in words.
        of: names of schemes, of which each has to.
        larger: the cost of which more is kept, with and without zeros: two columns.
        smaller: the other.
    """

    says: str
    of: Sequence[str]
    larger: tuple[str, str]
    smaller: tuple[str, str]

    @property
    def schemes(self) -> tuple[str, ...]:
        """See `Bar`."""
        return tuple(self.of)

    def measured(self, table: pd.DataFrame) -> Measured:
        """See `Bar`."""
        missing = [name for name in (*self.larger, *self.smaller) if name not in table]
        if missing:
            raise TableError(f"this claim needs the column {missing[0]}, which the table does not have")
        said, met = [], True
        for name in self.of:
            rows: Any = rows_of(table, name)
            more, less = (float((rows[kept] / rows[whole]).mean()) for kept, whole in (self.larger, self.smaller))
            met = met and more > less
            said.append(f"{rows['title'].iloc[0]} keeps {100 * more:.1f} % against {100 * less:.1f} %")
        return Measured(f"{self.says}: {', '.join(said)}", met)
