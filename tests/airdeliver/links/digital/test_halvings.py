"""Grades below the slowest modulation and coding scheme: coded bits are sent again, and 3 dB less suffice each time."""

import math

import pytest
import torch

from airdeliver.compression.codec import Container
from airdeliver.links import DigitalLink, Knowledge
from airdeliver.links.digital import deliver_bits
from airdeliver.links.digital.abstraction import Abstraction
from airdeliver.links.digital.coded import longest_block
from airdeliver.links.digital.full import Full
from airdeliver.links.digital.mcs import SCHEMES, schemes
from airdeliver.links.digital.trial import try_out
from airdeliver.payload import Layout, Payload, Segment
from channels import AWGN


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_each_grade_below_has_half_the_rate_and_those_above_are_the_same():
    """Without halvings it is the layer that it was."""
    assert Full(halvings=0) == Full()
    assert Full().schemes == SCHEMES == Full(halvings=3).schemes[3:]
    assert Full(halvings=3).fastest == Full().fastest + 3
    slowest = [Full(halvings=3).efficiency(grade) for grade in range(4)]
    assert slowest == [SCHEMES[0].spectral_efficiency / 2**step for step in (3, 2, 1, 0)]
    with pytest.raises(ValueError, match="halvings must be 0 to 8, got 9"):
        Full(halvings=9)


@pytest.mark.parametrize("snr_db", [-5.0, 3.0])
def test_where_the_slowest_scheme_suffices_nothing_changes(snr_db: float):
    """The same container at the same rate; its grade has another number."""
    layout = Layout((Segment("a.weight", (400,)),))
    source, known = Payload(torch.randn(400, generator=seeded(0)), layout), Knowledge("average", snr_db, AWGN())
    plans = [DigitalLink(Full(halvings=halvings)).plan(source, 3000, known) for halvings in (0, 3)]
    assert plans[0].container == plans[1].container
    assert plans[0].grade == plans[1].grade - 3
    assert plans[0].payload_symbols == plans[1].payload_symbols


def test_bits_arrive_where_the_slowest_scheme_loses_all():
    """30 bytes at -14.5 dB: the capacity is 0.050 bits a symbol, the slowest scheme's 0.059, half of it arrives."""
    data, sent = bytes(range(30)), {}
    for halvings in (0, 1):
        found = deliver_bits(data, AWGN(), -14.5, 9500, Full(halvings=halvings), realizations=6)
        sent[halvings] = found.share, found.efficiency
    assert sent[0][0] == 0.0
    assert sent[1][0] == 1.0
    assert sent[1][1] < math.log2(1 + 10**-1.45) < sent[0][1]


def test_a_halving_is_worth_three_decibels():
    """Blocks of 144 bits at the middle of the waterfall: as many are lost, within the 99 % interval of 200 each."""
    lost = []
    for scheme, snr_db in ((schemes(1)[1], -11.8), (schemes(1)[0], -11.8 - 10 * math.log10(2))):
        block = longest_block(math.ceil(144 / scheme.spectral_efficiency), scheme)
        lost.append(float(try_out(block, snr_db, 200, 20, seeded(1)).float().mean()))
    assert 0.1 < lost[0] < 0.9
    assert abs(lost[0] - lost[1]) < 2.576 * math.sqrt(2 * 0.25 / 200)


@pytest.mark.slow
@pytest.mark.parametrize("grade", [0, 1])
def test_abstraction_is_full_across_the_waterfall(grade: int):
    """Five SNRs, 60 deliveries each: arrived shares within the 99 % interval of their difference."""
    data = bytes(range(20))
    container, count = Container(data, (len(data),)), 60
    middle = -14.6 - 10 * math.log10(2) * (1 - grade)
    seen = []
    for number, offset in enumerate((-1.0, -0.5, 0.0, 0.5, 1.0)):
        shares = []
        for layer in (Full(halvings=2), Abstraction(halvings=2)):
            state = AWGN().realize(count, layer.symbols(container.groups, grade), middle + offset, seeded(number))
            rows = layer.carry(container, grade, AWGN(), state, seeded(10 + number)).rows
            shares.append((sum(row == data for row in rows) + 1) / (count + 2))
        seen.append(shares[0])
        apart = 2.576 * math.sqrt(sum(share * (1 - share) for share in shares) / (count + 2))
        assert abs(shares[0] - shares[1]) < apart, (offset, shares)
    assert seen[0] < 0.5 < seen[-1]
