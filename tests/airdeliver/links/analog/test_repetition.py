"""Repetition, whole and in part, against closed forms."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from airdeliver.links import AnalogLink, BudgetError, Knowledge
from airdeliver.links.analog import Repetition
from airdeliver.payload import Layout, Payload, Segment
from channels import AWGN, Rayleigh
from channels.base import Channel


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def payload(sizes=(20_000, 6_002), scales=(0.05, 3.0), sensitivity=None) -> Payload:
    generator = seeded(0)
    values = [s * torch.randn(n, generator=generator) for n, s in zip(sizes, scales, strict=True)]
    layout = Layout(tuple(Segment(str(i), (n,)) for i, n in enumerate(sizes)))
    return Payload(torch.cat(values), layout, sensitivity)


def relative_errors(
    link: AnalogLink, source: Payload, channel: Channel, symbols: int, snr_db: float, realizations: int = 8
) -> list[torch.Tensor]:
    """Squared error of every value over its segment's variance, `(realizations, size)` a segment."""
    plan = link.plan(source, symbols, Knowledge("average", snr_db, channel))
    assert plan.symbols <= symbols
    state = channel.realize(realizations, plan.payload_symbols, snr_db, seeded(1))
    received = link.send(source.values, plan, plan.layout, channel, state, seeded(2)).values
    pairs = zip(source.layout.split(source.values), source.layout.split(received))
    return [(arrived - sent).double().square() / sent.double().var() for sent, arrived in pairs]


@pytest.mark.parametrize("copies", [1, 2, 3, 5])
@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 10.0])
def test_error_of_repetition(copies, snr_db):
    """MSE 1 / (1 + k SNR), within 4 standard errors over the values."""
    link, source = AnalogLink(expansion=Repetition(copies)), payload()
    exact = link.plan(source, 1 << 60, Knowledge()).symbols
    for squared in relative_errors(link, source, AWGN(), exact, snr_db):
        expected = 1 / (1 + copies * 10 ** (snr_db / 10))
        standard_error = float(squared.mean(0).std()) / math.sqrt(squared.shape[1])
        assert abs(float(squared.mean()) - expected) < 4 * standard_error + 0.002 * expected


