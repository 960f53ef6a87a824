"""What a sweep leaves in its run folder: its tables, or what an earlier one left there where it has no row."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from experiments import comparisons, deliveries, earlier, fitting, plans, table
from experiments.configuration import Sweep
from experiments.planner import Cell

if TYPE_CHECKING:
    import pandas as pd


def tables(
    sweep: Sweep, done: Sequence[tuple[Cell, Mapping[str, Any]]], results: "pd.DataFrame", misfits: fitting.Misfits
) -> tuple[str | None, bool]:
    """Write every table of a sweep that has rows; one without any leaves those of an earlier sweep alone.

    Args:
        sweep: whose folder it is.
        done: its finished cells and their records.
        results: their table.
        misfits: cells that cannot fit, by the reason.

    Returns:
        A line about an earlier sweep in the same folder, if there is something to say, and whether the folder is this
        sweep's now.

    Raises:
        WriteError: the folder cannot be written to.
    """
    folder = sweep.folder
    there = folder / earlier.RESULTS
    if not len(results):
        old = there.exists()
        return f"no row to write: {there} is of an earlier sweep, and was left as it is" if old else None, not old
    kept = earlier.keep_aside(folder, results)
    table.write(results, there)
    table.write(comparisons.of(sweep.experiment, done), folder / "comparisons.parquet")
    table.write(deliveries.of(sweep.experiment, done), folder / "deliveries.parquet")
    table.write(plans.of(sweep.experiment, done), folder / plans.FILE)
    if misfits:
        table.write(fitting.of(sweep.experiment, misfits), folder / fitting.FILE)
    else:
        (folder / fitting.FILE).unlink(missing_ok=True)
    return kept, True
