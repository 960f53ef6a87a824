"""One check for any piece of one's own: every fault in one line of plain words."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from airdeliver.compression.quantisers import Quantiser
from airdeliver.conformance.bench import Bench, guarded, layout_like
from airdeliver.conformance.expansions import examine_expansion
from airdeliver.conformance.links import examine_link
from airdeliver.conformance.protections import examine_protection
from airdeliver.conformance.quantisers import examine_quantiser
from airdeliver.conformance.receivers import examine_receiver
from airdeliver.conformance.schemes import examine_scheme
from airdeliver.conformance.tasks import examine_score, examine_task
from airdeliver.links import Link
from airdeliver.links.analog.expansion import Expansion
from airdeliver.links.analog.protection import Protection
from airdeliver.links.analog.receiver import Receiver
from airdeliver.payload import Layout
from airdeliver.problem import Problem
from airdeliver.schemes import Scheme
from airdeliver.task import Task
from airdeliver.task.base import Score
from channels import Channel
from channels import conformance as of_channels
from channels.conformance import ConformanceError

FAMILIES = (Channel, Link, Expansion, Receiver, Protection, Quantiser, Scheme, Score)
"""What can be checked."""

_LENGTH = 16_384


def check(
    piece: Any,
    *,
    snr_db: Iterable[float] = (0.0, 10.0, 20.0),
    layout: Layout | None = None,
    symbols: int | None = None,
    problem: Problem | None = None,
    seed: int = 0,
) -> None:
    """Check a channel, link, expansion, receiver, protection, quantiser, scheme, task or score against its contract.

    A fraction of a second each; nothing is trained. Parts are checked by themselves, then the whole.

    Args:
        piece: the object.
        snr_db: SNRs in dB at which it will be used.
        layout: of what a link sends; None for a small network's.
        symbols: complex symbols that fit; None for as many as a link takes, and for 16,384 over a channel.
        problem: that a scheme is given; without one, of a scheme its parts alone are checked.
        seed: of the generators.

    Raises:
        ConformanceError: with one line for each fault.
        TypeError: it is none of these.

    >>> from airdeliver.links.analog import MMSE, Repetition
    >>> check(Repetition(2)), check(MMSE())
    (None, None)
    """
    bench = Bench(tuple(snr_db), seed=seed)
    for name, part in parts(piece):
        found = list(faults(part, bench, layout, symbols, problem))
        if found:
            raise ConformanceError(part, found, _family(part).__name__ + (f" (its {name})" if name else ""))


def faults(
    piece: Any, bench: Bench, layout: Layout | None = None, symbols: int | None = None, problem: Problem | None = None
) -> Iterator[str]:
    """One line for each fault of one piece, its parts left aside; see `check`."""
    examinations: list[tuple[type, Callable[[], Iterable[str]]]] = [
        (Scheme, lambda: [] if problem is None else examine_scheme(piece, problem, symbols or 10_000)),
        (Channel, lambda: _channel_faults(piece, bench, symbols or _LENGTH)),
        (Link, lambda: examine_link(piece, bench, layout or layout_like(), symbols)),
        (Expansion, lambda: examine_expansion(piece, bench)),
        (Receiver, lambda: examine_receiver(piece, bench)),
        (Protection, lambda: examine_protection(piece, bench)),
        (Quantiser, lambda: examine_quantiser(piece, bench)),
        (Task, lambda: examine_task(piece, bench)),
        (Score, lambda: examine_score(piece)),
    ]
    for family, examine in examinations:
        if isinstance(piece, family):
            yield from guarded(f"examining the {family.__name__.lower()}", examine)
            return


def _channel_faults(channel: Channel, bench: Bench, symbols: int) -> Iterator[str]:
    try:
        of_channels.check(channel, lengths=(symbols,), snr_db=bench.snr_db, seed=bench.seed)
    except ConformanceError as error:
        yield from error.faults


def parts(piece: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """What can be checked in a piece, by dotted names of fields: innermost first, the piece itself last.

    >>> from airdeliver import AnalogLink
    >>> [name for name, _ in parts(AnalogLink(protection="size"))]
    ['receiver', 'protection', '']
    """
    _family(piece)
    yield from _parts(piece, name)


def _parts(piece: Any, name: str) -> Iterator[tuple[str, Any]]:
    if dataclasses.is_dataclass(piece) and not isinstance(piece, type | Task):
        for field in dataclasses.fields(piece):
            yield from _parts(getattr(piece, field.name, None), f"{name}.{field.name}" if name else field.name)
    elif isinstance(piece, tuple | list):
        for number, item in enumerate(piece):
            yield from _parts(item, f"{name}[{number}]")
    if isinstance(piece, FAMILIES):
        yield name, piece


def _family(piece: Any) -> type:
    found = next((family for family in FAMILIES if isinstance(piece, family)), None)
    if found is None:
        known = ", ".join(family.__name__ for family in FAMILIES)
        raise TypeError(f"cannot check {type(piece).__name__}: expected {known}")
    return found
