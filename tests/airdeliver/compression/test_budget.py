"""Whatever the architecture and the budget: it fits, it is used up, and a stranger rebuilds the network from it."""

import pickle
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from airdeliver.compression.importance import Magnitude
from airdeliver.compression.pruning import Pruning
from airdeliver.links import AnalogLink, BudgetError, Knowledge
from airdeliver.links.analog import Repetition
from airdeliver.payload import Payload, values_of
from channels import AWGN, Received
from tests.airdeliver.compression.fresh_receiver import Arrived, receive
from tests.airdeliver.compression.random_network import KINDS, NORMS, RandomNetwork, prunable, used

ROOT = Path(__file__).parents[3]
SHAPE = (1, 8, 8)

even = st.integers(2, 10).map(lambda n: 2 * n)
networks = st.builds(RandomNetwork, st.tuples(even, even, even), st.sampled_from(KINDS), st.sampled_from(NORMS))
links = st.builds(
    AnalogLink,
    receiver=st.sampled_from(["mmse", "zero_forcing"]),
    expansion=st.integers(1, 3).map(Repetition),
    protection=st.sampled_from([None, "expansion"]),
)


@dataclass(frozen=True)
class Sent:
    arrived: Arrived
    budget: int
    spent: int


def deliver(network: RandomNetwork, link: AnalogLink, share: float, statistics: bool, digits) -> Sent:
    """Prune to a share of the unpruned cost (or to the least that is possible, if that is less), and send."""
    architecture = prunable(network, SHAPE)
    model = used(architecture.unpruned(), 1)
    budget = int(share * cost(link, payload(architecture, model, architecture.groups.units, statistics)))
    try:
        model, counts = pruned(architecture, model, link, budget, statistics, digits)
    except BudgetError as error:
        least = int(re.findall(r"at least (\d+) channel uses", str(error))[0])
        assert least > budget
        with pytest.raises(BudgetError):
            pruned(architecture, model, link, least - 1, statistics, digits)
        budget = least
        model, counts = pruned(architecture, model, link, budget, statistics, digits)
    sent = payload(architecture, model, counts, statistics)
    plan, channel, generator = link.plan(sent, budget, Knowledge("average", 10.0)), AWGN(), seeded(2)
    state = channel.realize(1, plan.payload_symbols, 10.0, generator)
    received: Received = channel.transmit(link.encode(sent.values, plan), state, generator)
    side_information = sent.layout.description + plan.to_bytes()
    spent = received.samples.shape[1] + 32 * len(side_information)  # a quarter of a bit a use
    assert plan.symbols == spent
    return Sent(Arrived(architecture, link, statistics, side_information, received), budget, spent)


def pruned(architecture, model, link, budget, statistics, digits):
    pruning = Pruning(budget, link, Magnitude(), statistics)
    return pruning.prune(model, architecture.groups.units, architecture, digits, 0)


def payload(architecture, model, counts: tuple[int, ...], statistics: bool) -> Payload:
    layout = architecture.layout_of_counts(counts, statistics)
    return Payload(values_of(model, layout), layout)


def cost(link: AnalogLink, sent: Payload) -> int:
    return link.plan(sent, None, Knowledge()).symbols


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("count", [12, pytest.param(60, marks=pytest.mark.slow)])
def test_any_network_fits_any_budget_and_a_fresh_process_rebuilds_it(digits, tmp_path, count):
    """Spent <= budget, unused <= 2 % of it or 2 uses; only recipe, side information and samples reach the receiver."""
    sent: list[Sent] = []

    @settings(max_examples=count, deadline=None, derandomize=True)
    @given(networks, links, st.floats(0.1, 1.7), st.booleans())
    def examples(network, link, share, statistics):
        sent.append(deliver(network, link, share, statistics, digits))
        assert sent[-1].spent <= sent[-1].budget
        assert sent[-1].budget - sent[-1].spent <= max(2, 0.02 * sent[-1].budget)

    examples()
    images = torch.randn(64, *SHAPE, generator=seeded(3))
    (tmp_path / "arrived").write_bytes(pickle.dumps(([delivery.arrived for delivery in sent], images)))
    program = [sys.executable, "-m", "tests.airdeliver.compression.fresh_receiver"]
    subprocess.run([*program, tmp_path / "arrived", tmp_path / "outputs"], cwd=ROOT, check=True)
    for delivery, logits in zip(sent, pickle.loads((tmp_path / "outputs").read_bytes()), strict=True):
        assert logits.shape == (64, 10)
        assert bool(torch.isfinite(logits).all())
        torch.testing.assert_close(logits, receive(delivery.arrived, images), rtol=1e-3, atol=1e-3)
