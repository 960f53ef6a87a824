"""What a code block needs: soft bits tell what they know, and a few bits of them decide."""

import math

import pytest
import torch

from airdeliver.links.digital.block_errors import block_error_rate, curves
from airdeliver.links.digital.modulation import Modulation
from airdeliver.links.digital.need import Need, need, single_block, told, try_out
from channels import AWGN


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("each", [2, 4, 6, 8])
def test_soft_bits_tell_on_average_what_the_quadrature_says(each: int):
    """Of a Gray-mapped QAM in AWGN of 6 dB, within 5 standard errors and the interpolation of the table."""
    n = 20_000
    bits = torch.randint(0, 2, (1, n * each), dtype=torch.uint8, generator=seeded(0))
    received = AWGN().transmit(Modulation(each).map(bits), AWGN().realize(1, n, 6.0, seeded(1)), seeded(2))
    llr = Modulation(each).log_likelihood_ratios(received.samples, received.gain, received.noise_variance)
    symbols = told(llr, bits).view(n, each).sum(-1)
    expected = 2 * curves(each).mean[round((6.0 + 30) / 0.25)]
    assert abs(float(symbols.mean()) - expected) < 5 * float(symbols.std()) / math.sqrt(n) + 1e-3


def test_soft_bits_that_claim_more_than_they_know_tell_less():
    """Twice as sure as the noise allows: the same signs, less information; and less than none if they are wrong."""
    bits = torch.randint(0, 2, (1, 40_000), dtype=torch.uint8, generator=seeded(3))
    received = AWGN().transmit(Modulation(2).map(bits), AWGN().realize(1, 20_000, 0.0, seeded(4)), seeded(5))
    llr = Modulation(2).log_likelihood_ratios(received.samples, received.gain, received.noise_variance)
    assert float(told(3 * llr, bits).mean()) < float(told(llr, bits).mean()) - 0.05
    assert float(told(-llr, bits).mean()) < 0


@pytest.mark.parametrize("grade", [10, 19])
def test_half_of_the_blocks_are_lost_that_have_what_is_needed(grade: int):
    """Fresh blocks at an SNR in the waterfall: as many are lost as their soft bits make expect, and those."""
    length, count = 144, 150
    block, what = single_block(grade, length), need(grade, length, 20)
    block_bits, sent = block.segmentation.block_bits, float(block.symbols * block.bits_per_symbol)
    grid = torch.arange(-10.0, 15.0, 0.05, dtype=torch.float64)
    expected = block_error_rate(grid, block_bits, sent, block.bits_per_symbol)
    snr_db = float(grid[(expected - 0.75).abs().argmin()])
    trial = try_out(block, snr_db, count, 20, seeded(6))
    expected = what.lost(trial.information, block_bits)
    lost = trial.lost.double()
    assert 0.05 < float(lost.mean()) < 0.95
    assert (
        abs(float(lost.mean() - expected.mean())) < 4 * float((expected * (1 - expected)).sum().sqrt()) / count + 0.03
    )
    assert float(((expected > 0.5) == trial.lost).double().mean()) > 0.85
    assert 1 < what.centre < 1.5


def test_more_information_is_lost_less_often():
    lost = Need(1.1, 0.3).lost(torch.tensor([900.0, 1100.0, 1300.0], dtype=torch.float64), 1000)
    assert lost[0] > 0.99 > lost[1] > 0.01 > lost[2]
    assert float(lost[1]) == pytest.approx(0.5)
