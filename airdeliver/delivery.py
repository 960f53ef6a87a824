"""Delivering: a package over a channel, many realizations at once."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int64
from torch import Generator, Tensor

from airdeliver.architecture import Architecture
from airdeliver.arguments import an_object, decibel, whole
from airdeliver.fades import Fades, Strata, draw
from airdeliver.links import BudgetError, Decoded, Knowledge, KnowledgeKind, Link, Plan
from airdeliver.links.digital.physical_layer import information
from airdeliver.normalisation import Normalisation, NormalisationKind, batch_norms, estimate_statistics, serve_by_batch
from airdeliver.package import Choice, Package, Snapshot
from airdeliver.payload import Layout, Model, Payload, is_keras, load
from airdeliver.randomness import blocks, stream
from airdeliver.serving import Served, Serving
from airdeliver.training.trained import Trained
from channels import Channel, ChannelState

MOST_USES = 10**15
"""Channel uses of a budget: what counts them in integers or floats is exact up to here."""

MOST_REALIZATIONS = 10**6
"""Of one delivery, which holds all of them; more are better sent in several, with other seeds."""


@dataclass(frozen=True, repr=False)
class Group:
    """Realizations of one delivery for which the sender made the same choice.

    Args:
        realizations: their numbers within the delivery.
        architecture: published.
        description: what the receiver was told of the network, in bytes.
        statistics: whether batch-norm statistics are part of the payload, by the published recipe.
        link: that it was sent over.
        plan: what was agreed on.
        decoded: what the receiver has, row by row.
        power: mean |x|^2 over the symbols sent, of each row.
        snapshots: what the receivers had before, where layers arrive one after the other; the earliest first.
        information: mutual information of the channel of each row, in bits per complex symbol.
        serving: what answers together with the network, where that computes the first layers alone; else None.
        turnarounds: how often the sender waited for an answer before the last of it; 0 where it is sent in one go.
    """

    realizations: Int64[Tensor, "rows"]
    architecture: Architecture
    description: bytes
    statistics: bool
    link: Link
    plan: Plan
    decoded: Decoded
    power: Float[Tensor, "rows"]
    information: Float[Tensor, "rows"]
    snapshots: tuple[Snapshot, ...] = ()
    serving: Serving | None = None
    turnarounds: int = 0

    def stage(self, number: int) -> "Group":
        """The same as it was at one of its snapshots, from 0; as it is in the end from their number on."""
        if number >= len(self.snapshots):
            return self
        then, earlier = self.snapshots[number], self.snapshots[:number]
        told = {"description": then.description, "decoded": then.decoded, "turnarounds": then.turnarounds}
        return replace(self, **told, snapshots=earlier)

    def after(self, uses: int) -> "Group":
        """The same as it was after so many channel uses; nothing is usable before the first layer is there."""
        if uses >= int(self.decoded.uses.max()):
            return self
        before = [snapshot for snapshot in self.snapshots if snapshot.uses <= uses]
        if before:
            return replace(self, description=before[-1].description, decoded=before[-1].decoded, snapshots=())
        nothing = replace(self.decoded, usable=torch.zeros_like(self.decoded.usable))
        return replace(self, decoded=nothing, snapshots=())

    @property
    def settled(self) -> Float[Tensor, "rows"]:
        """Of each row, the mutual information that settles whether it arrives, over what it takes; NaN for chance."""
        threshold = self.link.threshold(self.plan)
        return self.information / (torch.nan if threshold is None else threshold)

    @cached_property
    def layout(self) -> Layout:
        """The receiver's: from the architecture and the description that it was told."""
        return self.architecture.layout(self.description, self.statistics)

    def __repr__(self) -> str:
        uses = int(self.decoded.uses.max()) if len(self.decoded.uses) else 0
        return f"Group({len(self.realizations)} realizations, {self.layout.size:,} parameters, {uses:,} channel uses)"

    def network(self) -> Model:
        """What the receiver builds before it has any value."""
        return self.architecture.receive(self.description)


