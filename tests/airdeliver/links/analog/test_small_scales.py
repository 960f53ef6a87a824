"""Small weights are sent with as much power as large ones."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from airdeliver import AnalogLink, deliver
from airdeliver.links.analog.plan import SMALL, AnalogPlan
from airdeliver.payload import Layout, Segment
from channels import AWGN


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(2, 300), st.floats(-32.0, 3.0), st.sampled_from([0.0, 1.0, -30.0]))
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


@pytest.mark.parametrize("exponent", [-3, -6, -7, -9, -15, -25])
def test_error_is_that_of_the_channel_at_any_scale(exponent):
    """-30 dB at 30 dB; over n = 6400 values the error's standard deviation is sqrt(2 / n), 0.08 dB."""
    model = nn.Linear(64, 100, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.randn(100, 64, generator=seeded(1)) * 10.0**exponent)
    received = deliver(model, AnalogLink(), AWGN(), 30.0, 10_000, realizations=1).model(0).weight.detach().double()
    sent = model.weight.detach().double()
    error = float((received - sent).square().mean() / sent.square().mean())
    assert abs(10 * math.log10(error) + 30) < 0.4


def test_ordinary_scales_cost_four_bytes_as_ever():
    layout = Layout((Segment("a", (64,)), Segment("b", (64,))))
    values = torch.randn(128, generator=seeded(0))
    assert len(AnalogPlan.measure(values, layout, 0.25).to_bytes()) == 8
    assert (
        len(AnalogPlan.measure(values * torch.tensor([1.0, 1e-9]).repeat_interleave(64), layout, 0.25).to_bytes()) == 11
    )
