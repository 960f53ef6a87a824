"""The digital link: budgets, outage, adaptation, loss, and quantisers of every kind."""

import json
import math

import pytest
import torch

from airdeliver.compression.quantisers import LSQ, RateDistortion, Signs
from airdeliver.compression.quantisers.allocation import Allocated
from airdeliver.links import BudgetError, CapacityLink, DigitalLink, Knowledge, Worth
from airdeliver.links.digital import Abstraction, Adaptive, FixedErrorRate, FixedGrade, Full, Ideal, Outlook
from airdeliver.links.digital.abstraction import BLOCKS
from airdeliver.links.digital.block_errors import block_error_rate
from airdeliver.links.digital.interleaving import places
from airdeliver.payload import Layout, Payload, Segment
from channels import AWGN, Rayleigh


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def payload(n: int = 6000) -> Payload:
    layout = Layout((Segment("a.weight", (n,)), Segment("b.weight", (40,)), Segment("b.bias", (40,))))
    values = torch.randn(layout.size, generator=seeded(0))
    values[n : n + 40] += 3
    return Payload(values, layout)


def average(snr_db: float, channel=None) -> Knowledge:
    return Knowledge("average", snr_db, channel or AWGN())


def relative_error(source: Payload, received: torch.Tensor) -> float:
    return float((received - source.values).square().mean() / source.values.square().mean())


DEEP = pytest.param("full", 0.0, marks=pytest.mark.slow)  # half a minute of decoding


@pytest.mark.parametrize(
    ("phy", "snr_db"),
    [(phy, snr) for phy in ("capacity", "abstraction") for snr in (0.0, 12.0)] + [("full", 12.0), DEEP],
)
def test_plans_fill_the_budget_and_never_exceed_it(phy, snr_db):
    source, link = payload(), DigitalLink(phy)
    plan = link.plan(source, 5000, average(snr_db))
    assert 0.96 * 5000 <= plan.symbols <= 5000
    assert plan.symbols == plan.payload_symbols + math.ceil(8 * len(plan.to_bytes()) / 0.25)


def test_capacity_is_met_by_the_bits_that_are_sent():
    """log2(1 + SNR) bits for each payload symbol, within 1 % of rounding and filling."""
    source = payload()
    plan = CapacityLink().plan(source, 6000, average(7.0))
    bits = 8 * sum(plan.lengths)
    assert 0.99 <= bits / plan.payload_symbols / math.log2(1 + 10**0.7) <= 1 + 1e-6


@pytest.mark.parametrize("phy", ["capacity", "abstraction", "full"])
def test_what_arrives_is_what_was_quantised(phy):
    """At an SNR that the sender knows, in every realization; and the receiver works from the side information alone."""
    source, link, channel = payload(1500), DigitalLink(phy), AWGN()
    plan = link.plan(source, 1500, average(10.0))
    state = channel.realize(4, plan.payload_symbols, 10.0, seeded(1))
    decoded = link.send(source.values, plan, source.layout, channel, state, seeded(2))
    assert bool(decoded.usable.all())
    assert plan.levels is not None
    sent = plan.levels.values()
    arrived = (decoded.values == sent).float().mean(-1)
    assert float(arrived.mean()) > 0.85
    assert torch.equal(decoded.values[arrived.argmax()], sent)
    assert relative_error(source, sent) < 0.1
    assert float(link.power(source.values, plan)) == pytest.approx(1, abs=0.02)
    assert decoded.uses.tolist() == [plan.symbols] * 4


def test_side_information_returns():
    source = payload()
    for link in (CapacityLink(), DigitalLink("full")):
        plan = link.plan(source, 5000, average(5.0))
        read = link.plan_from_bytes(plan.to_bytes(), source.layout)
        assert (read.grade, read.lengths) == (plan.grade, plan.lengths)
        assert read.payload_symbols == plan.payload_symbols
        assert read.levels is None
        assert read.container is None
    with pytest.raises(ValueError, match="malformed side information"):
        CapacityLink().plan_from_bytes(b"\x01\x02", source.layout)


