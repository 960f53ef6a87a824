"""What a scheme answers, looked at once where it is asked: one of a user's own need not check itself."""

from collections.abc import Mapping

import torch

from airdeliver.asked import PieceError, asked
from airdeliver.delivery import Conditions, Delivery
from airdeliver.fades import Fades
from airdeliver.links import KnowledgeKind
from airdeliver.package import Choice, Package
from airdeliver.problem import Problem
from airdeliver.schemes.about import About
from airdeliver.schemes.base import Scheme
from airdeliver.task import Task
from airdeliver.task.base import Score
from airdeliver.task.judged import checked
from airdeliver.training import Trained, Training
from channels import Channel


def about_of(scheme: Scheme) -> About:
    """What tables and figures say of a scheme; a `ValueError` of one line where it says nothing that can be."""
    with asked(scheme, "about"):
        found = scheme.about()
    if not isinstance(found, About):
        raise PieceError(f"about of {_name(scheme)} must give an About, got {type(found).__name__}")
    return found


def trainings_of(scheme: Scheme, problem: Problem, symbols: int) -> tuple[Training, ...]:
    """The trainings that a scheme needs; a `ValueError` of one line where it answers with anything else."""
    with asked(scheme, "trainings"):
        found = scheme.trainings(problem, symbols)
        made = found if isinstance(found, tuple | list) else None
    if made is None or not all(isinstance(training, Training) for training in made):
        raise PieceError(f"trainings of {_name(scheme)} must be a tuple of Training, got {found!r:.60}")
    return tuple(made)


def misfit_of(scheme: Scheme, problem: Problem, symbols: int) -> str | None:
    """Why nothing of a scheme fits, or None; a `ValueError` of one line where it answers with anything else."""
    with asked(scheme, "misfit"):
        found = scheme.misfit(problem, symbols)
    if found is not None and (not isinstance(found, str) or not found.strip()):
        raise PieceError(f"misfit of {_name(scheme)} must be a reason in words, or None, got {found!r:.60}")
    return None if found is None else " ".join(found.split())


def served_by(scheme: Scheme, task: Task) -> Task:
    """What deliveries of a scheme are scored on; a `ValueError` of one line where that cannot score."""
    with asked(scheme, "serves"):
        found = scheme.serves(task)
    if not isinstance(found, Score):
        raise PieceError(f"serves of {_name(scheme)} must give a task, got {type(found).__name__}")
    checked(found)
    return found


def packed_by(scheme: Scheme, problem: Problem, trained: Mapping[Training, Trained], symbols: int) -> Package:
    """All that the sender holds; a `ValueError` of one line where that is nothing that can be sent."""
    with asked(scheme, "pack"):
        found = scheme.pack(problem, trained, symbols)
    if not isinstance(found, Package):
        raise PieceError(
            f"{_name(scheme)}.pack must return a Package, got {type(found).__name__}: does it return anything?"
        )
    if not found.choices or not all(isinstance(choice, Choice) for choice in found.choices):
        raise PieceError(f"pack of {_name(scheme)} must give a package of at least one Choice")
    return found


def check_repeats(scheme: Scheme, one: Package, other: Package) -> None:
    """Whether two packages of the same networks are the same, values, links and all.

    Raises:
        ValueError: they are not; one line says what differs.
    """
    what = "number of choices" if len(one.choices) != len(other.choices) else None
    for a, b in zip(one.choices, other.choices):
        if a.payload.layout != b.payload.layout:
            what = what or "layout"
        elif not torch.equal(a.payload.values, b.payload.values):
            what = what or "values"
        elif a.link != b.link:
            what = what or "link"
    if what is not None:
        raise PieceError(
            f"pack of {_name(scheme)} gives another package when asked again ({what}): nothing may be remembered, and "
            "every draw must come from a seed of the problem"
        )


def sent_by(
    scheme: Scheme,
    package: Package,
    channel: Channel,
    snr_db: float,
    channel_uses: int,
    knowledge: KnowledgeKind,
    realizations: int | Fades,
    seed: int,
    device: str = "cpu",
) -> Delivery:
    """What arrived, within the budget, as often as was asked for and over the channels of the seed.

    Raises:
        BudgetError: what the scheme refuses.
        ValueError: another delivery than was asked for; one line says which scheme.
    """
    with asked(scheme, "send"):
        found = scheme.send(package, channel, snr_db, channel_uses, knowledge, realizations, seed, device)
    name = _name(scheme)
    if not isinstance(found, Delivery):
        raise PieceError(f"send of {name} must give a Delivery, got {type(found).__name__}")
    numbers = [number for group in found.groups for number in group.realizations.tolist()]
    count = realizations if isinstance(realizations, int) else None
    wanted = {len(numbers)} if count is None else {count, count * channel.receivers}
    if not numbers or len(numbers) not in wanted or sorted(numbers) != list(range(len(numbers))):
        raise PieceError(f"send of {name} must give realizations 0 to {max(wanted) - 1}, each once, got {len(numbers)}")
    least, most = (int(getattr(torch.cat([g.decoded.uses for g in found.groups]), end)()) for end in ("min", "max"))
    if most > channel_uses:
        raise PieceError(
            f"{name}.send spent {most:,} channel uses where {channel_uses:,} were given: it must spend as many at most"
        )
    if least < 1:
        raise PieceError(f"{name}.send spent {least:,} channel uses: whatever arrives takes one at least")
    if found.seed != seed:
        raise PieceError(
            f"send of {name} draws channel and noise from seed {found.seed}, not from {seed}: schemes are compared "
            "delivery by delivery"
        )
    _check_conditions(name, found, Conditions(channel, snr_db, knowledge))
    return found


_KNOWN = ("none", "average", "instantaneous")


def _check_conditions(name: str, found: Delivery, asked_for: Conditions) -> None:
    """Whether a delivery met what its row of a table says; to know less than was allowed is no fault."""
    met = found.conditions
    if met is None:
        raise PieceError(
            f"send of {name} must say what its delivery met: make it by airdeliver.delivery.send, or give it conditions"
        )
    fault = None
    if met.snr_db != asked_for.snr_db:
        fault = f"at {met.snr_db:g} dB, not at {asked_for.snr_db:g} dB"
    elif not _same(met.channel, asked_for.channel):
        fault = f"over {met.channel!r:.80}, not over {asked_for.channel!r:.80}"
    elif _KNOWN.index(met.knowledge) > _KNOWN.index(asked_for.knowledge):
        fault = f"with knowledge {met.knowledge}, not {asked_for.knowledge}"
    if fault is not None:
        raise PieceError(f"send of {name} sends {fault}: tables say what was asked for, so send under that")


def _same(one: Channel, other: Channel) -> bool:
    try:
        return one is other or bool(one == other)
    except (ValueError, RuntimeError):  # arrays in a channel of one's own, which are compared one by one
        return False


def _name(scheme: Scheme) -> str:
    return type(scheme).__name__
