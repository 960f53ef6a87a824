"""Which cells cannot fit their budget: known while planning, so that they are left out and said, not tried."""

from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch

from airdeliver.links import BudgetError, Knowledge
from airdeliver.payload import Layout, Payload, layout_of
from airdeliver.schemes import Clean, Scheme
from experiments.planner import Cell, Plan
from experiments.stage import ProblemSource


def divided(plan: Plan) -> tuple[Plan, dict[str, list[Cell]]]:
    """A plan without the cells whose network does not fit their budget, and those by the reason.

    What a network takes depends on its architecture alone, so none need be trained for it. Schemes that adapt what they
    send are tried as before.
    """
    reasons: dict[str, list[Cell]] = {}
    known: dict[tuple[Any, ...], str | None] = {}
    for cell in plan.cells:
        symbols = cell.stage.channel.symbols(cell.channel_uses)
        what = (cell.scheme, cell.dataset, cell.model, symbols)
        if what not in known:
            known[what] = misfit(cell.stage.scheme, cell, symbols)
        reason = known[what]
        if reason is not None:
            reasons.setdefault(f"{cell.scheme} at {cell.channel_uses} channel uses: {reason}", []).append(cell)
    left_out = {cell.stage.key for cells in reasons.values() for cell in cells}
    cells = tuple(cell for cell in plan.cells if cell.stage.key not in left_out)
    needed = {need for cell in cells for need in cell.stage.needs}
    return replace(plan, cells=cells, trainings=tuple(t for t in plan.trainings if t.key in needed)), reasons


def misfit(scheme: Scheme, cell: Cell, symbols: int) -> str | None:
    """Why a scheme's network cannot be sent in so many symbols; None if it can, or if the scheme makes it fit."""
    # Clean and what packs as it does send the network as it is; others prune it, or choose a rate, until it fits.
    if type(scheme).pack is not Clean.pack:
        return None
    assert isinstance(scheme, Clean)
    layout = _layout(cell.stage.problem, scheme.normalisation.sends_statistics)
    values = torch.randn(layout.size, generator=torch.Generator().manual_seed(0))
    try:
        scheme.link.plan(Payload(values, layout, torch.ones(len(layout.segments))), symbols, Knowledge())
    except BudgetError as error:
        return str(error)
    except ValueError:  # a plan that needs to know more; sending says what
        return None
    return None


@lru_cache(maxsize=4)
def _layout(source: ProblemSource, statistics: bool) -> Layout:
    return layout_of(source.load().build(), statistics=statistics)


def lines(reasons: dict[str, list[Cell]], cells: int) -> Iterable[str]:
    """What is left out and why, for people.

    Args:
        reasons: of `divided`.
        cells: of the whole plan.
    """
    if not reasons:
        return
    yield f"{sum(map(len, reasons.values()))} of {cells} cells cannot fit their budget and are left out"
    for reason, alike in reasons.items():
        yield f"  {reason} ({len(alike)} {'cell' if len(alike) == 1 else 'cells'})"
