"""The analog link, encoder to decoder, against drawing its noise alone; and its share of a training step."""

import torch
from torch import Generator

from airdeliver.links import AnalogLink, Knowledge
from airdeliver.links.analog import Repetition
from airdeliver.payload import Layout, Payload, Segment
from benchmarks.ratio import Ratio, speed_ratio
from channels import AWGN

REALIZATIONS, SYMBOLS, SNR_DB = 64, 1_000_000, 5.0
STEPS = 20


def measure() -> list[Ratio]:
    """64 deliveries of 2 million values, whole; and the noise of training steps for 117 thousand values."""
    return [
        _delivery("once", AnalogLink(), 2 * SYMBOLS, 0.4),
        _delivery("twice", AnalogLink(expansion=Repetition(2)), SYMBOLS, None),
        _training(),
    ]


def _payload(values: int, segments: int) -> Payload:
    """Segments of about equal size, of which every fourth is small."""
    sizes = [128 if i % 4 == 3 else 0 for i in range(segments)]
    share, large = values - sum(sizes), sizes.count(0)
    sizes = [size or share // large for size in sizes]
    sizes[0] += values - sum(sizes)
    layout = Layout(tuple(Segment(str(i), (size,)) for i, size in enumerate(sizes)))
    return Payload(torch.randn(values, generator=Generator().manual_seed(0)), layout)


def _delivery(name: str, link: AnalogLink, values: int, bar: float | None) -> Ratio:
    source, channel, generator = _payload(values, 35), AWGN(), Generator().manual_seed(1)
    plan = link.plan(source, 1 << 60, Knowledge())

    def ours() -> None:
        state = channel.realize(REALIZATIONS, plan.payload_symbols, SNR_DB, generator)
        link.send(source.values, plan, channel, state, generator)

    def noise() -> None:
        torch.randn((REALIZATIONS, SYMBOLS), dtype=torch.complex64, generator=generator)

    return speed_ratio(f"analog: {name}, encoder to decoder / torch.randn", ours, noise, bar=bar)


def _training() -> Ratio:
    """Scales measured anew, and one draw of what arrives."""
    link, channel, source = AnalogLink(), AWGN(), _payload(117_000, 35)
    generator = Generator().manual_seed(1)
    plan = link.plan(source, 1 << 60, Knowledge())

    @torch.no_grad()
    def ours() -> None:
        for _ in range(STEPS):
            link.perturb(source.values, link.refresh(plan, source), channel, SNR_DB, generator)

    def noise() -> None:
        for _ in range(STEPS):
            torch.randn(plan.payload_symbols, dtype=torch.complex64, generator=generator)

    return speed_ratio("analog: noise of a training step / torch.randn", ours, noise, pairs=9)
