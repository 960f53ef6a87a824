"""Flat fading against its distributions, its autocorrelation and its outage."""

import math

import pytest
import torch
from scipy import special, stats

from channels import Nakagami, Rayleigh, Rician
from channels.doppler import jakes_process

FAMILIES = {
    "rayleigh": (Rayleigh, {}, stats.expon()),
    "rician": (Rician, {"k_factor": 4.0}, stats.ncx2(2, 8.0, scale=1 / 10)),
    "nakagami 0.5": (Nakagami, {"m": 0.5}, stats.gamma(0.5, scale=2.0)),
    "nakagami 2.5": (Nakagami, {"m": 2.5}, stats.gamma(2.5, scale=1 / 2.5)),
}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("duration", [{}, {"coherence": 1}, {"coherence": 7}, {"doppler": 0.01}])
@pytest.mark.parametrize("family", FAMILIES)
def test_gain_has_its_distribution(family, duration):
    """Kolmogorov-Smirnov on |h|^2, and a uniform phase; P(D > 1.95 / sqrt(n)) is one in a thousand."""
    cls, arguments, law = FAMILIES[family]
    n = 40_000
    gain = cls(**arguments, **duration).realize(n, 30, 0.0, seeded(1)).gain[:, -1].to(torch.complex128)
    assert stats.kstest(gain.abs().square().numpy(), law.cdf).statistic < 1.95 / math.sqrt(n)
    phase = (gain.angle() / (2 * math.pi)) % 1.0
    assert stats.kstest(phase.numpy(), stats.uniform().cdf).statistic < 1.95 / math.sqrt(n)


@pytest.mark.parametrize("family", FAMILIES)
def test_deep_fades_are_as_rare_as_they_should_be(family):
    """P(|h|^2 < 0.001), which outage at high SNR lives on."""
    cls, arguments, law = FAMILIES[family]
    n = 2_000_000
    deep = (cls(**arguments, coherence=1).realize(1, n, 0.0, seeded(2)).gain.abs().square() < 1e-3).double().mean()
    expected = law.cdf(1e-3)
    assert abs(float(deep) - expected) < 4 * math.sqrt(expected / n) + 2 / n


@pytest.mark.parametrize("family", FAMILIES)
def test_gain_lasts_as_long_as_its_coherence(family):
    cls, arguments, _ = FAMILIES[family]
    assert cls(**arguments).realize(3, 20, 0.0, seeded(0)).gain.shape == (3, 1)
    gain = cls(**arguments, coherence=6).realize(3, 20, 0.0, seeded(0)).gain
    assert gain.shape == (3, 20)
    assert torch.equal(gain[:, :18].unflatten(-1, (3, 6)), gain[:, :18:6].unsqueeze(-1).expand(3, 3, 6))
    assert (gain[:, 5] != gain[:, 6]).all()


@pytest.mark.parametrize(("n", "doppler"), [(64, 0.05), (512, 0.01), (3000, 0.1)])
def test_autocorrelation_of_a_moving_receiver_is_bessel(n, doppler):
    """E h(t) h*(t + tau) = J0(2 pi fd tau); a product of two unit Gaussians has a variance of at most 2."""
    k = 2000
    gain = jakes_process(k, n, doppler, seeded(3))
    lags = torch.unique(torch.linspace(0, n - 1, 40).long())
    measured = (gain[:, :1].conj() * gain[:, lags]).mean(0)
    expected = special.j0(2 * math.pi * doppler * lags.double().numpy())
    tolerance = 4 * math.sqrt(2 / k) + 0.005
    assert float((measured.real.double() - torch.from_numpy(expected)).abs().max()) < tolerance
    assert float(measured.imag.abs().max()) < tolerance


def test_autocorrelation_within_one_long_delivery_is_bessel():
    """Averaged over time too, short lags are known well: 64 x 4000 wavelengths."""
    doppler, lags = 0.02, torch.arange(0, 100, 7)
    gain = jakes_process(64, 20_000, doppler, seeded(4))
    measured = torch.stack([(gain[:, :-100].conj() * gain[:, lag : lag + 19_900]).mean() for lag in lags.tolist()])
    expected = torch.from_numpy(special.j0(2 * math.pi * doppler * lags.double().numpy()))
    # Samples half a wavelength apart are nearly independent: 64 x 20000 x 2 x 0.02 of them.
    assert float((measured.real - expected).abs().max()) < 4 / math.sqrt(64 * 800) + 0.005


def test_line_of_sight_turns_with_the_receiver():
    """Over angles of arrival, the line of sight has the autocorrelation J0 too."""
    k, doppler = 20_000, 0.05
    gain = Rician(9.0, doppler=doppler).realize(k, 20, 0.0, seeded(5)).gain
    measured = (gain[:, 0].conj() * gain[:, 13]).real.mean()
    assert abs(float(measured) - special.j0(2 * math.pi * doppler * 13)) < 4 * math.sqrt(2 / k)


