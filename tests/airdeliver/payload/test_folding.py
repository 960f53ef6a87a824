"""Folded networks compute what the unfolded ones compute."""

import pytest
import torch
from torch import nn

from airdeliver.payload import Folded, architecture_of, layout_of, write
from tests.airdeliver.payload.networks import NETWORKS, images, used

PAIRS = {
    "vgg": 7,
    "vgg, group norm": 0,
    "resnet": 21,
    "cnn": 3,
    "transformer": 0,
    "own": 0,
    "pre-activation": 0,
    "shared": 1,
}


def assert_same(folded, model, x):
    with torch.no_grad():
        expected = model.eval()(x)
        assert torch.allclose(folded.module(x), expected, rtol=1e-4, atol=1e-4 * float(expected.abs().max()))


@pytest.mark.parametrize("name", NETWORKS)
def test_folding_is_exact(name):
    build, x = NETWORKS[name]
    model = used(build())
    folded = Folded(model)
    assert len(folded.pairs) == PAIRS[name]
    assert_same(folded, model, x)


@pytest.mark.parametrize("name", NETWORKS)
def test_refresh_follows_the_model(name):
    build, x = NETWORKS[name]
    model = used(build())
    folded = Folded(model, x if name != "transformer" else None)
    twin = folded.module
    layout = layout_of(model, statistics=True)
    write(model, layout, 0.1 * torch.randn(layout.size, generator=torch.Generator().manual_seed(3)))
    folded.refresh()
    assert folded.module is twin
    assert_same(folded, model, x)


def test_source_is_not_changed():
    model = used(NETWORKS["resnet"][0]()).train()
    before = {k: v.clone() for k, v in model.state_dict().items()}
    Folded(model, images())
    assert model.training
    assert all(torch.equal(model.state_dict()[k], v) for k, v in before.items())
    assert all(p.requires_grad for p in model.parameters())


@pytest.mark.parametrize(
    ("convolution", "norm", "x"),
    [
        (nn.Conv1d(3, 4, 3), nn.BatchNorm1d(4), torch.randn(2, 3, 9, generator=torch.Generator().manual_seed(0))),
        (nn.Conv3d(3, 4, 2), nn.BatchNorm3d(4), torch.randn(2, 3, 4, 4, 4, generator=torch.Generator().manual_seed(0))),
        (nn.ConvTranspose2d(3, 4, 3), nn.BatchNorm2d(4), images()),
        (nn.Conv2d(3, 6, 3, groups=3), nn.BatchNorm2d(6, affine=False), images()),
        (nn.Linear(16, 5), nn.BatchNorm1d(5), torch.randn(8, 16, generator=torch.Generator().manual_seed(0))),
    ],
)
def test_every_kind_of_layer_folds(convolution, norm, x):
    model = used(nn.Sequential(convolution, norm))
    folded = Folded(model, x)
    assert folded.pairs == (("0", "1"),)
    assert_same(folded, model, x)


def test_linear_layer_folds_only_where_the_input_shows_that_it_may():
    """On (n, 5, 5) the norm acts on the middle axis, the linear layer on the last one."""
    model = used(nn.Sequential(nn.Linear(5, 5), nn.BatchNorm1d(5)))
    x = torch.randn(8, 5, 5, generator=torch.Generator().manual_seed(0))
    assert Folded(model).pairs == ()
    folded = Folded(model, x)
    assert folded.pairs == ()
    assert_same(folded, model, x)


def test_batch_norm_without_running_statistics_stays():
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False))
    folded = Folded(model, images())
    assert folded.pairs == ()
    assert_same(folded, model, images())


def test_hooked_layers_stay():
    model = used(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
    model[0].register_forward_hook(lambda module, inputs, output: output + 1)
    folded = Folded(model)
    assert folded.pairs == ()
    assert_same(folded, model, images())


def test_twin_keeps_the_memory_format():
    model = used(NETWORKS["vgg"][0]()).to(memory_format=torch.channels_last)
    twin = Folded(model).module
    assert twin[0][4].weight.is_contiguous(memory_format=torch.channels_last)


def test_twin_may_be_of_lower_precision():
    """Weights are fused in float32 and rounded once."""
    model = used(NETWORKS["resnet"][0]())
    folded, exact = Folded(model), Folded(model)
    folded.module.bfloat16()
    folded.refresh()
    rounded = dict(folded.module.named_parameters())
    assert all(torch.equal(rounded[k], v.bfloat16()) for k, v in exact.module.named_parameters())


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize("kind", [1, 2, 3])
@pytest.mark.parametrize("affine", [True, False])
def test_grouped_transposed_convolutions_fold(groups, kind, affine):
    convolution = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)[kind - 1]
    norm = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)[kind - 1]
    model = used(nn.Sequential(convolution(4, 8, 3, groups=groups, bias=affine), norm(8, affine=affine)))
    x = torch.randn(2, 4, *(5,) * kind, generator=torch.Generator().manual_seed(0))
    folded = Folded(model, x)
    assert folded.pairs == (("0", "1"),)
    assert_same(folded, model, x)


class Misread(nn.Module):
    """Looks at a module that folding replaces, in a way that tracing does not show."""

    def __init__(self):
        super().__init__()
        self.convolution, self.norm = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)

    def forward(self, x):
        x = self.norm(self.convolution(x))
        return x if isinstance(self.norm, nn.BatchNorm2d) else x + 1


@pytest.mark.parametrize("blank", [False, True])
def test_a_twin_that_differs_is_replaced_also_before_values_arrived(blank):
    model = architecture_of(Misread()) if blank else used(Misread())
    folded = Folded(model)
    assert folded.pairs
    assert not folded.verify(images())
    assert folded.pairs == ()
    good = architecture_of(used(NETWORKS["cnn"][0]())) if blank else used(NETWORKS["cnn"][0]())
    folded = Folded(good)
    assert folded.verify(images(channels=1, side=8))
    assert len(folded.pairs) == 3


def test_scripted_models_are_left_unfolded():
    model = used(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
    folded = Folded(torch.jit.script(model))
    assert_same(folded, model, images())
