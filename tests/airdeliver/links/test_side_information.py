"""Side information as fast as what the sender knows allows: the same for analog and digital links."""

import dataclasses

import pytest
import torch

from airdeliver import AnalogLink, DigitalLink, deliver
from airdeliver.delivery import sending
from airdeliver.links import Knowledge, LayeredLink, MixedLink
from airdeliver.links.base import mutual_information
from airdeliver.links.side_information import TARGET, rates
from airdeliver.models import CNN
from channels import AWGN, Channel, Multicast, Rayleigh


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_sender_without_knowledge_keeps_the_rate():
    assert rates(Knowledge(), 100) is None
    assert rates(Knowledge("average", -5.0, AWGN()), 100) is None


@pytest.mark.parametrize("snr_db", [10.0, 20.0, 30.0])
def test_on_average_all_but_the_target_arrive(snr_db: float):
    """Of fresh fades, within 3 standard errors of the quantile that chose the rate; 1/4 bit would be slower."""
    found = rates(Knowledge("average", snr_db, Rayleigh()), 100)
    if found is None:
        # 1 - exp(-(2^0.5 - 1) * 10^0.15 / snr) is above the target.
        assert snr_db == 10.0
        return
    fades = Rayleigh().realize(20_000, 1, snr_db, seeded(5))
    lost = float((mutual_information(fades) < float(found[0])).double().mean())
    assert lost < TARGET + 3 * (TARGET / 1024) ** 0.5


@pytest.mark.parametrize(("snr_db", "rate"), [(-8.0, 0.125), (-10.0, 0.0625), (-14.0, 0.03125)])
def test_a_channel_that_loses_the_link_s_own_rate_has_a_slower_one(snr_db: float, rate: float):
    """The greatest of 1/8, 1/16 and 1/32 bit that arrives with the margin; one that is too weak for all keeps 1/4."""
    found = rates(Knowledge("average", snr_db, AWGN()), 100)
    assert found is not None
    assert float(found) == rate
    assert rates(Knowledge("average", -25.0, AWGN()), 100) is None
    # Most fades carry 1/4 bit at 0 dB: it stays, though the deepest carry none of them.
    assert rates(Knowledge("average", 0.0, Rayleigh()), 100) is None


@pytest.mark.parametrize("own", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("link", [AnalogLink(), DigitalLink("capacity")], ids=["analog", "digital"])
def test_a_faster_rate_of_ones_own_is_not_kept_where_it_would_be_lost(link, own: float):
    """At -4 dB, where AWGN carries 0.48 bit, 1/4 bit arrives and the link's own rate does not."""
    found = rates(Knowledge("average", -4.0, AWGN()), 100, own)
    assert found is not None
    assert float(found) == 0.25
    model = CNN(0.25)(1, 10, seeded(0))
    faster = dataclasses.replace(link, side_information_rate=own)
    usable = [
        deliver(model, faster, AWGN(), -4.0, 40_000, realizations=2, side_information=pace).usable
        for pace in ("fixed", "known")
    ]
    assert usable == [0.0, 1.0]


def test_who_knows_the_realization_goes_by_the_worst_of_its_receivers():
    channel = Multicast(AWGN(), receivers=2, offsets_db=(0.0, -10.0))
    state = channel.realize(3, 10, 20.0, seeded(0))
    found = rates(Knowledge("instantaneous", 20.0, channel, state), 10)
    assert found is not None
    assert found.tolist() == [2.0] * 3


@pytest.mark.parametrize("link", [AnalogLink(protection="size"), DigitalLink("capacity")], ids=["analog", "digital"])
@pytest.mark.parametrize("channel", [AWGN(), Rayleigh()], ids=["awgn", "rayleigh"])
def test_the_budget_is_filled_and_more_of_it_by_the_payload(link, channel: Channel):
    model = CNN(0.25)(1, 10, seeded(0))
    told = [
        deliver(model, link, channel, 20.0, 3_000, 6, knowledge="instantaneous", side_information=pace)
        for pace in ("fixed", "known")
    ]
    shares = [[g.plan.side_information_symbols / g.plan.symbols for g in delivery.groups] for delivery in told]
    assert max(shares[1]) < max(shares[0]) / 1.9
    assert all(int(group.decoded.uses.max()) <= 3_000 for group in told[1].groups)


def test_a_pace_that_there_is_not_is_refused(unchecked: None):
    with pytest.raises(ValueError, match="fixed or known"):
        deliver(CNN(0.25)(1, 10, seeded(0)), AnalogLink(), AWGN(), 20.0, 3_000, side_information="fast")  # type: ignore


def test_links_of_links_pass_the_rate_on():
    mixed = MixedLink().at_rate(2.0)
    assert {mixed.side_information_rate, mixed.base.side_information_rate, mixed.refinement.side_information_rate} == {
        2
    }
    layered = LayeredLink((AnalogLink(protection="size"), AnalogLink(protection="size")), (0.5, 0.5)).at_rate(1.0)
    assert [link.side_information_rate for link in layered.links] == [1.0, 1.0]


@pytest.mark.parametrize(
    ("snr_db", "analog", "digital"), [(0.0, 9.9, 0.7), (5.0, 4.9, 0.3), (10.0, 2.5, 0.2), (20.0, 1.2, 0.1)]
)
def test_shares_that_the_page_of_the_budget_says(snr_db: float, analog: float, digital: float):
    model = CNN()(1, 10, seeded(0))
    for link, share in ((AnalogLink(protection="size"), analog), (DigitalLink("capacity"), digital)):
        delivery = deliver(model, link, AWGN(), snr_db, 9_400, 1, side_information="known")
        assert round(100 * delivery.groups[0].plan.side_information_symbols / 9_400, 1) == share


@pytest.mark.parametrize(("knowledge", "times"), [("average", 1), ("instantaneous", 3)])
def test_what_holds_for_all_realizations_is_worked_out_once(knowledge, times, monkeypatch: pytest.MonkeyPatch):
    """Three blocks of realizations: only a sender that is told of each of them chooses a rate for each."""
    asked = []
    monkeypatch.setattr(sending, "rates", lambda known, *told: asked.append(known) or rates(known, *told))
    monkeypatch.setattr(sending, "blocks", lambda count: [range(2), range(2, 4), range(4, count)])
    model = CNN(0.25)(1, 10, seeded(0))
    delivery = deliver(model, AnalogLink(), Rayleigh(), 20.0, 9_400, 6, knowledge=knowledge, side_information="known")
    assert len(asked) == times
    assert sum(len(group.realizations) for group in delivery.groups) == 6
