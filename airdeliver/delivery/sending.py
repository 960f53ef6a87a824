"""Sending: a package over a channel, many realizations at once."""

import math
from collections.abc import Iterator
from dataclasses import replace

import torch
from jaxtyping import Float64, Int64
from torch import Generator, Tensor

from airdeliver.arguments import an_object, decibel, whole
from airdeliver.asked import PieceError
from airdeliver.delivery.arrived import Conditions, Delivery, Group
from airdeliver.fades import Fades, Strata, draw
from airdeliver.links import BudgetError, Knowledge, KnowledgeKind, Link, Plan
from airdeliver.links.digital.physical_layer import information
from airdeliver.links.side_information import Pace, rates
from airdeliver.normalisation import Normalisation, NormalisationKind
from airdeliver.package import Choice, Package
from airdeliver.payload import Model, Payload
from airdeliver.payload.inputs import Inputs, check_inputs
from airdeliver.randomness import blocks, stream
from airdeliver.training.trained import Trained
from channels import Channel, ChannelState

MOST_USES = 10**15
"""Channel uses of a budget: what counts them in integers or floats is exact up to here."""

MOST_REALIZATIONS = 10**6
"""Of one delivery, which holds all of them; more are better sent in several, with other seeds."""


def deliver(
    model: Model | Trained,
    link: Link,
    channel: Channel,
    snr_db: float,
    channel_uses: int,
    realizations: int | Fades = 16,
    seed: int = 0,
    knowledge: KnowledgeKind = "average",
    normalisation: NormalisationKind | Normalisation = "receiver",
    calibration_inputs: Inputs = None,
    side_information: Pace = "fixed",
) -> Delivery:
    """Deliver any model over a channel.

    Args:
        model: any `torch.nn.Module`, or a Keras model; its architecture is known to the receiver, its values are not.
            Or a network that knows how it was pruned, as `prune` returns it: its widths are side information.
        link: encoder and decoder.
        channel: physics.
        snr_db: mean SNR per complex symbol, in dB.
        channel_uses: the budget, side information included.
        realizations: independent deliveries, or `Fades`: many fades, of which a few are sent for all.
        seed: of all randomness.
        knowledge: what the sender knows of the channel: `none`, `average` or `instantaneous`.
        normalisation: where batch-norm statistics come from: `frozen`, `sender` or `receiver`.
        calibration_inputs: the sender's inputs, for normalisation `sender`: of any kind that `estimate_statistics`
            takes.
        side_information: `fixed`: sent at the link's own rate; `known`: as fast as what the sender knows allows.

    Raises:
        BudgetError: it does not fit; names the minimum. Nothing is sent.
        TypeError: an argument of another kind: a name or a class in place of an object, several SNRs.
        ValueError: weights that are not finite, an SNR that is not a number.
    """
    an_object(link, Link, "link", "AnalogLink() or another link")
    kind = normalisation if isinstance(normalisation, Normalisation) else Normalisation(normalisation)
    if calibration_inputs is not None:
        check_inputs(calibration_inputs, "calibration_inputs")
    if side_information not in ("fixed", "known"):
        raise ValueError(f"side_information must be fixed or known, got {side_information!r}")
    package = Package((Choice.of(model, link, kind),), kind, calibration_inputs, side_information=side_information)
    return send(package, channel, snr_db, channel_uses, knowledge, realizations, seed)


