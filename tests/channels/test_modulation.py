"""Uncoded square QAM over AWGN and Rayleigh fading against the closed forms of its symbol error rate."""

import math

import pytest
import torch
from scipy.special import erfc

from channels import AWGN, Rayleigh


def awgn_error_rate(order: int, snr: float) -> float:
    """Proakis and Salehi, Digital Communications, 2008, equation (4.3-30)."""
    error = (1 - 1 / math.sqrt(order)) * erfc(math.sqrt(1.5 * snr / (order - 1)))
    return 1 - (1 - error) ** 2


def rayleigh_error_rate(order: int, snr: float) -> float:
    """Simon and Alouini, Digital Communication over Fading Channels, 2005, equation (8.112)."""
    a, s = 1 - 1 / math.sqrt(order), 1.5 * snr / (order - 1)
    beta = math.sqrt(s / (1 + s))
    return 2 * a * (1 - beta) - a**2 * (1 - 4 / math.pi * beta * math.atan(1 / beta))


@pytest.mark.parametrize("order", [4, 16, 64])
@pytest.mark.parametrize(
    ("channel", "theory"), [(AWGN(), awgn_error_rate), (Rayleigh(coherence=1), rayleigh_error_rate)]
)
@pytest.mark.parametrize("snr_db", [5.0, 15.0])
def test_symbol_error_rate(order, channel, theory, snr_db):
    """The receiver divides by the gain that it is given and takes the nearest point."""
    k, n, side = 4, 100_000, math.isqrt(order)
    draw, noise = torch.Generator().manual_seed(0), torch.Generator().manual_seed(1)
    sent = torch.randint(side, (k, n, 2), generator=draw)
    scale = math.sqrt(1.5 / (order - 1))
    symbols = torch.view_as_complex((2 * sent - (side - 1)) * scale)
    received = channel.transmit(symbols, channel.realize(k, n, snr_db, noise), noise)
    equalised = torch.view_as_real(received.samples / received.gain)
    decided = ((equalised / scale + side - 1) / 2).round().clamp(0, side - 1)
    rate = float((decided != sent).any(-1).double().mean())
    expected = theory(order, 10 ** (snr_db / 10))
    assert abs(rate - expected) < 4 * math.sqrt(expected * (1 - expected) / (k * n)) + 1e-6
