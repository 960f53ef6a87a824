"""The same work by Sionna's own blocks gives the same distributions."""

import math

import pytest
import torch
from scipy import stats

from channels import AWGN, Rayleigh

N = 100_000
SAME = 1.95 * math.sqrt(2 / N)  # two-sample Kolmogorov-Smirnov distance, exceeded once in a thousand times


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def sionna():
    from sionna.phy import channel, config

    before = config.seed
    config.seed = 1
    yield channel
    config.seed = before


def distances(one: torch.Tensor, other: torch.Tensor) -> list[float]:
    parts = ("real", "imag")
    found = [stats.ks_2samp(getattr(one, part).numpy(), getattr(other, part).numpy()).statistic for part in parts]
    return [*found, stats.ks_2samp(one.abs().numpy(), other.abs().numpy()).statistic]


@pytest.mark.parametrize("snr_db", [0.0, 10.0])
def test_awgn(sionna, snr_db):
    symbols = torch.full((1, N), math.sqrt(0.5) * (1 + 1j))
    ours = AWGN().transmit(symbols, AWGN().realize(1, N, snr_db, seeded(0)), seeded(1)).samples[0]
    theirs = sionna.AWGN(device="cpu")(symbols[0], 10 ** (-snr_db / 10))
    assert max(distances(ours, theirs)) < SAME


def test_flat_rayleigh(sionna):
    """One symbol in each of N deliveries: gain and received sample."""
    channel, snr_db = Rayleigh(), 10.0
    state = channel.realize(N, 1, snr_db, seeded(0))
    ours = channel.transmit(torch.ones((1, 1)) + 0j, state, seeded(1)).samples[:, 0]
    block = sionna.FlatFadingChannel(1, 1, return_channel=True, device="cpu")
    theirs, gain = block(torch.ones((N, 1)) + 0j, torch.tensor(10 ** (-snr_db / 10)))
    assert max(distances(state.gain[:, 0], gain[:, 0, 0])) < SAME
    assert max(distances(ours, theirs[:, 0])) < SAME
