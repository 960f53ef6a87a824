"""What `conformance.check` looks at where a sweep works: at one length of delivery and one SNR."""

import math
from collections.abc import Iterator

import torch
from jaxtyping import Complex
from scipy.special import stdtrit
from torch import Tensor

from channels.base import ChannelState, Received
from channels.examination import Bench, noise_level_faults

LONGEST = 2**18
"""Symbols of the longest delivery that is examined; longer ones are as this one."""

_SYMBOLS = 2**19  # sent at a point, which bounds the time
_FEWEST, _MOST = 16, 2000  # deliveries at a point
_HIGH_DB = 20.0  # from which on an estimate of the gain is good enough to be held against the truth
_ROUNDING = 1e-10  # power that single precision loses


def operating_point(bench: Bench, n: int, snr_db: float) -> Iterator[str]:
    """Gain, noise and the receiver's knowledge at one length and SNR, one line for each fault.

    Statistics are over at least 16 deliveries and 2^19 symbols, and bounds such that a sound channel is blamed once in
    a million times: a doubled gain or 3 dB of noise is found, 1 dB of slow fading is not.

    Args:
        bench: what is examined.
        n: symbols of a delivery, at least 1.
        snr_db: mean SNR in dB; may be infinite.
    """
    where, n = f"at {n} symbols and {snr_db:g} dB", min(n, LONGEST)
    count = max(_FEWEST, min(_MOST, _SYMBOLS // n) // bench.channel.receivers)
    state = bench.channel.realize(count, n, snr_db, bench.generator(11))
    rows = state.gain.shape[0]
    symbols = torch.randn((rows, n), dtype=torch.complex64, generator=bench.generator(12), device=bench.device)
    symbols /= symbols.abs().square().mean(-1, keepdim=True).sqrt() * (1 + 1e-6)
    received = bench.channel.transmit(symbols, state, bench.generator(13))
    everything = (state.gain, state.noise_variance, received.samples, received.gain, received.noise_variance)
    if not all(bool(values.isfinite().all()) for values in everything):
        yield f"{where} gains, noise variances or samples are not finite"
        return
    faults = [*_gain(bench, state, n, snr_db), *_level(bench, state, n, snr_db)]
    faults += [*_told(symbols, received, snr_db), *_suffered(bench, symbols, state, received)]
    yield from (f"{where} {fault}" for fault in faults)


def _gain(bench: Bench, state: ChannelState, n: int, snr_db: float) -> Iterator[str]:
    gain = state.gain
    if gain.shape[-1] == state.noise_variance.shape[-1] == 1:  # many of these cost little
        gain = bench.channel.realize(_MOST, n, snr_db, bench.generator(14)).gain
    power, expected = gain.abs().square().mean(-1).double(), bench.channel.mean_gain
    mean = float(power.mean())
    spread = float(power.std()) / mean * expected if mean > 0 else 0.0
    if abs(mean - expected) > 0.01 + _bound(len(power)) * spread:
        yield f"E|h|^2 is {mean:.3g}; expected mean_gain = {expected:g}"


def _level(bench: Bench, state: ChannelState, n: int, snr_db: float) -> Iterator[str]:
    variance = state.noise_variance.mean(-1).double()
    if bench.wrapped is not None:
        if bench.channel.receivers == 1:
            inner = bench.wrapped.realize(len(variance), n, snr_db, bench.generator(11)).noise_variance
            if float(variance.mean()) < 0.9 * float(inner.mean()):
                yield "the wrapper's state has less noise than the channel that it wraps"
        return
    # What disturbs without any noise, such as interference between carriers, is there at any SNR.
    floor = bench.channel.realize(_FEWEST, n, math.inf, bench.generator(15)).noise_variance.double().mean()
    expected = 10 ** (-snr_db / 10) / bench.channel.array_gain + float(floor)
    if expected == 0:
        return
    yield from noise_level_faults(variance, expected, snr_db, _bound(len(variance)))


def _told(symbols: Complex[Tensor, "rows n"], received: Received, snr_db: float) -> Iterator[str]:
    expected = received.gain * symbols
    suffered = (received.samples - expected).abs().square().mean(-1).double()
    told = float(received.noise_variance.mean())
    spread = _bound(len(suffered)) * float(suffered.std())
    if abs(float(suffered.mean()) - told) > 0.1 * told + spread + _ROUNDING:
        ratio = float(suffered.mean()) / told if told > 0 else math.inf
        yield f"noise is {ratio:.2f} times what the receiver is told"
    energy = float(expected.abs().square().sum())
    if snr_db < _HIGH_DB or energy == 0:
        return
    alike, energies = (received.samples * expected.conj()).sum(-1), expected.abs().square().sum(-1)
    slope = complex(alike.sum()) / energy
    # The error of an estimate is the same for all symbols of a delivery: by so much do deliveries differ.
    apart = float((alike - slope * energies).abs().square().sum().sqrt()) / energy
    chance = 6 * math.sqrt(told / energy) + _bound(len(alike)) * math.sqrt(len(alike)) * apart
    if abs(slope - 1) > 0.05 + chance:
        yield (
            f"samples are {slope.real:.2f}{slope.imag:+.2f}j times gain x symbols: the receiver must be given the gain "
            "of its samples"
        )


def _suffered(
    bench: Bench, symbols: Complex[Tensor, "rows n"], state: ChannelState, received: Received
) -> Iterator[str]:
    """Noise over gain of the samples themselves, whatever they are scaled by, against what the state promises."""
    sent = state.gain * symbols
    energy = float(sent.abs().square().sum())
    if bench.wrapped is not None or energy == 0:
        return
    scale = complex((received.samples * sent.conj()).sum()) / energy
    promised = float(state.noise_variance.mean())
    if promised == 0 or scale == 0:
        return
    noise = float((received.samples - scale * sent).abs().square().mean()) / abs(scale) ** 2
    count = received.samples.numel()
    chance = 6 * (1 + 2 * math.sqrt(promised * count / energy)) / math.sqrt(count)
    if noise < (0.9 - chance) * promised - _ROUNDING:
        yield f"samples have {noise / promised:.2f} times the noise of their state"


def _bound(count: int) -> float:
    """Standard deviations of one sample that the mean of `count` is off by once in a million times."""
    return float(stdtrit(count - 1, 1 - 5e-7)) / math.sqrt(count) if count > 1 else math.inf
