"""What saves memory where networks are large changes nothing of what is sent and read."""

import gc
import weakref

import numpy as np
import pytest
import torch
from torch import Generator, nn

from airdeliver import DigitalLink, deliver
from airdeliver.compression.codec import RangeCoded
from airdeliver.compression.quantisers import large
from airdeliver.delivery_cost import delivery_cost
from airdeliver.links.arrivals import Arrivals
from airdeliver.links.base import Knowledge
from airdeliver.links.digital import fitting, rebuilding, trial
from airdeliver.links.digital.mcs import SCHEMES
from airdeliver.payload import payload_of
from channels import AWGN


def _network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(64, 80), nn.ReLU(), nn.Linear(80, 40)).eval()


@pytest.mark.parametrize("uses", [900, 3000, 9000])
def test_levels_that_are_not_held_are_read_from_the_container(uses, monkeypatch):
    """The same container, levels and values as where levels are held."""
    payload, link = payload_of(_network()), DigitalLink("capacity")
    monkeypatch.setattr(large, "LARGE", 1)
    monkeypatch.setattr(fitting, "SMALL", 1)  # nothing is remembered
    plans = []
    for least in (1 << 40, 1):
        monkeypatch.setattr(fitting, "LARGE", least)
        plans.append(link.plan(payload, uses, Knowledge("average", 10.0, AWGN())))
    held, again = plans
    assert held.container.data == again.container.data
    assert again.levels is None
    assert np.array_equal(held.levels.numbers, link.levels(again).numbers)
    assert link.levels(again).reconstructions == held.levels.reconstructions
    assert torch.equal(link.sent(again), held.levels.values())
    values, channel = payload.values, AWGN()
    assert torch.equal(*(link.perturb(values, plan, channel, 10.0, Generator().manual_seed(0)) for plan in plans))


def test_a_plan_holds_nothing_of_a_large_payload_but_its_container(monkeypatch):
    """Not the values, by way of levels that are worked out of them; at once, whenever cycles are collected."""
    monkeypatch.setattr(large, "LARGE", 1)
    monkeypatch.setattr(fitting, "SMALL", 1)
    monkeypatch.setattr(fitting, "LARGE", 1)
    payload = payload_of(_network())
    kept = weakref.ref(payload.values)
    gc.disable()
    try:
        plan = DigitalLink("capacity").plan(payload, 3000, Knowledge("average", 10.0, AWGN()))
        del payload
        assert kept() is None
    finally:
        gc.enable()
    assert plan.container is not None


def test_costs_count_levels_that_are_not_held(monkeypatch):
    monkeypatch.setattr(fitting, "SMALL", 1)
    costs = []
    for least in (1 << 40, 1):
        monkeypatch.setattr(fitting, "LARGE", least)
        delivery = deliver(nn.Linear(40, 30), DigitalLink("capacity"), AWGN(), 10.0, 2000, realizations=1)
        costs.append(delivery_cost(delivery, torch.zeros(2, 40)).bit_operations)
    assert costs[0] == costs[1] > 0


def test_values_are_read_when_they_are_asked_for(monkeypatch):
    def values():
        return deliver(_network(), DigitalLink("full"), AWGN(), 4.0, 4000, realizations=3).groups[0].decoded

    held = values()
    monkeypatch.setattr(rebuilding, "LONG", 1)
    made = values()
    assert isinstance(held.values, torch.Tensor)
    assert isinstance(made.values, Arrivals)
    assert torch.equal(held.usable, made.usable)
    assert all(torch.equal(held.values[row], made.values[row]) for row in range(3))


def test_what_can_be_read_is_told_without_reading_it():
    """Of damaged containers as of whole ones: the head is needed, packets are not."""
    payload = payload_of(_network())
    plan = DigitalLink("full").plan(payload, 6000, Knowledge("average", 10.0, AWGN()))
    whole, codec = plan.container.data, RangeCoded()
    chosen = np.random.default_rng(0)
    found = set()
    for _ in range(40):
        damaged = bytearray(whole)
        for place in chosen.integers(0, len(whole) if chosen.random() < 0.5 else 40, 3).tolist():
            damaged[place] ^= 0xFF
        try:
            codec.values(bytes(damaged), payload.layout)
            legible = True
        except ValueError:
            legible = False
        assert codec.legible(bytes(damaged), payload.layout) == legible
        found.add(legible)
    assert found == {True, False}
    assert codec.legible(whole, payload.layout)


@pytest.mark.parametrize("versions", [(0,), (0, 2)])
def test_blocks_are_lost_however_many_are_tried_at_a_time(versions, monkeypatch):
    block = trial.single_block(SCHEMES[6], 160)
    lost = []
    for at_once in (3, 50):
        monkeypatch.setattr(trial, "_AT_ONCE", at_once)
        snr_db = -6.2 if len(versions) == 1 else -9.5
        lost.append(trial.try_out(block, snr_db, 50, 20, Generator().manual_seed(1), versions))
    assert torch.equal(*lost)
    assert lost[0].any()
