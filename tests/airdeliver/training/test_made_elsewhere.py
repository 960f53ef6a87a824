"""A network that was trained elsewhere loses channels and is delivered, and nobody writes a builder for it."""

import pytest
import torch
from torch import nn
from torch.nn.utils.prune import l1_unstructured

from airdeliver import AnalogLink, BudgetError, Trained, deliver, prune
from airdeliver.compression.importance import Taylor
from channels import AWGN
from tests.zoo.catalogue import CATALOGUE, said

LINK = AnalogLink(side_information_rate=3.0)


def sent(network: nn.Module | Trained, uses: int):
    return deliver(network, LINK, AWGN(), 100.0, uses, realizations=1, normalisation="frozen")


@pytest.mark.parametrize("name", ["U-Net", "Llama", "BERT", "Diffusion block"])
def test_a_budget_is_met_and_the_network_delivered(name: str):
    """What arrives without noise is the pruned network; further pruning goes on from it; the model stays as it is."""
    entry = CATALOGUE[name]
    model, inputs = entry.model(), entry.examples(2)
    whole = sent(model, 10**6).channel_uses_spent
    smaller = prune(model, LINK, round(0.9 * whole), inputs, statistics=True)
    delivery = sent(smaller, round(0.9 * whole))
    assert 0.8 * whole < delivery.channel_uses_spent <= round(0.9 * whole)
    for answer, arrived in zip(said(smaller.model(), inputs), said(delivery.model(0), inputs), strict=True):
        assert (answer - arrived).norm() <= 1e-3 * answer.norm()
    smallest = prune(smaller, LINK, round(0.85 * whole), statistics=True)
    assert sent(smallest, 10**6).channel_uses_spent <= 0.85 * whole
    assert all(torch.equal(a, b) for a, b in zip(said(model, inputs), said(entry.model(), inputs), strict=True))


def test_what_was_trained_further_is_sent():
    """The receiver gets the values of the module that was handed back, and no others."""
    entry = CATALOGUE["Deep sets"]
    smaller = prune(entry.model(), LINK, 300, entry.examples(1))
    module = smaller.model()
    with torch.no_grad():
        module.phi[0].bias += 1.0
    arrived = sent(smaller.holding(module), 300).model(0)
    assert torch.allclose(arrived.phi[0].bias, module.phi[0].bias, atol=1e-4)
    assert not torch.allclose(arrived.phi[0].bias, smaller.model().phi[0].bias, atol=1e-1)
    with pytest.raises(RuntimeError):
        smaller.holding(entry.model())


@pytest.mark.parametrize(
    ("name", "reason"),
    [("LoRA", "LoRA is no layer"), ("Weight norm", "remove_parametrizations"), ("LSTM", "LSTM is")],
)
def test_a_budget_that_cannot_be_met_says_what_stays_whole_and_why(name: str, reason: str):
    entry = CATALOGUE[name]
    with pytest.raises(BudgetError, match=reason) as caught:
        prune(entry.model(), LINK, 20, entry.examples(1))
    assert "no channel can be removed" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_missing_is_said():
    model = nn.Sequential(nn.Linear(4, 8), nn.Linear(8, 2))
    with pytest.raises(ValueError, match="without inputs"):
        prune(model, LINK, 50)
    with pytest.raises(ValueError, match="no task"):
        prune(model, LINK, 50, torch.zeros(1, 4), importance=Taylor())
    l1_unstructured(model[0], "weight", 0.5)
    with pytest.raises(ValueError, match=r"prune\.remove"):
        prune(model, LINK, 50, torch.zeros(1, 4))
