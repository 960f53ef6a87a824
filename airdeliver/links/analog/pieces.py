"""Large deliveries piece by piece, each small enough for a cache, so that memory stays near the payload's."""

import math
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from jaxtyping import Complex, Float
from torch import Generator, Tensor

from airdeliver.links.analog.plan import AnalogPlan
from airdeliver.links.arrivals import Arrivals
from airdeliver.links.base import Decoded, Link, mutual_information
from airdeliver.payload import Layout, Segment
from channels import ChannelState, Received
from channels.base import receive
from channels.checks import check_power, mean_power

LARGE = 1 << 24
"""Values from which on a payload goes piece by piece; smaller ones go whole, which costs fewer steps."""

PIECE = 1 << 18
"""Values of one piece. A multiple of 16, so that the processor's generator draws for pieces what it draws at once."""

ABOVE = 1 + 1e-5
"""Power from which on the channel looks closely at a delivery."""


def send(
    link: Link,
    estimate: Callable[[Received, AnalogPlan], Float[Tensor, "realizations n"]],
    values: Float[Tensor, "n"],
    plan: AnalogPlan,
    layout: Layout,
    state: ChannelState,
    generator: Generator,
) -> Decoded:
    """What `Link.send` does, for a memoryless channel.

    One realization is made at once, of several each when it is asked for: there may be no room for all.

    Args:
        link: that encodes.
        estimate: what the receiver makes of the samples of a piece.
        values: the payload's.
        plan: the sender's.
        layout: the receiver's.
        state: what the channel happens to be.
        generator: of the seeds of the noise, of which every realization has one of its own.

    Raises:
        ValueError: a delivery whose mean power is above 1.
    """
    rows = len(state.gain)
    sending = sending_of(link, estimate, values, plan, layout, state, generator)
    received: Tensor | Arrivals = sending.arrivals()
    if rows == 1:
        received = values.new_empty(1, layout.size)
        energy = torch.zeros(1, dtype=torch.float64, device=values.device)
        for where, part in sending.pieces(0, energy):
            received[0, where] = part
    else:
        energy = sending.energy()
    power = energy / plan.payload_symbols
    if not bool(power <= ABOVE):
        check_power(link.encode(values, plan))
    # Gain and noise say what information arrives; the samples themselves are not looked at.
    usable = mutual_information(Received(state.gain, state.gain, state.noise_variance)) >= plan.side_information_rate
    return Decoded(received, usable, torch.full((rows,), plan.symbols, device=values.device), power.float())


def sending_of(
    link: Link,
    estimate: Callable[[Received, AnalogPlan], Float[Tensor, "realizations n"]],
    values: Float[Tensor, "n"],
    plan: AnalogPlan,
    layout: Layout,
    state: ChannelState,
    generator: Generator,
) -> "Sending":
    """A delivery that has not begun: see `send` for the arguments."""
    seeds = torch.randint(1 << 62, (len(state.gain),), generator=generator, device=generator.device)
    at_receiver = link.plan_from_bytes(plan.to_bytes(), layout)
    assert isinstance(at_receiver, AnalogPlan)
    if plan.granted:
        at_receiver = at_receiver.granting(plan.payload_symbols)
    return Sending(link, estimate, values, Parts(plan), Parts(at_receiver), state, tuple(seeds.tolist()))


@dataclass(frozen=True, eq=False)
class Sending:
    """A delivery whose realizations are made piece by piece.

    Args:
        link: that encodes.
        estimate: what the receiver makes of the samples of a piece.
        values: the payload's.
        sent: the sender's plan.
        told: the receiver's.
        state: what the channel happens to be.
        seeds: of the noise of each realization.
    """

    link: Link
    estimate: Callable[[Received, AnalogPlan], Float[Tensor, "realizations n"]]
    values: Float[Tensor, "n"]
    sent: "Parts"
    told: "Parts"
    state: ChannelState
    seeds: tuple[int, ...]

    def arrivals(self) -> Arrivals:
        """What arrives, each realization made when it is asked for."""

        def parts(row: int) -> Iterator[tuple[int, Tensor]]:
            return ((where.start, part) for where, part in self.pieces(row))

        return Arrivals(len(self.seeds), len(self.values), self.values[:0], parts)

    def pieces(self, row: int, energy: Tensor | None = None) -> Iterator[tuple[slice, Float[Tensor, "_"]]]:
        """What arrives in a realization, in rising order; the energy of its symbols is added to `energy`."""
        here = self.state[[row]]
        generator = Generator(here.gain.device).manual_seed(self.seeds[row])
        for stretch in self.told.stretches:
            plan = self.told.at(stretch)
            if not stretch.inputs:
                yield stretch.where, plan.spread(self.values)[0]
                continue
            symbols = self._symbols(stretch)
            if energy is not None:
                energy += stretch.energy(symbols)
            # A louder stretch is one of power 1 that meets a larger gain.
            gain = here.gain if stretch.power == 1 else here.gain * math.sqrt(stretch.power)
            received = receive(symbols, ChannelState(gain, here.noise_variance), generator)
            yield stretch.where, self.estimate(received, plan)[0]

    def energy(self) -> Float[Tensor, "1"]:
        """Of all symbols of a realization."""
        total = torch.zeros(1, dtype=torch.float64, device=self.values.device)
        for stretch in self.sent.stretches:
            if stretch.inputs:
                total += stretch.energy(self._symbols(stretch))
        return total

    def _symbols(self, stretch: "Stretch") -> Complex[Tensor, "1 symbols"]:
        return self.link.encode(self.values[stretch.where], self.sent.at(stretch))