def test_outage_of_the_capacity_link_matches_closed_form():
    """P(log2(1 + |h|^2 snr) < R) = 1 - exp(-(2^R - 1) / snr) for a sender that knows the average alone."""
    source, link, channel, n = payload(500), CapacityLink(), Rayleigh(), 20_000
    plan = link.plan(source, 4000, average(10.0, channel))
    state = channel.realize(n, plan.payload_symbols, 10.0, seeded(3))
    rate = Ideal().efficiency(plan.grade)
    lost = float((~link.send(source.values, plan, source.layout, channel, state, seeded(4)).usable).float().mean())
    expected = 1 - math.exp(-(2**rate - 1) / 10)
    assert abs(lost - expected) < 4 * math.sqrt(expected * (1 - expected) / n)
    assert 0.01 < expected < 0.5


def test_the_rate_of_greatest_expected_worth_is_chosen():
    """Worth that is proportional to the bits makes it the rate that maximises R P(no outage)."""
    channel, snr = Rayleigh(), 10.0
    worth = Worth(((1e6, 1e6),))
    plan = CapacityLink(worth=worth).plan(payload(), 5000, average(10.0, channel))
    rates = torch.linspace(0.1, 6, 2000)
    goodput = rates * torch.exp(-(2**rates - 1) / snr)
    chosen = Ideal().efficiency(plan.grade)
    assert chosen * math.exp(-(2**chosen - 1) / snr) > 0.98 * float(goodput.max())


def test_a_sender_that_knows_the_realization_plans_for_each():
    source, link, channel = payload(), CapacityLink(), Rayleigh()
    state = channel.realize(8, 5000, 10.0, seeded(5))
    known = Knowledge("instantaneous", 10.0, channel, state)
    kinds = link.alike(source, 5000, known)
    assert len(kinds) == 8
    assert len(kinds.unique()) > 4
    for row in range(3):
        rows = torch.tensor([row])
        plan = link.plan(source, 5000, known.of(rows))
        limit = math.log2(1 + float(state.gain[row, 0].abs() ** 2 / state.noise_variance[row, 0]))
        assert 0.97 * limit < Ideal().efficiency(plan.grade) <= limit
        assert bool(link.send(source.values, plan, source.layout, channel, state[rows], seeded(6)).usable[0]) == (
            limit > 0.25
        )
    assert len(link.alike(source, 5000, average(10.0, channel))) == 1


def test_without_knowledge_the_design_snr_is_assumed():
    source = payload()
    designed = CapacityLink(adaptation=Adaptive(5.0))
    assert designed.plan(source, 5000, Knowledge()).grade == designed.plan(source, 5000, average(5.0)).grade


def test_fixed_rates_have_a_cliff():
    """Above the design SNR everything arrives, below it nothing, whatever the sender knows."""
    source, channel = payload(), AWGN()
    for link in (CapacityLink(adaptation=FixedGrade(8.0)), DigitalLink("full", adaptation=FixedGrade(8.0))):
        plan = link.plan(source, 5000, average(20.0))
        assert plan.grade == link.plan(source, 5000, average(-3.0)).grade
        arrived = []
        for snr_db in (5.5, 9.0):
            state = channel.realize(2, plan.payload_symbols, snr_db, seeded(7))
            decoded = link.send(source.values, plan, source.layout, channel, state, seeded(8))
            arrived.append(relative_error(source, decoded.values[0]) < 0.2)
        assert arrived == [False, True]


def test_target_error_rates_are_kept():
    layer = Full()
    outlook = Outlook.of(AWGN().realize(1, 5000, 6.0, seeded(0)), layer.alphabets)
    grades = layer.grades(outlook, 5000)
    failure = layer.failure(grades, outlook, 5000)[0]
    careful, bold = (FixedErrorRate(target).best(layer, outlook, 5000, 6000, Worth()) for target in (0.001, 0.5))
    assert careful <= bold
    assert float(failure[careful]) <= 0.001
    with pytest.raises(ValueError, match="between 0 and 1"):
        FixedErrorRate(0.0)


