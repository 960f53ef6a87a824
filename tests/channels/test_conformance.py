"""Conformance passes every shipped channel and catches every fault of today's toolkits."""

import math
import random
from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from channels import AWGN, Channel, ChannelState, Nakagami, Rayleigh, Received, Rician
from channels.base import noise_variance
from channels.checks import check_power
from channels.conformance import ConformanceError, check
from channels.impairments import (
    BurstyInterference,
    Erasures,
    Impairment,
    ImperfectKnowledge,
    PhaseNoise,
    PowerAmplifier,
    Quantiser,
)
from channels.noise import complex_normal

SHIPPED = [
    AWGN(),
    Rayleigh(),
    Rayleigh(coherence=1),
    Rayleigh(coherence=10, receive_antennas=3),
    Rayleigh(doppler=0.01),
    Rician(4.0),
    Rician(1.0, doppler=0.02),
    Nakagami(0.5),
    Nakagami(3.0, coherence=5),
    PowerAmplifier(Rayleigh(), back_off_db=0.0),
    PowerAmplifier(AWGN(), back_off_db=3.0, smoothness=math.inf),
    PhaseNoise(Rayleigh(), linewidth=1e-3, frequency_offset=1e-3, tracking_interval=20),
    Quantiser(AWGN(), bits=1),
    Quantiser(Rayleigh(coherence=8), bits=3),
    ImperfectKnowledge(Rayleigh(coherence=8), error_variance=0.1),
    BurstyInterference(Rayleigh(receive_antennas=2), burst_fraction=0.3, burst_length=10.0),
    Erasures(AWGN(), probability=0.2),
    Erasures(Rayleigh(), probability=0.5, block=None),
    Quantiser(PhaseNoise(PowerAmplifier(Erasures(BurstyInterference(Rayleigh()))))),
]


@pytest.mark.parametrize("channel", SHIPPED, ids=str)
def test_shipped_channels_keep_the_contract(channel):
    check(channel)


class Flat(Channel):
    """A slow Rayleigh channel that keeps the contract; the broken ones change one thing."""

    def realize(self, realizations, n, snr_db, generator):
        return ChannelState(
            complex_normal((realizations, 1), generator), noise_variance(snr_db, realizations, generator)
        )


class SNRFromFadedPower(Flat):
    def realize(self, realizations, n, snr_db, generator):
        state = super().realize(realizations, n, snr_db, generator)
        return replace(state, noise_variance=state.noise_variance * state.gain.abs().square())


class SNRFromFadedPowerInSecret(Flat):
    def transmit(self, symbols, state, generator):
        faded = replace(state, noise_variance=state.noise_variance * state.gain.abs().square())
        return replace(super().transmit(symbols, faded, generator), noise_variance=state.noise_variance)


class PowerOfTheBatch(Flat):
    """Scales by the power of the batch, as if that were the power of each delivery."""

    def transmit(self, symbols, state, generator):
        return super().transmit(symbols / symbols.abs().square().mean().sqrt().clamp(min=1e-9), state, generator)


class NoiseFromPowerOfTheBatch(Flat):
    def transmit(self, symbols, state, generator):
        received = super().transmit(symbols, state, generator)
        noise = received.samples - state.gain * symbols
        power = symbols.abs().square().mean() if symbols.numel() else 0.0
        return replace(received, samples=state.gain * symbols + noise * power**0.5)


class RealGain(Flat):
    def realize(self, realizations, n, snr_db, generator):
        gain = torch.randn((realizations, 1), generator=generator).to(torch.complex64)
        return ChannelState(gain, noise_variance(snr_db, realizations, generator))


class DoubledGain(Flat):
    def realize(self, realizations, n, snr_db, generator):
        state = super().realize(realizations, n, snr_db, generator)
        return replace(state, gain=state.gain * math.sqrt(2))


class NoisePerRealPart(Flat):
    def transmit(self, symbols, state, generator):
        doubled = replace(state, noise_variance=2 * state.noise_variance)
        return replace(super().transmit(symbols, doubled, generator), noise_variance=state.noise_variance)


class HalfTheNoise(Flat):
    def realize(self, realizations, n, snr_db, generator):
        state = super().realize(realizations, n, snr_db, generator)
        return replace(state, noise_variance=state.noise_variance / 2)


class OneGainForAll(Flat):
    def realize(self, realizations, n, snr_db, generator):
        gain = complex_normal((1, 1), generator).expand(realizations, 1)
        return ChannelState(gain, noise_variance(snr_db, realizations, generator))


