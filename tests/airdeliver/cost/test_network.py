"""What a network costs, against counts that are made another way."""

import math

import pytest
import torch
from torch import nn

from airdeliver.architecture.keyed import Keyed
from airdeliver.cost import Energy, latency, multiply_accumulates, network_cost, peak_activation_bytes
from airdeliver.models import CNN, VGG, ResNet20, Transformer
from airdeliver.models.several import Served


def by_shape(model: nn.Module, example: torch.Tensor) -> int:
    """Weights of each convolution or linear layer, once for each position of its output: an independent counter."""
    found = []
    for layer in model.modules():
        if isinstance(layer, nn.Conv1d | nn.Conv2d):
            layer.register_forward_hook(lambda m, _, y: found.append(m.weight.numel() * math.prod(y.shape[2:])))
        elif isinstance(layer, nn.Linear):
            layer.register_forward_hook(lambda m, _, y: found.append(y.numel() * m.in_features))
    model.eval()(example)
    return sum(found)


@pytest.mark.parametrize(
    ("model", "shape"),
    [
        (VGG()(3, 10), (3, 32, 32)),
        (ResNet20(width=0.5)(3, 10), (3, 32, 32)),
        (CNN()(1, 10), (1, 8, 8)),
        (nn.Sequential(nn.Conv2d(8, 16, 3, groups=4), nn.Conv2d(16, 32, 3, groups=16)), (8, 9, 9)),
    ],
)
def test_multiply_accumulates_agree_with_an_independent_counter(model: nn.Module, shape: tuple[int, ...]):
    cost = network_cost(model, torch.zeros(1, *shape))
    assert cost.macs == sum(layer.macs for layer in cost.layers) == by_shape(model, torch.zeros(1, *shape))
    assert cost.macs == multiply_accumulates(model, torch.zeros(1, *shape)) == cost.effective_macs
    assert cost.parameters == sum(p.numel() for p in model.parameters())
    assert cost.bit_operations == 1024 * cost.macs


def test_products_of_attention_count_beside_the_layers():
    """Queries times keys and probabilities times values: 2 n^2 d."""
    model, tokens = Transformer()(256, 10), torch.zeros(1, 64, dtype=torch.int64)
    cost = network_cost(model, tokens)
    stem = next(layer for layer in cost.layers if layer.name == "layers.0.attention.query")
    length = stem.macs // stem.weights
    assert cost.other_macs == 2 * length**2 * 64
    assert cost.macs - cost.other_macs == by_shape(model, tokens)


def test_attention_of_torch_counts_its_fused_projections():
    layer = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)
    projections, perceptron, products = 4 * 16 * 16, 2 * 16 * 32, 2 * 5 * 16
    assert network_cost(layer, torch.zeros(1, 5, 16)).macs == 5 * (projections + perceptron + products)


def test_zeros_are_left_out_of_effective_operations_layer_by_layer():
    model = nn.Sequential(nn.Conv2d(1, 4, 3, padding=1, bias=False), nn.Flatten(), nn.Linear(64, 2, bias=False))
    with torch.no_grad():
        model[0].weight[1:] = 0
    cost = network_cost(model, torch.zeros(1, 1, 4, 4))
    assert (cost.parameters, cost.nonzeros) == (164, 137)
    assert (cost.macs, cost.effective_macs) == (36 * 16 + 128, 9 * 16 + 128)


def test_bits_of_both_operands_make_bit_operations():
    model = nn.Sequential(nn.Linear(8, 4, bias=False), nn.Linear(4, 2, bias=False))
    model[1].activation_bits = 8
    cost = network_cost(model, torch.zeros(1, 8), {"1.weight": 4})
    assert cost.bit_operations == 32 * 32 * 32 + 8 * 4 * 8


def test_energy_of_a_layer_in_closed_form():
    model = nn.Linear(8, 4, bias=False)
    operations, traffic = 32 * (3.7 + 0.9), 640 * 32 + 10 / 2 * 12
    assert network_cost(model, torch.zeros(1, 8)).joules() == pytest.approx((operations + traffic) * 1e-12)
    model.activation_bits = 8
    operations, traffic = 32 * (0.1 + 0.2), 640 * 32 / 4 + 10 * 12 / 8
    bytes_ = network_cost(model, torch.zeros(1, 8), {"weight": 8})
    assert bytes_.joules() == pytest.approx((operations + traffic) * 1e-12)
    with torch.no_grad():
        model.weight[:2] = 0
    skipped = network_cost(model, torch.zeros(1, 8), {"weight": 8}).joules(skip_zeros=True)
    assert skipped == pytest.approx((operations / 2 + 640 * 32 / 8 + 10 * 12 / 8) * 1e-12)
    assert Energy().multiply_accumulate(1, 32) == 0.9  # signs only add


def test_layers_that_share_a_parameter_set_compute_in_its_bits():
    """Each of two tasks multiplies by the shared signs: they are no values of 32 bits that nobody owns."""
    served = Served((0, 1), (10, 10))
    network = Keyed(VGG(width=0.25), 3, served).fresh([bytes(32), bytes(range(32))])
    image = torch.zeros(1, 6, 32, 32)
    one = network_cost(VGG(width=0.25)(3, 10), image[:, :3])
    cost = network_cost(
        network, image, {name: 1 for name, _ in network.named_parameters() if name.startswith("binary")}
    )
    assert cost.macs == 2 * one.macs
    assert cost.other_macs == 0
    bits = {layer.name: layer.weight_bits for layer in cost.layers if layer.macs}
    assert sorted(set(bits.values())) == [1, 32]
    assert len(bits) == 2 * len(one.layers)
    in_one_bit = sum(layer.macs for layer in cost.layers if layer.weight_bits == 1)
    assert cost.bit_operations == 32 * (in_one_bit + 32 * (cost.macs - in_one_bit))
    assert 0.7 * cost.macs < in_one_bit < cost.macs


def test_memory_is_what_lives_at_once():
    """A skip keeps the block's input; an in-place activation takes nothing."""

    class Skip(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Conv2d(2, 2, 3, padding=1)

        def forward(self, x):
            return x + self.layer(self.layer(x))

    image = torch.zeros(1, 2, 8, 8)
    assert peak_activation_bytes(Skip(), image) == 3 * image.nbytes
    plain = nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.ReLU(inplace=True))
    assert peak_activation_bytes(plain, image) == 2 * image.nbytes


def test_latency_grows_with_work():
    small, large = nn.Linear(64, 64), nn.Sequential(*(nn.Linear(1024, 1024) for _ in range(8)))
    assert 0 < latency(small, torch.zeros(1, 64)) < latency(large, torch.zeros(64, 1024))
    with pytest.raises(ValueError, match="at least 1"):
        latency(small, torch.zeros(1, 64), repetitions=0)


def test_a_lazy_layer_is_refused_until_it_has_run():
    model = nn.Sequential(nn.Flatten(), nn.LazyLinear(3))
    with pytest.raises(ValueError, match=r"1\.weight has no shape yet: run the lazy model once"):
        network_cost(model, torch.zeros(1, 4))
    model(torch.zeros(1, 4))
    assert network_cost(model, torch.zeros(1, 4)).parameters == 15
