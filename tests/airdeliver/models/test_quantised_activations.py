"""Quantised activations: levels, gradients of the range, bits that the cost knows."""

import pytest
import torch

from airdeliver.cost import network_cost
from airdeliver.models import CNN, VGG, QuantisedActivations, ResNet20
from airdeliver.models.activation import QuantisedReLU


def on(rule: str, x: torch.Tensor, alpha: float = 2.0, bits: int = 2):
    module = QuantisedReLU(bits, rule)  # pyright: ignore[reportArgumentType]
    with torch.no_grad():
        module.alpha.fill_(alpha)
    x = x.clone().requires_grad_()
    y = module(x)
    y.sum().backward()
    return y.detach(), x.grad, float(module.alpha.grad)


X = torch.tensor([-1.0, 0.2, 0.9, 1.9, 2.5, 4.0])


@pytest.mark.parametrize("rule", ["pact", "lsq"])
def test_levels_are_multiples_of_a_share_of_the_range(rule: str):
    """Clipped to [0, alpha], rounded to alpha / (2^b - 1); straight through within."""
    y, slope, _ = on(rule, X)
    assert torch.allclose(y, torch.tensor([0.0, 0.0, 2 / 3, 2.0, 2.0, 2.0]))
    assert slope.tolist() == pytest.approx([0, 1, 1, 1, 0, 0])


def test_the_range_of_pact_learns_from_what_is_clipped():
    assert on("pact", X)[2] == 2  # two values at or above alpha


def test_the_range_of_lsq_learns_from_rounding_too():
    """(round(x/s) - x/s) / 3 within, 1 beyond; s = 2/3."""
    inside = sum(round(x / (2 / 3)) - x / (2 / 3) for x in (0.2, 0.9, 1.9)) / 3
    assert on("lsq", X)[2] == pytest.approx(2 + inside, rel=1e-5)


def test_every_relu_is_replaced_and_its_range_is_a_value_that_travels():
    plain, network = VGG()(3, 10), QuantisedActivations(VGG(), bits=4)(3, 10)
    assert not any(isinstance(m, torch.nn.ReLU) for m in network.modules())
    extra = sum(p.numel() for p in network.parameters()) - sum(p.numel() for p in plain.parameters())
    assert extra == 7
    same = dict(network.named_parameters())
    assert all(torch.equal(same[name], p) for name, p in plain.named_parameters())
    assert network(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_layers_behind_quantised_activations_compute_with_their_bits():
    """Six of VGG's convolutions; neither the first nor the linear layer behind a mean."""
    cost = network_cost(QuantisedActivations(VGG(), bits=4)(3, 10), torch.zeros(1, 3, 32, 32))
    assert [layer.activation_bits for layer in cost.layers] == [32, 4, 4, 4, 4, 4, 4, 32]
    inner = sum(layer.macs for layer in cost.layers[1:-1])
    assert cost.bit_operations == 32 * 4 * inner + 32 * 32 * (cost.macs - inner)


def test_builders_are_values_and_refuse_what_cannot_be(unchecked):
    assert QuantisedActivations(CNN(), 4) == QuantisedActivations(CNN(), 4) != QuantisedActivations(ResNet20(), 4)
    assert QuantisedActivations(CNN(width=2.0)).width == 2.0
    with pytest.raises(ValueError, match="bits must be 1 to 16 and rule pact or lsq, got 0 and 'pact'"):
        QuantisedActivations(CNN(), bits=0)