class OneNoiseForAll(Flat):
    def transmit(self, symbols, state, generator):
        check_power(symbols)
        noise = complex_normal((1, symbols.shape[-1]), generator) * state.noise_variance.sqrt()
        return Received(state.gain * symbols + noise, state.gain, state.noise_variance)


class GlobalTorch(Flat):
    def realize(self, realizations, n, snr_db, generator):
        gain = torch.randn((realizations, 1), dtype=torch.complex64)
        return ChannelState(gain, noise_variance(snr_db, realizations, generator))


class GlobalNumpy(Flat):
    def realize(self, realizations, n, snr_db, generator):
        np.random.rand()  # noqa: NPY002
        return super().realize(realizations, n, snr_db, generator)


class GlobalRandom(Flat):
    def realize(self, realizations, n, snr_db, generator):
        state = super().realize(realizations, n, snr_db, generator)
        return replace(state, gain=state.gain * np.exp(1j * random.random()))


class FreshGenerator(Flat):
    def realize(self, realizations, n, snr_db, generator):
        entropy = np.random.default_rng().integers(2**31)
        return super().realize(realizations, n, snr_db, torch.Generator().manual_seed(int(entropy)))


class GainNotGiven(Flat):
    def transmit(self, symbols, state, generator):
        received = super().transmit(symbols, state, generator)
        return replace(received, gain=torch.ones_like(received.gain))


class SwallowsArguments(Flat):
    def __init__(self, coherence=None, **options):
        self.coherence = coherence


class NoGradient(Flat):
    def transmit(self, symbols, state, generator):
        return super().transmit(symbols.detach(), state, generator)


class OneSNRForAll(Flat):
    def realize(self, realizations, n, snr_db, generator):
        variance = torch.full((realizations, 1), 10 ** (-float(torch.as_tensor(snr_db).mean()) / 10))
        return ChannelState(complex_normal((realizations, 1), generator), variance)


class DoublePrecision(Flat):
    def realize(self, realizations, n, snr_db, generator):
        state = super().realize(realizations, n, snr_db, generator)
        return ChannelState(state.gain.to(torch.complex128), state.noise_variance)


class FallsOverOneSymbol(Flat):
    def transmit(self, symbols, state, generator):
        if symbols.shape[-1] == 1:
            raise IndexError("no neighbour")
        return super().transmit(symbols, state, generator)


class FreePilots(Flat):
    def symbols(self, channel_uses):
        return channel_uses + 1


class NoiseOnOneAxis(Flat):
    def transmit(self, symbols, state, generator):
        received = super().transmit(symbols, state, generator)
        clean = state.gain * symbols
        noise = math.sqrt(2) * (received.samples - clean).real
        return replace(received, samples=clean + noise)


class NoiseOfTheDeliverysPower(Flat):
    def transmit(self, symbols, state, generator):
        received = super().transmit(symbols, state, generator)
        clean = state.gain * symbols
        level = symbols.abs().square().mean(-1, keepdim=True).sqrt()
        return replace(received, samples=clean + level * (received.samples - clean))


class AnotherGain(Flat):
    def transmit(self, symbols, state, generator):
        other = complex_normal(tuple(state.gain.shape), generator)
        return super().transmit(symbols, ChannelState(other, state.noise_variance), generator)


class HalvesOfSymbols(Flat):
    def symbols(self, channel_uses):
        return channel_uses / 1


class SilentDistortion(Impairment):
    """A wrapper that distorts and does not tell the receiver."""

    def transmit(self, symbols, state, generator):
        return self.channel.transmit(symbols * symbols.abs().clamp(max=0.5), state, generator)


@dataclass(frozen=True)
class Denoiser(Impairment):
    """A wrapper whose channel has less noise than the one that it wraps."""

    def realize(self, realizations, n, snr_db, generator):
        state = self.channel.realize(realizations, n, snr_db, generator)
        return replace(state, noise_variance=state.noise_variance / 4)


