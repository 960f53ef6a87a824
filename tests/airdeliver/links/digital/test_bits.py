"""Bytes over the digital chain: the most robust rate that fits, all or nothing."""

import pytest

from airdeliver import BudgetError
from airdeliver.links.digital import deliver_bits
from channels import AWGN, Rayleigh

DATA = bytes(range(256)) * 4


@pytest.mark.parametrize("phy", ["full", "abstraction", "capacity"])
def test_bytes_arrive_above_the_rate_and_not_below(phy: str):
    """8,192 bits in 8,192 symbols are 1 bit each: capacity 1 is at 0 dB; 3 dB on either side decides."""
    good, bad = (deliver_bits(DATA, AWGN(), snr_db, 8_400, phy, realizations=4) for snr_db in (3.5, -3.0))
    assert good.share == 1
    assert good.rows[0] == DATA
    assert bad.share == 0
    assert bad.high < 1
    assert good.channel_uses <= 8_400
    assert good.efficiency == pytest.approx(8 * len(DATA) / good.channel_uses)


def test_more_uses_are_a_more_robust_rate():
    few, many = (deliver_bits(DATA, AWGN(), 0.0, uses, "abstraction", realizations=2) for uses in (4_000, 40_000))
    assert many.efficiency < few.efficiency
    assert (few.share, many.share) == (0, 1)


def test_outage_under_fading_is_that_of_the_rate():
    """P(log2(1 + |h|^2 snr) < R) = 1 - exp(-(2^R - 1) / snr), here within 4 standard errors."""
    import math

    found = deliver_bits(DATA, Rayleigh(), 10.0, 8_400, "capacity", realizations=2_000)
    expected = 1 - math.exp(-(2**found.efficiency - 1) / 10)
    assert abs(1 - found.share - expected) < 4 * math.sqrt(expected * (1 - expected) / 2_000)
    assert found.low < found.share < found.high


def test_what_does_not_fit_is_refused():
    with pytest.raises(BudgetError, match="1024 bytes need at least"):
        deliver_bits(DATA, AWGN(), 10.0, 500)
    with pytest.raises(ValueError, match="at least one byte"):
        deliver_bits(b"", AWGN(), 10.0, 500)
