"""Compact architectures: sizes as stated, channels that can be pruned, members, delivery."""

import copy

import pytest
import torch
from torch import nn

from airdeliver import AnalogLink, deliver
from airdeliver.architecture.dependency import channel_groups
from airdeliver.cost import network_cost
from airdeliver.elastic import NestedBuilder
from airdeliver.models import MGICVGG, VGG, GGhostResNet20, GhostResNet20, GhostVGG, ModelBuilder, ResNet20
from airdeliver.models.ghost import Ghost
from airdeliver.models.mgic import Multigrid
from airdeliver.normalisation import Normalisation
from airdeliver.randomness import stream
from airdeliver.schemes import AirNetSpectrum
from channels import AWGN
from tests.airdeliver.compression.random_network import prunable

EXAMPLE = torch.zeros(1, 3, 32, 32)


@pytest.mark.parametrize(
    ("builder", "parameters", "operations"),
    [
        (GhostVGG(), 59_434, 3.95e6),
        (VGG(width=0.7), 58_738, 3.58e6),
        (GhostVGG(width=1.375), 112_186, 7.83e6),
        (MGICVGG(), 117_242, 9.65e6),
    ],
)
def test_sizes_are_as_stated(builder: ModelBuilder, parameters: int, operations: float):
    cost = network_cost(builder(3, 10), EXAMPLE)
    assert cost.parameters == parameters
    assert cost.macs == pytest.approx(operations, rel=2e-3)


def test_ghost_module_costs_what_its_formula_says():
    """ceil(c/s) (9 c_in + 2) + (s - 1) ceil(c/s) (d^2 + 2), outputs cut to c."""
    module = Ghost(12, 20, "batch", ratio=3, size=5)
    assert sum(p.numel() for p in module.parameters()) == 7 * (9 * 12 + 2) + 2 * 7 * (25 + 2)
    assert module(torch.zeros(2, 12, 8, 8)).shape == (2, 20, 8, 8)


def test_ghosts_halve_the_convolutions_of_resnet():
    plain, ghost = (network_cost(b(3, 10), EXAMPLE) for b in (ResNet20(width=0.5), GhostResNet20(width=0.5)))
    assert 0.5 < ghost.macs / plain.macs < 0.6


def test_stage_of_g_ghost_in_closed_form():
    """Base and end whole, one thin block of half the channels, and three 1 x 1 convolutions with norms."""
    stage = GGhostResNet20()(3, 10)[3]
    block = lambda c: 2 * (9 * c * c + 2 * c)  # noqa: E731
    mixing = (16 + 8) * 8 + 2 * 8 + 8 * 8 + 2 * 8
    assert sum(p.numel() for p in stage.parameters()) == 2 * block(16) + block(8) + mixing + (8 * 8 + 2 * 8)


