"""The digital link: quantiser, codec, adaptation and physical layer, composed."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar, Literal, NoReturn

import torch
from jaxtyping import Bool, Complex, Float, Int64
from torch import Generator, Tensor

from airdeliver.compression.codec import Codec, Container, Levels, RangeCoded
from airdeliver.compression.codec.bitstream import varint
from airdeliver.compression.quantisers import Quantiser, RateDistortion, State
from airdeliver.compression.quantisers.answers import levels_of
from airdeliver.conversion import Converted, converted, named
from airdeliver.links.base import Decoded, Knowledge, Link, mutual_information, side_information_arrives
from airdeliver.links.digital.abstraction import Abstraction
from airdeliver.links.digital.adaptation import Adaptation, Adaptive, Chosen, Worth
from airdeliver.links.digital.fitting import Fitting
from airdeliver.links.digital.full import Full
from airdeliver.links.digital.ideal import Ideal
from airdeliver.links.digital.physical_layer import Carried, PhysicalLayer
from airdeliver.links.digital.plan import DigitalPlan
from airdeliver.links.digital.rebuilding import rebuilt
from airdeliver.links.plan import BudgetError, Plan
from airdeliver.payload import Layout, Payload
from channels import Channel, ChannelState, Received
from channels.base import Decibel

PHYSICAL_LAYERS: dict[str, type[PhysicalLayer]] = {"full": Full, "abstraction": Abstraction, "capacity": Ideal}
"""What the names of `phy` stand for."""

_FASTEST = 16
"""Bits per symbol beyond which nothing is sent: they bound the lengths in the side information."""


def _as_text(state: Mapping[str, Any] | str | None) -> str | None:
    return json.dumps(state, sort_keys=True) if isinstance(state, Mapping) else state


@dataclass(frozen=True)
class DigitalLink(Link):
    """Sends a payload as a container of entropy-coded levels, as large as the channel can carry.

    Args:
        phy: depth of the physical layer: `full` (every bit through encoder, channel and decoder), `abstraction` (code
            blocks are lost as often as `full` loses them), `capacity` (error-free at the capacity of the realised
            channel as its receiver sees it, outage beyond it), or any `PhysicalLayer`. A name becomes the layer that it
            stands for.
        adaptation: how the rate is chosen, given what the sender knows.
        bits_per_value: most bits that a value may take on average; None for as many as fit.
        worth: what a delivery of so many bits is worth: what the adaptation maximises.
        quantiser: how values become levels: the one that the network was trained with, if it was.
        state: of the quantiser, for a network that was trained with it, as `State.to_plain` gives it: with other scales
            its weights, which have gathered next to where levels change, would take other levels. None for one that
            suits the values. Kept as JSON text, so that links are compared and hashed by it.
        codec: how levels become bytes.
        spends_all: whether a network that has one size, whatever the budget, is sent at the slowest grade that it fits;
            otherwise at the grade that the adaptation chooses, so that what it takes shows in the uses that it spends.
        side_information_rate: bits per channel use at which grade and lengths are sent; a delivery whose mutual
            information is below it loses them and is not usable.

    Raises:
        ValueError: an unknown depth, or a rate that is not positive.

    >>> DigitalLink("full") == DigitalLink(Full()) == DigitalLink()
    True
    """

    phy: Converted[Literal["full", "abstraction", "capacity"] | PhysicalLayer, PhysicalLayer] = converted(
        named(PhysicalLayer, **PHYSICAL_LAYERS), "full"
    )
    adaptation: Adaptation = field(default_factory=Adaptive)
    bits_per_value: float | None = None
    worth: Worth = field(default_factory=Worth)
    quantiser: Quantiser = field(default_factory=RateDistortion)
    state: Converted[Mapping[str, Any] | str | None, str | None] = converted(_as_text, None)
    codec: Codec = field(default_factory=RangeCoded)
    side_information_rate: float = 0.25
    spends_all: bool = True

    repeats: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not self.side_information_rate > 0:
            raise ValueError(
                f"side_information_rate must be above 0 bit per channel use, got {self.side_information_rate}"
            )
        if self.bits_per_value is not None and not self.bits_per_value > 0:
            raise ValueError(f"bits_per_value must be above 0, or None for as many as fit, got {self.bits_per_value}")

    def plan(self, payload: Payload, symbols: int | None, knowledge: Knowledge) -> DigitalPlan:
        """Choose a rate, quantise to it, and write the container.

        Raises:
            BudgetError: the container does not fit, or the budget has no bound, so that there is no rate to choose.
        """
        if symbols is None:
            raise BudgetError("a digital link needs a budget: give the channel uses that it may spend")
        layout, room = payload.layout, self.room(payload.layout, symbols)
        grade = int(self._choose(payload, symbols, knowledge).grades.min())
        fitting = Fitting(self.quantiser, self.codec, self.phy, room, self.bits_per_value, self.spends_all)
        fitted = fitting.fit(payload, self._restored(layout), grade)
        lengths = fitted.container.groups if self.phy.protects else (len(fitted.container.data),)
        rate = self.side_information_rate
        plan = DigitalPlan(layout, rate, self.phy, fitted.grade, lengths, fitted.levels, fitted.container)
        plan.check_budget(symbols)
        return plan

    def alike(self, payload: Payload, symbols: int, knowledge: Knowledge) -> Int64[Tensor, "#realizations"]:  # noqa: D102
        receivers = 1 if knowledge.channel is None else knowledge.channel.receivers
        grades = self._choose(payload, symbols, knowledge).grades
        return grades if len(grades) == 1 else grades.repeat_interleave(receivers)

    def prospects(self, payload: Payload, symbols: int, knowledge: Knowledge) -> Float[Tensor, "#transmissions"]:
        """Expected worth of each transmission that the sender can tell apart, one for all if it cannot."""
        return self._choose(payload, symbols, knowledge).prospects

    def stand_in(self) -> "DigitalLink":  # noqa: D102
        phy, adaptation = self.phy.stand_in(), self.adaptation.stand_in()
        same = phy is self.phy and adaptation is self.adaptation
        return self if same else replace(self, phy=phy, adaptation=adaptation)

    def threshold(self, plan: DigitalPlan) -> float | None:
        """What the physical layer needs, and the side information."""
        needed = self.phy.threshold(plan.grade)
        return None if needed is None else max(needed, plan.side_information_rate)

    def refresh(self, plan: Plan, payload: Payload) -> NoReturn:
        """Not for this link: what a training needs of it is its quantiser.

        Raises:
            TypeError: always.
        """
        raise TypeError("no network is trained through a digital link: train it by the method Quantised instead")

    def reconstructed(self, payload: Payload, bits_per_value: float) -> Float[Tensor, "n"]:
        """The values as they arrive over a channel that carries so many bits a value, container included."""

        def size(levels: Levels) -> float:
            return 8.0 * sum(self.codec.estimate(levels, self.phy.packet_bytes))

        most = bits_per_value * payload.layout.size
        return levels_of(self.quantiser, payload, self._restored(payload.layout), size, most).values()

    def plan_from_bytes(self, side_information: bytes, layout: Layout) -> DigitalPlan:  # noqa: D102
        return DigitalPlan.from_bytes(side_information, layout, self.side_information_rate, self.phy)

    def encode(self, values: Float[Tensor, "n"], plan: DigitalPlan) -> Complex[Tensor, "#realizations symbols"]:
        """The container that was planned as complex symbols, where the physical layer has a waveform."""
        return self.phy.encode(_container(plan), plan.grade).to(values.device)

    def decode(self, received: Received, plan: DigitalPlan) -> Decoded:
        """Samples to bytes to values; what is lost is concealed."""
        rows = self.phy.decode(received, plan.lengths, plan.grade)
        return self.rebuilt(rows, plan, mutual_information(received) >= self.side_information_rate)

    def send(  # noqa: D102
        self,
        values: Float[Tensor, "n"],
        plan: DigitalPlan,
        layout: Layout,
        channel: Channel,
        state: ChannelState,
        generator: Generator,
    ) -> Decoded:
        carried: Carried = self.phy.carry(_container(plan), plan.grade, channel, state, generator)
        received = self.plan_from_bytes(plan.to_bytes(), layout)
        told = side_information_arrives(plan, channel, state, generator)
        return self.rebuilt(carried.rows, received, told, carried.power)

    def power(self, values: Float[Tensor, "n"], plan: DigitalPlan) -> Float[Tensor, "#realizations"]:  # noqa: D102
        return torch.full((1,), self.phy.power(_container(plan), plan.grade), device=values.device)

    def perturb(
        self, values: Float[Tensor, "n"], plan: DigitalPlan, channel: Channel, snr_db: Decibel, generator: Generator
    ) -> Float[Tensor, "n"]:
        """What arrives where nothing is lost, whatever the channel; straight through to the values."""
        return values + (self.sent(plan).to(values.device) - values).detach()

    def sent(self, plan: DigitalPlan) -> Float[Tensor, "n"]:
        """The values that a plan's container holds, which arrive where nothing is lost.

        Raises:
            ValueError: a plan that was made from side information.
        """
        container = _container(plan)
        return self.codec.values(container.data, plan.layout) if plan.levels is None else plan.levels.values()

    def levels(self, plan: DigitalPlan) -> Levels | None:
        """The levels that a plan's container holds: those of a large payload are read from it.

        None of a plan that was made from side information, and of a large payload whose codec reads values alone.
        """
        if plan.levels is None and plan.container is not None and isinstance(self.codec, RangeCoded):
            return self.codec.levels(plan.container.data, plan.layout)
        return plan.levels

    def _restored(self, layout: Layout) -> State | None:
        return None if self.state is None else self.quantiser.restore(json.loads(self.state), layout)

    def rebuilt(
        self,
        rows: list[bytes | None],
        plan: DigitalPlan,
        told: Bool[Tensor, "realizations"],
        power: float | None = None,
    ) -> Decoded:
        """What the receivers make of the bytes that they have.

        Args:
            rows: of the container, one row a receiver; None where nothing is there.
            plan: the receivers'.
            told: whether each has the side information.
            power: mean |x|^2 of what was sent; None where nobody has measured it.
        """
        device = told.device
        values, arrived = rebuilt(rows, plan.layout, self.codec, device)
        usable = told & arrived.to(device)
        uses = torch.full((len(rows),), plan.symbols, device=device)
        return Decoded(values, usable, uses, None if power is None else torch.full((1,), power, device=device))

    def room(self, layout: Layout, symbols: int) -> int:
        """Symbols that are left for the container."""
        lengths = len(varint(_FASTEST * max(symbols, 1) // 8)) * (self.codec.most_groups if self.phy.protects else 1)
        side = len(layout.description) + self.phy.grade_bytes + lengths
        return symbols - math.ceil(8 * side / self.side_information_rate)

    def _choose(self, payload: Payload, symbols: int, knowledge: Knowledge) -> Chosen:
        room = max(self.room(payload.layout, symbols), 1)
        return self.adaptation.choose(self.phy, knowledge, room, payload.layout.size, self.worth)


def _container(plan: DigitalPlan) -> Container:
    if plan.container is None:
        raise ValueError("the plan holds nothing to send: make it with `plan` for the values that are sent")
    return plan.container