@pytest.mark.parametrize(("antennas", "snr_db"), [(1, 10.0), (1, 20.0), (2, 8.0), (4, 3.0)])
def test_outage_has_the_diversity_of_its_antennas(antennas, snr_db):
    """P(log2(1 + sum |h_i|^2 snr) < R) is the distribution function of a Gamma law of shape N."""
    k, rate = 400_000, 1.0
    state = Rayleigh(receive_antennas=antennas).realize(k, 1, snr_db, seeded(6))
    outage = float((torch.log2(1 + state.gain.abs() ** 2 / state.noise_variance) < rate).double().mean())
    expected = special.gammainc(antennas, (2**rate - 1) / 10 ** (snr_db / 10))
    assert abs(outage - expected) < 4 * math.sqrt(expected / k)
    if antennas == 1:
        assert expected == pytest.approx(1 - math.exp(-(2**rate - 1) / 10 ** (snr_db / 10)))


def test_diversity_order_is_the_number_of_antennas():
    """10 dB more SNR divide the outage by about 10^N."""
    for antennas in (1, 2):
        channel = Rayleigh(receive_antennas=antennas)
        outage = []
        for snr_db in (10.0, 20.0):
            state = channel.realize(4_000_000, 1, snr_db, seeded(7))
            outage.append(float((state.gain.abs() ** 2 < state.noise_variance).double().mean()))
        assert math.log10(outage[0] / outage[1]) == pytest.approx(antennas, abs=0.15)


@pytest.mark.parametrize("antennas", [1, 3])
def test_combining_keeps_unit_gain_and_divides_the_noise(antennas):
    """The received SNR is the sum over antennas: noise of the combined sample is that of one antenna over N."""
    k, n = 20_000, 4
    channel = Rayleigh(receive_antennas=antennas)
    state = channel.realize(k, n, 0.0, seeded(8))
    assert channel.array_gain == antennas
    assert abs(float(state.gain.abs().square().mean()) - 1) < 4 / math.sqrt(k * antennas)
    x = torch.ones((1, n), dtype=torch.complex64)
    noise = channel.transmit(x, state, seeded(9)).samples - state.gain * x
    assert abs(float(noise.abs().square().mean()) * antennas - 1) < 4 / math.sqrt(k * n)


def test_combining_by_hand_gives_the_same_law():
    """h_i and noise of every antenna drawn and combined by hand: sum h_i* y_i / sqrt(N sum |h_i|^2)."""
    k, antennas, variance = 50_000, 3, 0.5
    h = torch.randn((k, antennas), dtype=torch.complex64, generator=seeded(10))
    y = h + math.sqrt(variance) * torch.randn((k, antennas), dtype=torch.complex64, generator=seeded(11))
    by_hand = (h.conj() * y).sum(-1) / (antennas * h.abs().square().sum(-1)).sqrt()
    channel = Rayleigh(receive_antennas=antennas)
    state = channel.realize(k, 1, -10 * math.log10(variance), seeded(12))
    samples = channel.transmit(torch.ones((1, 1), dtype=torch.complex64), state, seeded(13)).samples[:, 0]
    for part in ("real", "imag"):
        found = stats.ks_2samp(getattr(by_hand, part).numpy(), getattr(samples, part).numpy())
        assert found.statistic < 1.95 * math.sqrt(2 / k)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Rayleigh(coherence=0), "coherence must be at least 1"),
        (lambda: Rayleigh(doppler=0.5), "doppler must be"),
        (lambda: Rayleigh(doppler=-0.1), "doppler must be"),
        (lambda: Rayleigh(doppler=0.1, coherence=5), "not both"),
        (lambda: Rayleigh(receive_antennas=0), "receive_antennas"),
        (lambda: Rician(-1.0), "k_factor must be a finite number, 0 or more"),
        (lambda: Rician(math.nan), "k_factor"),
        (lambda: Nakagami(0.4), "m must be a finite number, at least 0.5"),
        (lambda: Nakagami(math.nan), "m must be"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize("duration", [{}, {"coherence": 1}, {"coherence": 4}, {"doppler": 0.01}, {"doppler": 0.0}])
@pytest.mark.parametrize("n", [0, 1, 3])
def test_any_number_of_symbols(n, duration):
    for channel in (Rayleigh(**duration), Rician(2.0, **duration), Nakagami(2.0, **duration, receive_antennas=2)):
        state = channel.realize(2, n, 0.0, seeded(0))
        x = torch.ones((1, n), dtype=torch.complex64)
        assert channel.transmit(x, state, seeded(0)).samples.shape == (2, n)