def test_part_of_the_values_is_repeated():
    """Half as many symbols more: the first half of each segment has the error of two copies, the rest that of one."""
    link, source = AnalogLink(expansion=Repetition(1)), payload()
    once = link.plan(source, 1 << 60, Knowledge())
    errors = relative_errors(link, source, AWGN(), once.symbols + once.payload_symbols // 2, 0.0)
    for squared in errors:
        half = squared.shape[1] // 2
        for part, copies in ((squared[:, :half], 2), (squared[:, half + 1 :], 1)):
            standard_error = float(part.mean(0).std()) / math.sqrt(part.shape[1])
            assert abs(float(part.mean()) - 1 / (1 + copies)) < 4 * standard_error + 0.01


@pytest.mark.parametrize("copies", [2, 4])
def test_copies_meet_independent_fading(copies):
    """Diversity: the error is E[1 / (1 + SNR sum |h_j|^2)] over independent Rayleigh gains, one for each copy.

    sum |h_j|^2 is Gamma distributed with shape k; gains last 50 symbols, copies lie thousands apart.
    """
    link, source = AnalogLink(expansion=Repetition(copies)), payload()
    exact = link.plan(source, 1 << 60, Knowledge()).symbols
    squared = torch.cat(relative_errors(link, source, Rayleigh(coherence=50), exact, 5.0, realizations=32), 1)
    snr = 10**0.5
    grid = torch.linspace(1e-6, 40, 400_001, dtype=torch.float64)
    density = grid ** (copies - 1) * (-grid).exp() / math.gamma(copies)
    expected = float(torch.trapezoid(density / (1 + snr * grid), grid))
    blocks = squared.mean(0)
    standard_error = float(squared.mean(1).std()) / math.sqrt(len(squared)) + float(blocks.std()) / len(blocks) ** 0.5
    assert abs(float(squared.mean()) - expected) < 4 * standard_error


@pytest.mark.parametrize("sizes", [(20_000, 6_001), (3_000, 40)])
def test_copies_of_mixed_plans_are_far_apart(sizes):
    """A value's k inputs lie about 1/k of the delivery apart, whatever else is sent how often."""
    source = payload(sizes, sensitivity=torch.tensor([1.0, 300.0]))
    link = AnalogLink(protection="expansion")
    budget = 2 * link.plan(source, 1 << 60, Knowledge()).symbols
    plan = link.plan(source, budget, Knowledge("average", 0.0))
    stream = plan.stream(torch.device("cpu"))
    assert len(stream.groups) > 1
    places = torch.arange(stream.reals).view(1, -1)
    for group, position in zip(stream.groups, stream.separate(places.float())):
        assert position.shape[1:] == (group.inputs, group.count)
        gaps = position[0].diff(dim=0) * group.inputs / stream.reals
        assert bool(((gaps > 0.9) & (gaps < 1.1)).all())


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(1, 300), st.floats(0, 4), st.booleans()), min_size=1, max_size=6),
    st.integers(1, 3),
    st.sampled_from(["equal", "expansion", "power", "both", None]),
    st.integers(0, 3_000),
    st.integers(0, 9),
)
def test_every_plan_holds_its_promises(segments, copies, protection, left, seed):
    """Spent is within the budget and unused none; power at most 1; noiseless delivery exact; bytes say everything."""
    generator = seeded(seed)
    values = [
        torch.full((n,), 0.5) if constant else 10**e * torch.randn(n, generator=generator).sort().values.flip(0)
        for n, e, constant in segments
    ]
    layout = Layout(tuple(Segment(str(i), (n,)) for i, (n, _, _) in enumerate(segments)))
    source = Payload(torch.cat(values), layout, torch.rand(len(segments), generator=generator))
    link = AnalogLink(expansion=Repetition(copies), protection=protection)
    least = link.plan(source, 1 << 60, Knowledge()).symbols
    plan = link.plan(source, least + left, Knowledge("average", 3.0))
    assert plan.symbols <= least + left
    if plan.sent:
        assert plan.symbols == least + left
    assert float(link.power(source.values, plan)) <= 1 + 1e-5
    state = AWGN().realize(2, plan.payload_symbols, math.inf, seeded(1))
    received = link.send(source.values, plan, plan.layout, AWGN(), state, seeded(2)).values
    silent = protection in ("power", "both")
    if not silent:
        assert torch.allclose(received[1], source.values, rtol=1e-4, atol=1e-5 * float(source.values.abs().max()))
    with pytest.raises(BudgetError, match=f"at least {least} channel uses"):
        link.plan(source, least - 1, Knowledge())


def test_gradient_flows_through_repetition():
    """The gradient of a received value by its own clean value is the receiver's shrinkage, k SNR / (1 + k SNR)."""
    source, link = payload(), AnalogLink(expansion=Repetition(3))
    plan = link.plan(source, 1 << 60, Knowledge())
    values = source.values.clone().requires_grad_()
    arrived = link.perturb(values, plan, AWGN(), 0.0, seeded(3))
    (gradient,) = torch.autograd.grad(arrived.sum(), values)
    assert torch.allclose(gradient, torch.full_like(gradient, 0.75), atol=1e-5)


def test_refreshed_plan_keeps_its_table_and_budget():
    source = payload(sensitivity=torch.tensor([1.0, 300.0]))
    link = AnalogLink(protection="both")
    plan = link.plan(source, 40_000, Knowledge("average", 0.0))
    fresh = link.refresh(plan, Payload(2 * source.values, source.layout))
    assert fresh.allocation == plan.allocation
    assert fresh.symbols == plan.symbols == 40_000
    assert torch.allclose(fresh.scale, 2 * plan.scale, rtol=2e-3)


def test_silent_copies_of_an_erased_delivery_are_the_means():
    """Where no copy arrives, the estimate is the segment's mean."""
    source, link = payload(), AnalogLink(expansion=Repetition(2))
    plan = link.plan(source, 1 << 60, Knowledge())
    state = AWGN().realize(1, plan.payload_symbols, 0.0, seeded(0))
    lost = type(state)(torch.zeros_like(state.gain), state.noise_variance)
    received = link.send(source.values, plan, plan.layout, AWGN(), lost, seeded(1))
    assert not bool(received.usable)
    assert torch.allclose(received.values[0], plan.spread(source.values)[0])
