"""Rounds over real links: soft bits combine, uses are counted, receivers leave when they are content."""

import pytest
import torch
from torch import nn

from airdeliver import AnalogLink, DigitalLink
from airdeliver.links import BudgetError
from airdeliver.links.digital import Abstraction, FixedGrade, rebuilding
from airdeliver.links.digital.coded import transport_block
from airdeliver.links.digital.gathering.full import FullGathered
from airdeliver.links.digital.mcs import SCHEMES
from airdeliver.links.digital.rate_matching import RateMatching
from airdeliver.normalisation import Normalisation
from airdeliver.package import Choice, Package
from airdeliver.session import HARQ, AssuredChoice, Feedback, Promise, Repetition, converse, timeline
from channels import AWGN, Multicast, Rayleigh
from channels.base import ChannelState
from tests.airdeliver.stages import assert_same


def package(link, promise=None):
    torch.manual_seed(0)
    kind = Normalisation("receiver")
    choice = Choice.of(nn.Linear(20, 30), link, kind)
    if promise is not None:
        own = {name: getattr(choice, name) for name in ("architecture", "model", "payload", "link")}
        choice = AssuredChoice(**own, promise=promise)
    return Package((choice,), kind)


def test_every_redundancy_version_is_a_window_of_one_circular_buffer():
    """What two versions have in common adds up; each is decodable or not, the bits are those of the codeword."""
    block = transport_block(1000, SCHEMES[12])
    graph, bits = block.segmentation.graph, block.segmentation.block_bits
    codeword = torch.randint(0, 2, (1, graph.columns * graph.lifting), dtype=torch.uint8)
    codeword[:, bits : graph.information_columns * graph.lifting] = 0
    told = torch.zeros(1, graph.columns * graph.lifting)
    starts = []
    for version in range(4):
        matching = RateMatching(graph, bits, 1200, 2, version)
        llr = 1.0 - 2.0 * matching.select(codeword).float()
        told = told + matching.combine(llr, graph.rows)
        starts.append(matching.start)
    assert starts == sorted(starts)
    assert starts[0] == 0
    known = (told != 0) & told.isfinite()
    assert torch.equal(told[known] < 0, codeword[known].bool())


@pytest.mark.parametrize("combining", ["chase", "redundancy"])
def test_soft_bits_of_rounds_that_fail_alone_decode_together(combining):
    """At an SNR where no single round arrives, the second or third one completes it."""
    block = transport_block(600, SCHEMES[14])
    data = bytes(range(75))
    gathered = FullGathered([block], [data], combining, 8, 20)
    state = ChannelState(torch.ones(8, 1) + 0j, torch.full((8, 1), 10 ** (0.1 * 2)))
    noise = torch.Generator().manual_seed(0)
    gathered.hear(0, gathered.lacking, AWGN(), state, noise)
    assert bool(gathered.lacking.all())
    for number in (1, 2, 3):
        gathered.hear(number, gathered.lacking, AWGN(), state, noise)
    assert not bool(gathered.lacking.any())
    assert gathered.rows() == [data] * 8


@pytest.mark.parametrize("phy", ["full", "capacity"])
def test_uses_are_those_of_the_rounds_a_receiver_took_part_in(phy):
    session = HARQ(rounds=3)
    delivery = converse(
        package(DigitalLink(phy, adaptation=FixedGrade(10.0), bits_per_value=3.0)), session, Rayleigh(), 5.0, 6_000,
        "average", 16, 0,
    )  # fmt: skip
    assert len({len(group.snapshots) for group in delivery.groups}) > 1
    for group in delivery.groups:
        plan, rounds = group.plan, len(group.snapshots) + 1
        parts = 1 if phy == "capacity" else sum(length > 0 for length in plan.lengths)
        first = group.stage(0).decoded.uses
        answered = session.feedback.uses(parts)
        assert int(first[0]) == plan.symbols + (answered if session.rounds > 1 else 0)
        assert int(group.decoded.uses.max()) <= 6_000
        if phy == "capacity":
            spoken = (rounds - 1) * answered + min(rounds, session.rounds - 1) * answered
            more = int(group.decoded.uses[0]) - plan.symbols - (rounds - 1) * plan.payload_symbols - spoken
            # Side information that a deep fade took is repeated.
            assert more in [again * plan.side_information_symbols for again in range(rounds)]


