"""What arrived: groups of realizations of one delivery, and the models that a receiver makes of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int64
from torch import Generator, Tensor

from airdeliver.architecture import Architecture
from airdeliver.arguments import whole
from airdeliver.fades import Strata
from airdeliver.links import Decoded, KnowledgeKind, Link, Plan
from airdeliver.normalisation import Normalisation, batch_norms, estimate_statistics, serve_by_batch
from airdeliver.package import Snapshot
from airdeliver.payload import Layout, Model, is_keras, load
from airdeliver.payload.inputs import Inputs, check_inputs
from airdeliver.serving import Served, Serving
from channels import Channel


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


@dataclass(frozen=True)
class Conditions:
    """Under which a delivery was sent.

    Args:
        channel: physics.
        snr_db: mean SNR per complex symbol, in dB.
        knowledge: what the sender knew of the channel.
    """

    channel: Channel
    snr_db: float
    knowledge: KnowledgeKind


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
        conditions: under which it was sent, as `airdeliver.delivery.send` notes them; None where nobody has.
    """

    groups: tuple[Group, ...]
    normalisation: Normalisation
    seed: int
    first: int = 0
    strata: Strata | None = None
    turnaround_ms: float = 0.0
    conditions: Conditions | None = None

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

    def model(self, realization: int, calibration: Inputs = None) -> Model:
        """The model that the receiver rebuilt, in evaluation mode.

        Args:
            realization: which of the deliveries.
            calibration: unlabelled inputs to re-estimate batch norm from, where its statistics were not sent. Without
                them, batch norm uses the statistics of each batch that the model serves.

        Raises:
            IndexError: there is no such realization.
            TypeError: calibration inputs of a kind that no model takes.
            ValueError: nothing usable arrived.
        """
        realization = whole(realization, "realization")
        if calibration is not None:
            check_inputs(calibration, "calibration")
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

    def _normalised(self, model: Model, calibration: Inputs) -> Model:
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
