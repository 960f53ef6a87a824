"""Rounds over channels that change within them, or whose hardware distorts: both depths lose alike."""

import random

import pytest
import torch
from torch import nn

from airdeliver import DigitalLink
from airdeliver.links.digital import FixedGrade
from airdeliver.links.digital.coded import transport_block
from airdeliver.links.digital.gathering.full import FullGathered
from airdeliver.links.digital.mcs import SCHEMES
from airdeliver.normalisation import Normalisation
from airdeliver.package import Choice, Package
from airdeliver.session import HARQ, converse
from channels import AWGN, OFDM, Channel, ChannelState, Rayleigh

RECEIVERS = 96


def arrived(
    phy: str, combining: str, channel: Channel, grade: float, snr_db: float, receivers: int = RECEIVERS
) -> list[float]:
    """Share of receivers that have all after each of three rounds."""
    torch.manual_seed(0)
    kind = Normalisation("receiver")
    link = DigitalLink(phy, adaptation=FixedGrade(grade), bits_per_value=3.0)  # pyright: ignore[reportArgumentType]
    package = Package((Choice.of(nn.Linear(20, 30), link, kind),), kind)
    session = HARQ(rounds=3, combining=combining)  # pyright: ignore[reportArgumentType]
    delivery = converse(package, session, channel, snr_db, 8_000, "average", receivers, 0)
    return [delivery.stage(number).usable for number in range(delivery.stages)]


@pytest.mark.parametrize("number", [0, 1])
def test_a_burst_meets_all_blocks_of_a_round_a_little(number: int):
    """A tenth of a round in a row is lost: each code block misses a tenth of its symbols, and is decoded."""
    blocks = [transport_block(8 * length, SCHEMES[10]) for length in (40, 400)]
    data = [random.Random(0).randbytes(40), random.Random(1).randbytes(400)]
    gathered = FullGathered(blocks, data, "chase", 4, 20)
    n = sum(gathered.symbols(number))
    gain = torch.ones(4, n) + 0j
    gain[:, : n // 10] = 0
    state = ChannelState(gain, torch.full((4, 1), 0.05))
    sent = gathered.lacking.clone()
    sent[0, 0] = False
    gathered.hear(number, sent, AWGN(), state, torch.Generator().manual_seed(0))
    assert gathered.lacking.tolist() == [[True, False]] + [[False, False]] * 3
    assert gathered.rows()[1:] == [b"".join(data)] * 3


@pytest.mark.parametrize("combining", ["redundancy", "chase"])
def test_the_abstraction_is_the_full_chain_where_no_snr_says_what_is_lost(combining: str):
    """Gains are estimated: the very same receivers lack something after each round."""
    channel = OFDM(estimator="ls")
    full, abstraction = (arrived(phy, combining, channel, 12.0, 8.0, 24) for phy in ("full", "abstraction"))
    assert full == abstraction
    assert 0 < full[0] < 1


@pytest.mark.slow
def test_depths_agree_where_gains_change_within_a_round():
    """Gains of 64 symbols each; within 4 standard errors and the tenths of a dB that the mapping is off."""
    channel = Rayleigh(coherence=64)
    full, abstraction = (arrived(phy, "redundancy", channel, 14.0, 4.0) for phy in ("full", "abstraction"))
    assert max(abs(a - b) for a, b in zip(full, abstraction, strict=True)) < 0.25
