"""What an earlier sweep left in a run folder: kept aside where the new table would lose rows of it."""

import os
from pathlib import Path

import pandas as pd

from experiments.store import WriteError

CELL = ("experiment", "scheme", "dataset", "model", "channel", "knowledge", "snr_db", "channel_uses", "seed")
"""Columns that say which cell a row is of."""

RESULTS = "results.parquet"

FILES = (RESULTS, "comparisons.parquet", "deliveries.parquet", "plans.parquet", "holes.parquet", "provenance.json")
"""What a sweep writes."""


def ready(folder: Path) -> None:
    """Make a run folder, so that a sweep whose results could not be written does not start.

    Raises:
        WriteError: it cannot be made or written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WriteError(
            f"run folder {folder} cannot be made ({error.strerror}): give another, hydra.run.dir=FOLDER"
        ) from error
    if not os.access(folder, os.W_OK):
        raise WriteError(f"run folder {folder} is not writable: give another, hydra.run.dir=FOLDER")


def keep_aside(folder: Path, results: pd.DataFrame) -> str | None:
    """Move the files of an earlier sweep into `earlier/NUMBER` if its table has what the new one has not.

    That is a cell, or more realizations of a cell. A table that cannot be read is moved too.

    Args:
        folder: of the run.
        results: the new table, not yet written.

    Returns:
        A line that says what was kept where; None if nothing would be lost.

    Raises:
        WriteError: the folder cannot be written to.
    """
    if not (folder / RESULTS).is_file():
        return None
    lost = _lost(folder / RESULTS, results)
    if lost == 0:
        return None
    number = 1 + max((int(p.name) for p in (folder / "earlier").glob("*") if p.name.isdecimal()), default=0)
    aside = folder / "earlier" / str(number)
    try:
        aside.mkdir(parents=True)
        for name in FILES:
            if (folder / name).exists():
                os.replace(folder / name, aside / name)
    except OSError as error:
        raise WriteError(f"cannot keep the earlier table in {aside} ({error.strerror})") from error
    what = "could not be read" if lost is None else f"has {lost} rows, or realizations of them, that this sweep has not"
    return f"the earlier table {what}: it is kept in {aside}"


def _lost(path: Path, results: pd.DataFrame) -> int | None:
    """Rows of a table that another has not, or from fewer realizations; None if it cannot be read."""
    try:
        counts = _realizations(pd.read_parquet(path))
    except Exception:  # pyarrow raises whatever a damaged file leads it to
        return None
    kept = _realizations(results)
    return sum(count > kept.get(cell, 0) for cell, count in counts.items())


def _realizations(table: pd.DataFrame) -> dict[tuple, int]:
    """Realizations of each cell of a table."""
    return dict(zip(table[list(CELL)].itertuples(index=False, name=None), table["realizations"], strict=True))
