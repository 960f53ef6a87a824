"""Small weights are sent with as much power as large ones, whatever float16 or float32 hold of their squares."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from airdeliver import AnalogLink, DigitalLink, deliver
from airdeliver.links import Knowledge
from airdeliver.links.analog.plan import SMALL, AnalogPlan
from airdeliver.payload import Layout, Payload, Segment
from channels import AWGN


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(2, 300), st.floats(-40.0, 34.0), st.sampled_from([0.0, 1.0, -30.0]))
def test_power_is_one_at_any_scale_and_the_plan_survives_bytes(n, power, offset):
    """Mean square of what is sent: at most 1, and not below 1 by more than float16's eleven binary digits."""
    values = (torch.randn(n, generator=seeded(n)) + offset) * 10**power
    layout = Layout((Segment("a", (n,)), Segment("b", (3,))))
    values = torch.cat([values, torch.tensor([1.0, 2.0, 4.0])])
    plan = AnalogPlan.measure(values, layout, 0.25)
    symbols = AnalogLink().encode(values, plan)
    sent = torch.view_as_real(symbols).flatten()[:n] * math.sqrt(2)
    assert float(sent.double().square().mean()) <= 1 + 1e-5
    if float(plan.scale[0]) < SMALL or offset == 0:
        assert float(sent.double().square().mean()) > (1 - 2**-9) ** 2
    again = AnalogPlan.from_bytes(plan.to_bytes(), layout, 0.25)
    assert torch.equal(again.scale, plan.scale)
    assert torch.equal(again.mean, plan.mean)


def test_a_scale_that_was_raised_over_the_border_survives_bytes():
    layout = Layout((Segment("a", (64,)),))
    plan = AnalogPlan.measure(torch.randn(64, generator=seeded(0)) * 7e-6, layout, 0.25)
    for raised in (plan.scaled(torch.tensor([1.5])), plan.scaled(torch.tensor([0.9]))):
        again = AnalogPlan.from_bytes(raised.to_bytes(), layout, 0.25)
        assert torch.equal(again.scale, raised.scale)
        assert torch.equal(again.mean, raised.mean)


@pytest.mark.parametrize("exponent", [35, 20, 8, -3, -6, -7, -9, -15, -25, -36, -38, -40])
def test_error_is_that_of_the_channel_at_any_scale(exponent):
    """-30 dB at 30 dB; over n = 6400 values the error's standard deviation is sqrt(2 / n), 0.08 dB."""
    model = nn.Linear(64, 100, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.randn(100, 64, generator=seeded(1)) * 10.0**exponent)
    received = deliver(model, AnalogLink(), AWGN(), 30.0, 10_000, realizations=1).model(0).weight.detach().double()
    sent = model.weight.detach().double()
    error = float((received - sent).square().mean() / sent.square().mean())
    assert abs(10 * math.log10(error) + 30) < 0.4


def test_the_smallest_numbers_of_float32_arrive_as_they_are_or_as_a_neighbour():
    """Near 1e-44 numbers are 1.4e-45 apart; at 30 dB the noise is 0.16 of that, and rounding removes most of it."""
    model = nn.Linear(64, 100, bias=False)
    steps = torch.randint(-8, 9, (100, 64), generator=seeded(1))
    with torch.no_grad():
        model.weight.copy_(steps.double() * 2.0**-149)
    for snr_db, most in ((30.0, 0.001), (10.0, 0.1 * 25 / 24 + 1 / 12 / 24)):
        received = deliver(model, AnalogLink(), AWGN(), snr_db, 10_000, realizations=1).model(0).weight.detach()
        error = received.double() * 2.0**149 - steps
        assert float(error.square().mean() / steps.double().square().mean()) < most * 1.1


def test_sensitivities_weigh_segments_whose_squares_float32_does_not_hold():
    values, layout = torch.randn(128, generator=seeded(0)), Layout((Segment("a", (64,)), Segment("b", (64,))))
    link, sensitivity = AnalogLink(protection="both"), torch.tensor([1.0, 4.0])

    def uses(factor: float) -> list[float]:
        plan = link.plan(Payload(values * factor, layout, sensitivity), 1000, Knowledge("average", 0.0))
        assert all(row.expected_noise is not None and 0 < row.expected_noise < math.inf for row in plan.table())
        return [row.uses_per_parameter for row in plan.table()]

    assert uses(2.0**-100) == uses(2.0**-90) == uses(2.0**100)


def test_a_digital_link_refuses_what_its_steps_do_not_tell_apart():
    model = nn.Sequential(nn.Linear(8, 8), nn.Linear(8, 8))
    for parameter in model[1].parameters():
        parameter.data *= 1e-37
    with pytest.raises(ValueError, match=r"1.weight has no value above .*e-38: RateDistortion tells values apart"):
        deliver(model, DigitalLink("capacity"), AWGN(), 10.0, 10_000, realizations=1)
    for parameter in model[1].parameters():
        parameter.data *= 0
    assert torch.equal(
        deliver(model, DigitalLink(), AWGN(), 10.0, 10_000, realizations=1).model(0)[1].weight, model[1].weight
    )


def test_ordinary_scales_cost_four_bytes_as_ever():
    layout = Layout((Segment("a", (64,)), Segment("b", (64,))))
    values = torch.randn(128, generator=seeded(0))
    assert len(AnalogPlan.measure(values, layout, 0.25).to_bytes()) == 8
    assert (
        len(AnalogPlan.measure(values * torch.tensor([1.0, 1e-9]).repeat_interleave(64), layout, 0.25).to_bytes()) == 11
    )