@dataclass(frozen=True, repr=False)
class Delivery:
    """What arrived: groups of realizations, and how the receiver makes models of them.

    Args:
        groups: realizations with the same choice.
        normalisation: where batch-norm statistics come from.
        seed: of fading and noise.
        first: where this is a part of a longer delivery, the number there of its realization 0.
        strata: of the fades that they stand for, where they were chosen from many; None for independent realizations.
        turnaround_ms: milliseconds from the end of what was sent to when the sender has the answer and goes on.
    """

    groups: tuple[Group, ...]
    normalisation: Normalisation
    seed: int
    first: int = 0
    strata: Strata | None = None
    turnaround_ms: float = 0.0

    @property
    def stages(self) -> int:
        """At most how many times something new was there, the end included."""
        return max((len(group.snapshots) + 1 for group in self.groups), default=0)

    def stage(self, number: int) -> "Delivery":
        """What receivers had at one of their snapshots, from 0; in the end, those that had fewer."""
        return replace(self, groups=tuple(group.stage(number) for group in self.groups))

    def after(self, uses: int) -> "Delivery":
        """What receivers had after so many channel uses, a delivery of its own.

        Args:
            uses: side information and pilots included.
        """
        return replace(self, groups=tuple(group.after(uses) for group in self.groups))

    def __repr__(self) -> str:
        return (
            f"Delivery({self.realizations} realizations, {self.parameters_sent:,.0f} parameters, "
            f"{self.channel_uses_spent:,} channel uses, {self.usable:.0%} usable)"
        )

    @property
    def realizations(self) -> int:
        """How many deliveries: independent ones, or one for each stratum of many fades."""
        return sum(len(group.realizations) for group in self.groups)

    @property
    def channel_uses_spent(self) -> int:
        """Channel uses of the longest of them, side information and pilots included."""
        return max((int(group.decoded.uses.max()) for group in self.groups), default=0)

    def uses(self, inferences: int) -> float:
        """Channel uses of the delivery and of so many inferences; those of an inference are a mean that is expected.

        A network that answers by itself takes none for an inference; one that was delivered in part sends features.

        Args:
            inferences: number of inputs that are answered.

        Raises:
            ValueError: a negative number.
        """
        each = self._mean(lambda g: torch.full_like(g.power, 0.0 if g.serving is None else g.serving.uses))
        return self.channel_uses_spent + whole(inferences, "inferences") * each

    @torch.inference_mode()
    def serve(self, inputs: Tensor, generator: Generator, realization: int = 0) -> Served:
        """Answers to inputs: of the network that arrived, with the server's help where it was delivered in part.

        Args:
            inputs: prepared; batch norm is re-estimated from the first of them where its statistics were not sent.
            generator: of the channel that features meet, a realization for each input.
            realization: which of the deliveries serves.

        Raises:
            IndexError: there is no such realization.
            ValueError: nothing usable arrived.
        """
        device = self.model(realization, inputs[: self.normalisation.calibration_inputs])
        serving = next(g.serving for g in self.groups if realization in g.realizations.tolist())
        if serving is not None:
            return serving.answer(device, inputs, generator)
        nothing = torch.zeros(len(inputs), dtype=torch.int64)
        return Served(device(inputs), nothing.bool(), nothing)

    @property
    def parameters_sent(self) -> float:
        """Mean number of values that were sent of the network; over fades where deliveries stand for them.

        Of a network in layers those of its member, of an update those of the change.
        """
        return self._mean(lambda group: torch.full_like(group.power, min(group.layout.size, group.plan.layout.size)))

    @property
    def power(self) -> float:
        """Mean power over the deliveries."""
        return self._mean(lambda group: group.power)

    @property
    def usable(self) -> float:
        """Share of deliveries of which something usable arrived."""
        return self._mean(lambda group: group.decoded.usable.float())

    @property
    def usable_realizations(self) -> Bool[Tensor, "realizations"]:
        """Of which deliveries something usable arrived."""
        return self.in_order(lambda group: group.decoded.usable)

    @property
    def settled(self) -> Float[Tensor, "realizations"]:
        """What settles whether a delivery arrives, which it does where this is 1 or more: see `Link.threshold`.

        Not a number where chance decides, or where it was decided otherwise (by what the receiver made of the channel).
        """
        settled, usable = self.in_order(lambda group: group.settled), self.usable_realizations
        return settled.where((settled >= 1) == usable, torch.nan)

    @property
    def calibrates(self) -> bool:
        """Whether the receiver re-estimates batch norm from inputs that it serves."""
        return not self.normalisation.sends_statistics and any(batch_norms(g.network()) for g in self.groups)

    def model(self, realization: int, calibration: Tensor | None = None) -> Model:
        """The model that the receiver rebuilt, in evaluation mode.

        Args:
            realization: which of the deliveries.
            calibration: unlabelled inputs to re-estimate batch norm from, where its statistics were not sent. Without
                them, batch norm uses the statistics of each batch that the model serves.

        Raises:
            IndexError: there is no such realization.
            ValueError: nothing usable arrived.
        """
        realization = whole(realization, "realization")
        for group in self.groups if 0 <= realization < self.realizations else ():
            rows = torch.nonzero(group.realizations == realization).flatten()
            if len(rows):
                if not group.decoded.usable[rows[0]]:
                    raise ValueError(
                        f"nothing usable arrived in realization {realization}: its side information is lost"
                    )
                model = load(group.network(), group.layout, group.decoded.values[rows[0]])
                return self._normalised(model, calibration)
        raise IndexError(f"the delivery has realizations 0 to {self.realizations - 1}, not {realization}")

    def _normalised(self, model: Model, calibration: Tensor | None) -> Model:
        if self.normalisation.sends_statistics or not batch_norms(model):
            return model if is_keras(model) else model.eval()
        return serve_by_batch(model) if calibration is None else estimate_statistics(model, calibration)

    def _mean(self, measure: Callable[[Group], Tensor]) -> float:
        if self.strata is None:
            return float(torch.cat([measure(group).float() for group in self.groups]).mean())
        return float(self.in_order(measure).double() @ self.strata.shares)

    def in_order(self, measure: Callable[[Group], Tensor]) -> Tensor:
        """A number for each realization, in their order.

        Args:
            measure: what it is, for the rows of a group.
        """
        order = torch.cat([group.realizations.cpu() for group in self.groups]).argsort()
        return torch.cat([measure(group).cpu() for group in self.groups])[order]


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
    calibration_inputs: Tensor | None = None,
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
        calibration_inputs: the sender's inputs, for normalisation `sender`.

    Raises:
        BudgetError: it does not fit; names the minimum. Nothing is sent.
        TypeError: an argument of another kind: a name or a class in place of an object, several SNRs.
        ValueError: weights that are not finite, an SNR that is not a number.
    """
    an_object(link, Link, "link", "AnalogLink() or another link")
    kind = normalisation if isinstance(normalisation, Normalisation) else Normalisation(normalisation)
    package = Package((Choice.of(model, link, kind),), kind, calibration_inputs)
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
    states, strata = realized(package, channel, snr_db, symbols, knowledge, realizations, seed, device)
    start = 0
    for block, state in enumerate(states):
        known = known_of(knowledge, snr_db, channel, state, stream(seed, "estimate", block, device))
        choice = package.select(known, symbols).expand(len(state.gain))
        for index in choice.unique().tolist():
            chosen = torch.nonzero(choice == index).flatten()
            for alike in alike_in_plan(package.choices[index], known.of(chosen), symbols, chosen):
                noise = stream(seed, "noise", block, device)
                met = (channel, state[alike], known.of(alike), symbols, noise, alike + start, snr_db)
                statistics = package.normalisation.sends_statistics
                groups.extend(_send_groups(package.choices[index], statistics, *met, plans.get(index)))
                if known.state is None:  # the same plan for whatever follows
                    plans[index] = groups[-1].plan
        start += len(state.gain)
    return Delivery(tuple(groups), package.normalisation, seed, strata=strata)


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
    """

    def realize(block: int, count: int) -> ChannelState:
        return channel.realize(count, symbols, snr_db, stream(seed, "fading", block, device))

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
