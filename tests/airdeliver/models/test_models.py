"""The networks: sizes as stated, weights from the generator alone, builders that are values."""

import math

import pytest
import torch
from torch import nn

from airdeliver.models import CNN, VGG, ModelBuilder, ResNet20

BUILDERS = [
    (VGG(), 3, 32),
    (VGG(norm="group"), 3, 32),
    (VGG(width=0.5), 1, 28),
    (ResNet20(), 3, 32),
    (ResNet20(width=0.5, norm="group"), 3, 32),
    (CNN(), 1, 8),
    (CNN(width=2.0, norm="group"), 3, 9),
]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


def multiply_accumulates(model: nn.Module, x: torch.Tensor) -> int:
    """Of one image, in convolutions and linear layers."""
    counts = []
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(
                lambda layer, _, y: counts.append(layer.weight.numel() * math.prod(y.shape[2:]))
            )
    model.eval()(x)
    return sum(counts)


@pytest.mark.parametrize(("builder", "channels", "side"), BUILDERS)
def test_builds_for_its_images(builder, channels, side):
    model = builder(channels, 7)
    logits = model(torch.randn(4, channels, side, side, generator=seeded(0)))
    assert logits.shape == (4, 7)
    assert bool(logits.isfinite().all())
    logits.square().sum().backward()
    assert all(p.grad is not None for p in model.parameters())


@pytest.mark.parametrize(("builder", "channels", "side"), BUILDERS)
def test_weights_come_from_the_generator_alone(builder, channels, side):
    state = torch.get_rng_state()
    torch.manual_seed(1)
    first = builder(channels, 10, seeded(3)).state_dict()
    torch.manual_seed(2)
    before = torch.get_rng_state()
    second = builder(channels, 10, seeded(3)).state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    other = builder(channels, 10, seeded(4)).state_dict()
    torch.set_rng_state(state)
    assert all(torch.equal(first[k], second[k]) for k in first)
    assert any(not torch.equal(first[k], other[k]) for k in first)


@pytest.mark.parametrize(
    ("builder", "shape", "size", "operations"),
    [
        (VGG(), (3, 32, 32), 114_586, 7.23e6),
        (ResNet20(), (3, 32, 32), 272_474, 40.8e6),
        (CNN(), (1, 8, 8), 14_458, 0.45e6),
    ],
)
def test_sizes_are_as_stated(builder, shape, size, operations):
    model = builder(shape[0], 10)
    assert parameters(model) == size
    assert multiply_accumulates(model, torch.zeros(1, *shape)) == pytest.approx(operations, rel=0.01)


def test_small_vgg16_is_as_stated():
    """13 convolutions with 14,710,464 weights, 8,448 of batch norm, one linear layer of 5,130."""
    model = VGG(size="small16")(3, 10)
    assert parameters(model) == 14_710_464 + 8_448 + 5_130 == 14_724_042
    assert sum(isinstance(m, nn.Conv2d) for m in model.modules()) == 13
    assert multiply_accumulates(model, torch.zeros(1, 3, 32, 32)) == pytest.approx(313e6, rel=0.01)


def test_initial_weights_have_the_variance_of_he():
    """Variance 2 / fan-in; the variance of n normal samples has relative deviation sqrt(2 / n)."""
    weight = VGG(width=4.0)(3, 10, seeded(0))[0][-3].weight.detach()
    expected = 2 / (weight[0].numel())
    assert abs(float(weight.var()) / expected - 1) < 4 * math.sqrt(2 / weight.numel())


def test_group_norm_networks_have_no_statistics():
    for builder in (VGG(norm="group"), ResNet20(norm="group"), CNN(norm="group")):
        assert not list(builder(3, 10).buffers())


def test_equal_builders_are_one():
    assert len({VGG(), VGG(width=1.0), VGG(width=2.0), VGG(norm="group"), ResNet20(), CNN()}) == 5


def test_width_scales_channels():
    narrow, wide = VGG(width=0.5)(3, 10), VGG(width=2.0)(3, 10)
    assert narrow[0][0].out_channels == 8
    assert wide[0][0].out_channels == 32


@pytest.mark.parametrize("family", [VGG, ResNet20, CNN])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"width": 0.0}, "width must be a positive factor, got 0.0"),
        ({"width": math.nan}, "width must be a positive factor, got nan"),
    ],
)
def test_bad_arguments_are_refused(family, arguments, message):
    with pytest.raises(ValueError, match=message):
        family(**arguments)


def test_no_channels_are_refused():
    with pytest.raises(ValueError, match="channels and classes must be at least 1, got 0 and 10"):
        VGG()(0, 10)


class Scaled(nn.Module):
    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))


class Own(ModelBuilder):
    def architecture(self, channels, classes):
        return Scaled()


def test_layers_of_an_unknown_kind_are_refused():
    """Their weights would be whatever the memory held."""
    with pytest.raises(TypeError, match=r"\(Scaled\) has no initialisation: override initialise"):
        Own()(1, 1)


class LazyNetwork(ModelBuilder):
    """Its last layer finds out its inputs when it runs; it may be run while it is built."""

    def __init__(self, side: int | None = None) -> None:
        self.side = side

    def architecture(self, channels, classes):
        model = nn.Sequential(nn.Flatten(), nn.LazyLinear(classes))
        if self.side is not None:
            model(torch.zeros(1, channels, self.side, self.side))
        return model


def test_a_lazy_layer_is_refused_until_it_has_run():
    with pytest.raises(ValueError, match=r"LazyNetwork builds 1\.weight without a shape: give its layer all sizes"):
        LazyNetwork()(1, 10)
    first, again = (LazyNetwork(side=8)(1, 10, seeded(0)) for _ in range(2))
    assert first(torch.ones(2, 1, 8, 8)).shape == (2, 10)
    assert torch.equal(first[1].weight, again[1].weight)
