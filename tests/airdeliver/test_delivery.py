"""One delivery from end to end: accounting, errors, randomness."""

import math

import pytest
import torch
from torch import nn

from airdeliver import AnalogLink, BudgetError, deliver
from channels import AWGN, Rayleigh


def model() -> nn.Module:
    layer = nn.Linear(50, 40)
    with torch.no_grad():
        for p in layer.parameters():
            p.copy_(torch.randn(p.shape, generator=torch.Generator().manual_seed(0)))
    return layer


SIZE = 50 * 40 + 40
USES = SIZE // 2 + 2 * 4 * 8 * 4
"""Two values a use, and 2 segments of 4 bytes at 1/4 bit a use."""


def test_every_channel_use_is_counted():
    delivery = deliver(model(), AnalogLink(), AWGN(), 5.0, 5000, 20)
    assert delivery.channel_uses_spent == USES
    assert delivery.parameters_sent == SIZE
    assert 0.99 < delivery.power <= 1
    assert delivery.realizations == 20


def test_nothing_is_sent_over_budget():
    with pytest.raises(BudgetError, match=f"at least {USES}"):
        deliver(model(), AnalogLink(), AWGN(), 5.0, USES - 1)
    assert deliver(model(), AnalogLink(), AWGN(), 5.0, USES).channel_uses_spent == USES


@pytest.mark.parametrize("uses", [0, -5])
def test_a_budget_of_nothing_is_refused(uses):
    with pytest.raises(BudgetError, match=f"at least 1, got {uses}"):
        deliver(model(), AnalogLink(), AWGN(), 5.0, uses)


def test_weights_that_are_not_finite_are_refused_by_name():
    broken = model()
    with torch.no_grad():
        broken.bias[3] = math.nan
    with pytest.raises(ValueError, match="bias"):
        deliver(broken, AnalogLink(), AWGN(), 5.0, 5000)


def test_an_snr_that_is_no_number_is_refused():
    with pytest.raises(ValueError, match="snr_db must be a number"):
        deliver(model(), AnalogLink(), AWGN(), math.nan, 5000)


def test_the_seed_is_all_the_randomness():
    one, same, other = (deliver(model(), AnalogLink(), AWGN(), 5.0, 5000, 3, seed=s) for s in (0, 0, 1))
    assert torch.equal(one.groups[0].decoded.values, same.groups[0].decoded.values)
    assert not torch.equal(one.groups[0].decoded.values, other.groups[0].decoded.values)


def test_more_realizations_keep_the_first_ones():
    few, many = (deliver(model(), AnalogLink(), AWGN(), 5.0, 5000, k) for k in (16, 40))
    assert torch.equal(few.groups[0].decoded.values, many.groups[0].decoded.values)
    assert [len(g.realizations) for g in many.groups] == [16, 16, 8]
    assert torch.equal(torch.cat([g.realizations for g in many.groups]), torch.arange(40))


def test_schemes_meet_the_same_fading():
    """Two links of unlike cost, the same gains: zero forcing divides by them, so the noise tells."""
    a, b = (deliver(m, AnalogLink("zero_forcing"), Rayleigh(), 20.0, 5000, 16) for m in (model(), nn.Linear(30, 30)))
    errors = [(d.groups[0].decoded.values - d.groups[0].decoded.values.mean(0)).std(1) for d in (a, b)]
    assert torch.corrcoef(torch.stack(errors).log())[0, 1] > 0.9


def test_a_faded_delivery_is_not_usable():
    """P(log2(1 + |h|^2 snr) < 1/4) = 1 - exp(-(2^0.25 - 1) / snr) = 0.172 at 0 dB."""
    k = 512
    usable = deliver(model(), AnalogLink(), Rayleigh(), 0.0, 5000, k).usable
    expected = math.exp(-(2**0.25 - 1))
    assert abs(usable - expected) < 4 * math.sqrt(expected * (1 - expected) / k)


def test_the_receiver_starts_from_nothing():
    """Nothing of the sender's network survives in the architecture that the receiver fills."""
    delivery = deliver(model(), AnalogLink(), AWGN(), 5.0, 5000, 1)
    assert all(bool(p.isnan().all()) for p in delivery.groups[0].network().parameters())


def test_unknown_realizations_are_refused():
    with pytest.raises(IndexError, match="realizations 0 to 2, not 3"):
        deliver(model(), AnalogLink(), AWGN(), 5.0, 5000, 3).model(3)
