"""Protection by size: the optimum of its closed form, for nothing."""

import math

import pytest
import torch

from airdeliver.links import AnalogLink, Knowledge
from airdeliver.links.analog.allocation import POWER_STEP_DB, Allocation
from airdeliver.payload import Layout, Payload, Segment
from channels import AWGN

SIZES = (40_000, 2_000, 60)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def payload() -> Payload:
    values = torch.randn(sum(SIZES), generator=seeded(0))
    return Payload(values, Layout(tuple(Segment(str(i), (n,)) for i, n in enumerate(SIZES))))


def test_power_minimises_the_sum_of_relative_errors():
    """min sum 1 / p_i subject to sum n_i p_i = N at p_i = N / (sqrt(n_i) sum sqrt(n_j)), within the table's steps."""
    powers = Allocation.by_size(SIZES, 1).powers(SIZES)
    best = [sum(SIZES) / (math.sqrt(n) * sum(math.sqrt(m) for m in SIZES)) for n in SIZES]
    for power, expected in zip(powers, best, strict=True):
        assert abs(10 * math.log10(power / expected)) <= POWER_STEP_DB
    assert sum(n * p for n, p in zip(SIZES, powers)) == pytest.approx(sum(SIZES))
    assert sum(1 / p for p in powers) < 1.02 * sum(1 / p for p in best)
    assert sum(1 / p for p in powers) < len(SIZES)


def test_it_costs_nothing_and_keeps_power_at_one():
    source, plain, sized = payload(), AnalogLink(), AnalogLink(protection="size")
    cost = plain.plan(source, 1_000_000, Knowledge()).symbols
    plan = sized.plan(source, cost, Knowledge())
    assert plan.symbols == cost
    assert plan.to_bytes() == plain.plan(source, cost, Knowledge()).to_bytes()
    assert 0.99 < float(sized.power(source.values, plan)) <= 1


def test_error_of_each_segment_is_that_of_its_power():
    """MMSE: variance / (1 + p_i SNR)."""
    source, link, channel = payload(), AnalogLink(protection="size"), AWGN()
    plan = link.plan(source, link.plan(source, None, Knowledge()).symbols, Knowledge())
    state = channel.realize(64, plan.payload_symbols, 0.0, seeded(1))
    received = link.send(source.values, plan, plan.layout, channel, state, seeded(2)).values
    for row, value, arrived in zip(
        plan.table(), plan.layout.split(source.values), plan.layout.split(received), strict=True
    ):
        squared = (arrived - value).square().mean(0)
        expected = float(value.var()) / (1 + row.power)
        assert (
            abs(float(squared.mean()) - expected) < 4 * float(squared.std()) / math.sqrt(len(value)) + 0.002 * expected
        )


def test_training_sees_the_same_powers():
    source, link = payload(), AnalogLink(protection="size")
    trained = link.plan(source, None, Knowledge())
    delivered = link.plan(source, trained.symbols, Knowledge("average", -5.0, AWGN()))
    assert [row.power for row in trained.table()] == [row.power for row in delivered.table()]
