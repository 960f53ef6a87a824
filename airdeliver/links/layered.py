"""The layered link: each layer of a payload has a link, a plan and a share of the budget of its own."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, groupby

import torch
from jaxtyping import Bool, Complex, Float
from torch import Generator, Tensor

from airdeliver.conversion import Converted, converted, instance_of, real, tuple_of
from airdeliver.links.analog import AnalogLink
from airdeliver.links.analog.plan import AnalogPlan
from airdeliver.links.arrivals import held
from airdeliver.links.base import Decoded, Knowledge, Link, mutual_information, side_information_arrives
from airdeliver.links.part import columns, part_of
from airdeliver.links.plan import Plan
from airdeliver.payload import Layout, Payload
from channels import Channel, ChannelState, Received
from channels.base import Decibel

MARK = "/"
"""Behind the number of the layer that a segment belongs to, in its name."""

_STEPS = 2.0
"""Thresholds are told in steps of half a dB, one byte each."""

_NEVER_BELOW = -64.0
"""dB; the lowest threshold that a byte tells."""


def layouts_of(layout: Layout) -> list[Layout]:
    """The segments of each layer; the description is told once, of all of them.

    Raises:
        ValueError: segments whose names do not say which layer they are of.
    """
    try:
        numbered = [(int(segment.name.split(MARK, 1)[0]), segment) for segment in layout.segments]
    except ValueError:
        raise ValueError(f"segments of a layered payload are named NUMBER{MARK}NAME, got {layout.names[0]}") from None
    parts = {number: tuple(s for _, s in part) for number, part in groupby(numbered, key=lambda pair: pair[0])}
    if list(parts) != list(range(len(parts))):
        raise ValueError(f"layers must be numbered from 0 and stand in order, got {list(parts)}")
    return [Layout(segments) for segments in parts.values()]


@dataclass(frozen=True)
class LayeredPlan(Plan):
    """The plans of the layers that are sent, the leading ones.

    Args:
        plans: of each layer.
        least_db: the SNR in dB from which a receiver should use each layer, in half dB.
    """

    plans: tuple[Plan, ...]
    least_db: tuple[float, ...]

    @property
    def payload_symbols(self) -> int:  # noqa: D102
        return sum(plan.payload_symbols for plan in self.plans)

    def to_bytes(self) -> bytes:
        """How many layers; of each its threshold, the length of its side information, and that."""
        parts = [bytes([len(self.plans)])]
        for plan, least in zip(self.plans, self.least_db, strict=True):
            own = plan.to_bytes()
            parts += [round(_STEPS * least).to_bytes(1, "little", signed=True), len(own).to_bytes(3, "little"), own]
        return b"".join(parts)

    @property
    def uses(self) -> tuple[int, ...]:
        """Symbols after which each layer is there, side information included: layers travel one after the other.

        What is told of all layers together (their number, the description) comes first.
        """
        lengths = [8 * len(plan.to_bytes()) / self.side_information_rate for plan in self.plans]
        first, found = self.side_information_symbols - math.ceil(sum(lengths)), []
        done = float(first)
        for plan, length in zip(self.plans, lengths, strict=True):
            done += plan.payload_symbols + length
            found.append(math.ceil(done))
        return tuple(min(uses, self.symbols) for uses in found)


@dataclass(frozen=True)
class LayeredLink(Link):
    """Sends the leading layers of a payload, each over a link of its own, one after the other.

    A receiver uses the leading layers that arrived, up to the first that did not, or whose threshold its SNR does not
    reach: noise on the values of a further layer may cost more than the layer is worth. What a layer is, the payload's
    layout says: names of segments begin with the number of their layer.

    Args:
        links: of the layers that are sent, the first first; analog ones with an expansion, digital ones with a grade.
        shares: of the budget, of each, positive; their sum is 1.
        least_db: the SNR in dB from which each is used; empty for any.
        side_information_rate: bits per channel use at which numbers, thresholds and lengths are sent.

    Raises:
        ValueError: another number of shares or thresholds than links, shares that are none, or analog links of which
            some fill their share and some do not.
    """

    links: Converted[Iterable[Link], tuple[Link, ...]] = converted(tuple_of(instance_of(Link)))
    shares: Converted[Iterable[float], tuple[float, ...]] = converted(tuple_of(real))
    least_db: Converted[Iterable[float], tuple[float, ...]] = converted(tuple_of(real), ())
    side_information_rate: float = 0.25

    def __post_init__(self) -> None:
        if len(self.links) != len(self.shares) or not self.links:
            raise ValueError(f"links need a share each, got {len(self.links)} and {len(self.shares)}")
        if min(self.shares) <= 0 or abs(sum(self.shares) - 1) > 1e-6:
            raise ValueError(f"shares must be above 0 and their sum 1, got {list(self.shares)}")
        if self.least_db and len(self.least_db) != len(self.links):
            raise ValueError(f"least_db needs a number for each of {len(self.links)} links, got {list(self.least_db)}")

        if len({link.fills for link in self.links if isinstance(link, AnalogLink)}) > 1:
            raise ValueError("analog links must all have an expansion or a protection, or none of them")

    def stand_in(self) -> Link:  # noqa: D102
        return replace(self, links=tuple(link.stand_in() for link in self.links))

    @property
    def thresholds(self) -> tuple[float, ...]:
        """In half dB."""
        wanted = self.least_db or (_NEVER_BELOW,) * len(self.links)
        return tuple(max(_NEVER_BELOW, round(_STEPS * least) / _STEPS) for least in wanted)

    def plan(self, payload: Payload, symbols: int | None, knowledge: Knowledge) -> LayeredPlan:  # noqa: D102
        parts = self._parts(payload)
        left = None if symbols is None else symbols - self._told(payload.layout)
        plans = []
        owns = [None] * len(parts) if left is None else self._shared_out(left)
        for link, own, part in zip(self.links, owns, parts, strict=True):
            plans.append(link.plan(part, own, knowledge))
        plan = LayeredPlan(payload.layout, self.side_information_rate, tuple(plans), self.thresholds)
        plan.check_budget(symbols)
        return plan

    def at_rate(self, bits_per_use: float) -> "LayeredLink":  # noqa: D102
        links = tuple(link.at_rate(bits_per_use) for link in self.links)
        return replace(self, side_information_rate=bits_per_use, links=links)

    def threshold(self, plan: LayeredPlan) -> float | None:
        """What the first layer needs, and what it is used from; further layers make a network that is there better."""
        first = self.links[0].threshold(plan.plans[0])
        used = _carried(plan.least_db[0])
        return None if first is None else max(first, used, plan.side_information_rate)

    def refresh(self, plan: LayeredPlan, payload: Payload) -> LayeredPlan:  # noqa: D102
        parts = zip(self.links, plan.plans, self._parts(payload), strict=True)
        return replace(plan, plans=tuple(link.refresh(own, part) for link, own, part in parts))

    def plan_from_bytes(self, side_information: bytes, layout: Layout) -> LayeredPlan:  # noqa: D102
        layouts = layouts_of(layout)
        at, plans, least = 1, [], []
        for number in range(side_information[0]):
            least.append(int.from_bytes(side_information[at : at + 1], "little", signed=True) / _STEPS)
            length = int.from_bytes(side_information[at + 1 : at + 4], "little")
            told = side_information[at + 4 : at + 4 + length]
            plans.append(self.links[number].plan_from_bytes(told, layouts[number]))
            at += 4 + length
        return LayeredPlan(layout, self.side_information_rate, tuple(plans), tuple(least))

    def encode(self, values: Float[Tensor, "n"], plan: LayeredPlan) -> Complex[Tensor, "#realizations symbols"]:  # noqa: D102
        parts = zip(self.links, self.split(values, plan.layout), plan.plans, strict=True)
        encoded = [link.encode(part, own) for link, part, own in parts]
        rows = max(len(part) for part in encoded)
        return torch.cat([part.expand(rows, -1) for part in encoded], dim=-1)

    def decode(self, received: Received, plan: LayeredPlan) -> Decoded:  # noqa: D102
        plan = self._granted(plan, received.samples.shape[-1])
        start, found, heard = 0, [], []
        for link, own in zip(self.links, plan.plans, strict=True):
            here = columns(received, start, start + own.payload_symbols)
            start += own.payload_symbols
            found.append(link.decode(here, own))
            heard.append(mutual_information(here))
        return self.together(found, heard, plan)

    def send(  # noqa: D102
        self,
        values: Float[Tensor, "n"],
        plan: LayeredPlan,
        layout: Layout,
        channel: Channel,
        state: ChannelState,
        generator: Generator,
    ) -> Decoded:
        received = self.plan_from_bytes(plan.to_bytes(), layout)
        if all(isinstance(link, AnalogLink) for link in self.links):
            decoded = self.decode(channel.transmit(self.encode(values, plan), state, generator), received)
            return decoded.given(side_information_arrives(plan, channel, state, generator))
        start, found, heard = 0, [], []
        layouts, parts = layouts_of(layout), self.split(values, plan.layout)
        for number, (link, own) in enumerate(zip(self.links, plan.plans, strict=True)):
            end = start + own.payload_symbols
            there = part_of(channel, state, start, end)
            found.append(link.send(parts[number], own, layouts[number], *there, generator))
            heard.append(mutual_information(columns(ChannelState(state.gain, state.noise_variance), start, end)))
            start = end
        decoded = self.together(found, heard, received)
        return decoded.given(side_information_arrives(plan, channel, state, generator))

    def power(self, values: Float[Tensor, "n"], plan: LayeredPlan) -> Float[Tensor, "#realizations"]:  # noqa: D102
        parts = zip(self.links, self.split(values, plan.layout), plan.plans, strict=True)
        powers = [own.payload_symbols * link.power(part, own) for link, part, own in parts]
        return torch.stack(torch.broadcast_tensors(*powers)).sum(0) / max(1, plan.payload_symbols)

    def perturb(  # noqa: D102
        self, values: Float[Tensor, "n"], plan: LayeredPlan, channel: Channel, snr_db: Decibel, generator: Generator
    ) -> Float[Tensor, "n"]:
        parts = zip(self.links, self.split(values, plan.layout), plan.plans, strict=True)
        arrived = [link.perturb(part, own, channel, snr_db, generator) for link, part, own in parts]
        return torch.cat([*arrived, values[sum(len(part) for part in arrived) :]])

    def together(self, found: Sequence[Decoded], heard: Sequence[Tensor], plan: LayeredPlan) -> Decoded:
        """All layers of each realization, and how far its leading ones are usable.

        Args:
            found: of each layer, what was decoded.
            heard: mutual information of each layer's symbols, in bits a symbol.
            plan: the receiver's.
        """
        least = [_carried(threshold) for threshold in plan.least_db]
        usable = torch.stack([d.usable & (h >= bits) for d, h, bits in zip(found, heard, least, strict=True)], -1)
        # The first layer is used wherever it arrived: less there is not.
        usable[:, 0] = found[0].usable
        leading: Bool[Tensor, "realizations layers"] = usable.long().cumprod(-1).bool()
        values = torch.cat([held(d.values) for d in found], -1)
        values = torch.nn.functional.pad(values, (0, plan.layout.size - values.shape[-1]))
        uses = torch.full((len(values),), plan.symbols, device=values.device)
        return Decoded(values, leading[:, 0], uses, layers=leading)

    def _shared_out(self, symbols: int) -> list[int]:
        """Symbols of each layer, side information included: together all of them, so that they tell their sum."""
        ends = [math.floor(min(1.0, share + 1e-9) * max(0, symbols)) for share in accumulate(self.shares)]
        return [end - start for start, end in zip([0, *ends], ends)]

    def _granted(self, plan: LayeredPlan, symbols: int) -> LayeredPlan:
        """A receiver's plan with what each layer may fill, which follows from how much was received in all."""
        analog = [own for own in plan.plans if isinstance(own, AnalogPlan) and not own.granted]
        if len(analog) < len(plan.plans) or not self._fills:
            return plan
        told = [own.side_information_symbols for own in analog]
        owns = self._shared_out(symbols + sum(told))
        granted = zip(analog, owns, told, strict=True)
        return replace(plan, plans=tuple(own.granting(most - side) for own, most, side in granted))

    @property
    def _fills(self) -> bool:
        """Whether the links fill their shares; all do or none, see `__post_init__`."""
        first = self.links[0]
        return isinstance(first, AnalogLink) and first.fills

    def split(self, values: Float[Tensor, "n"], layout: Layout) -> list[Tensor]:
        """The values of each layer that is sent."""
        sizes = [part.size for part in layouts_of(layout)]
        return list(values.split(sizes))[: len(self.links)]

    def _parts(self, payload: Payload) -> list[Payload]:
        layouts = layouts_of(payload.layout)
        if len(layouts) < len(self.links):
            raise ValueError(f"the payload has {len(layouts)} layers and the link wants {len(self.links)}")
        values = self.split(payload.values, payload.layout)
        return [Payload(part, layout) for part, layout in zip(values, layouts, strict=False)]

    def _told(self, layout: Layout) -> int:
        """Symbols of what is told of all layers together; each rounds up its own."""
        side = len(layout.description) + 1 + 4 * len(self.links)
        return math.ceil(8 * side / self.side_information_rate) + 1


def _carried(snr_db: float) -> float:
    """Mutual information in bits per complex symbol at an SNR in dB."""
    return math.log2(1 + 10 ** (snr_db / 10))
