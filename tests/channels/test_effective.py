"""What effective promises is what transmit has: gain, noise and the information that they carry."""

import math
from dataclasses import dataclass

import pytest
import torch

from channels import AWGN, OFDM, Channel, ChannelState, Multicast, Nakagami, Rayleigh, Received, Rician
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
from channels.wrapper import Wrapper

N = 2000

HARDWARE = [
    PowerAmplifier(AWGN(), back_off_db=-3.0),
    PowerAmplifier(Rayleigh(), back_off_db=0.0, smoothness=math.inf),
    PowerAmplifier(OFDM("TDL-A", estimator="perfect", subcarriers=60), back_off_db=0.0),
    PhaseNoise(AWGN(), linewidth=1e-3, tracking_interval=50),
    PhaseNoise(Rayleigh(), linewidth=1e-5, frequency_offset=1e-4, tracking_interval=None),
    PhaseNoise(OFDM("TDL-A", estimator="perfect", subcarriers=60), linewidth=1e-4, tracking_interval=200),
    Quantiser(AWGN(), bits=1),
    Quantiser(Rayleigh(coherence=8), bits=3),
    Quantiser(OFDM("TDL-A", estimator="perfect", subcarriers=60), bits=2),
    BurstyInterference(Rayleigh(receive_antennas=2), burst_fraction=0.3, burst_length=10.0, interference_db=5.0),
    Erasures(AWGN(), probability=0.3),
    Erasures(Rayleigh(), probability=0.3, block=500),
]
ESTIMATORS = [
    ImperfectKnowledge(Rayleigh(), error_variance=0.2),
    ImperfectKnowledge(Rician(3.0, coherence=8), error_variance=0.05),
    OFDM("TDL-A", estimator="ls", speed=3.0, subcarriers=60),
    OFDM("TDL-A", estimator="lmmse", speed=3.0, subcarriers=60),
    OFDM("CDL-C", delay_spread=300e-9, estimator="ls", speed=40.0, subcarriers=120),
    OFDM("TDL-D", delay_spread=300e-9, estimator="lmmse", speed=60.0, subcarriers=120, subcarrier_spacing=15e3),
]
STACKED = [
    Quantiser(PhaseNoise(PowerAmplifier(Erasures(BurstyInterference(Rayleigh()))))),
    ImperfectKnowledge(PowerAmplifier(Rayleigh(), back_off_db=-3.0), error_variance=0.1),
    PowerAmplifier(ImperfectKnowledge(Rayleigh(), error_variance=0.1), back_off_db=-3.0),
    Quantiser(PowerAmplifier(OFDM("TDL-A", estimator="ls", subcarriers=60), back_off_db=0.0), bits=3),
    BurstyInterference(PhaseNoise(OFDM("TDL-A", estimator="lmmse", subcarriers=60), linewidth=1e-4)),
    Multicast(PowerAmplifier(Rayleigh(), back_off_db=0.0), receivers=3, offsets_db=(0.0, 5.0, -5.0)),
]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@dataclass
class Trial:
    """Gaussian symbols through a channel, and what effective promises of the same state."""

    channel: Channel
    snr_db: float

    def __post_init__(self):
        count = 300 // self.channel.receivers
        self.state = self.channel.realize(count, N, self.snr_db, seeded(0))
        self.rows = len(self.state.gain)
        symbols = complex_normal((self.rows, N), seeded(1))
        self.symbols = symbols / symbols.abs().square().mean(-1, keepdim=True).sqrt() * (1 - 1e-6)
        self.received = self.channel.transmit(self.symbols, self.state, seeded(2))
        self.promised = self.channel.effective(self.state, seeded(3))
        self.expected = self.received.gain * self.symbols
        if "'ls'" in str(self.channel):  # whose statistics a receiver may know, to scale them to the samples
            scaled = (self.received.samples * self.expected.conj()).sum() / self.expected.abs().square().sum()
            self.expected *= scaled
        self.residual = self.received.samples - self.expected

    def agree(self, suffered: torch.Tensor, promised: torch.Tensor, slack: float) -> bool:
        """Means over symbols agree on average over realizations: within 5 standard errors and a slack of the mean."""
        suffered, promised = (x.expand(-1, N).mean(-1).double() for x in (suffered, promised))
        error = 5 * float((suffered - promised).std()) / math.sqrt(self.rows)
        return abs(float((suffered - promised).mean())) < error + slack * float(suffered.mean())


