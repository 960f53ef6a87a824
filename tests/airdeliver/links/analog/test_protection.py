"""Protection: never worse than equal, and optimal where there is a closed form."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from airdeliver.links import AnalogLink, Knowledge
from airdeliver.links.analog import Both, ByExpansion, ByPower, Equal, Repetition, render
from airdeliver.links.analog.allocation import Allocation
from airdeliver.links.analog.protection import Demand, water_filling
from airdeliver.payload import Layout, Payload, Segment
from channels import AWGN

PROTECTIONS = (Equal(), ByExpansion(), ByPower(), Both())


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@st.composite
def demands(draw) -> Demand:
    sizes = tuple(draw(st.lists(st.integers(1, 3_000), min_size=1, max_size=8)))
    weight = tuple(10 ** draw(st.floats(-4, 2)) for _ in sizes)
    copies, snr_db = draw(st.integers(1, 3)), draw(st.floats(-10, 20))
    budget = copies * sum(sizes) + draw(st.integers(0, 8_000))
    published = Allocation.uniform(len(sizes), copies)
    return Demand(sizes, weight, Repetition(copies), published, 10 ** (snr_db / 10), lambda table: budget - 64 * table)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(demands())
def test_never_worse_than_equal_in_expected_loss(demand):
    losses = {type(p).__name__: demand.loss(p.allocate(demand)) for p in PROTECTIONS}
    assert all(demand.fits(p.allocate(demand)) for p in PROTECTIONS)
    assert losses["ByExpansion"] <= losses["Equal"]
    assert losses["ByPower"] <= losses["Equal"]
    assert losses["Both"] <= min(losses.values()) * (1 + 1e-12)


@settings(deadline=None, derandomize=True, max_examples=100)
@given(
    st.lists(st.tuples(st.integers(1, 5_000), st.floats(-5, 3)), min_size=1, max_size=10),
    st.floats(-15, 25),
    st.floats(0.5, 4),
    st.sampled_from([0.0, 0.25, 1.0]),
)
def test_powers_meet_the_conditions_of_karush_kuhn_and_tucker(segments, snr_db, uses, least):
    """All energy spent; one marginal loss per unit of energy above the least energy, and a lower one at it.

    The marginal is w snr / (n (1 + q snr)^2).
    """
    sizes, weight = [n for n, _ in segments], [10**e for _, e in segments]
    snr, total = 10 ** (snr_db / 10), uses * sum(n for n, _ in segments)
    energy = np.array(water_filling(sizes, weight, total, snr, least))
    above = energy > least * uses * (1 + 1e-9)
    assert (energy >= least * uses * (1 - 1e-9)).all()
    assert np.dot(sizes, energy) == pytest.approx(total)
    marginal = np.array(weight) / np.array(sizes) * snr / (1 + energy * snr) ** 2
    multiplier = marginal[above].max(initial=0.0)
    assert marginal[above] == pytest.approx(multiplier)
    assert least == 1 or (marginal[~above] <= multiplier * (1 + 1e-6)).all()


def test_powers_match_a_numerical_optimiser():
    sizes, weight, snr = np.array([500, 2_000, 30, 100]), np.array([3.0, 1.0, 2.0, 0.001]), 1.0
    total = float(sizes.sum())
    loss = lambda q: float((weight / (1 + q * snr)).sum())  # noqa: E731
    found = minimize(
        loss, np.ones(4), bounds=[(0, None)] * 4, method="SLSQP", options={"ftol": 1e-14, "maxiter": 1000},
        constraints={"type": "eq", "fun": lambda q: (sizes @ q - total) / total},
    )  # fmt: skip
    ours = np.array(water_filling(sizes.tolist(), weight.tolist(), total, snr))
    assert loss(ours) <= found.fun * (1 + 1e-6)
    assert ours[3] == 0


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=10), st.floats(-15, 25))
def test_power_is_equal_where_every_value_counts_the_same(sizes, snr_db):
    """s σ² / n alike for all segments: equal power is the optimum, and no table is sent."""
    snr = 10 ** (snr_db / 10)
    energy = water_filling(sizes, [0.3 * n for n in sizes], 2.0 * sum(sizes), snr)
    assert energy == pytest.approx([2.0] * len(sizes))
    published = Allocation.uniform(len(sizes), 1)
    demand = Demand(tuple(sizes), tuple(0.3 * n for n in sizes), Repetition(1), published, snr, lambda _: sum(sizes))
    assert ByPower().allocate(demand) == demand.published


def test_steps_of_power_cost_little():
    """Told in steps of 1.5 dB, the powers have an expected loss within 1 % of the exact ones."""
    sizes, weight, snr = (900, 9_000, 18_000, 320), (5.0, 2.0, 1.0, 4.0), 2.0
    demand = Demand(sizes, weight, Repetition(1), Allocation.uniform(len(sizes), 1), snr, lambda _: sum(sizes))
    exact = sum(w / (1 + q * snr) for w, q in zip(weight, water_filling(sizes, weight, float(sum(sizes)), snr)))
    told = demand.loss(ByPower().allocate(demand))
    assert exact <= told <= 1.01 * exact
    assert told < 0.8 * demand.loss(demand.published)


def payload() -> Payload:
    sizes = (400, 9_000, 20_000, 1)
    layout = Layout(tuple(Segment(name, (n,)) for name, n in zip(("in", "middle", "out", "gain"), sizes)))
    return Payload(torch.randn(layout.size, generator=seeded(0)), layout, torch.tensor([4_000.0, 9_000, 2_000, 1]))


@pytest.mark.parametrize("protection", ["equal", "expansion", "power", "both"])
def test_delivered_error_is_the_one_that_was_expected(protection):
    """The noise that the table expects of each segment is what arrives, within 4 standard errors."""
    source, link = payload(), AnalogLink(protection=protection, expansion=Repetition(2))
    plan = link.plan(source, 33_000, Knowledge("average", 0.0))
    state = AWGN().realize(16, plan.payload_symbols, 0.0, seeded(1))
    received = link.send(source.values, plan, plan.layout, AWGN(), state, seeded(2)).values
    rows = plan.table()
    assert sum(row.parameters * row.uses_per_parameter for row in rows) == pytest.approx(plan.payload_symbols)
    for row, sent, arrived in zip(rows, source.layout.split(source.values), source.layout.split(received)):
        squared = (arrived - sent).double().square()
        standard_error = float(squared.mean(0).std()) / math.sqrt(sent.numel()) if sent.numel() > 1 else 0.0
        assert abs(float(squared.mean()) - row.expected_noise) <= 4 * standard_error + 0.01 * row.expected_noise
    assert plan.symbols == 33_000


def test_sensitive_segments_get_more():
    source = payload()
    uses = [
        [row.uses_per_parameter * row.power for row in AnalogLink(protection=p).plan(source, 30_000, _AT_0_DB).table()]
        for p in ("expansion", "power", "both")
    ]
    for start, middle, out, gain in uses:
        assert start > middle > out > gain == 0.0


_AT_0_DB = Knowledge("average", 0.0)


def test_table_as_text():
    plan = AnalogLink(protection="both").plan(payload(), 30_000, _AT_0_DB)
    lines = render(plan.table()).splitlines()
    assert lines[0].split("  ")[0] == "segment"
    assert [line.split()[0] for line in lines[1:]] == ["in", "middle", "out", "gain"]
    rebuilt = AnalogLink(protection="both").plan_from_bytes(plan.to_bytes(), plan.layout)
    rows = rebuilt.granting(plan.payload_symbols).table()
    assert [row.uses_per_parameter for row in rows] == [row.uses_per_parameter for row in plan.table()]
    assert rows[0].expected_noise is None
