"""The digital link: budgets, outage, adaptation, loss, and training through it."""

import json
import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from airdeliver.compression.quantisation import allocate
from airdeliver.links import BudgetError, CapacityLink, DigitalLink, Knowledge, Worth
from airdeliver.links.digital import Abstraction, Adaptive, DigitalPlan, FixedErrorRate, FixedGrade, Full, Ideal
from airdeliver.links.digital.abstraction import BLOCKS
from airdeliver.links.digital.block_errors import block_error_rate
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


@pytest.mark.parametrize("phy", ["capacity", "abstraction", "full"])
@pytest.mark.parametrize("snr_db", [0.0, 12.0])
def test_plans_fill_the_budget_and_never_exceed_it(phy, snr_db):
    source, link = payload(), DigitalLink(phy)
    plan = link.plan(source, 5000, average(snr_db))
    assert 0.96 * 5000 <= plan.symbols <= 5000
    assert plan.symbols == plan.payload_symbols + math.ceil(8 * len(plan.to_bytes()) / 0.25)


def test_capacity_is_met_by_the_bits_that_are_sent():
    """log2(1 + SNR) bits for each payload symbol, within 1 % of rounding and filling."""
    source = payload()
    plan = CapacityLink().plan(source, 6000, average(7.0))
    bits = 8 * (plan.protected + plan.others)
    assert 0.99 <= bits / plan.payload_symbols / math.log2(1 + 10**0.7) <= 1 + 1e-6


@pytest.mark.parametrize("phy", ["capacity", "abstraction", "full"])
def test_what_arrives_is_what_was_quantised(phy):
    """At an SNR that the sender knows, in every realization; and the receiver works from the side information alone."""
    source, link, channel = payload(1500), DigitalLink(phy), AWGN()
    plan = link.plan(source, 1500, average(10.0))
    state = channel.realize(4, plan.payload_symbols, 10.0, seeded(1))
    decoded = link.send(source.values, plan, channel, state, seeded(2))
    assert bool(decoded.usable.all())
    assert plan.quantised is not None
    sent = plan.quantised.values()
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
        assert (read.grade, read.protected + read.others) == (plan.grade, plan.protected + plan.others)
        assert read.payload_symbols == plan.payload_symbols
        assert read.quantised is None
        assert read.container is None
    with pytest.raises(ValueError, match="malformed side information"):
        CapacityLink().plan_from_bytes(b"\x01\x02", source.layout)


def test_outage_of_the_capacity_link_matches_closed_form():
    """P(log2(1 + |h|^2 snr) < R) = 1 - exp(-(2^R - 1) / snr) for a sender that knows the average alone."""
    source, link, channel, n = payload(500), CapacityLink(), Rayleigh(), 20_000
    plan = link.plan(source, 4000, average(10.0, channel))
    state = channel.realize(n, plan.payload_symbols, 10.0, seeded(3))
    rate = Ideal().efficiency(plan.grade)
    lost = float((~link.send(source.values, plan, channel, state, seeded(4)).usable).float().mean())
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
        assert bool(link.send(source.values, plan, channel, state[rows], seeded(6)).usable[0]) == (limit > 0.25)
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
            decoded = link.send(source.values, plan, channel, state, seeded(8))
            arrived.append(relative_error(source, decoded.values[0]) < 0.2)
        assert arrived == [False, True]


def test_target_error_rates_are_kept():
    layer, state = Full(), AWGN().realize(1, 5000, 6.0, seeded(0))
    grades = layer.grades(state, 5000)
    failure = layer.failure(grades, state, 5000)[0]
    careful, bold = (FixedErrorRate(target).best(layer, state, 5000, 6000, Worth(), 1) for target in (0.001, 0.5))
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
    received.samples[:, -8000:] = 0
    decoded = link.decode(received, link.plan_from_bytes(plan.to_bytes(), source.layout))
    assert plan.quantised is not None
    same = decoded.values[0] == plan.quantised.values()
    assert bool(decoded.usable[0])
    assert bool(same[-80:].all())
    assert 0.2 < float(same.float().mean()) < 0.9


@pytest.mark.slow
@pytest.mark.parametrize("grade", [6, 12, 18, 25, 33, 40])
def test_abstraction_loses_blocks_as_often_as_the_full_chain(grade):
    """In the waterfall, both shares of lost blocks lie within the 99 % interval of their difference."""
    layer, channel, n = Abstraction(), AWGN(), 600
    block = layer.blocks(0, 900, grade)[0]
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