def slack(channel: Channel) -> float:
    """1 % for what 2,000 symbols say of a distortion, and 10 % where one number stands for many.

    A quantiser has one split for all time samples of OFDM; the test scales all least-squares estimates alike, where
    each resource element has a scale of its own.
    """
    name = str(channel)
    return 0.1 if ("Quantiser" in name and "OFDM" in name) or "'ls'" in name else 0.01


@pytest.mark.parametrize("snr_db", [-3.0, 10.0, 25.0])
@pytest.mark.parametrize("channel", HARDWARE + ESTIMATORS + STACKED, ids=str)
def test_gain_noise_and_information_are_those_of_samples(channel: Channel, snr_db: float):
    """Mean |g|^2, mean noise and mean log2(1 + |g|^2 / noise).

    Information with noise as each symbol is told, in all as suffered where estimates are scaled.
    """
    trial = Trial(channel, snr_db)
    signal, noise = trial.expected.abs().square(), trial.residual.abs().square()
    assert trial.agree(noise, trial.promised.noise_variance, slack(channel))
    assert trial.agree(signal, trial.promised.gain.abs().square(), slack(channel))
    told = trial.received.noise_variance.expand(-1, N)
    told = told * (noise.mean() / told.mean()) if "'ls'" in str(channel) else told
    suffered = torch.log2(1 + signal.div(trial.symbols.abs().square()).double() / told)
    promised = torch.log2(1 + trial.promised.gain.abs().square().double() / trial.promised.noise_variance)
    assert trial.agree(suffered, promised, max(slack(channel) / 2, 0.02))


@pytest.mark.parametrize("snr_db", [0.0, 10.0, 20.0])
@pytest.mark.parametrize(
    "channel",
    [
        Quantiser(Rayleigh(coherence=8), bits=1),
        Quantiser(Rayleigh(coherence=8), bits=3),
        Quantiser(Erasures(Rayleigh(coherence=500)), bits=3),
        PowerAmplifier(OFDM("TDL-A", estimator="lmmse", subcarriers=60), back_off_db=0.0),
        PowerAmplifier(OFDM("TDL-A", estimator="ls", subcarriers=60), back_off_db=0.0),
    ],
    ids=str,
)
def test_a_receiver_is_told_the_noise_that_it_suffers(channel: Channel, snr_db: float):
    """E|y - g x|^2 within 1.5 %, where gains change within a delivery and where an amplifier takes power away."""
    trial = Trial(channel, snr_db)
    suffered = (trial.received.samples - trial.received.gain * trial.symbols).abs().square()
    assert float(suffered.mean()) == pytest.approx(float(trial.received.noise_variance.mean()), rel=0.015)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_a_quantiser_of_gaussian_samples_has_its_closed_form(bits: int):
    """1 bit: gain sqrt(2 / pi) of unit power times step / 2; distortion: power of levels less that of the gain."""
    channel = Quantiser(AWGN(), bits=bits)
    state = channel.realize(1, 1, 3.0, seeded(0))
    promised = channel.effective(state, seeded(1))
    power = 1 + 10**-0.3
    values = complex_normal((1, 400_000), seeded(2))
    levels = channel.quantise(values)
    gain = complex((levels * values.conj()).mean())
    distortion = float((levels - gain * values).abs().square().mean()) * power
    torch.testing.assert_close(promised.gain, torch.full((1, 1), gain), atol=0.02, rtol=0)
    expected = abs(gain) ** 2 * 10**-0.3 + distortion
    assert float(promised.noise_variance) == pytest.approx(expected, rel=0.04)


def test_an_amplifier_without_back_off_has_its_closed_form():
    r"""Clipping at A = 1 of Gaussian symbols: a = 1 - e^{-1} + sqrt(pi) / 2 erfc(1), sent power 1 - e^{-1}."""
    channel = PowerAmplifier(AWGN(), back_off_db=0.0, smoothness=math.inf)
    state = channel.realize(1, 1, 20.0, seeded(0))
    promised = channel.effective(state, seeded(1))
    gain = 1 - math.exp(-1) + math.sqrt(math.pi) / 2 * math.erfc(1)
    assert abs(complex(promised.gain)) == pytest.approx(gain, rel=0.01)
    expected = 0.01 + 1 - math.exp(-1) - gain**2
    assert float(promised.noise_variance) == pytest.approx(expected, rel=0.05)


