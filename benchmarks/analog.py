"""The analog link, encoder to decoder, against drawing its noise alone and Sionna; its share of a training step."""

import math
from collections.abc import Callable

import torch
from torch import Generator, Tensor

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
        _against_sionna(),
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


def _deliver(source: Payload, link: AnalogLink, generator: Generator) -> Callable[[], Tensor]:
    """Encode, AWGN, decode: the values that arrive."""
    plan, channel = link.plan(source, 1 << 60, Knowledge()), AWGN()

    def deliver() -> Tensor:
        state = channel.realize(REALIZATIONS, plan.payload_symbols, SNR_DB, generator)
        values = link.send(source.values, plan, source.layout, channel, state, generator).values
        assert isinstance(values, Tensor)
        return values

    return deliver


def _delivery(name: str, link: AnalogLink, values: int, bar: float | None) -> Ratio:
    generator = Generator().manual_seed(1)
    ours = _deliver(_payload(values, 35), link, generator)

    def noise() -> None:
        torch.randn((REALIZATIONS, SYMBOLS), dtype=torch.complex64, generator=generator)

    return speed_ratio(f"analog: {name}, encoder to decoder / torch.randn", ours, noise, bar=bar)


def _against_sionna() -> Ratio:
    """The same through Sionna's AWGN block, with the encoder and decoder that one would write round it."""
    import sionna.phy

    source = _payload(2 * SYMBOLS, 35)
    parts, sizes = source.layout.split(source.values), torch.tensor(source.layout.sizes)
    mean = torch.stack([part.mean() for part in parts]).repeat_interleave(sizes)
    scale = torch.stack([part.std() for part in parts]).repeat_interleave(sizes)
    variance, awgn = torch.tensor(10 ** (-SNR_DB / 10)), sionna.phy.channel.AWGN(device="cpu")

    def peer() -> Tensor:
        symbols = torch.view_as_complex(((source.values - mean) / scale / math.sqrt(2)).view(-1, 2))
        received = awgn(symbols.expand(REALIZATIONS, SYMBOLS), variance)
        estimated = torch.view_as_real(received).flatten(-2) * math.sqrt(2) / (1 + variance)
        return estimated * scale + mean

    ours = _deliver(source, AnalogLink(), Generator().manual_seed(1))
    error = [float((values() - source.values).square().mean()) for values in (ours, peer)]
    if not 0.99 < error[0] / error[1] < 1.01:
        raise RuntimeError(f"the two chains do not do the same: mean squared errors {error[0]:.4f} and {error[1]:.4f}")
    return speed_ratio("analog: once, encoder to decoder / sionna AWGN", ours, peer, bar=2.0)


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
