"""Every delivery by itself: the distribution of accuracy, of which the table of results gives the mean."""

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from experiments.comparisons import CONDITIONS
from experiments.planner import Cell
from experiments.result import scores, shares, timeline

TIMES = ("uses_to_end", "milliseconds_to_end", "milliseconds_to_first")

COLUMNS = ("experiment", "scheme", *CONDITIONS, "realization", "share", "accuracy", "title", "metric", "score_low",
           "score_high", "floor", *TIMES)  # fmt: skip
"""In this order; a delivery may stand for many fades: `share` is what it counts for in the mean. Its times are those of
`airdeliver.session.Timeline.record`. The same realization, seed and number of deliveries is the same channel and noise
for every scheme."""


def of(experiment: str, finished: Iterable[tuple[Cell, Mapping[str, Any]]]) -> pd.DataFrame:
    """One row for each delivery of finished cells.

    Args:
        experiment: its name.
        finished: cells and their records.
    """
    rows = [
        (experiment, cell.scheme, *(getattr(cell, name) for name in CONDITIONS), number, share, accuracy,
         cell.about.title, cell.metric, *cell.bounds, cell.floor, *times)
        for cell, record in finished
        for number, (share, accuracy, *times) in enumerate(
            zip(shares(record), scores(record), *(timeline(record)[name] for name in TIMES), strict=True)
        )
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(COLUMNS))
