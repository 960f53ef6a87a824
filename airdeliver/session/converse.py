"""Sending a package in a session: what `airdeliver.delivery.send` does in one go, in rounds."""

from dataclasses import replace

import torch
from torch import Tensor

from airdeliver.arguments import an_object, decibel, whole
from airdeliver.delivery import Conditions, Delivery, Group, alike_in_plan, known_of, realized
from airdeliver.fades import Fades
from airdeliver.links import BudgetError, KnowledgeKind, Plan
from airdeliver.package import Choice, Package, Snapshot
from airdeliver.randomness import stream
from airdeliver.session.base import Air, Course, Session
from channels import Channel, ChannelState

_LONGEST = 1 << 16
"""Rounds that can be told apart within a block of receivers."""


def converse(
    package: Package,
    session: Session,
    channel: Channel,
    snr_db: float,
    channel_uses: int,
    knowledge: KnowledgeKind,
    realizations: int | Fades,
    seed: int,
    device: str = "cpu",
) -> Delivery:
    """Send a package in rounds; the delivery has a snapshot for every round but a receiver's last.

    Where fades stand for many, they are those of the first round: later rounds are drawn anew for each that is sent.

    Args:
        package: what may be sent.
        session: how rounds follow one another.
        channel: physics; every round is a realization of it.
        snr_db: mean SNR per complex symbol, in dB.
        channel_uses: the budget of all rounds, side information, pilots and feedback included.
        knowledge: what the sender knows of the channel before the first round.
        realizations: sessions (transmissions, where many receivers hear one); or `Fades`.
        seed: of fading and noise.
        device: where all of it is computed.

    Raises:
        BudgetError: a choice does not fit; nothing is sent.
        TypeError: a choice whose link the session has no rounds for.
        ValueError: an argument out of range.
    """
    an_object(channel, Channel, "channel", "AWGN() or another channel")
    snr_db, seed, channel_uses = decibel(snr_db, "snr_db"), whole(seed, "seed"), whole(channel_uses, "channel_uses")
    if any(choice.fuses for choice in package.choices):
        raise TypeError("receivers that make one network together cannot leave one by one: send it in one go")
    symbols = channel.symbols(channel_uses) if channel_uses > 0 else 0
    room = min(session.room(choice, symbols, channel.receivers) for choice in package.choices)
    if room < 1:
        raise BudgetError(f"{channel_uses} channel uses leave nothing for the first round: give more, or fewer rounds")
    if package.normalisation.kind == "sender":
        assumed = package.design_snr_db if knowledge == "none" else snr_db
        package = package.with_statistics(channel, assumed, room, stream(seed, "statistics", 0, device))
    states, strata = realized(package, channel, snr_db, room, knowledge, realizations, seed, device)
    groups: list[Group] = []
    plans: dict[int, Plan] = {}
    start = 0
    for block, state in enumerate(states):
        known = known_of(knowledge, snr_db, channel, state, stream(seed, "estimate", block, device))
        ready = replace(package, choices=tuple(session.adapted(choice, known) for choice in package.choices))
        chosen_of = ready.chosen(known, room, len(state.gain)).expand(len(state.gain))
        for index in chosen_of.unique().tolist():
            chosen, choice = torch.nonzero(chosen_of == index).flatten(), ready.choices[index]
            for alike in alike_in_plan(choice, known.of(chosen), room, chosen):
                air = _air(session, channel, snr_db, room, state, alike, seed, block, device)
                statistics = package.normalisation.sends_statistics
                course = session.run(choice, statistics, known.of(alike), room, air, plans.get(index))
                if known.state is None:  # the same plan for whatever follows
                    plans[index] = course.plan
                groups += _groups(course, choice, statistics, alike + start, channel, snr_db)
        start += len(state.gain)
    spent = max(int(group.decoded.uses.max()) for group in groups)
    if spent > channel_uses:
        raise BudgetError(f"the session {type(session).__name__} spent {spent} of {channel_uses} channel uses")
    met, turnaround = Conditions(channel, snr_db, knowledge), session.feedback.milliseconds
    return Delivery(tuple(groups), package.normalisation, seed, 0, strata, turnaround, met)


def _air(
    session: Session,
    channel: Channel,
    snr_db: float,
    symbols: int,
    state: ChannelState,
    rows: Tensor,
    seed: int,
    block: int,
    device: str,
) -> Air:
    """The channel of every round, for some receivers of a block: the same whatever others are sent."""

    def later(number: int) -> ChannelState:
        if not session.refading:
            return state[rows]
        generator = stream(seed, "rounds", block * _LONGEST + number, device)
        return channel.realize(len(state.gain) // channel.receivers, symbols, snr_db, generator)[rows]

    return Air(channel, state[rows], later, stream(seed, "noise", block, device))


def _groups(
    course: Course, choice: Choice, statistics: bool, numbers: Tensor, channel: Channel, snr_db: float
) -> list[Group]:
    """Receivers that went through the same, together: equal channel uses after each round, and equal networks."""
    arrived = [choice.arrived(decoded, course.plan, numbers, channel.receivers) for decoded in course.rounds]
    place = torch.zeros(len(numbers), len(course.rounds), 2, dtype=torch.int64)
    for number, kinds in enumerate(arrived):
        for kind, own in enumerate(kinds):
            place[own.rows, number, 0] = kind
            place[own.rows, number, 1] = torch.arange(len(own.rows))
    spent = torch.stack([decoded.uses.cpu() for decoded in course.rounds], 1)
    took_part = torch.arange(len(course.rounds)) < course.left.unsqueeze(-1)
    kind_of = torch.where(took_part, place[..., 0], -1)
    histories = torch.cat([torch.where(took_part, spent, -1), kind_of], 1)
    _, which = histories.unique(dim=0, return_inverse=True)
    groups = []
    for history in which.unique().tolist():
        rows = torch.nonzero(which == history).flatten()
        stages = []
        for number in range(int(course.left[rows[0]])):
            own = arrived[number][int(place[rows[0], number, 0])]
            stages.append((own, own.decoded.of(place[rows, number, 1].to(own.decoded.usable.device))))
        (last, decoded), earlier = stages[-1], stages[:-1]
        snapshots = tuple(Snapshot(int(d.uses[0]), a.description, d, number) for number, (a, d) in enumerate(earlier))
        power = course.power.expand(len(numbers))[rows]
        # Whether it arrives no single round's channel settles.
        unsettled = torch.full((len(rows),), torch.nan)
        common = last.architecture, last.description, statistics, choice.link, course.plan
        serving = None if choice.service is None else choice.service.over(channel, snr_db)
        own = numbers[rows], *common, decoded, power, unsettled, snapshots, serving
        groups.append(Group(*own, turnarounds=len(earlier)))
    return groups
