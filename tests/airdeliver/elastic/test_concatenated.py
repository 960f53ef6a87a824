"""Members of networks with concatenated and grouped layers: what they have of the shared tensors lies apart."""

import pytest
import torch

from airdeliver.architecture import Given, Pruned
from airdeliver.elastic import NestedBuilder
from airdeliver.schemes import AirNetSpectrum
from tests.zoo.catalogue import CATALOGUE, said

NAMES = ("U-Net", "DenseNet", "RegNetX", "GhostNet")


def elastic_of(name: str, apart: int = 0):
    entry = CATALOGUE[name]
    architecture = Pruned(Given.of(entry.model(), entry.examples(2)))
    units = architecture.groups.units
    counts = [tuple(max(1, round(share * n)) for n in units) for share in (0.3, 0.6, 1.0)]
    conditions = AirNetSpectrum().conditions(10**5)[:3]
    return NestedBuilder(apart=apart, own=0.0).empty(counts, conditions, architecture).eval(), counts


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("apart", [0, 1])
def test_a_member_is_what_pruning_leaves_of_the_largest(name: str, apart: int):
    """Its parameters are the largest one's at the places that pruning keeps, and follow them when they change."""
    elastic, counts = elastic_of(name, apart)
    for change in range(2):
        with torch.no_grad():
            for parameter in elastic.shared.parameters():
                parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(change)))
        groups = elastic.architecture.groups
        for index, member in enumerate(elastic.members):
            ends = zip(counts[index], counts[-1], strict=True)
            kept = [list(range(wide - n, wide) if index < apart else range(n)) for n, wide in ends]
            expected = groups.select(elastic.shared.state_dict(), kept)
            for parameter_name, parameter in member.model.named_parameters():
                assert torch.equal(parameter, expected[parameter_name]), parameter_name
            seen = elastic.parameters_of(index)
            assert all(torch.equal(p, seen[n]) for n, p in member.model.named_parameters())


@pytest.mark.parametrize("name", NAMES)
def test_gradients_of_a_member_reach_the_shared_values(name: str):
    """At the places that it has, and nowhere else."""
    elastic, _ = elastic_of(name)
    inputs = CATALOGUE[name].examples(2)
    elastic.computing(0)(elastic.parameters_of(0), inputs).square().sum().backward()
    ones = {n: torch.ones_like(p) for n, p in elastic.shared.named_parameters()}
    window, small = elastic.windows[0], dict(elastic.members[0].model.named_parameters())
    for parameter_name, parameter in elastic.shared.named_parameters():
        if parameter.grad is not None:
            taken = window.of(parameter_name, ones[parameter_name].requires_grad_(), small[parameter_name].shape)
            (places,) = torch.autograd.grad(taken.sum(), ones[parameter_name])
            assert bool((parameter.grad[places == 0] == 0).all()), parameter_name
    assert sum(int(p.grad is not None and bool(p.grad.any())) for p in elastic.shared.parameters()) > 3


@pytest.mark.parametrize("name", NAMES)
def test_the_largest_member_computes_the_network(name: str):
    elastic, _ = elastic_of(name)
    inputs = CATALOGUE[name].examples(2)
    with torch.no_grad():
        assert torch.equal(elastic(inputs), said(elastic.members[-1].model, inputs)[0])