@dataclass(frozen=True)
class Stretch:
    """Neighbouring values that are sent alike.

    Args:
        where: their places.
        inputs: real channel inputs of each; 0 for those that travel as side information.
        power: mean square of the inputs.
    """

    where: slice
    inputs: int
    power: float

    def energy(self, symbols: Complex[Tensor, "1 symbols"]) -> Float[Tensor, "1"]:
        """Of symbols that are encoded at power 1."""
        return self.power * mean_power(symbols) * symbols.shape[-1]


@dataclass(frozen=True, eq=False)
class Parts:
    """A plan as plans of small pieces, within each of which all values are sent alike.

    Args:
        plan: of all.
    """

    plan: AnalogPlan
    _known: dict[tuple[int, int, int], AnalogPlan] = field(default_factory=dict)

    @cached_property
    def stretches(self) -> tuple[Stretch, ...]:
        """All values, in rising order."""
        runs: list[tuple[int, int, int, float]] = []
        for start, stop, inputs, power in _with_gaps(self.plan):
            if runs and runs[-1][2:] == (inputs, power):
                start = runs.pop()[0]
            runs.append((start, stop, inputs, power))
        return tuple(
            Stretch(slice(first, min(first + PIECE, stop)), inputs, power)
            for start, stop, inputs, power in runs
            for first in range(start, stop, PIECE)
        )

    def at(self, stretch: Stretch) -> AnalogPlan:
        """The plan of a piece; those that lie alike within one segment are one object, worked out once."""
        sizes, offsets, where = self.plan.layout.sizes, self.plan.layout.offsets, stretch.where
        first, last = bisect_right(offsets, where.start) - 1, bisect_right(offsets, where.stop - 1)
        ends = ((max(offsets[i], where.start), min(offsets[i] + sizes[i], where.stop)) for i in range(first, last))
        counts = tuple(max(0, stop - start) for start, stop in ends)
        if len(counts) != 1:
            return part(self.plan, first, counts, stretch.inputs)
        known = first, counts[0], stretch.inputs
        if known not in self._known:
            self._known[known] = part(self.plan, first, counts, stretch.inputs)
        return self._known[known]


def _with_gaps(plan: AnalogPlan) -> Iterator[tuple[int, int, int, float]]:
    """The spans of a plan, and those of no inputs between them."""
    reached = 0
    for start, stop, inputs, power in plan.spans():
        if start > reached:
            yield reached, start, 0, 1.0
        yield start, stop, inputs, power
        reached = stop
    if reached < plan.layout.size:
        yield reached, plan.layout.size, 0, 1.0


def part(plan: AnalogPlan, first: int, counts: tuple[int, ...], inputs: int) -> AnalogPlan:
    """The plan of `counts` values of each of the segments from `first` on, each of which gets so many channel inputs.

    >>> layout = Layout((Segment("a", (4,)), Segment("b", (3,))))
    >>> plan = AnalogPlan(layout, 0.25, torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    >>> cut = part(plan, 1, (2,), 1)
    >>> cut.layout.segments, cut.mean.tolist(), cut.scale.tolist()
    ((Segment(name='b', shape=(2,), transform='identity'),), [2.0], [4.0])
    """
    chosen = slice(first, first + len(counts))
    segments = tuple(Segment(name, (n,)) for name, n in zip(plan.layout.names[chosen], counts, strict=True))
    prior = plan.prior if plan.prior is None or plan.shares_prior else plan.prior[chosen]
    return replace(
        plan, layout=Layout(segments), mean=plan.mean[chosen], scale=plan.scale[chosen], inputs=inputs, by_size=False,
        allocation=None, granted=0, prior=prior, sensitivity=None, expected_noise=None,
    )  # fmt: skip


def mean_square(
    plan: AnalogPlan, values: Float[Tensor, "n"], expand: Callable[[Tensor, int], Tensor]
) -> Float[Tensor, "segments"]:
    """Mean square of the channel inputs of each segment, before its power is applied.

    Args:
        plan: of all values.
        values: the payload's.
        expand: the channel inputs of normalised values, so many each.
    """
    parts, offsets = Parts(plan), plan.layout.offsets
    energy = torch.zeros(len(plan.layout.sizes), dtype=torch.float64, device=values.device)
    count = torch.zeros_like(energy)
    for stretch in parts.stretches:
        if not stretch.inputs:
            continue
        piece = parts.at(stretch)
        mean, scale = piece.spread(values)
        sent = expand((values[stretch.where].detach() - mean).div_(scale), stretch.inputs)
        first = bisect_right(offsets, stretch.where.start) - 1
        for i, inputs in enumerate(sent.split(piece.layout.sizes, dim=-1), first):
            energy[i] += torch.linalg.vector_norm(inputs).double().square()
            count[i] += inputs.numel()
    return (energy / count.clamp(min=1)).float()
