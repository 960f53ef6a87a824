"""Channels against the fastest that noise can be drawn, and against Sionna's blocks."""

import torch
from torch import Generator, Tensor

from benchmarks.fresh import in_fresh_process, most_resident_bytes, resident_bytes
from benchmarks.ratio import Ratio, speed_ratio
from channels import AWGN, Channel, Rayleigh

REALIZATIONS, SYMBOLS, SNR_DB = 64, 1_000_000, 10.0


def measure() -> list[Ratio]:
    """64 realizations of 10^6 symbols through AWGN, slow and fast Rayleigh fading."""
    return [
        _against_drawing("awgn", AWGN(), 1 / 2),
        _against_drawing("slow rayleigh", Rayleigh(), 1 / 2),
        _against_drawing("fast rayleigh", Rayleigh(coherence=1), 1 / 3),
        *_against_sionna(),
        _memory("awgn", AWGN()),
        _memory("slow rayleigh", Rayleigh()),
        _memory("fast rayleigh", Rayleigh(coherence=1)),
    ]


def _symbols(rows: int = 1) -> Tensor:
    """Symbols of unit power."""
    x = torch.randn((rows, SYMBOLS), dtype=torch.complex64, generator=Generator().manual_seed(0))
    return x / x.abs().square().mean(-1, keepdim=True).sqrt()


def _deliver(channel: Channel, symbols: Tensor, generator: Generator) -> Tensor:
    state = channel.realize(REALIZATIONS, SYMBOLS, SNR_DB, generator)
    return channel.transmit(symbols, state, generator).samples


def _against_drawing(name: str, channel: Channel, bar: float) -> Ratio:
    symbols, generator = _symbols(), Generator().manual_seed(1)
    return speed_ratio(
        f"channels: {name} / torch.randn",
        lambda: _deliver(channel, symbols, generator),
        lambda: torch.randn((REALIZATIONS, SYMBOLS), dtype=torch.complex64, generator=generator),
        bar=bar,
    )


def _against_sionna() -> list[Ratio]:
    from sionna.phy import channel as sionna

    symbols, generator = _symbols(), Generator().manual_seed(1)
    same = symbols.expand(REALIZATIONS, SYMBOLS)
    variance = torch.tensor(10 ** (-SNR_DB / 10))
    noise = sionna.AWGN(device="cpu")
    draw = sionna.GenerateFlatFadingChannel(1, 1, device="cpu")
    apply = sionna.ApplyFlatFadingChannel(device="cpu")
    return [
        speed_ratio(
            "channels: awgn / sionna AWGN",
            lambda: _deliver(AWGN(), symbols, generator),
            lambda: noise(same, variance),
            bar=2.0,
        ),
        speed_ratio(
            "channels: slow rayleigh / sionna FlatFadingChannel",
            lambda: _deliver(Rayleigh(), symbols, generator),
            lambda: apply(same.unsqueeze(-1), draw(REALIZATIONS).unsqueeze(1), variance),
            bar=2.0,
        ),
    ]


def _memory(name: str, channel: Channel) -> Ratio:
    """Peak memory that sending takes, state and samples included, over the size of the symbols, which all differ."""
    peak = in_fresh_process(_peak_bytes, channel)
    value = peak / (REALIZATIONS * SYMBOLS * torch.complex64.itemsize)
    return Ratio(f"channels: {name}, memory / symbols", value, value, value, 3.0, "at most")


def _peak_bytes(channel: Channel) -> int:
    symbols = torch.empty((REALIZATIONS, SYMBOLS), dtype=torch.complex64)
    for row in symbols:
        row.copy_(_symbols()[0])
    before = resident_bytes()
    _deliver(channel, symbols, Generator().manual_seed(1))
    return most_resident_bytes() - before