def test_perturbation_is_the_quantiser_with_a_straight_through_gradient():
    source, link = payload(), CapacityLink(bits_per_value=1.5)
    plan = link.plan(source, 1 << 62, average(0.0))
    assert 8 * (plan.protected + plan.others) <= 1.5 * source.layout.size
    values = source.values.clone().requires_grad_()
    arrived = link.perturb(values, plan, AWGN(), 0.0, seeded(0))
    assert plan.quantised is not None
    assert torch.allclose(arrived, plan.quantised.values(), atol=1e-6)
    weights = torch.randn(len(values), generator=seeded(14))
    (arrived * weights).sum().backward()
    assert torch.allclose(values.grad, weights)


def test_the_penalty_is_the_cost_and_its_descent_leaves_less_error_at_the_same_bits():
    source, link = payload(), CapacityLink(bits_per_value=1.5)
    plan = link.plan(source, 1 << 62, average(0.0))
    assert plan.quantised is not None
    cost = link.penalty(plan.quantised.values(), plan)
    assert float(cost) == pytest.approx(plan.quantised.bits / source.layout.size, rel=0.05)
    values = source.values.clone()
    for _ in range(10):
        leaf = values.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(link.penalty(leaf, plan), leaf)
        values -= 0.01 * gradient / gradient.abs().mean()
    cheaper, bits = Payload(values, source.layout), 1.5 * source.layout.size
    errors = [relative_error(p, allocate(p, bits).values()) for p in (source, cheaper)]
    assert errors[1] < 0.9 * errors[0]
    # Scaling a band saves nothing, so the gradient does not ask for it.
    assert float(values[:6000].norm() / source.values[:6000].norm()) == pytest.approx(1, abs=0.01)


def test_refreshing_steers_to_the_rate_that_is_trained_for():
    source, link = payload(), CapacityLink(bits_per_value=1.0)
    plan: DigitalPlan = link.plan(source, 1 << 62, average(0.0))
    wider = Payload(source.values.sign() * source.values.abs().sqrt(), source.layout)
    rates = []
    for _ in range(30):
        plan = link.refresh(plan, wider)
        assert plan.quantised is not None
        rates.append(plan.quantised.bits / source.layout.size)
    assert rates[-1] == pytest.approx(1.0, abs=0.05)
    # And it stays there: half of these values are next to a change of level, and larger corrections would jump over it.
    assert all(after <= before for before, after in pairwise(rates[-10:]))


def test_a_training_goes_on_with_what_it_had_settled_on():
    """Steps lag behind the values and the slope is steered: a plan made anew would differ, one resumed does not."""
    source, link = payload(), CapacityLink(bits_per_value=1.0)
    known = average(0.0)
    plan: DigitalPlan = link.plan(source, 1 << 62, known)
    wider = Payload(source.values.sign() * source.values.abs().sqrt(), source.layout)
    for share in torch.linspace(0, 1, 9):
        plan = link.refresh(plan, Payload(torch.lerp(source.values, wider.values, float(share)), source.layout))
    settled = json.loads(json.dumps(link.settled(plan)))
    anew: DigitalPlan = link.plan(wider, 1 << 62, known)
    goes_on, resumed = (link.refresh(p, wider).quantised for p in (plan, link.resumed(anew, settled)))
    assert goes_on is not None
    assert resumed is not None
    assert (goes_on.levels == resumed.levels).all()
    assert (goes_on.steps, goes_on.slope) == (resumed.steps, resumed.slope)
    sent = replace(link, steps=tuple(settled["steps"])).plan(wider, 1 << 62, known)
    assert sent.quantised is not None
    assert sent.quantised.steps == tuple(settled["steps"])


def test_bad_arguments_are_refused(unchecked):
    with pytest.raises(ValueError, match="phy must be one of"):
        DigitalLink("fast")
    with pytest.raises(ValueError, match="bits_per_value"):
        DigitalLink(bits_per_value=0)
    source = payload()
    plan = CapacityLink().plan(source, 5000, average(5.0))
    with pytest.raises(TypeError, match="no waveform"):
        CapacityLink().encode(source.values, plan)
