"""The analog link over AWGN against closed forms."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from airdeliver.links import AnalogLink, BudgetError, Knowledge
from airdeliver.links.analog import AnalogPlan
from airdeliver.payload import Layout, Payload, Segment
from channels import AWGN

SIZES = (20_000, 3_001, 8_000)
SCALES = (0.05, 3.0, 1e-3)
MEANS = (0.01, -1.0, 0.0)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def payload(sizes=SIZES, scales=SCALES, means=MEANS) -> Payload:
    generator = seeded(0)
    values = [m + s * torch.randn(n, generator=generator) for n, s, m in zip(sizes, scales, means, strict=True)]
    return Payload(torch.cat(values), Layout(tuple(Segment(str(i), (n,)) for i, n in enumerate(sizes))))


def sent(link: AnalogLink, snr_db: float, realizations: int = 16) -> tuple[Payload, AnalogPlan, torch.Tensor]:
    source, channel = payload(), AWGN()
    plan = link.plan(source, 1_000_000, Knowledge())
    state = channel.realize(realizations, plan.payload_symbols, snr_db, seeded(1))
    return source, plan, link.send(source.values, plan, plan.layout, channel, state, seeded(2)).values


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 5.0, 20.0])
@pytest.mark.parametrize("receiver", ["mmse", "zero_forcing"])
def test_error_of_each_segment_matches_theory(receiver, snr_db):
    """MMSE: variance / (1 + SNR); zero forcing: variance / SNR; within 3 standard errors over all its values."""
    source, _, received = sent(AnalogLink(receiver), snr_db)
    snr = 10 ** (snr_db / 10)
    for original, arrived in zip(source.layout.split(source.values), source.layout.split(received), strict=True):
        squared = (arrived - original).double().square()
        error = float(squared.mean())
        # Shrinkage errs by the value itself, the same in every realization: the independent samples are the values.
        standard_error = float(squared.mean(0).std()) / math.sqrt(original.numel())
        expected = float(original.var()) / (1 + snr if receiver == "mmse" else snr)
        assert abs(error - expected) < 3 * standard_error + 0.002 * expected  # scales are rounded up, by 0.1 % at most


def test_zero_forcing_is_unbiased():
    source, plan, received = sent(AnalogLink("zero_forcing"), 0.0, 64)
    error = ((received.mean(0) - source.values) / plan.spread(source.values)[1]).double()
    assert abs(float(error.mean())) < 4 / math.sqrt(64 * error.numel())
    assert abs(float(error.var()) - 1 / 64) < 4 * math.sqrt(2 / error.numel()) / 64


def test_noiseless_delivery_is_exact():
    source, plan, received = sent(AnalogLink(), math.inf, 2)
    assert torch.allclose(received[1], source.values, rtol=1e-5, atol=1e-6 * float(plan.scale.max()))


@settings(deadline=None, derandomize=True, max_examples=50)
@given(
    st.lists(st.tuples(st.integers(2, 400), st.floats(-4, 4), st.floats(-3, 3)), min_size=1, max_size=6),
    st.integers(0, 9),
)
def test_power_is_at_most_one_and_close_to_it(segments, seed):
    """0.99 to 1 for every delivery of more than a handful of values; never above 1, whatever the weights."""
    generator = seeded(seed)
    values = [10**e * (m + torch.randn(n, generator=generator)) for n, e, m in segments]
    layout = Layout(tuple(Segment(str(i), (n,)) for i, (n, _, _) in enumerate(segments)))
    source = Payload(torch.cat(values), layout)
    link = AnalogLink()
    plan = link.plan(source, 1_000_000, Knowledge())
    power = float(link.power(source.values, plan))
    assert power <= 1 + 1e-6
    assert power >= 0.99 * source.values.numel() / (2 * plan.payload_symbols)


def test_constant_and_single_values_travel_exactly_as_side_information():
    """Four bytes for a single value, six for a constant segment, four for the mean and scale of any other."""
    layout = Layout((Segment("gain", (1,)), Segment("constant", (7,)), Segment("weight", (100,))))
    values = torch.cat([torch.tensor([0.1234567]), torch.full((7,), -1e-3), torch.randn(100, generator=seeded(0))])
    link, channel = AnalogLink(), AWGN()
    plan = link.plan(Payload(values, layout), 1000, Knowledge())
    assert len(plan.to_bytes()) == 4 + 6 + 4
    assert plan.payload_symbols == 50
    received = link.send(values, plan, plan.layout, channel, channel.realize(3, 50, -5.0, seeded(0)), seeded(1)).values
    assert torch.equal(received[:, :8], values[:8].expand(3, 8))


def test_decoding_works_from_bytes_alone():
    link = AnalogLink()
    plan = link.plan(payload(), 100_000, Knowledge())
    rebuilt = link.plan_from_bytes(plan.to_bytes(), plan.layout)
    assert torch.equal(rebuilt.mean, plan.mean)
    assert torch.equal(rebuilt.scale, plan.scale)
    with pytest.raises(ValueError, match="malformed side information"):
        link.plan_from_bytes(plan.to_bytes()[:-1], plan.layout)


def test_cost_counts_symbols_and_side_information():
    """Two values a symbol, and 4 bytes a segment at 1/4 bit per channel use."""
    plan = AnalogLink().plan(payload(), 100_000, Knowledge())
    assert plan.symbols == math.ceil(sum(SIZES) / 2) + 3 * 32 * 4


def test_too_small_budget_names_the_minimum():
    link = AnalogLink()
    needed = link.plan(payload(), 1_000_000, Knowledge()).symbols
    with pytest.raises(BudgetError, match=f"at least {needed} channel uses"):
        link.plan(payload(), needed - 1, Knowledge())
    assert link.plan(payload(), needed, Knowledge()).symbols == needed


@pytest.mark.parametrize(("snr_db", "usable"), [(-7.0, True), (-7.5, False)])
def test_side_information_is_lost_below_its_rate(snr_db, usable):
    """log2(1 + SNR) = 1/4 at SNR = -7.23 dB."""
    source, channel, link = payload(), AWGN(), AnalogLink()
    plan = link.plan(source, 100_000, Knowledge())
    state = channel.realize(2, plan.payload_symbols, snr_db, seeded(0))
    assert link.send(source.values, plan, plan.layout, channel, state, seeded(0)).usable.tolist() == [usable, usable]


def test_perturbation_is_differentiable_and_what_delivers():
    """The gradient of a received value by its own clean value is the receiver's shrinkage, 1 / (1 + 1/SNR)."""
    source, channel, link = payload(), AWGN(), AnalogLink()
    plan = link.plan(source, 100_000, Knowledge())
    values = source.values.clone().requires_grad_()
    arrived = link.perturb(values, plan, channel, 0.0, seeded(3))
    (gradient,) = torch.autograd.grad(arrived.sum(), values)
    assert torch.allclose(gradient, torch.full_like(gradient, 0.5), atol=1e-5)
    state = channel.realize(1, plan.payload_symbols, 0.0, seeded(4))
    delivered = link.send(source.values, plan, plan.layout, channel, state, seeded(3)).values[0]
    assert torch.equal(delivered, arrived.detach())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [({"receiver": "mmsee"}, "receiver must be one of mmse"), ({"side_information_rate": 0.0}, "above 0 bit")],
)
@pytest.mark.usefixtures("unchecked")
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        AnalogLink(**arguments)


def test_values_near_the_end_of_float32_are_refused_by_name():
    layout = Layout((Segment("fine", (3,)), Segment("huge", (3,))))
    source = Payload(torch.tensor([1.0, 2, 3, 3e38, -3e38, 3e38]), layout)
    with pytest.raises(ValueError, match=r"huge has mean or scale above 1e\+36, too near to the end of float32"):
        AnalogLink().plan(source, 1000, Knowledge())
