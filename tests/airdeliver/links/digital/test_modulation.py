"""QAM against Sionna's mapping, and uncoded bits against closed forms."""

import math

import pytest
import torch
from scipy.special import erfc

from airdeliver.links.digital.modulation import Modulation
from channels import AWGN, Rayleigh
from tests.later import Later

mapping = Later("sionna.phy.mapping")

ONE, ORDERS = torch.ones(1, 1, dtype=torch.complex64), (2, 4, 6, 8)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def gray_bit_error_rate(bits_per_symbol: int, tail) -> float:
    """Mean over the bits of one dimension of Gray-mapped square QAM; `tail(d)` is P(noise > d amplitudes).

    Source: K. Cho and D. Yoon, On the general BER expression of one- and two-dimensional amplitude modulations, IEEE
    Trans. Commun., 2002, equations 9 and 10.
    """
    side = 2 ** (bits_per_symbol // 2)
    total = 0.0
    for k in range(1, bits_per_symbol // 2 + 1):
        for i in range(int((1 - 2.0**-k) * side)):
            weight = (-1) ** (i * 2 ** (k - 1) // side) * (2 ** (k - 1) - math.floor(i * 2 ** (k - 1) / side + 0.5))
            total += weight * 2 * tail(2 * i + 1) / side
    return total / (bits_per_symbol // 2)


def uncoded_errors(bits_per_symbol, channel, snr_db, symbols, seed=0) -> float:
    generator, modulation = seeded(seed), Modulation(bits_per_symbol)
    bits = torch.randint(0, 2, (1, symbols * bits_per_symbol), dtype=torch.uint8, generator=generator)
    state = channel.realize(1, symbols, snr_db, generator)
    received = channel.transmit(modulation.map(bits), state, generator)
    llr = modulation.log_likelihood_ratios(received.samples, received.gain, received.noise_variance)
    return float(((llr < 0) != bits.bool()).double().mean())


@pytest.mark.parametrize("order", ORDERS)
def test_symbols_and_llrs_are_sionnas(order):
    bits = torch.randint(0, 2, (3, 2000 * order), dtype=torch.uint8, generator=seeded(order))
    symbols = Modulation(order).map(bits)
    torch.testing.assert_close(symbols, mapping.Mapper("qam", order)(bits.float()))
    variance = torch.tensor(0.05)
    samples = AWGN().transmit(symbols, AWGN().realize(3, 2000, 13.0, seeded(1)), seeded(2)).samples
    llr = Modulation(order).log_likelihood_ratios(samples, ONE, variance.view(1, 1))
    # Sionna's logits have the other sign.
    torch.testing.assert_close(llr, -mapping.Demapper("app", "qam", order)(samples, variance), atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("order", ORDERS)
def test_constellation_has_unit_power(order):
    numbers = torch.arange(2**order).unsqueeze(-1) >> torch.arange(order) & 1
    symbols = Modulation(order).map(numbers.to(torch.uint8))
    assert len(set(symbols.flatten().tolist())) == 2**order
    assert float(symbols.abs().square().mean()) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(("order", "snr_db"), [(2, 7.0), (4, 14.0), (6, 20.0), (8, 26.0)])
def test_uncoded_errors_over_awgn_match_the_closed_form(order, snr_db):
    """Bits of one symbol err together at worst, so the variance is at most `order` times that of independent bits."""
    symbols = 200_000
    amplitude = math.sqrt(10 ** (snr_db / 10) / (2 * (2**order - 1) / 3))
    expected = gray_bit_error_rate(order, lambda d: erfc(d * amplitude) / 2)
    assert 0.003 < expected < 0.03
    errors = uncoded_errors(order, AWGN(), snr_db, symbols)
    assert abs(errors - expected) < 4 * math.sqrt(expected / symbols)


@pytest.mark.parametrize(("order", "snr_db"), [(2, 12.0), (4, 18.0), (6, 24.0), (8, 30.0)])
def test_uncoded_errors_over_rayleigh_fading_match_the_closed_form(order, snr_db):
    """E Q(d sqrt(2 |h|^2 a^2)) = (1 - sqrt(g / (1 + g))) / 2 with g = d^2 a^2."""
    symbols = 200_000
    power = 10 ** (snr_db / 10) / (2 * (2**order - 1) / 3)
    expected = gray_bit_error_rate(order, lambda d: (1 - math.sqrt(d**2 * power / (1 + d**2 * power))) / 2)
    errors = uncoded_errors(order, Rayleigh(coherence=1), snr_db, symbols)
    assert 0.003 < expected < 0.05
    assert abs(errors - expected) < 4 * math.sqrt(expected / symbols)


@pytest.mark.parametrize("order", ORDERS)
def test_llrs_are_calibrated(order):
    """Of bits with LLR L, 1 / (1 + e^L) are one: E[bit - 1 / (1 + e^L)] = 0, also under fading."""
    symbols, generator = 100_000, seeded(order)
    bits = torch.randint(0, 2, (1, symbols * order), dtype=torch.uint8, generator=generator)
    channel = Rayleigh(coherence=1)
    received = channel.transmit(Modulation(order).map(bits), channel.realize(1, symbols, 8.0, generator), generator)
    llr = Modulation(order).log_likelihood_ratios(received.samples, received.gain, received.noise_variance)
    for low, high in ((-4, -1), (-1, 0), (0, 1), (1, 4)):
        chosen = (llr > low) & (llr < high)
        surprise = bits[chosen].double() - torch.sigmoid(-llr[chosen].double())
        assert abs(float(surprise.mean())) < 4 * math.sqrt(order * 0.25 / int(chosen.sum()))


def test_extreme_channels_stay_finite():
    symbols = Modulation(8).map(torch.ones(1, 80, dtype=torch.uint8))
    certain = Modulation(8).log_likelihood_ratios(symbols, ONE, torch.zeros(1, 1))
    assert (certain < -70).all()
    assert certain.isfinite().all()
    erased = Modulation(8).log_likelihood_ratios(symbols, 0 * ONE, torch.ones(1, 1))
    assert not erased.any()


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="2, 4, 6 or 8"):
        Modulation(3)
    with pytest.raises(ValueError, match="fill symbols of 4"):
        Modulation(4).map(torch.zeros(1, 5, dtype=torch.uint8))