def test_a_lost_block_costs_its_packets_alone():
    """Half of the other packets' symbols are jammed: what was in the rest arrives, bit for bit."""
    source, link, channel = payload(30_000), DigitalLink("full"), AWGN()
    plan = link.plan(source, 20_000, average(12.0))
    state = channel.realize(1, plan.payload_symbols, 12.0, seeded(9))
    received = channel.transmit(link.encode(source.values, plan), state, seeded(10))
    received.samples[:, places(received.samples.shape[-1])[-8000:]] = 0
    decoded = link.decode(received, link.plan_from_bytes(plan.to_bytes(), source.layout))
    assert plan.levels is not None
    same = decoded.values[0] == plan.levels.values()
    assert bool(decoded.usable[0])
    assert bool(same[-80:].all())
    assert 0.2 < float(same.float().mean()) < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("grade", [6, 12, 18, 25, 33, 40])
def test_abstraction_loses_blocks_as_often_as_the_full_chain(grade):
    """In the waterfall, both shares of lost blocks lie within the 99 % interval of their difference."""
    layer, channel, n = Abstraction(), AWGN(), 600
    block = layer.blocks((0, 900), grade)[0]
    cut, bits = block.segmentation, block.bits_per_symbol
    candidates = torch.arange(-20.0, 35.0, 0.01, dtype=torch.float64)
    predicted = block_error_rate(candidates, cut.block_bits, block.symbols * bits / cut.blocks, bits)
    start, one = float(candidates[(predicted - 0.9).abs().argmin()]), torch.ones(1, 1)
    tried = (start + 0.1 * step for step in range(20))
    snr_db = next(s for s in tried if 0.08 < float(layer.error_rates(block, grade, one * 10 ** (s / 10)).mean()) < 0.7)
    state = channel.realize(n, block.symbols, snr_db, seeded(11))
    # A single codeword is luckier or unluckier than the mean: its symbols are more often the inner or the outer ones.
    sent = torch.randint(0, 2, (n, block.bits), dtype=torch.uint8, generator=seeded(12))
    received = channel.transmit(block.encode(sent), state, seeded(13))
    decoded = block.decode(received.samples, received.gain, received.noise_variance)
    full = float((~decoded.block_ok).double().mean())
    snr = state.gain[:1].abs().square() / state.noise_variance[:1]
    drawn = float(layer.error_rates(block, grade, snr).mean())
    assert 0.02 < full < 0.98
    assert abs(full - drawn) < 2.58 * math.sqrt(drawn * (1 - drawn) * (1 / n + 1 / BLOCKS))


def test_a_payload_without_room_for_its_side_information_is_refused():
    with pytest.raises(BudgetError, match="give at least"):
        CapacityLink().plan(payload(), 100, average(5.0))


def test_perturbation_is_what_arrives_with_a_straight_through_gradient():
    source, link = payload(), CapacityLink(bits_per_value=1.5)
    plan = link.plan(source, 50_000, average(5.0))
    assert 8 * sum(plan.lengths) <= 1.5 * source.layout.size
    values = source.values.clone().requires_grad_()
    arrived = link.perturb(values, plan, AWGN(), 0.0, seeded(0))
    assert plan.levels is not None
    assert torch.allclose(arrived, plan.levels.values(), atol=1e-6)
    weights = torch.randn(len(values), generator=seeded(14))
    (arrived * weights).sum().backward()
    assert torch.allclose(values.grad, weights)


def test_a_network_is_sent_with_the_state_that_it_was_trained_with():
    """The steps are those of the training, whatever the channel carries; the link compares and hashes by its state."""
    source, quantiser = payload(), RateDistortion(bits_per_value=1.0)
    state = quantiser.init(1.5 * source.values, source.layout)
    link = CapacityLink(quantiser=quantiser, state=state.to_plain())
    for symbols in (3000, 6000):
        plan = link.plan(source, symbols, average(5.0))
        assert isinstance(plan.levels, Allocated)
        assert list(plan.levels.steps) == state.settings["steps"]
    assert hash(link) == hash(CapacityLink(quantiser=quantiser, state=json.loads(json.dumps(state.to_plain()))))
    assert link != CapacityLink(quantiser=quantiser)