@pytest.mark.parametrize("channels", [64, 128, 256])
def test_multigrid_grows_linearly_where_a_convolution_grows_fourfold(channels: int):
    """At most 2.1 times the parameters for twice the channels, beyond the coarsest level that both share."""

    def parameters(c: int) -> int:
        return sum(p.numel() for p in Multigrid(c, "batch", 8, 16).parameters())

    assert parameters(2 * channels) <= 2.1 * parameters(channels)
    # K (s_g 9 + 2), R and P (s_g / 2 each) and P's norm (2), of each channel of a level; 16 dense channels in the end.
    levels = sum(channels // 2**level for level in range(4) if channels // 2**level > 16)
    dense = channels
    while dense > 16:
        dense //= 2
    more = sum(c for c in (channels // 2**k for k in range(4, 10)) if c > 16)
    assert parameters(channels) == (levels + more) * (8 * 9 + 2 + 4 + 4 + 2) + 9 * dense**2 + 2 * dense


def test_multigrid_ends_where_groups_cannot_be_halved():
    """20 channels in groups of 8 have a common group of 4, 10 one of 2, 5 none."""
    block = Multigrid(20, "batch", 8, 4)
    assert block.coarse.coarse.is_coarsest
    assert block.restrict.groups == block.coarse.restrict.groups == 5
    assert block(torch.zeros(2, 20, 4, 4)).shape == (2, 20, 4, 4)


def used(builder: ModelBuilder) -> nn.Module:
    """A network whose norms are not the identity."""
    network, generator = builder(3, 10), torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return network.eval()


@pytest.mark.parametrize(
    ("builder", "groups"),
    [(GhostVGG(width=0.5), 7), (MGICVGG(width=0.75), 7 + 6), (GhostResNet20(width=0.5), 9)],
    ids=["ghost", "mgic", "ghost resnet"],
)
def test_pruned_channels_are_those_that_were_zero(builder: ModelBuilder, groups: int):
    """What pruning leaves computes as the whole network does whose removed channels give 0."""
    whole = used(builder)
    found = channel_groups(whole, EXAMPLE)
    assert len(found.units) >= groups
    kept = [list(range(0, units, 2)) for units in found.units]
    zeroed, images = copy.deepcopy(whole), torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        for group in found.groups:
            gone = list(range(1, group.units, 2))
            for shrinking in group.shrinking:
                if shrinking.dim == 0 and not shrinking.name.endswith(("running_mean", "running_var")):
                    zeroed.state_dict()[shrinking.name][shrinking.positions[gone].flatten()] = 0
    pruned = found.prune(copy.deepcopy(whole), kept)
    expected = zeroed(images).detach()
    assert torch.allclose(pruned(images), expected, atol=1e-5 * float(expected.abs().max()))
    assert sum(p.numel() for p in pruned.parameters()) < 0.8 * sum(p.numel() for p in whole.parameters())


@pytest.mark.slow
def test_stages_of_g_ghost_stay_whole_and_all_else_can_be_pruned():
    """Where a stage's channels part follows from a layer, so a pruned stage knows it: 4 groups a stage."""
    model = used(GGhostResNet20(width=0.5))
    found = channel_groups(model, EXAMPLE)
    assert len(found.units) == 12
    assert found.prune(model, [[0]] * 12)(EXAMPLE).shape == (1, 10)


@pytest.mark.parametrize(
    ("builder", "uses"),
    [(GhostVGG(width=0.5), 9_000), pytest.param(MGICVGG(width=0.75), 24_000, marks=pytest.mark.slow)],
    ids=["ghost", "mgic"],
)
def test_a_nested_spectrum_of_channels_that_lie_apart(builder: ModelBuilder, uses: int, task):
    """Members take channels of concatenated and grouped layers at places that lie apart, each within its budget."""
    architecture = prunable(builder, (3, 32, 32))
    conditions = AirNetSpectrum().conditions(uses)
    elastic = NestedBuilder().build(used(builder), conditions, architecture, task, 0, False).eval()
    assert elastic.windows[0].copied
    for member in elastic.members:
        assert member.symbols(Normalisation()) <= uses
        assert member.model(EXAMPLE).shape == (1, 10)


@pytest.mark.parametrize("builder", [GhostVGG(width=0.5), GGhostResNet20(width=0.5), MGICVGG(width=0.5)])
def test_delivered_networks_compute_the_same(builder: ModelBuilder):
    model, images = used(builder), torch.randn(8, 3, 32, 32, generator=stream(0, "noise"))
    delivery = deliver(model, AnalogLink(), AWGN(), 90.0, 100_000, 1, normalisation="frozen")
    expected = model(images).detach()
    assert torch.allclose(delivery.model(0)(images), expected, atol=1e-2 * float(expected.abs().max()))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: GhostVGG(ratio=1), "ratio must be at least 2 and filter_size odd, got 1 and 3"),
        (lambda: GhostResNet20(filter_size=2), "ratio must be at least 2 and filter_size odd, got 2 and 2"),
        (lambda: GGhostResNet20(ghosts=1.0), "ghosts must be a share between 0 and 1, got 1.0"),
        (lambda: MGICVGG(group_size=3), "group_size must be even and coarsest at least 1, got 3 and 16"),
        (lambda: GhostVGG(width=0.0), "width must be a positive factor"),
    ],
)
def test_networks_that_cannot_be_are_refused(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()