def test_who_hears_many_short_rounds_leaves_as_soon_as_it_has_enough():
    """Rateless: receivers of one transmission end at different times, the worst of them last."""
    channel = Multicast(AWGN(), receivers=3, offsets_db=(-6.0, 0.0, 6.0))
    delivery = converse(
        package(DigitalLink("capacity", adaptation=FixedGrade(14.0), bits_per_value=4.0)), HARQ(rounds=12), channel,
        4.0, 12_000, "average", 2, 0,
    )  # fmt: skip
    uses = delivery.in_order(lambda group: group.decoded.uses).view(2, 3)
    assert delivery.usable == 1
    assert bool((uses[:, 0] > uses[:, 1]).all())
    assert bool((uses[:, 1] > uses[:, 2]).all())


def test_repetition_ends_when_the_promised_score_suffices():
    """A promise that any arrival keeps ends after one round; one that nothing keeps goes on to the last."""
    easy, hard = Promise(((1e-3, 0.9), (10.0, 0.899))), Promise(((1e-9, 0.9), (2e-9, 0.1)))
    ended = [
        converse(package(AnalogLink(), p), Repetition(rounds=3, share=0.5), AWGN(), 10.0, 4_000, "average", 4, 0)
        for p in (easy, hard)
    ]
    assert [delivery.stages for delivery in ended] == [1, 3]
    assert ended[0].channel_uses_spent < ended[1].channel_uses_spent <= 4_000
    assert ended[1].power == pytest.approx(1, abs=0.01)


def test_the_timeline_counts_waiting_and_where_the_first_inference_was():
    session = HARQ(rounds=4, feedback=Feedback(milliseconds=3.0))
    link = DigitalLink("capacity", adaptation=FixedGrade(12.0), bits_per_value=3.0)
    delivery = converse(package(link), session, Rayleigh(), 3.0, 8_000, "average", 32, 0)
    times = timeline(delivery, delivery.usable_realizations.float(), lambda d: d.usable_realizations.float())
    columns = times.columns()
    waited = times.milliseconds[:, -1] - times.uses[:, -1] / (51 * 12 * 14 * 2 * 0.86)
    assert torch.allclose(waited, 3.0 * (times.rounds - 1).double(), atol=1e-6)
    assert columns["arrived_share"] == pytest.approx(delivery.usable)
    assert columns["rounds_to_first"] == columns["rounds_to_most"] <= columns["rounds"]
    assert columns["milliseconds_to_end_10"] <= columns["milliseconds_to_end_90"]


@pytest.mark.usefixtures("unchecked")
def test_what_cannot_be_is_said_in_a_line():
    with pytest.raises(TypeError, match="HARQ combines soft bits of a DigitalLink, got AnalogLink"):
        converse(package(AnalogLink()), HARQ(), AWGN(), 5.0, 4_000, "average", 1, 0)
    with pytest.raises(TypeError, match="Repetition repeats values of an AnalogLink"):
        converse(package(DigitalLink()), Repetition(), AWGN(), 5.0, 4_000, "average", 1, 0)
    with pytest.raises(ValueError, match="combining must be chase or redundancy"):
        HARQ(combining="soft")  # pyright: ignore[reportArgumentType]
    with pytest.raises(BudgetError, match="leave nothing for the first round"):
        converse(package(DigitalLink()), HARQ(), AWGN(), 5.0, 20, "average", 1, 0)


@pytest.mark.slow
def test_the_abstraction_loses_as_much_as_the_full_chain_over_rounds_of_unlike_snr():
    """Two rounds, 3 dB apart; the same share of code blocks within 4 standard errors and the 0.3 dB of the mapping."""
    layer, grade = Abstraction(), 14
    block = transport_block(1200, SCHEMES[grade])
    noise = torch.Generator().manual_seed(0)
    snr = [10**-0.15, 10**0.15]
    full = FullGathered([block], [bytes(150)], "redundancy", 300, 20)
    for number, each in enumerate(snr):
        state = ChannelState(torch.ones(300, 1) + 0j, torch.full((300, 1), 1 / each))
        full.hear(number, full.lacking, AWGN(), state, noise)
    lost = float(full.lacking.double().mean())
    around = [
        float(layer.error_rates_after(block, grade, [torch.full((1, 1), each * f) for each in snr], "redundancy"))
        for f in (10**0.03, 1.0, 10**-0.03)
    ]
    slack = 4 * (0.25 / 300) ** 0.5
    assert around[0] - slack < lost < around[2] + slack


def test_rounds_of_a_large_network_are_the_same(monkeypatch):
    """Values of more than two million are read when they are asked for: that had ended in an AssertionError."""
    link = DigitalLink("capacity", adaptation=FixedGrade(8.0), bits_per_value=4.0)

    def sent():
        return converse(package(link), HARQ(rounds=4), Rayleigh(), 5.0, 6_000, "average", 6, 0)

    held = sent()
    monkeypatch.setattr(rebuilding, "LONG", 1)
    made = sent()
    assert held.stages > 1
    assert_same(held, made)
