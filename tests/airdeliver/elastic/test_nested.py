"""Nested members: real networks that are slices of one parameter set, each at its exact budget."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from airdeliver.architecture import Pruned, Whole
from airdeliver.compression.importance import Magnitude
from airdeliver.compression.pruning import removal_order
from airdeliver.elastic import NestedBuilder
from airdeliver.elastic.nested import check_nested
from airdeliver.elastic.ranking import permuted, ranking
from airdeliver.models import CNN, VGG, ResNet20
from airdeliver.randomness import stream
from airdeliver.schemes import AirNetSpectrum
from airdeliver.spectrum import cut
from airdeliver.training import Training
from airdeliver.training.methods.base import laid_out
from tests.airdeliver.compression.random_network import prunable


def networks():
    return [(CNN(), (1, 8, 8), 8701), (VGG(), (3, 32, 32), 60_000), (ResNet20(width=0.5), (3, 32, 32), 40_000)]


def perturbed(architecture):
    network = architecture.unpruned()
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=stream(0, "noise")))
    return network


def shared_names(spectrum, index):
    """Parameters in the memory of the largest member."""
    largest = dict(spectrum.largest.named_parameters())
    return {
        name
        for name, parameter in spectrum.members[index].model.named_parameters()
        if parameter.untyped_storage().data_ptr() == largest[name].untyped_storage().data_ptr()
    }


@pytest.mark.parametrize(
    ("model", "shape", "symbols", "apart"),
    [(*networks()[0], 1), *((*network, apart) for network in networks() for apart in (0, 2))],
)
def test_members_are_views_and_real_networks(model, shape, symbols, apart, task):
    """What is not a member's own lies in the largest one's memory; a member cut out computes the same."""
    architecture = prunable(model, shape)
    network, conditions = perturbed(architecture), AirNetSpectrum().conditions(symbols)
    spectrum = NestedBuilder(apart=apart).build(network, conditions, architecture, task, 0, False).eval()
    largest = dict(spectrum.largest.named_parameters())
    counts = [member.shape for member in spectrum.members]
    check_nested(counts)
    assert len(set(counts)) == len(counts)
    images = torch.randn(4, *shape, generator=stream(0, "noise"))
    for index, member in enumerate(spectrum.members):
        assert shared_names(spectrum, index) == set(largest) - spectrum.own_names(index)
        alone = cut(spectrum, index)
        torch.testing.assert_close(alone(images), member.model(images), atol=1e-5, rtol=0)
        for name, parameter in alone.named_parameters():
            assert parameter.untyped_storage().data_ptr() != largest[name].untyped_storage().data_ptr()
        assert sum(p.numel() for p in alone.parameters()) == member.layout(AirNetSpectrum().normalisation).size
    large = max(largest, key=lambda name: largest[name].numel())
    with torch.no_grad():
        largest[large].zero_()
    assert not any(bool(member.model.get_parameter(large).any()) for member in spectrum.members)


@pytest.mark.parametrize(("model", "shape", "symbols"), networks(), ids=["cnn", "vgg", "resnet"])
def test_members_apart_share_little_with_the_next_larger_one(model, shape, symbols, task):
    """The largest computes the same; what members 1 and 2 have in common is no longer the whole of member 1."""
    architecture = prunable(model, shape)
    network, conditions = perturbed(architecture), AirNetSpectrum().conditions(symbols)
    together, apart = (
        NestedBuilder(own=0.0, apart=apart).build(network, conditions, architecture, task, 0, False).eval()
        for apart in (0, 2)
    )
    assert [m.shape for m in together.members] == [m.shape for m in apart.members]
    images = torch.randn(4, *shape, generator=stream(0, "noise"))
    torch.testing.assert_close(apart(images), together(images), atol=1e-4, rtol=1e-4)
    smaller = sum(p.numel() for p in together.members[1].model.parameters())
    assert in_common(together) == smaller
    assert in_common(apart) < 0.5 * smaller


def in_common(spectrum):
    """Values that are of both members 1 and 2."""
    marks = {name: torch.zeros_like(p) for name, p in spectrum.largest.named_parameters()}
    for index in (1, 2):
        for name, p in spectrum.members[index].model.named_parameters():
            spectrum.windows[index].of(name, marks[name], p.shape).add_(index)
    return sum(int((mark == 3).sum()) for mark in marks.values())


def test_what_members_have_of_their_own_is_bounded(task):
    """The smallest tensors, up to a share of the largest member; with none of it, everything is shared."""
    architecture, conditions = prunable(VGG(), (3, 32, 32)), AirNetSpectrum().conditions(60_000)
    for own in (0.0, 0.02, 0.08):
        spectrum = NestedBuilder(own=own).build(architecture.unpruned(), conditions, architecture, task, 0, False)
        held = [sum(p.numel() for p in module.parameters()) for module in spectrum.own]
        largest = {name: p.numel() for name, p in spectrum.largest.named_parameters()}
        assert sum(held) <= own * sum(largest.values())
        assert all(held) == (own > 0)
        if own:
            names = spectrum.own_names(0)
            assert max(largest[name] for name in names) <= min(n for name, n in largest.items() if name not in names)


def test_members_of_a_trained_network_stay_views_when_training_goes_on(known):
    """The memory format that training asks for is the one it has already."""
    elastic = laid_out(known.trained[known.training].model(), known.problem.task)
    held = {parameter.untyped_storage().data_ptr() for parameter in elastic.parameters()}
    members = [parameter for member in elastic.members for parameter in member.model.parameters()]
    assert {parameter.untyped_storage().data_ptr() for parameter in members} == held


def test_members_train_what_is_their_own(known):
    """Scales of two members differ after training, and a step of one leaves those of another alone."""
    first, second = (member.model for member in known.package.spectrum.members[:2])
    (name, *_) = [name for name in known.package.spectrum.own_names(0) if name.endswith("bias")]
    length = len(first.get_parameter(name))
    assert not torch.equal(first.get_parameter(name), second.get_parameter(name)[:length])


def test_each_member_fills_the_budget(known):
    """Spent <= budget, unused <= 1 % of it, though the largest has eight times the parameters of the smallest."""
    sizes = [choice.payload.layout.size for choice in known.package.choices]
    assert sizes[-1] > 6 * sizes[0]
    for member in known.package.spectrum.members:
        assert 0.99 * 8701 <= member.symbols(known.package.normalisation) <= 8701


def test_another_order_of_channels_computes_the_same(problem, task, clean):
    """The permuted network is the network, and prefixes of it are what pruning by the same order leaves."""
    (trained,) = clean.values()
    model, architecture = trained.model(), Pruned(Whole.of(task, problem.model))
    order = removal_order(Magnitude().scores(model, architecture.groups, task, 0), 0.1)
    ranked, scores = ranking(order, architecture.groups.units)
    other = architecture.unpruned().eval()
    other.load_state_dict(permuted(model.state_dict(), architecture.groups, ranked))
    images = torch.randn(8, 1, 8, 8, generator=stream(0, "noise"))
    torch.testing.assert_close(other(images), model(images), atol=1e-5, rtol=1e-5)
    for units, score in zip(ranked, scores, strict=True):
        assert sorted(units) == list(range(len(units)))
        assert score.tolist() == sorted(score.tolist(), reverse=True)


def test_members_that_are_not_nested_are_refused():
    with pytest.raises(ValueError, match="member 0 must be within member 1"):
        check_nested([(2, 5), (3, 4)])


def test_a_condition_without_budget_is_refused(problem, task):
    architecture = Pruned(Whole.of(task, problem.model))
    conditions = tuple(replace(c, symbols=None) for c in AirNetSpectrum().conditions(8701))
    with pytest.raises(ValueError, match="give its condition symbols"):
        NestedBuilder().build(architecture.unpruned(), conditions, architecture, task, 0, False)


def test_statistics_are_each_members_own(known):
    norms = [
        [m for m in member.model.modules() if isinstance(m, nn.BatchNorm2d)]
        for member in known.package.spectrum.members
    ]
    first = [norm[0].running_mean for norm in norms]
    assert all(mean is not None for mean in first)
    assert not torch.equal(first[0], first[-1][: len(first[0])])
    assert Training.clean(known.problem) in known.trained


@pytest.mark.parametrize("moved", ["double", "contiguous copy"])
def test_members_stay_views_wherever_the_network_goes(moved, problem):
    """`.to(device)` and whatever else replaces tensors goes through `_apply`; members share what is shared after it."""
    unpruned = Pruned(Whole.of(problem.task, problem.model))
    counts = [(4, 8, 8), (8, 16, 16), (16, 32, 32)]
    conditions = AirNetSpectrum().conditions(8701)[: len(counts)]
    elastic = NestedBuilder(apart=1).empty(counts, conditions, unpruned).eval()
    if moved == "double":
        elastic.double()
    else:
        elastic._apply(lambda tensor: torch.empty(tensor.shape, dtype=tensor.dtype).copy_(tensor))
    with torch.no_grad():
        for index, parameter in enumerate([*elastic.parameters(), *elastic.buffers()]):
            parameter.fill_(index + 1)
    for index, member in enumerate(elastic.members):
        expected = elastic.parameters_of(index)
        assert all(torch.equal(p, expected[name]) for name, p in member.model.named_parameters())
    for member, own in zip(elastic.members, elastic.own):
        kept = dict(own.named_buffers())
        assert all(buffer is kept[name.replace(".", "/")] for name, buffer in member.model.named_buffers())
