"""Which cells cannot fit their budget: known while planning, so that they are left out and said, not tried."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from airdeliver.schemes.answers import misfit_of
from experiments.planner import Cell, Plan

if TYPE_CHECKING:
    import pandas as pd

    from experiments.engine import Outcome
    from experiments.stage import Stage

FILE = "holes.parquet"

CONDITIONS = ("scheme", "dataset", "model", "channel", "knowledge", "snr_db", "channel_uses", "seed")
COLUMNS = ("experiment", *CONDITIONS, "title", "preparation", "reason")

Misfits = dict[str, list[Cell]]
"""Cells that cannot fit, by the reason."""


def divided(plan: Plan) -> tuple[Plan, Misfits]:
    """A plan without the cells that cannot fit their budget, and those by the reason.

    What a network takes depends on its architecture alone, so none need be trained for it: schemes are asked, once a
    budget (`airdeliver.schemes.Scheme.misfit`).
    """
    reasons: Misfits = {}
    known: dict[tuple[Any, ...], str | None] = {}
    for cell in plan.cells:
        symbols = cell.stage.channel.symbols(cell.channel_uses)
        what = (cell.scheme, cell.dataset, cell.model, symbols)
        if what not in known:
            known[what] = misfit_of(cell.stage.scheme, cell.stage.problem.load(), symbols)
        reason = known[what]
        if reason is not None:
            reasons.setdefault(_said(cell, reason), []).append(cell)
    left_out = {cell.stage.key for cells in reasons.values() for cell in cells}
    cells = tuple(cell for cell in plan.cells if cell.stage.key not in left_out)
    needed = {need for cell in cells for need in cell.stage.needs}
    return replace(plan, cells=cells, trainings=tuple(t for t in plan.trainings if t.key in needed)), reasons


def met(
    plan: Plan, failures: "Sequence[tuple[Stage, Outcome]]", known: Misfits
) -> "tuple[list[tuple[Stage, Outcome]], Misfits]":
    """Failures without those of a budget, and these beside what was known before: no scheme need tell beforehand.

    Args:
        plan: of the sweep.
        failures: stages and how they ended.
        known: misfits of the plan.
    """
    reasons = {reason: list(cells) for reason, cells in known.items()}
    errors = {stage.key: outcome.error or "" for stage, outcome in failures if outcome.misfit}
    for cell in plan.cells:
        if cell.stage.key in errors:
            reasons.setdefault(_said(cell, errors[cell.stage.key]), []).append(cell)
    return [failure for failure in failures if not failure[1].misfit], reasons


def _said(cell: Cell, reason: str) -> str:
    return f"{cell.scheme} at {cell.channel_uses} channel uses: {reason}"


def of(experiment: str, misfits: Misfits) -> "pd.DataFrame":
    """One row for each cell that cannot fit: where tables and figures have holes, and why.

    Args:
        experiment: its name.
        misfits: cells by the reason.
    """
    import pandas as pd

    rows = [
        (experiment, *(getattr(cell, name) for name in CONDITIONS), cell.about.title, cell.about.preparation, reason)
        for reason, cells in misfits.items()
        for cell in cells
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def lines(misfits: Misfits, cells: int) -> Iterable[str]:
    """What is left out and why, for people.

    Args:
        misfits: cells by the reason.
        cells: of the whole plan.
    """
    if not misfits:
        return
    yield f"{sum(map(len, misfits.values()))} of {cells} cells cannot fit their budget and are left out"
    for reason, alike in misfits.items():
        yield f"  {reason} ({len(alike)} {'cell' if len(alike) == 1 else 'cells'})"
