"""A network computed at wider widths: outputs, gradients and statistics are those of the narrow one."""

import pytest
import torch
from torch.func import functional_call

from airdeliver.elastic.aligned import Aligned
from airdeliver.models import CNN, VGG, ResNet20
from airdeliver.randomness import stream
from tests.airdeliver.compression.random_network import prunable

NETWORKS = [(CNN(), (1, 8, 8)), (VGG(), (3, 32, 32)), (ResNet20(width=0.5), (3, 32, 32))]


def narrow(model, shape, widths=lambda units: max(1, units // 2 - 1)):
    """A network in double precision, with parameters at random, and its architecture and widths."""
    architecture = prunable(model, shape)
    counts = tuple(widths(units) for units in architecture.groups.units)
    network = architecture.of_counts(counts).double()
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=stream(0, "noise")))
    return network, architecture, counts


def outcome(network, compute, shape):
    """Logits in training and evaluation, gradients, and the statistics after one step."""
    parameters = {name: p.detach().clone().requires_grad_() for name, p in network.named_parameters()}
    images = torch.randn(16, *shape, generator=stream(1, "noise"), dtype=torch.float64)
    network.train()
    logits = compute(parameters, images)
    logits.square().mean().backward()
    network.eval()
    evaluated = compute(parameters, images)
    gradients = {name: p.grad for name, p in parameters.items()}
    return logits, evaluated, gradients, {name: b.clone() for name, b in network.named_buffers()}


@pytest.mark.parametrize(("model", "shape"), NETWORKS, ids=["cnn", "vgg", "resnet"])
def test_computes_what_the_narrow_network_does(model, shape):
    network, architecture, counts = narrow(model, shape)
    aligned = Aligned(network, architecture, counts)
    assert aligned.padding
    assert {name for name, _ in network.named_parameters()} & aligned.padding.keys()
    before = {name: b.clone() for name, b in network.named_buffers()}
    results = outcome(network, aligned, shape)
    network.load_state_dict(before, strict=False)
    expected = outcome(network, lambda named, images: functional_call(network, named, images), shape)
    for result, plain in zip(results, expected, strict=True):
        torch.testing.assert_close(result, plain, rtol=1e-9, atol=1e-9)
    assert any(not torch.equal(before[name], b) for name, b in network.named_buffers())


def test_trying_it_out_leaves_statistics_and_mode_alone():
    network, architecture, counts = narrow(*NETWORKS[1])
    before = {name: b.clone() for name, b in network.named_buffers()}
    for mode in (True, False):
        network.train(mode)
        Aligned(network, architecture, counts)
        assert network.training is mode
        assert all(torch.equal(before[name], b) for name, b in network.named_buffers())


def test_widths_that_fit_and_networks_that_mix_channels_are_computed_as_they_are():
    """Group norm's moments would count the zeros."""
    network, architecture, counts = narrow(*NETWORKS[1], widths=lambda units: units - units % 8)
    assert Aligned(network, architecture, counts).wide is network
    network, architecture, counts = narrow(VGG(norm="group"), (3, 32, 32))
    aligned = Aligned(network, architecture, counts)
    assert aligned.wide is network
    results = outcome(network, aligned, (3, 32, 32))
    expected = outcome(network, lambda named, images: functional_call(network, named, images), (3, 32, 32))
    torch.testing.assert_close(results, expected, rtol=1e-9, atol=1e-9)
