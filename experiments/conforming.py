"""Pieces of one's own are examined while a sweep is planned, at the lengths and SNRs at which it will use them."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from airdeliver.links import Link
from channels import Channel
from experiments.configuration import MARK, Sweep
from experiments.own import OURS, holds_own, is_own
from experiments.planner import Cell, Plan
from experiments.refusal import ConfigurationError
from experiments.store import Entry, Store
from experiments.store.key import code, describe, digest

MOST_SNRS = 8
LARGEST = 2**18
"""Values of the largest network that a link is examined with; for larger ones a small one stands."""

SHOWN = 3


@dataclass(frozen=True)
class Use:
    """A piece of one's own, and how a sweep uses it.

    Args:
        place: where it stands in the configuration.
        piece: the object.
        cell: one of those with the largest budget.
        symbols: that the channel of the cell lets through.
    """

    place: str
    piece: Any
    cell: Cell
    symbols: int


def examine(sweep: Sweep, plan: Plan, store: Store) -> None:
    """Examine every piece of one's own that has not been found sound before, a fraction of a second each.

    Args:
        sweep: what it is about.
        plan: its cells.
        store: where those that were found sound are kept.

    Raises:
        ConfigurationError: a piece breaks its contract; one line says which, where and how.
    """
    levels = _levels(sweep)
    for use in uses(plan):
        description = {
            "stage": "conformance",
            "piece": describe(use.piece),
            "snr_db": describe(list(levels)),
            "symbols": use.symbols,
            "problem": describe([use.cell.stage.problem.model, use.cell.dataset]),
        }
        description["code"] = code("conformance", description)
        key = digest(description)
        if store.read("conformance", key) is not None:
            continue
        found = _faults(use, levels)
        if found:
            more = f"; and {len(found) - SHOWN} faults more" if len(found) > SHOWN else ""
            raise ConfigurationError(
                f"{use.place}: {type(use.piece).__name__} breaks its contract: {'; '.join(found[:SHOWN])}{more}. "
                f"conformance=off runs the sweep regardless, and stands in its table"
            )
        store.write(Entry("conformance", key, f"{use.place} keeps its contract", description, {}))


def uses(plan: Plan) -> Iterator[Use]:
    """Each piece of one's own in the schemes and channels of a plan, once a scheme or channel: with most symbols."""
    longest: dict[tuple[str, str], Cell] = {}
    for cell in plan.cells:
        for named in (("channel", cell.channel), ("scheme", cell.scheme)):
            if named not in longest or _symbols(cell) > _symbols(longest[named]):
                longest[named] = cell
    for (group, name), cell in longest.items():
        root: Any = cell.stage.channel if group == "channel" else cell.stage.scheme
        for place, piece in parts_of(root):
            where = ".".join([group, name.removesuffix(MARK), *([place] if place else [])])
            yield Use(where, piece, cell, _symbols(cell))


def parts_of(root: Any) -> Iterator[tuple[str, Any]]:
    """What is to be examined of a scheme or channel: classes of one's own, channels and links around them.

    >>> from channels import AWGN
    >>> list(parts_of(AWGN()))
    []
    """
    if not _has_own(root):
        return
    from airdeliver.conformance import parts

    for place, piece in parts(root):
        if is_own(piece) or (isinstance(piece, Channel | Link) and holds_own(piece)):
            yield place, piece


def _has_own(root: Any) -> bool:
    """Whether a class of another package is described by an object, which is quicker told than by its parts."""
    from experiments.store.key import classes

    return any(name.partition(".")[0] not in OURS for name in classes(describe(root)))


def _symbols(cell: Cell) -> int:
    return cell.stage.channel.symbols(cell.channel_uses)


def _levels(sweep: Sweep) -> tuple[float, ...]:
    """SNRs of the sweep, lowest and highest and some between them where there are many."""
    levels = sorted(level for level in sweep.snr_db if math.isfinite(level)) or [math.inf]
    if len(levels) <= MOST_SNRS:
        return tuple(levels)
    return tuple(levels[round(i * (len(levels) - 1) / (MOST_SNRS - 1))] for i in range(MOST_SNRS))


def _faults(use: Use, levels: tuple[float, ...]) -> list[str]:
    from airdeliver.conformance import Bench, faults
    from airdeliver.payload import layout_of

    problem = use.cell.stage.problem.load()
    scheme = use.cell.stage.scheme
    layout = layout_of(problem.build(), statistics=scheme.normalisation.sends_statistics)
    if isinstance(use.piece, Link) and layout.size > LARGEST:
        return list(faults(use.piece, Bench(levels)))
    return list(faults(use.piece, Bench(levels), layout, use.symbols, problem))