def send(
    package: Package,
    channel: Channel,
    snr_db: float,
    channel_uses: int,
    knowledge: KnowledgeKind,
    realizations: int | Fades,
    seed: int,
    device: str = "cpu",
) -> Delivery:
    """Send a package: draw the channel, let the sender choose and plan, transmit, decode.

    Args:
        package: what may be sent.
        channel: physics.
        snr_db: mean SNR per complex symbol, in dB.
        channel_uses: the budget, side information and pilots included.
        knowledge: what the sender knows of the channel: `none`, `average` or `instantaneous`.
        realizations: independent deliveries (transmissions, where many receivers hear one); or `Fades`: many fades, of
            which a few are sent that stand for all. Where many receivers hear what a sender chose for all of their
            realized channels, or make one network together, they cannot be sent to apart: so many independent
            transmissions are sent then.
        seed: of fading and noise.
        device: where all of it is computed.

    Raises:
        BudgetError: a choice does not fit; nothing is sent.
        ValueError: an argument out of range.
    """
    an_object(channel, Channel, "channel", "AWGN() or another channel")
    snr_db, seed = decibel(snr_db, "snr_db"), whole(seed, "seed")
    if isinstance(channel_uses, str) and channel_uses.strip().endswith("x"):
        raise TypeError(
            f"channel_uses must be a whole number, got {channel_uses!r}: multiples of what a model costs are for "
            "sweeps; a number that is too small is refused with the least that fits"
        )
    channel_uses = whole(channel_uses, "channel_uses", most=MOST_USES)
    if not isinstance(realizations, Fades):
        realizations = whole(realizations, "realizations", 1, MOST_REALIZATIONS)
    if channel_uses < 1:
        raise BudgetError(f"channel_uses must be at least 1, got {channel_uses}")
    symbols = channel.symbols(channel_uses)
    if package.normalisation.kind == "sender":
        assumed = package.design_snr_db if knowledge == "none" else snr_db
        package = package.with_statistics(channel, assumed, symbols, stream(seed, "statistics", 0, device))
    groups: list[Group] = []
    plans: dict[int, Plan] = {}
    paces: dict[float, Package] = {0.0: package}
    states, strata = realized(package, channel, snr_db, symbols, knowledge, realizations, seed, device)
    start, told = 0, None
    for block, state in enumerate(states):
        known = known_of(knowledge, snr_db, channel, state, stream(seed, "estimate", block, device))
        if package.side_information == "known" and (block == 0 or known.state is not None):
            told = rates(known, symbols, package.own_rate)  # where no state is known, the same for whatever follows
        for rate, rows in _paced(told, len(state.gain)):
            if rate not in paces:
                paces[rate] = _at_rate(package, rate, known.of(rows), symbols)
            paced = paces[rate]
            choice = paced.chosen(known.of(rows), symbols, len(rows)).expand(len(rows))
            for index in choice.unique().tolist():
                chosen = rows[choice == index]
                for alike in alike_in_plan(paced.choices[index], known.of(chosen), symbols, chosen):
                    noise = stream(seed, "noise", block, device)
                    met = (channel, state[alike], known.of(alike), symbols, noise, alike + start, snr_db)
                    statistics = package.normalisation.sends_statistics
                    groups.extend(_send_groups(paced.choices[index], statistics, *met, plans.get(index)))
                    if known.state is None:  # the same plan for whatever follows
                        plans[index] = groups[-1].plan
        start += len(state.gain)
    met = Conditions(channel, snr_db, knowledge)
    return Delivery(tuple(groups), package.normalisation, seed, strata=strata, conditions=met)


def _at_rate(package: Package, rate: float, known: Knowledge, symbols: int) -> Package:
    """The package with side information at another rate; as it is where a slower one leaves too little room."""
    paced = package.at_rate(rate)
    if not 0 < rate < package.own_rate:
        return paced
    try:
        for index in paced.chosen(known, symbols).unique().tolist():
            choice = paced.choices[index]
            choice.link.plan(choice.payload, symbols, known)
    except BudgetError:
        return package
    return paced


