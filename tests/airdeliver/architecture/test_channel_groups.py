"""Which channels go together; and that computed layouts and selected values are those of the pruned network."""

import copy

import pytest
import torch

from airdeliver.architecture.channel_groups import ChannelGroups
from airdeliver.architecture.dependency import channel_groups
from airdeliver.models import VGG, ResNet20
from airdeliver.payload import layout_of
from tests.airdeliver.compression.random_network import KINDS, NORMS, RandomNetwork, used
from tests.airdeliver.payload.networks import NETWORKS

EXAMPLE = torch.zeros(1, 1, 8, 8)
UNITS = {"plain": (8, 12, 8), "residual": (12, 8), "grouped": (4, 6, 8), "depthwise": (8, 8)}


def halves(groups: ChannelGroups) -> list[list[int]]:
    """Every other unit, so that what is kept is not simply what comes first."""
    return [list(range(1, units, 2)) for units in groups.units]


@pytest.mark.parametrize("kind", UNITS)
def test_coupled_layers_are_one_group(kind):
    """A residual addition and a depthwise layer tie channels; a grouped layer loses the same of each of its groups."""
    assert channel_groups(RandomNetwork(kind=kind)(1, 10), EXAMPLE).units == UNITS[kind]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("kind", KINDS)
def test_layout_and_values_of_a_pruned_network(kind, norm):
    """The layout follows from counts alone; the values are those that torch-pruning leaves."""
    model = used(RandomNetwork(kind=kind, norm=norm)(1, 10), 0)
    groups = channel_groups(model, EXAMPLE)
    kept = halves(groups)
    pruned = groups.prune(copy.deepcopy(model), kept)
    counts = [len(units) for units in kept]
    assert layout_of(pruned, statistics=True) == groups.layout(layout_of(model, statistics=True), counts)
    selected = groups.select(model.state_dict(), kept)
    assert selected.keys() == pruned.state_dict().keys()
    assert all(torch.equal(tensor, selected[name]) for name, tensor in pruned.state_dict().items())
    assert pruned(torch.randn(3, 1, 8, 8, generator=torch.Generator().manual_seed(0))).shape == (3, 10)


@pytest.mark.parametrize("kind", KINDS)
def test_pruning_twice_is_pruning_once(kind):
    model = used(RandomNetwork(kind=kind)(1, 10), 0)
    groups = channel_groups(model, EXAMPLE)
    outer = halves(groups)
    narrowed = groups.narrowed(outer)
    inner = halves(narrowed)
    both = [[before[i] for i in after] for before, after in zip(outer, inner, strict=True)]
    twice = narrowed.select(groups.select(model.state_dict(), outer), inner)
    once = groups.select(model.state_dict(), both)
    assert all(torch.equal(once[name], twice[name]) for name in once)


@pytest.mark.parametrize(("builder", "count"), [(VGG(), 7), (VGG(norm="group"), 7), (ResNet20(width=0.5), 9 + 3)])
def test_the_networks_of_the_house_can_be_pruned_to_the_last_channel(builder, count):
    """VGG: each convolution's outputs; ResNet: the inside of each block, and the sums of each stage."""
    model, example = builder(3, 10), torch.zeros(1, 3, 32, 32)
    groups = channel_groups(model, example)
    assert len(groups.units) == count
    groups.prune(model, [[0]] * count)
    assert model.eval()(example).shape == (1, 10)


def test_what_cannot_shrink_stays_whole():
    """Tied weights, attention heads and embeddings stay; the inner layers of a transformer may shrink."""
    transformer, tokens = NETWORKS["transformer"]
    names = [group.name for group in channel_groups(transformer(), tokens[:1]).groups]
    assert names == ["encoder.layers.0.linear1", "encoder.layers.1.linear1"]
    shared, images = NETWORKS["shared"]
    assert channel_groups(shared(), images[:1]).units == ()