def test_constant_amplitude_passes_an_amplifier_undistorted():
    """A probe of the link's own symbols: QPSK without a waveform loses power and nothing else."""
    channel = PowerAmplifier(AWGN(), back_off_db=0.0)
    state = channel.realize(1, 400, 20.0, seeded(0))
    corners = torch.polar(torch.ones(1, 400), math.pi / 4 + math.pi / 2 * torch.arange(400).unsqueeze(0))
    promised = channel.effective(state, seeded(1), corners)
    assert float(promised.noise_variance) == pytest.approx(0.01, rel=1e-4)
    assert abs(complex(promised.gain)) == pytest.approx(2**-0.25, rel=1e-4)


@pytest.mark.parametrize("channel", [AWGN(), Rayleigh(), Nakagami(2.0), Rician(1.0, coherence=7)], ids=str)
def test_without_impairments_it_is_the_state_itself(channel: Channel):
    state = channel.realize(3, 50, 10.0, seeded(0))
    assert channel.effective(state, seeded(1)) is state


def test_known_bursts_and_erasures_stay_at_their_symbols():
    bursty = BurstyInterference(Rayleigh(), burst_fraction=0.3, burst_length=4.0)
    state = bursty.realize(5, 100, 10.0, seeded(0))
    received = bursty.transmit(torch.ones(1, 100) + 0j, state, seeded(1))
    torch.testing.assert_close(bursty.effective(state, seeded(2)).noise_variance, received.noise_variance)
    erased = Erasures(Rayleigh(), probability=0.3, block=4)
    state = erased.realize(5, 100, 10.0, seeded(0))
    torch.testing.assert_close(erased.effective(state, seeded(2)).gain, state.gain)


def test_a_probe_of_fewer_symbols_means_the_first_columns():
    for channel in [*HARDWARE, *ESTIMATORS, *STACKED]:
        state = channel.realize(2, 600, 10.0, seeded(0))
        part = channel.effective(state, seeded(1), complex_normal((1, 300), seeded(2)) * 0.9)
        assert {part.gain.shape[-1], part.noise_variance.shape[-1]} <= {1, 300}


def test_a_channel_that_only_transmits_is_measured():
    """One's own: a receiver that hears half of the noise twice, and a wrapper that turns every symbol."""

    class Louder(AWGN):
        def transmit(self, symbols: torch.Tensor, state: ChannelState, generator: torch.Generator) -> Received:
            received = super().transmit(symbols, state, generator)
            extra = complex_normal(tuple(received.samples.shape), generator)
            return Received(received.samples + extra, received.gain, received.noise_variance + 1)

    class Turned(Impairment):
        def transmit(self, symbols: torch.Tensor, state: ChannelState, generator: torch.Generator) -> Received:
            received = self.channel.transmit(1j * symbols, state, generator)
            return Received(received.samples, 1j * received.gain, received.noise_variance)

    channel = Turned(Louder())
    check(channel, lengths=[100], snr_db=[0.0])
    promised = channel.effective(channel.realize(2, 50, 10.0, seeded(0)), seeded(1))
    torch.testing.assert_close(promised.noise_variance, torch.full((2, 1), 1.1))
    torch.testing.assert_close(promised.gain, torch.full((2, 1), 1j))


def test_a_wrapper_passes_everything_on():
    """Pilots and estimates of the wrapped channel too, where it changes nothing but the state."""
    inner = OFDM("TDL-A", estimator="ls", subcarriers=60)
    outer, state = Wrapper(inner), inner.realize(2, 100, 5.0, seeded(0))
    symbols = torch.ones(1, 100) + 0j
    one, two = (c.transmit(symbols, state, seeded(1)) for c in (inner, outer))
    assert torch.equal(one.gain, two.gain)
    one, two = (c.effective(state, seeded(1)) for c in (inner, outer))
    assert torch.equal(one.gain, two.gain)


def test_a_promise_that_transmit_does_not_keep_is_caught():
    class Optimist(PowerAmplifier):
        def effective(
            self, state: ChannelState, generator: torch.Generator, probe: torch.Tensor | None = None
        ) -> ChannelState:
            return state

    with pytest.raises(ConformanceError, match=r"effective promises a mean noise of 0.0316, transmit has"):
        check(Optimist(Rayleigh(), back_off_db=-3.0))
