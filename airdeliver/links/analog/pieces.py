"""Large deliveries piece by piece, each small enough for a cache, so that memory stays near the payload's."""

from bisect import bisect_right
from dataclasses import dataclass, field, replace

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from airdeliver.links.analog.plan import AnalogPlan
from airdeliver.links.base import Decoded, Link
from airdeliver.payload import Layout, Segment
from channels import Channel, ChannelState
from channels.base import receive
from channels.checks import check_power, mean_power

LARGE = 1 << 24
"""Values from which on a payload goes piece by piece; smaller ones go whole, which costs fewer steps."""

PIECE = 1 << 18
"""Values of one piece. A multiple of 16, so that the processor's generator draws for pieces what it draws at once."""

ABOVE = 1 + 1e-5
"""Power from which on the channel looks closely at a delivery."""


def divisible(plan: AnalogPlan) -> bool:
    """Whether symbols carry the values in order, two each: any cut then splits values and symbols alike."""
    allocated = plan.allocated
    return (
        plan.layout.size > 0
        and plan.payload_values == plan.layout.size
        and set(allocated.inputs) == {1}
        and not allocated.power
        and plan.payload_symbols == (plan.layout.size + 1) // 2
    )


def memoryless(channel: Channel, state: ChannelState) -> bool:
    """Whether every symbol meets the same gain and nothing but its own noise, as in slow fading."""
    flat = type(channel).transmit is Channel.transmit and type(state) is ChannelState
    return flat and state.gain.shape[-1] == 1 and state.noise_variance.shape[-1] == 1


def send(
    link: Link,
    values: Float[Tensor, "n"],
    plan: AnalogPlan,
    layout: Layout,
    state: ChannelState,
    generator: Generator,
) -> Decoded:
    """What `Link.send` does, for a divisible plan and a memoryless channel, with the same noise where n is even.

    Raises:
        ValueError: a delivery whose mean power is above 1.
    """
    rows, n = len(state.gain), plan.layout.size
    received = values.new_empty(rows, n)
    usable = torch.empty(rows, dtype=torch.bool, device=values.device)
    energy = torch.zeros(1, dtype=torch.float64, device=values.device)
    at_receiver = link.plan_from_bytes(plan.to_bytes(), layout)
    assert isinstance(at_receiver, AnalogPlan)
    sent, told = _Parts(plan), _Parts(at_receiver)
    for row in range(rows):
        here = state[[row]]
        for start in range(0, n, PIECE):
            where = slice(start, min(start + PIECE, n))
            symbols = link.encode(values[where], sent.at(where))
            if row == 0:
                energy += mean_power(symbols) * symbols.shape[-1]
            decoded = link.decode(receive(symbols, here, generator), told.at(where))
            received[row, where] = decoded.values[0]
            usable[row] = decoded.usable[0]
    power = energy / plan.payload_symbols
    if not bool(power <= ABOVE):
        check_power(link.encode(values, plan))
    return Decoded(received, usable, torch.full((rows,), plan.symbols, device=values.device), power.float())


@dataclass(frozen=True, eq=False)
class _Parts:
    """The plans of a plan's pieces; those that lie alike within one segment are one object, worked out once."""

    plan: AnalogPlan
    known: dict[tuple[int, tuple[int, ...]], AnalogPlan] = field(default_factory=dict)

    def at(self, where: slice) -> AnalogPlan:
        sizes, offsets = self.plan.layout.sizes, self.plan.layout.offsets
        first, last = bisect_right(offsets, where.start) - 1, bisect_right(offsets, where.stop - 1)
        ends = ((max(offsets[i], where.start), min(offsets[i] + sizes[i], where.stop)) for i in range(first, last))
        counts = tuple(max(0, stop - start) for start, stop in ends)
        if (first, counts) not in self.known:
            self.known[first, counts] = part(self.plan, first, counts)
        return self.known[first, counts]


def part(plan: AnalogPlan, first: int, counts: tuple[int, ...]) -> AnalogPlan:
    """The plan of `counts` values of each of the segments from `first` on, of a divisible plan.

    >>> layout = Layout((Segment("a", (4,)), Segment("b", (3,))))
    >>> plan = AnalogPlan(layout, 0.25, torch.tensor([1.0, 2.0]), torch.tensor([3.0, 4.0]))
    >>> cut = part(plan, 1, (2,))
    >>> cut.layout.segments, cut.mean.tolist(), cut.scale.tolist()
    ((Segment(name='b', shape=(2,), transform='identity'),), [2.0], [4.0])
    """
    chosen = slice(first, first + len(counts))
    segments = tuple(Segment(name, (n,)) for name, n in zip(plan.layout.names[chosen], counts, strict=True))
    prior = plan.prior if plan.prior is None or plan.shares_prior else plan.prior[chosen]
    return replace(
        plan, layout=Layout(segments), mean=plan.mean[chosen], scale=plan.scale[chosen], allocation=None, granted=0,
        prior=prior, sensitivity=None, expected_noise=None,
    )  # fmt: skip
