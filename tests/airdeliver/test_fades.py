"""Many fades at the price of few: no bias, and the outage that theory says."""

import math
from collections.abc import Callable

import pytest
import torch

from airdeliver import AnalogLink, DigitalLink, Fades, deliver, evaluate
from airdeliver.fades import choose
from airdeliver.links import Knowledge
from airdeliver.payload import payload_of
from benchmarks.coverage import cliff, fades, slope
from channels import AWGN, Multicast, Rayleigh


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("curve", [cliff, slope])
def test_the_mean_over_strata_has_no_bias(curve: Callable[[torch.Tensor], torch.Tensor]):
    """Of 100 choices among the same fades; within 4 standard errors of the mean over all of them."""
    mutual = fades(5.0, 2048, seeded(0))
    truth = float(curve(mutual).mean())
    means = []
    for i in range(100):
        chosen, shares = choose(mutual, 32, seeded(i))
        means.append(float(shares @ curve(mutual[chosen])))
    found = torch.tensor(means, dtype=torch.float64)
    assert abs(float(found.mean()) - truth) < 4 * float(found.std()) / 10
    assert float(found.std()) < float(curve(mutual).std()) / math.sqrt(500)  # more than 500 independent fades tell


def test_strata_are_in_the_order_of_the_mutual_information_and_stand_for_all():
    mutual = fades(20.0, 1000, seeded(0))
    chosen, shares = choose(mutual, 20, seeded(1))
    assert bool((mutual[chosen].diff() > 0).all())
    assert float(shares.sum()) == pytest.approx(1)
    assert float(shares[0]) < 0.01  # deep fades are rare at 20 dB, and told apart
    alike, equal = choose(torch.ones(64), 8, seeded(0))
    assert len(alike) == 8
    assert torch.allclose(equal, torch.full((8,), 1 / 8, dtype=torch.float64))


@pytest.mark.parametrize("snr_db", [0.0, 10.0])
def test_outage_is_that_of_theory(snr_db: float):
    """P(log2(1 + |h|^2 snr) < R) = 1 - exp(-(2^R - 1) / snr), for the rate that the sender chose; capacity code."""
    model, link, uses = torch.nn.Linear(40, 40), DigitalLink("capacity"), 4000
    delivery = deliver(model, link, Rayleigh(), snr_db, uses, Fades(4096, 32, 256), seed=1)
    plan = link.plan(payload_of(model), uses, Knowledge("average", snr_db, Rayleigh()))
    rate = link.threshold(plan)
    assert rate is not None
    outage = 1 - math.exp(-(2**rate - 1) / 10 ** (snr_db / 10))
    assert delivery.strata is not None
    stratum = float(delivery.strata.shares.max())
    assert abs(1 - delivery.usable - outage) < stratum + 4 * math.sqrt(outage * (1 - outage) / 4096)
    assert bool((~delivery.settled.isnan()).all())


def test_side_information_outage_of_an_analog_link_is_that_of_theory():
    delivery = deliver(torch.nn.Linear(40, 40), AnalogLink(), Rayleigh(), 0.0, 2000, Fades(4096, 64, 64))
    outage = 1 - math.exp(-(2**0.25 - 1))
    assert delivery.strata is not None
    assert abs(1 - delivery.usable - outage) < float(delivery.strata.shares.max()) + 4 * math.sqrt(outage / 4096)


def test_an_interval_has_a_width_while_an_outage_is_possible():
    """Everything arrives that was sent, all of it right, and yet what was not seen may be lost."""
    model, inputs = torch.nn.Linear(16, 4), torch.randn(50, 16, generator=seeded(0))
    labels = torch.zeros(50, dtype=torch.int64)
    with torch.no_grad():
        model.bias[0] = 1000.0  # right whatever the noise
    for realizations in (8, Fades(512, 8, 64)):
        delivery = deliver(model, AnalogLink(), Rayleigh(), 60.0, 4000, realizations)
        report = evaluate(delivery, inputs, labels, chance=0.25)
        assert report.usable == report.accuracy == 1
        assert report.channel_low < 1
    certain = evaluate(deliver(model, DigitalLink("capacity"), AWGN(), 60.0, 4000, 8), inputs, labels)
    assert certain.channel_low == certain.accuracy


def test_what_is_sent_and_scored_stays_small():
    """512 fades, 64 of them sent over the digital link in four plans' time, and one network evaluated."""
    calls = []

    class Counting(torch.nn.Linear):
        def forward(self, x: torch.Tensor):
            calls.append(len(x))
            return super().forward(x)

    delivery = deliver(Counting(16, 4), DigitalLink("capacity"), Rayleigh(), 10.0, 4000, Fades(512, 8, 64))
    report = evaluate(delivery, torch.randn(10, 16, generator=seeded(0)), torch.zeros(10, dtype=torch.int64))
    assert len(report.per_realization) == len(report.shares) > 32
    assert len(calls) <= 2  # one to see what the network bears, one to score


def test_receivers_of_one_transmission_are_fades_of_their_own():
    channel = Multicast(Rayleigh(), receivers=4)
    delivery = deliver(torch.nn.Linear(16, 4), AnalogLink(), channel, 10.0, 2000, Fades(400, 10, 10))
    assert delivery.strata is not None
    assert delivery.strata.drawn == 400
    known = deliver(
        torch.nn.Linear(16, 4), AnalogLink(), channel, 10.0, 2000, Fades(400, 5, 5), knowledge="instantaneous"
    )
    assert known.strata is None
    assert known.realizations == 20


def test_fast_fading_has_strata_too():
    delivery = deliver(torch.nn.Linear(16, 4), AnalogLink(), Rayleigh(coherence=8), 3.0, 2000, Fades(64, 8, 8))
    mutual = torch.cat([group.information for group in delivery.groups])
    assert 4 <= len(mutual) <= 8
    assert bool((mutual.diff() >= 0).all())


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="fades need 3 <= sent and exact <= drawn, got sent 2"):
        Fades(100, 2, 10)