FAULTS = [
    (NoiseOnOneAxis(), "noise has a preferred phase"),
    (NoiseOfTheDeliverysPower(), "noise of deliveries at power 0.25 is 0.25 times that of the state"),
    (AnotherGain(), "samples do not follow the state's gain"),
    (HalvesOfSymbols(), "both must be whole numbers"),
    (SNRFromFadedPower(), "no delivery is ever in outage"),
    (SNRFromFadedPowerInSecret(), "no delivery is ever in outage"),
    (PowerOfTheBatch(), "power is measured over the whole batch"),
    (NoiseFromPowerOfTheBatch(), "times what the receiver is told"),
    (RealGain(), "real and of both signs"),
    (DoubledGain(), r"E\|h\|\^2 is 2"),
    (NoisePerRealPart(), "is it per real part"),
    (HalfTheNoise(), r"that of 3\.01 dB"),
    (OneGainForAll(), "one gain is shared"),
    (OneNoiseForAll(), "noise of neighbouring realizations is correlated"),
    (GlobalTorch(), "a global generator"),
    (GlobalNumpy(), "a global generator"),
    (GlobalRandom(), "give other results"),
    (FreshGenerator(), "give other results"),
    (GainNotGiven(), "must be given the gain"),
    (SwallowsArguments(coherance=3), r"SwallowsArguments.__init__ takes \*\*options"),
    (NoGradient(), "no gradient"),
    (OneSNRForAll(), "tensor, one number a realization, is not followed"),
    (DoublePrecision(), r"gain of torch\.complex128"),
    (FallsOverOneSymbol(), "sending failed with IndexError: no neighbour"),
    (FreePilots(), r"uses\(symbols\(1\)\) is 2"),
    (SilentDistortion(AWGN()), "times gain x symbols"),
    (Denoiser(Rayleigh()), "less noise than the channel that it wraps"),
]


def test_the_channel_that_the_broken_ones_change_is_sound():
    check(Flat())


@pytest.mark.parametrize(("channel", "line"), FAULTS, ids=lambda value: type(value).__name__)
def test_broken_channels_are_caught(channel, line):
    with pytest.raises(ConformanceError, match=line) as caught:
        check(channel)
    assert all("\n" not in fault for fault in caught.value.faults)
    # A fault is told, not everything else too.
    assert len(caught.value.faults) <= 4


def test_real_magnitudes_are_gains():
    """A receiver that has turned the phase back."""

    class Magnitude(Flat):
        def realize(self, realizations, n, snr_db, generator):
            state = super().realize(realizations, n, snr_db, generator)
            return replace(state, gain=state.gain.abs().to(torch.complex64))

    check(Magnitude())


class Careless(Flat):
    """Checks nothing, and fails at a delivery without symbols."""

    def realize(self, realizations, n, snr_db, generator):
        variance = torch.full((realizations, 1), 10 ** (-float(snr_db) / 10))
        return ChannelState(complex_normal((realizations, 1), generator), variance / (n > 0))

    def transmit(self, symbols, state, generator):
        noise = complex_normal((len(state.gain), symbols.shape[-1]), generator) * state.noise_variance.sqrt()
        assert symbols.shape[-1] > 0
        return Received(state.gain * symbols + noise, state.gain, state.noise_variance)


@pytest.mark.parametrize(
    ("realizations", "snr_db", "message"),
    [
        (2, math.nan, "snr_db must be a number of dB between"),
        (2, -math.inf, "snr_db must be a number of dB between"),
        (2, 301.0, "snr_db must be a number of dB between"),
        (2, [0.0, 5.0], "or a tensor of one a realization, got \\[0.0, 5.0\\]"),
        (2, "5", "or a tensor of one a realization, got '5'"),
        (2, torch.zeros(3), "one for each of 2 realizations"),
        (2, torch.tensor([0.0, math.nan]), "snr_db must be a number of dB between"),
        (-1, 0.0, "realizations must be"),
        (1.5, 0.0, "realizations must be"),
    ],
)
def test_the_framework_refuses_before_a_channel_is_asked(unchecked, realizations, snr_db, message):
    with pytest.raises(ValueError, match=message) as caught:
        Careless().realize(realizations, 5, snr_db, torch.Generator())
    assert "\n" not in str(caught.value)


def test_the_framework_checks_what_is_sent():
    """Power of each delivery, symbols that the state is not drawn for; and no symbols are no business of a channel."""
    generator = torch.Generator().manual_seed(0)
    state = Careless().realize(4, 0, 10.0, generator)
    assert Careless().transmit(torch.zeros(1, 0) + 0j, state, generator).samples.shape == (4, 0)
    loud = torch.ones(4, 100) * torch.tensor([2**0.5, 0.1, 0.1, 0.1]).unsqueeze(-1) + 0j
    with pytest.raises(ValueError, match="mean power of a delivery must be at most 1"):
        Careless().transmit(loud, state, generator)
    with pytest.raises(ValueError, match="symbols must have 1 row or 4"):
        Careless().transmit(torch.zeros(3, 5) + 0j, state, generator)


def test_too_small_a_check_is_refused():
    with pytest.raises(ValueError, match="at least 100"):
        check(AWGN(), realizations=10)
    with pytest.raises(ValueError, match="lengths must be at least 1 symbol, got 0"):
        check(AWGN(), lengths=[64, 0])
    with pytest.raises(ValueError, match="snr_db must be a number"):
        check(AWGN(), snr_db=[math.nan])
