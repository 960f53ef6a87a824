"""SP-Net: numbers of channels come from pruned bases, fit what they are compared with, and nothing else survives."""

from dataclasses import replace

import pytest
import torch

from airdeliver import AnalogLink
from airdeliver.architecture import Pruned, Whole
from airdeliver.cost import multiply_accumulates
from airdeliver.elastic import ElasticArchitecture, PrunedBasesBuilder, SlimmableBuilder, layers_of
from airdeliver.elastic.layers import elastic_values
from airdeliver.links import LayeredLink
from airdeliver.models import VGG
from airdeliver.payload import values_of
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.schemes import ElasticNetwork, SPNet
from airdeliver.spectrum.layered import LayeredChoice
from airdeliver.training.methods import Batch, Plain, Slimming
from experiments.stage import closure
from tests.airdeliver.compression.random_network import prunable

SCHEME = SPNet(training=Recipe(epochs=1), base_training=Recipe(epochs=1))


def bases(architecture, widths=(0.5, 0.75), seed=0):
    """Networks of these widths whose scales are known: uniform from 0 to 1."""
    found = []
    for width in widths:
        builder = SlimmableBuilder((width,))
        elastic = builder.empty(builder.shapes(architecture), (None,), architecture)
        with torch.no_grad():
            for name, p in elastic.largest.named_parameters():
                if p.ndim == 1:
                    p.copy_(torch.rand(p.shape, generator=stream(seed + len(name), "noise")))
        found.append(elastic)
    return found