def _paced(found: Float64[Tensor, "#transmissions"] | None, count: int) -> list[tuple[float, Int64[Tensor, "rows"]]]:
    """Realizations apart by the rate of their side information; 0 stands for each link's own."""
    every = torch.arange(count)
    if found is None:
        return [(0.0, every)]
    each = found if len(found) == 1 else found.repeat_interleave(count // len(found))
    return [(rate, every[each.expand(count) == rate]) for rate in each.unique().tolist()]


def realized(
    package: Package,
    channel: Channel,
    snr_db: float,
    symbols: int,
    knowledge: KnowledgeKind,
    realizations: int | Fades,
    seed: int,
    device: str,
) -> tuple[Iterator[ChannelState], Strata | None]:
    """What the channel is for one block of realizations after the other, and the strata that they stand for.

    Args:
        package: what may be sent.
        channel: physics.
        snr_db: mean SNR in dB.
        symbols: of the payload.
        knowledge: what the sender knows of the channel.
        realizations: independent deliveries, or fades.
        seed: of the fading.
        device: where it is computed.

    Raises:
        ValueError: a channel without noise, which would make any SNR as good as none.
    """

    def realize(block: int, count: int) -> ChannelState:
        state = channel.realize(count, symbols, snr_db, stream(seed, "fading", block, device))
        if math.isfinite(snr_db) and not bool((state.noise_variance > 0).all()):
            raise ValueError(
                f"{type(channel).__name__}.realize gives a noise variance that is not above 0 at {snr_db:g} dB, where "
                f"{10 ** (-snr_db / 10):.3g} is right; airdeliver.conformance.check examines a whole channel"
            )
        return state

    together = channel.receivers > 1 and (knowledge == "instantaneous" or any(c.fuses for c in package.choices))
    if isinstance(realizations, int) or together:
        count = realizations if isinstance(realizations, int) else realizations.sent
        return (realize(block, len(rows)) for block, rows in enumerate(blocks(count))), None
    sent = realizations.exact if all(choice.link.repeats for choice in package.choices) else realizations.sent
    state, strata = draw(realize, realizations, sent, channel.receivers, symbols, stream(seed, "strata"))
    return (state[rows.start : rows.stop] for rows in blocks(len(strata.shares))), strata


def known_of(
    kind: KnowledgeKind, snr_db: float, channel: Channel, state: ChannelState, generator: Generator
) -> Knowledge:
    """What a sender knows of some realizations.

    Args:
        kind: of knowledge.
        snr_db: mean SNR in dB.
        channel: physics.
        state: what it happens to be.
        generator: of the error of what the sender is told.
    """
    if kind == "none":
        return Knowledge("none")
    # What the sender is told was estimated, and by pilots before those that the receiver decodes with.
    told = channel.effective(state, generator) if kind == "instantaneous" else None
    return Knowledge(kind, snr_db, channel, told)


def alike_in_plan(
    choice: Choice, known: Knowledge, symbols: int, chosen: Int64[Tensor, "rows"]
) -> list[Int64[Tensor, "_"]]:
    """Realizations of one choice, apart by the plan that the link makes for them.

    Args:
        choice: that was made for them.
        known: what the sender knows of these realizations.
        symbols: complex symbols that fit.
        chosen: their numbers.
    """
    kinds = choice.link.alike(choice.payload, symbols, known).to(chosen.device).expand(len(chosen))
    return [chosen[kinds == kind] for kind in kinds.unique()]


def _send_groups(
    choice: Choice,
    statistics: bool,
    channel: Channel,
    state: ChannelState,
    known: Knowledge,
    symbols: int,
    noise: Generator,
    numbers: Tensor,
    snr_db: float,
    plan: Plan | None,
) -> list[Group]:
    values = choice.payload.values.to(noise.device)
    payload = Payload(values, choice.payload.layout, choice.payload.sensitivity)
    plan = choice.link.plan(payload, symbols, known) if plan is None else plan
    description = payload.layout.description
    layout = choice.architecture.layout(description, statistics)
    if layout.size == payload.layout.size and layout.segments != payload.layout.segments:
        name = next(own.name for own, other in zip(payload.layout.segments, layout.segments) if own != other)
        raise PieceError(
            f"{type(choice).__name__}: the payload holds its values in another order than the network that is told of, "
            f"from {name} on: take layout and values from one network"
        )
    decoded = choice.link.send(values, plan, layout, channel, state, noise)
    power = choice.link.power(values, plan) if decoded.power is None else decoded.power
    uses = torch.full_like(decoded.uses, channel.uses(plan.symbols)).maximum(decoded.uses)
    decoded, power = replace(decoded, uses=uses), power.expand(len(numbers))
    mutual = information(state, symbols)
    common = (choice.link, plan)
    serving = None if choice.service is None else choice.service.over(channel, snr_db)
    return [
        Group(
            numbers[a.rows] if a.numbers is None else a.numbers.to(numbers.device),
            a.architecture,
            a.description,
            statistics,
            *common,
            a.decoded,
            power[a.rows],
            mutual[a.rows],
            a.snapshots,
            serving,
        )
        for a in choice.arrived(decoded, plan, numbers, channel.receivers)
    ]
