"""Conformance at the lengths and SNRs of a sweep: faults that are there only are caught."""

import math
from dataclasses import dataclass, replace

import pytest
import torch

from channels import Multicast, Rayleigh, Received
from channels.conformance import ConformanceError, check
from tests.channels.test_conformance import SHIPPED, Flat


class NoNoise(Flat):
    """Tells of noise that it does not add."""

    def transmit(self, symbols, state, generator):
        return Received(state.gain * symbols, state.gain, state.noise_variance)


class NoNoiseFrom(NoNoise):
    """Nothing is wrong but from an SNR or a length on."""

    def __init__(self, snr_db=-math.inf, length=0):
        self.snr_db, self.length = snr_db, length

    def transmit(self, symbols, state, generator):
        level = -10 * math.log10(max(float(state.noise_variance.mean()), 1e-30))
        if level > self.snr_db and symbols.shape[-1] >= self.length:
            return super().transmit(symbols, state, generator)
        return Flat.transmit(self, symbols, state, generator)


@dataclass(frozen=True)
class GainDoubled(Flat):
    """Amplitudes are doubled for long deliveries or at high SNR, in the state or in the samples, told or not."""

    length: int = 0
    snr_db: float = -math.inf
    where: str = "state"
    factor: float = 2.0

    def realize(self, realizations, n, snr_db, generator):
        state = super().realize(realizations, n, snr_db, generator)
        doubled = self.where == "state" and n >= self.length and float(torch.as_tensor(snr_db).max()) > self.snr_db
        return replace(state, gain=state.gain * self.factor) if doubled else state

    def transmit(self, symbols, state, generator):
        received = super().transmit(symbols, state, generator)
        level = -10 * math.log10(max(float(state.noise_variance.mean()), 1e-30))
        if self.where == "state" or symbols.shape[-1] < self.length or level <= self.snr_db:
            return received
        factor = self.factor
        if self.where == "samples":
            return replace(received, samples=received.samples * factor)
        if self.where == "secretly stronger":  # and told all that keeps the samples consistent
            noise = received.samples - state.gain * symbols
            return Received(factor * state.gain * symbols + noise, factor * state.gain, state.noise_variance)
        return Received(factor * received.samples, factor * received.gain, factor**2 * received.noise_variance)


@dataclass(frozen=True)
class WideGain(Flat):
    """One gain of each delivery, written out for every symbol; amplitudes doubled from a length on."""

    length: int

    def realize(self, realizations, n, snr_db, generator):
        state = super().realize(realizations, n, snr_db, generator)
        return replace(state, gain=state.gain.repeat(1, n) * (2 if n >= self.length else 1))


@dataclass(frozen=True)
class Off(Flat):
    """The noise is off by some decibels above an SNR."""

    by_db: float
    above: float = -math.inf

    def realize(self, realizations, n, snr_db, generator):
        snr = torch.as_tensor(snr_db, dtype=torch.float64)
        return super().realize(realizations, n, torch.where(snr > self.above, snr + self.by_db, snr), generator)


ONLY_THERE = [
    (NoNoise(), "noise of deliveries at power 1 is 0.00 times"),
    (NoNoiseFrom(15.0), "at 16384 symbols and 20 dB noise is 0.00 times"),
    (NoNoiseFrom(length=1000), "noise is 0.00 times"),
    (GainDoubled(length=10_000), "at 16384 symbols and -10 dB E.h..2 is [34]"),
    (GainDoubled(snr_db=30.0), "at 16384 symbols and 40 dB E.h..2 is [34]"),
    (GainDoubled(length=10_000, factor=0.5), "E.h..2 is 0.2"),
    (GainDoubled(length=10_000, where="samples"), "times what the receiver is told"),
    (GainDoubled(length=10_000, where="samples", snr_db=30.0), "samples are 2.00"),
    (GainDoubled(length=10_000, where="secretly stronger"), "samples have 0.2[45] times the noise of their state"),
    (WideGain(10_000), "E.h..2 is"),
    (Off(3.0), "that of 3.00 dB"),
    (Off(-3.0), "that of -3.00 dB"),
    (Off(3.0, above=30.0), "at 16384 symbols and 40 dB the state's noise variance is that of 43.00 dB"),
    (Off(-3.0, above=15.0), "at 16384 symbols and 20 dB the state's noise variance is that of 17.00 dB"),
]


@dataclass(frozen=True)
class Impulses(Flat):
    """Now and then a symbol suffers far more noise, of which the receiver knows; right on average, but for a factor."""

    share: float
    stronger_db: float
    times: float = 1.0

    def realize(self, realizations, n, snr_db, generator):
        state = super().realize(realizations, n, snr_db, generator)
        stronger = 10 ** (self.stronger_db / 10)
        struck = torch.rand(realizations, n, generator=generator) < self.share
        level = torch.where(struck, stronger, 1.0) / (1 + self.share * (stronger - 1))
        return replace(state, noise_variance=state.noise_variance * level * self.times)


@pytest.mark.parametrize(("share", "stronger_db"), [(0.05, 10.0), (0.05, 20.0), (0.01, 20.0)])
def test_rare_and_strong_noise_is_right_on_average(share, stronger_db):
    """The mean of decibels, which is 0.6 dB off, says nothing of it."""
    check(Impulses(share, stronger_db))
    for times, said in ((2.0, "that of -[23].[0-9]+ dB"), (0.5, "that of [23].[0-9]+ dB")):
        with pytest.raises(ConformanceError, match=said):
            check(Impulses(share, stronger_db, times))


@pytest.mark.parametrize(
    ("channel", "line"), ONLY_THERE, ids=lambda value: value if isinstance(value, str) else type(value).__name__
)
def test_faults_at_some_lengths_and_snrs_only_are_caught(channel, line):
    with pytest.raises(ConformanceError, match=line) as caught:
        check(channel)
    assert len(caught.value.faults) <= 4


def test_samples_and_what_is_told_of_them_may_be_scaled_alike():
    """A gain control: the SNR is what the state says."""
    check(GainDoubled(length=1000, where="gain control"))


def test_a_sweep_is_checked_where_it_works():
    """50,000 symbols, and 35 dB: where others see nothing."""
    long, loud = GainDoubled(length=50_000), GainDoubled(snr_db=33.0)
    check(long, lengths=[1000, 49_999], snr_db=[0.0, 35.0])
    check(loud, lengths=[1000, 60_000], snr_db=[0.0, 33.0])
    with pytest.raises(ConformanceError, match=r"at 50000 symbols and 0 dB E.h..2 is"):
        check(long, lengths=[1000, 50_000], snr_db=[0.0, 35.0])
    with pytest.raises(ConformanceError, match=r"at 1000 symbols and 35 dB E.h..2 is"):
        check(loud, lengths=[1000, 50_000], snr_db=[0.0, 35.0])


@pytest.mark.parametrize("channel", [*SHIPPED, Multicast(Rayleigh(), receivers=3)], ids=str)
def test_shipped_channels_keep_the_contract_at_any_length_and_snr(channel):
    check(channel, lengths=[1, 30_000], snr_db=[-40.0, 70.0, math.inf])