def test_one_threshold_for_all_layers_keeps_the_largest_scales():
    architecture = prunable(VGG(), (3, 32, 32))
    builder = PrunedBasesBuilder(keep=(0.6453, 0.8202))
    networks = bases(architecture)
    counted = builder.of_bases(networks, architecture).counts
    for base, counts, keep in zip(networks, counted, builder.keep, strict=False):
        scales = [m.weight.detach() for m in base.largest.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        every = torch.cat(scales).sort(descending=True).values
        kept = round(keep * len(every))
        assert counts == tuple(max(int((s >= every[kept - 1]).sum()), round(0.1 * len(s))) for s in scales)
        assert sum(counts) == kept
    assert counted[-1] == architecture.groups.units


@pytest.mark.parametrize(("cost", "nested"), [("macs", True), ("values", False)])
def test_a_member_costs_no_more_than_the_uniform_network_and_one_channel_more_would(cost, nested):
    architecture = prunable(VGG(), (3, 32, 32))
    builder = PrunedBasesBuilder(cost=cost, nested=nested)
    counted = builder.of_bases(bases(architecture), architecture).counts
    for counts, like in zip(counted, builder.like, strict=False):
        uniform = tuple(max(1, round(like * n)) for n in architecture.groups.units)
        own, most = (price(architecture, each, cost) for each in (counts, uniform))
        assert 0.85 * most <= own <= most
    if nested:
        assert all(a <= b <= c for a, b, c in zip(*counted, strict=True))


def price(architecture, counts, cost):
    if cost == "values":
        return architecture.layout_of_counts(counts, statistics=False).size
    return multiply_accumulates(architecture.of_counts(counts), torch.zeros(1, 3, 32, 32))


def test_layers_that_would_vanish_keep_a_tenth():
    architecture = prunable(VGG(), (3, 32, 32))
    (base,) = bases(architecture, (0.5,))
    with torch.no_grad():
        norms = [m for m in base.largest.modules() if isinstance(m, torch.nn.BatchNorm2d)]
        norms[-1].weight.fill_(0.0)
    builder = PrunedBasesBuilder(bases=(0.5,), like=(0.25,), keep=(0.5,))
    assert builder.of_bases([base], architecture).counts[0][-1] == round(0.1 * 32)


@pytest.fixture(scope="module")
def trained(problem):
    found = {}
    for training in closure(SCHEME.trainings(problem, 8701)):
        found[training] = training.run(problem.task, found)
    return found


def test_members_are_the_first_channels_of_a_network_that_bases_gave_no_value(problem, trained):
    """Three trainings; what is delivered is described by its channels, and built from these alone."""
    (training,) = SCHEME.trainings(problem, 8701)
    assert [type(t.method).__name__ for t in training.needs] == ["Plain", "Slimming", "Slimming"]
    network = trained[training]
    elastic = network.model()
    full = elastic.largest.state_dict()
    for member in elastic.members[:-1]:
        for name, p in member.model.named_parameters():
            assert torch.equal(p, full[name][tuple(slice(0, n) for n in p.shape)])
    assert network.description == b"".join(m.description for m in elastic.members)
    received = network.architecture.receive(network.description)
    assert [m.shape for m in received.members] == [m.shape for m in elastic.members]
    package = replace(SCHEME, member=0).pack(problem, trained, 8701)
    assert package.choices[0].payload.layout.description == elastic.members[0].description
    assert all(base.method.method.builder.members == 1 for base in training.needs[1:])


def test_nested_members_go_in_layers(problem, trained):
    builder = PrunedBasesBuilder(nested=True)
    unpruned = Pruned(Whole.of(problem.task, problem.model))
    made = builder.of_bases(bases(unpruned), unpruned).build(
        problem.build(), (None,) * 3, unpruned, problem.task, 0, False
    )
    architecture = ElasticArchitecture(builder, unpruned, (None,) * 3)
    description = architecture.describe([m.shape for m in made.members])
    layers = layers_of(architecture, description)
    sent = elastic_values(made)[layers.order]
    for number, member in enumerate(made.members):
        layout = layers.member_layout(number)
        assert torch.equal(layers.of_member(sent, number), values_of(member.model, layout))
        assert int(layers.members[number].max()) + 1 == len(layers.members[number]) == layout.size
    link = LayeredLink([AnalogLink()] * 3, [0.2, 0.3, 0.5])
    assert LayeredChoice.of_network(made, architecture, description, link).macs == tuple(
        multiply_accumulates(m.model, torch.zeros(1, 1, 8, 8)) for m in made.members
    )


def test_scales_begin_alike_and_pay_for_their_sign(problem, task):
    """The gradient with the penalty is that without it plus the penalty times the sign."""
    method = Slimming(Plain(problem.model), penalty=0.25)
    run = method.start(task, {}, problem.training, problem.execution)
    scales = [m.weight for m in run.network.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert all(bool((scale == 0.5).all()) for scale in scales)
    with torch.no_grad():
        scales[0][0] = -0.5
    images = torch.randn(8, 1, 8, 8, generator=stream(0, "noise"))
    sum(run.loss(Batch(images, torch.arange(8)), stream(0, "noise")).values()).backward()
    before = [scale.grad.clone() for scale in scales]
    assert run.before_step(0, torch.optim.SGD(run.network.parameters(), 0.1))
    for scale, gradient in zip(scales, before, strict=True):
        torch.testing.assert_close(scale.grad, gradient + 0.25 * scale.sign())


def test_bad_arguments_are_refused(problem, unchecked):
    with pytest.raises(ValueError, match="a share for each of 2 bases"):
        PrunedBasesBuilder(like=(0.5,))
    with pytest.raises(ValueError, match="cost must be macs or values"):
        PrunedBasesBuilder(cost="flops")
    with pytest.raises(ValueError, match="must be a PrunedBasesBuilder"):
        SPNet(builder=SlimmableBuilder())
    with pytest.raises(ValueError, match="penalty must be 0 or more"):
        Slimming(Plain(problem.model), penalty=-1.0)
    with pytest.raises(ValueError, match="2 bases are pruned, got 0"):
        PrunedBasesBuilder().of_bases([], Pruned(Whole.of(problem.task, problem.model)))
    with pytest.raises(ValueError, match="takes nothing from other networks"):
        SlimmableBuilder().of_bases(bases(Pruned(Whole.of(problem.task, problem.model))), None)
    assert ElasticNetwork().bases(problem, None) == ()