@pytest.mark.parametrize("phy", ["capacity", "abstraction", "full"])
@pytest.mark.parametrize("quantiser", [LSQ(bits=3), Signs()], ids=lambda quantiser: type(quantiser).__name__)
def test_a_quantiser_with_one_answer_is_sent_at_the_slowest_grade_that_it_fits(phy, quantiser):
    """From its bytes alone the receiver rebuilds, bit for bit, what the network was trained with."""
    source, channel = payload(), AWGN()
    state = quantiser.init(source.values, source.layout)
    link = DigitalLink(phy, quantiser=quantiser, state=state.to_plain())
    plan = link.plan(source, 14_000, average(15.0))
    physical = plan.physical
    assert plan.symbols <= 14_000
    slower = max(0, plan.grade - physical.resolution)
    # What is left for the container allows for lengths of most bytes, of which fewer may do.
    assert physical.symbols(plan.lengths, slower) > link.room(source.layout, 14_000)
    decoded = link.send(
        source.values, plan, source.layout, channel, channel.realize(1, 14_000, 15.0, seeded(1)), seeded(2)
    )
    trained = quantiser.quantise(source.values, source.layout, state).detach()
    assert torch.equal(decoded.values[0], trained)


def test_what_cannot_fit_is_sent_too_fast_and_nothing_arrives():
    source, link, channel = payload(), CapacityLink(quantiser=LSQ(bits=8)), AWGN()
    plan = link.plan(source, 9000, average(0.0))
    assert plan.symbols <= 9000
    decoded = link.send(
        source.values, plan, source.layout, channel, channel.realize(1, 9000, 0.0, seeded(1)), seeded(2)
    )
    assert not bool(decoded.usable[0])


def test_names_and_the_layers_that_they_stand_for_are_one():
    for name, layer in (("full", Full()), ("abstraction", Abstraction()), ("capacity", Ideal())):
        assert DigitalLink(name) == DigitalLink(layer)
        assert hash(DigitalLink(name)) == hash(DigitalLink(layer))
    assert CapacityLink(bits_per_value=2.0) == DigitalLink("capacity", bits_per_value=2.0)
    assert DigitalLink() == DigitalLink(Full())
    assert DigitalLink(Full(iterations=5)) != DigitalLink("full")


def test_a_sender_adapts_once_to_each_realization(monkeypatch):
    """To compare, to group and to plan it asks three times."""
    asked = []
    best = Adaptive.best
    monkeypatch.setattr(Adaptive, "best", lambda *args: asked.append(1) or best(*args))
    source, link, channel = payload(), CapacityLink(adaptation=Adaptive(4.75)), Rayleigh()
    state = channel.realize(6, 5000, 10.0, seeded(15))
    known = Knowledge("instantaneous", 10.0, channel, state)
    link.prospects(source, 5000, known)
    kinds = link.alike(source, 5000, known)
    grades = [link.plan(source, 5000, known.of(torch.tensor([row]))).grade for row in range(6)]
    assert len(asked) == 6
    assert grades == kinds.tolist()


def test_a_waveform_is_made_once_and_its_power_told(monkeypatch):
    made = []
    encode = Full.encode
    monkeypatch.setattr(Full, "encode", lambda *args: made.append(1) or encode(*args))
    source, link, channel = payload(1500), DigitalLink("full"), AWGN()
    plan = link.plan(source, 1500, average(10.0))
    decoded = link.send(
        source.values, plan, source.layout, channel, channel.realize(2, 1500, 10.0, seeded(1)), seeded(2)
    )
    assert len(made) == 1
    assert torch.equal(decoded.power, link.power(source.values, plan))


def test_no_network_is_trained_through_it():
    source, link = payload(), CapacityLink()
    with pytest.raises(TypeError, match="by the method Quantised"):
        link.refresh(link.plan(source, 5000, average(5.0)), source)
    with pytest.raises(BudgetError, match="needs a budget"):
        link.plan(source, None, average(5.0))


def test_bad_arguments_are_refused(unchecked):
    with pytest.raises(ValueError, match="phy must be one of"):
        DigitalLink("fast")
    with pytest.raises(ValueError, match="bits_per_value"):
        DigitalLink(bits_per_value=0)
    source = payload()
    plan = CapacityLink().plan(source, 5000, average(5.0))
    with pytest.raises(TypeError, match="no waveform"):
        CapacityLink().encode(source.values, plan)
