"""Erasures against their probability."""

import math

import pytest
import torch

from channels import AWGN, Rayleigh
from channels.impairments import Erasures


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("block", [1, 7, None])
def test_blocks_are_lost_with_their_probability(block):
    k, n, p = 2000, 70, 0.3
    state = Erasures(AWGN(), p, block).realize(k, n, 0.0, seeded(0))
    lost = state.gain == 0
    blocks = k * (1 if block is None else n // block)
    assert abs(float(lost.double().mean()) - p) < 4 * math.sqrt(p * (1 - p) / blocks)
    if block == 7:
        assert torch.equal(lost[:, ::7].repeat_interleave(7, -1), lost)


def test_lost_symbols_are_noise_with_a_known_gain_of_zero():
    k, n = 10, 20_000
    channel = Erasures(Rayleigh(), 0.5)
    state = channel.realize(k, n, 10.0, seeded(1))
    received = channel.transmit(torch.ones((1, n), dtype=torch.complex64), state, seeded(2))
    assert channel.mean_gain == 0.5
    assert torch.equal(received.gain, state.gain)
    lost = received.samples[state.gain == 0].abs().square()
    assert float(lost.mean()) == pytest.approx(0.1, rel=4 / math.sqrt(len(lost)))


def test_erasures_of_erasures_multiply():
    assert Erasures(Erasures(AWGN(), 0.5), 0.5).mean_gain == 0.25


def test_excess_power_is_not_hidden_by_erasures():
    channel = Erasures(AWGN(), 0.9)
    with pytest.raises(ValueError, match="mean power"):
        channel.transmit(torch.full((1, 1000), 1.1 + 0j), channel.realize(1, 1000, 0.0, seeded(0)), seeded(0))


@pytest.mark.parametrize(("p", "block"), [(-0.1, 1), (1.1, 1), (math.nan, 1), (0.5, 0)])
def test_bad_arguments_are_refused(p, block):
    with pytest.raises(ValueError, match=r"probability|block"):
        Erasures(AWGN(), p, block)
