"""The digital link: quantise, entropy-code, protect, modulate; at one of three depths of simulation."""

import math
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from jaxtyping import Complex, Float, Int64
from torch import Generator, Tensor

from airdeliver.compression.quantisation import Quantised, adjust, allocate, requantise
from airdeliver.links.base import Decoded, Knowledge, Link
from airdeliver.links.digital.abstraction import Abstraction
from airdeliver.links.digital.adaptation import Adaptation, Adaptive, Chosen, Worth
from airdeliver.links.digital.bitstream import DecodeError, varint
from airdeliver.links.digital.container import Container, estimate, pack, unpack
from airdeliver.links.digital.full import Full
from airdeliver.links.digital.ideal import Ideal
from airdeliver.links.digital.physical_layer import PhysicalLayer, information
from airdeliver.links.digital.plan import DigitalPlan
from airdeliver.links.plan import BudgetError
from airdeliver.payload import Layout, Payload
from channels import Channel, ChannelState, Received
from channels.base import Decibel

_FASTEST = 16
"""Bits per symbol beyond which nothing is sent: they bound the lengths in the side information."""

_TRIES = 4
_ENOUGH = 0.997
"""Share of the budget from which on a container is not fitted more closely."""


@dataclass(frozen=True)
class DigitalLink(Link):
    """Sends a payload as a container of entropy-coded levels, as large as the channel can carry.

    Args:
        phy: depth of the physical layer: `full` (every bit through encoder, channel and decoder), `abstraction` (code
            blocks are lost as often as `full` loses them), `capacity` (error-free at the Shannon limit of the realised
            channel, outage beyond it), or any `PhysicalLayer`.
        adaptation: how the rate is chosen, given what the sender knows.
        bits_per_value: most bits that a value may take on average; None for as many as fit. A network that is trained
            through the link is trained for this rate.
        worth: what a delivery of so many bits is worth: what the adaptation maximises.
        steps: index of the quantisation step of each band, for a network that was trained with these: with others, its
            weights, which have gathered next to where levels change, would take other levels. None to choose them.
        side_information_rate: bits per channel use at which grade and lengths are sent; a delivery whose mutual
            information is below it loses them and is not usable.

    Raises:
        ValueError: an unknown depth, or a rate that is not positive.
    """

    phy: Literal["full", "abstraction", "capacity"] | PhysicalLayer = "full"
    adaptation: Adaptation = field(default_factory=Adaptive)
    bits_per_value: float | None = None
    worth: Worth = field(default_factory=Worth)
    steps: tuple[int, ...] | None = None
    side_information_rate: float = 0.25
    _physical: PhysicalLayer = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        named = {"full": Full, "abstraction": Abstraction, "capacity": Ideal}
        if isinstance(self.phy, str) and self.phy not in named:
            raise ValueError(f"phy must be one of {', '.join(named)}, or a PhysicalLayer, got {self.phy!r}")
        if not self.side_information_rate > 0:
            raise ValueError(
                f"side_information_rate must be above 0 bit per channel use, got {self.side_information_rate}"
            )
        if self.bits_per_value is not None and not self.bits_per_value > 0:
            raise ValueError(f"bits_per_value must be above 0, or None for as many as fit, got {self.bits_per_value}")
        physical = self.phy if isinstance(self.phy, PhysicalLayer) else named[self.phy]()
        object.__setattr__(self, "_physical", physical)
        object.__setattr__(self, "steps", None if self.steps is None else tuple(self.steps))

    def plan(self, payload: Payload, symbols: int | None, knowledge: Knowledge) -> DigitalPlan:
        """Choose a rate, quantise to it, and write the container.

        Raises:
            BudgetError: the container does not fit, or the budget has no bound, so that there is no rate to choose.
        """
        if symbols is None:
            raise BudgetError("a digital link needs a budget: give the channel uses that it may spend")
        room = self._room(payload.layout, symbols)
        grade = int(self._choose(payload, room, knowledge).grades.min())
        quantised = allocate(
            payload, 1.0, lambda q: self._share(estimate(q, self._physical.packet_bytes), q, grade, room), self.steps
        )
        plan = self._fitted(payload, quantised, grade, room)
        plan.check_budget(symbols)
        return plan

    def alike(self, payload: Payload, symbols: int, knowledge: Knowledge) -> Int64[Tensor, "#realizations"]:  # noqa: D102
        receivers = 1 if knowledge.channel is None else knowledge.channel.receivers
        grades = self._choose(payload, self._room(payload.layout, symbols), knowledge).grades
        return grades if len(grades) == 1 else grades.repeat_interleave(receivers)

    def container_bits(self, quantised: Quantised) -> float:
        """About how many bits the container of these levels takes, packets and head included."""
        return 8.0 * sum(estimate(quantised, self._physical.packet_bytes))

    def prospects(self, payload: Payload, symbols: int, knowledge: Knowledge) -> Float[Tensor, "#transmissions"]:
        """Expected worth of each transmission that the sender can tell apart, one for all if it cannot."""
        return self._choose(payload, self._room(payload.layout, symbols), knowledge).prospects

    def refresh(self, plan: DigitalPlan, payload: Payload) -> DigitalPlan:
        """New values at the same slope."""
        quantised = requantise(payload, _sent(plan), _sent(plan).slope)
        return replace(plan, quantised=quantised, container=None)

    def reconstructed(self, payload: Payload, bits_per_value: float) -> Float[Tensor, "n"]:
        """The values as they arrive over a channel that carries so many bits a value, container included."""
        bits = bits_per_value * payload.layout.size
        return allocate(payload, bits, self.container_bits, self.steps).values()

    def plan_from_bytes(self, side_information: bytes, layout: Layout) -> DigitalPlan:  # noqa: D102
        return DigitalPlan.from_bytes(side_information, layout, self.side_information_rate, self._physical)

    def encode(self, values: Float[Tensor, "n"], plan: DigitalPlan) -> Complex[Tensor, "#realizations symbols"]:
        """The container that was planned as complex symbols, where the physical layer has a waveform."""
        return self._physical.encode(_container(plan), plan.grade).to(values.device)

    def decode(self, received: Received, plan: DigitalPlan) -> Decoded:
        """Samples to bytes to values; what is lost is concealed."""
        rows = self._physical.decode(received, plan.protected, plan.others, plan.grade)
        state = ChannelState(received.gain, received.noise_variance)
        return self._rebuilt(rows, plan, state)

    def send(  # noqa: D102
        self,
        values: Float[Tensor, "n"],
        plan: DigitalPlan,
        layout: Layout,
        channel: Channel,
        state: ChannelState,
        generator: Generator,
    ) -> Decoded:
        rows = self._physical.carry(_container(plan), plan.grade, channel, state, generator)
        return self._rebuilt(rows, self.plan_from_bytes(plan.to_bytes(), layout), state)

    def power(self, values: Float[Tensor, "n"], plan: DigitalPlan) -> Float[Tensor, "#realizations"]:  # noqa: D102
        return torch.full((1,), self._physical.power(_container(plan), plan.grade), device=values.device)

    def perturb(  # noqa: D102
        self, values: Float[Tensor, "n"], plan: DigitalPlan, channel: Channel, snr_db: Decibel, generator: Generator
    ) -> Float[Tensor, "n"]:
        quantised = _sent(plan).values().to(values.device)
        return values + (quantised - values).detach()

    def _rebuilt(self, rows: list[bytes | None], plan: DigitalPlan, state: ChannelState) -> Decoded:
        usable = information(state, plan.payload_symbols) >= self.side_information_rate
        values = torch.zeros(len(rows), plan.layout.size, device=state.gain.device)
        known: dict[bytes, Tensor | None] = {}
        for row, data in enumerate(rows):
            if data is not None and data not in known:
                try:
                    known[data] = unpack(data, plan.layout).values.to(values.device)
                except DecodeError:
                    known[data] = None
            contents = None if data is None else known[data]
            if contents is None:
                usable[row] = False
            else:
                values[row] = contents
        return Decoded(values, usable, torch.full((len(rows),), plan.symbols, device=values.device))

    def _room(self, layout: Layout, symbols: int) -> int:
        """Symbols that are left for the container."""
        lengths = len(varint(_FASTEST * max(symbols, 1) // 8)) * (2 if self._physical.protects else 1)
        side = len(layout.description) + self._physical.grade_bytes + lengths
        return symbols - math.ceil(8 * side / self.side_information_rate)

    def _choose(self, payload: Payload, room: int, knowledge: Knowledge) -> Chosen:
        return self.adaptation.choose(self._physical, knowledge, max(room, 1), payload.layout.size, self.worth)

    def _share(self, lengths: tuple[int, int], quantised: Quantised, grade: int, room: int) -> float:
        """Which share of what it may take a container takes: of the symbols, or of the bits if those bind."""
        protected, others = lengths
        share = self._physical.symbols(protected, others, grade) / max(room, 1)
        if self.bits_per_value is None:
            return share
        return max(share, 8 * (protected + others) / (self.bits_per_value * max(1, quantised.layout.size)))

    def _fitted(self, payload: Payload, quantised: Quantised, grade: int, room: int) -> DigitalPlan:
        """The plan of a container that fits, as closely as it pays.

        If not even the smallest fits, it is sent at a faster grade: the channel is too bad, nothing will arrive.
        """
        packet_bytes, goal, best = self._physical.packet_bytes, 1.0, None
        for _ in range(_TRIES):
            container = pack(quantised, packet_bytes)
            lengths = (container.protected, len(container.data) - container.protected)
            share = self._share(lengths, quantised, grade, room)
            if best is None or share <= 1:
                best = DigitalPlan(
                    payload.layout, self.side_information_rate, self._physical, grade, *lengths, quantised, container
                )
            if _ENOUGH <= share <= 1:
                break
            goal *= 0.9995 / share
            quantised = adjust(
                payload, quantised, goal, lambda q: self._share(estimate(q, packet_bytes), q, grade, room)
            )
        assert best is not None
        while best.payload_symbols > room and best.grade < self._physical.fastest:
            best = replace(best, grade=min(self._physical.fastest, best.grade + self._physical.resolution))
        return best


def _container(plan: DigitalPlan) -> Container:
    if plan.container is None:
        raise ValueError("the plan holds nothing to send: make it with `plan` for the values that are sent")
    return plan.container


def _sent(plan: DigitalPlan) -> Quantised:
    if plan.quantised is None:
        raise ValueError("only the sender knows the levels: this plan was made from side information")
    return plan.quantised
