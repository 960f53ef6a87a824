"""Early exits: members are the first blocks, exactly; one pass teaches all; each input leaves where it is sure."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from airdeliver import AnalogLink, Normalisation, evaluate
from airdeliver.architecture import Pruned, Whole
from airdeliver.compression.quantisers import Signs
from airdeliver.cost import multiply_accumulates
from airdeliver.delivery import send
from airdeliver.delivery_cost import delivery_cost
from airdeliver.elastic import Depths, ElasticArchitecture, Every, ExitsBuilder, SlimmableBuilder, layers_of
from airdeliver.elastic.layers import elastic_values
from airdeliver.elastic.thresholds import thresholds_for
from airdeliver.links import DigitalLink, Knowledge, LayeredLink
from airdeliver.links.digital import FixedGrade
from airdeliver.models import MLP, ResNet20
from airdeliver.models.exits import Exits, Gated, confidence
from airdeliver.normalisation import batch_norms, estimate_statistics
from airdeliver.package import Choice, Package
from airdeliver.payload import Payload, load, values_of
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.schemes import ElasticNetwork, GatedExits, Layered
from airdeliver.spectrum.layered import LayeredChoice
from airdeliver.task import Signature
from airdeliver.training import Training
from airdeliver.training.methods import Batch, Joint, Teaching
from channels import AWGN
from experiments.stage import closure

SCHEME = GatedExits(
    builder=ExitsBuilder((1,)), training=Recipe(epochs=3, batch_size=64, learning_rate=0.05), table_snr_db=[0.0, 30.0]
)


def elastic_of(problem, after=(1,)):
    architecture = ElasticArchitecture(ExitsBuilder(after), Pruned(Whole.of(problem.task, problem.model)), (None, None))
    elastic = architecture.receive(b"")
    with torch.no_grad():
        for number, p in enumerate(elastic.parameters()):
            p.copy_(0.3 * torch.randn(p.shape, generator=stream(number, "noise")))
    for norm in batch_norms(elastic):
        norm.reset_running_stats()
    return elastic, architecture


def images(count=8):
    return torch.randn(count, 1, 8, 8, generator=stream(0, "noise"))


def test_a_member_is_the_network_up_to_its_exit_exactly(problem):
    """Values and statistics are the very same tensors; what arrives of it is described by its exit alone."""
    elastic, _ = elastic_of(problem)
    said = elastic.eval().shared.every(images())
    for index, member in enumerate(elastic.members):
        torch.testing.assert_close(member.model(images()), said[index], rtol=0, atol=0)
        assert member.description == bytes([index])
        received = member.architecture.receive(member.description)
        load(received, member.layout(Normalisation()), member.payload(Normalisation()).values)
        received.load_state_dict(member.model.state_dict())
        torch.testing.assert_close(received.eval()(images()), said[index], rtol=0, atol=0)
    first, last = (dict(member.model.named_parameters()) for member in elastic.members)
    assert all(last[name] is p for name, p in first.items())


def test_blocks_of_a_residual_network_begin_at_its_strides():
    unpruned = Pruned(Whole(ResNet20(width=0.5), Signature((3, 32, 32), 3, 10)))
    elastic = ElasticArchitecture(ExitsBuilder((1, 2)), unpruned, (None,) * 3).receive(b"")
    macs = [multiply_accumulates(member.model, torch.zeros(1, 3, 32, 32)) for member in elastic.members]
    assert macs == sorted(macs)
    assert [len(stage) for stage in elastic.shared.stages] == [6, 3, 3]


def test_one_pass_teaches_all_exits_as_a_pass_each_would(problem, task):
    """The sum of the losses has the gradient that separate passes have, by the same seeds, in evaluation mode."""
    elastic, _ = elastic_of(problem)
    fresh = Training.of(problem, problem_plain(problem), Recipe(epochs=0))
    joint = Joint(fresh, (None, None), ExitsBuilder((1,)), Every(), SCHEME.teaching)
    run = joint.start(task, {fresh: fresh.run(task, {})}, problem.training, problem.execution)
    run.network.load_state_dict(elastic.state_dict())
    run.network.eval()
    batch = Batch(images(16), torch.arange(16) % 10)
    terms = run.loss(batch, stream(0, "noise"))
    sum(terms.values()).backward()
    together = [p.grad.clone() for p in run.network.parameters()]
    run.network.zero_grad()
    first, last = (member.model(batch.inputs) for member in run.elastic.members)
    apart = SCHEME.teaching.terms({0: first}, last, batch, task, problem.training.label_smoothing)
    assert terms.keys() == apart.keys()
    sum(apart.values()).backward()
    for here, p in zip(together, run.network.parameters(), strict=True):
        torch.testing.assert_close(here, p.grad, rtol=1e-4, atol=1e-5)


def problem_plain(problem):
    from airdeliver.training.methods import Plain

    return Plain(problem.model)


@pytest.fixture(scope="module")
def choice(problem):
    elastic, architecture = elastic_of(problem)
    return LayeredChoice.of_network(elastic, architecture, b"", LayeredLink([AnalogLink()] * 2, [0.4, 0.6]))


def test_leading_layers_are_a_member_exactly(choice):
    elastic = choice.model
    sent = elastic_values(elastic)[choice.layers.order]
    for number, member in enumerate(elastic.members):
        layout = choice.layers.member_layout(number)
        assert torch.equal(choice.layers.of_member(sent, number), values_of(member.model, layout))
        assert int(choice.layers.members[number].max()) + 1 == layout.size
    assert layers_of(choice.architecture.elastic, b"").layout.size == sum(p.numel() for p in elastic.parameters())


def test_a_late_or_lost_layer_leaves_the_earlier_exit(choice, problem):
    """Whatever came of the depth is a network that answers."""
    data = problem.task.dataset
    inputs, targets = data.test.take(torch.arange(64))
    late = send(Package((choice,), Normalisation()), AWGN(), 30.0, 20_000, "average", 2, 0)
    early = late.after(late.groups[0].plan.uses[0])
    digital = LayeredLink(
        [DigitalLink("capacity", adaptation=FixedGrade(g), quantiser=Signs()) for g in (-3.0, 12.0)], [0.7, 0.3]
    )
    lost = send(Package((replace(choice, link=digital),), Normalisation()), AWGN(), 3.0, 20_000, "average", 2, 0)
    for delivery in (early, lost):
        (group,) = delivery.groups
        assert group.layout.size == choice.layers.member_layout(0).size
        assert evaluate(delivery, data.prepare(inputs), targets, task=problem.task).finite == 1.0
    assert late.groups[0].layout.size == choice.layers.member_layout(1).size


def test_each_example_leaves_at_the_first_exit_that_is_sure(problem):
    elastic, _ = elastic_of(problem)
    network = elastic.eval().shared
    first, last = network.every(images(32))
    sure = confidence(first)
    middle = float(sure.median())
    gated = Gated(network.stages, network.heads, [middle]).eval()
    expected = torch.where((sure > middle).unsqueeze(1), first, last)
    torch.testing.assert_close(gated(images(32)), expected, rtol=1e-5, atol=1e-5)
    assert gated.taken.tolist() == (sure <= middle).long().tolist()
    assert gated.paths == ("exit1", "exit2")
    macs = [multiply_accumulates(gated.along(path), torch.zeros(1, 1, 8, 8)) for path in range(2)]
    assert macs[0] == multiply_accumulates(elastic.members[0].model, torch.zeros(1, 1, 8, 8))
    head = 32 * 10
    assert macs[1] == multiply_accumulates(network, torch.zeros(1, 1, 8, 8)) + head


def test_tables_have_the_shares_that_left_and_the_mean_of_the_operations(problem):
    """Of an evaluation: shares of each exit, and multiply-accumulates weighted by them."""
    elastic, _ = elastic_of(problem)
    member, data = elastic.members[1], problem.task.dataset
    inputs, targets = data.test.take(torch.arange(64))
    inputs = data.prepare(inputs)
    sure = confidence(elastic.eval().shared.every(inputs)[0])
    description = bytes([1, round(255 * float(sure.median()))])
    layout = member.architecture.layout(description, statistics=True)
    gated = Choice(member.architecture, member.model, Payload(values_of(member.model, layout), layout), AnalogLink())
    delivery = send(Package((gated,), Normalisation("frozen")), AWGN(), 60.0, 20_000, "average", 1, 0)
    report = evaluate(delivery, inputs, targets, task=problem.task)
    received = delivery.model(0)
    received(inputs)
    early = float((received.taken == 0).float().mean())
    assert 0 < early < 1
    assert report.paths == pytest.approx({"exit1": early, "exit2": 1 - early}, abs=1 / 64)
    first, both = (multiply_accumulates(delivery.model(0).along(path), torch.zeros(1, 1, 8, 8)) for path in range(2))
    cost = delivery_cost(delivery, torch.zeros(1, 1, 8, 8), paths=report.paths)
    assert cost.macs == pytest.approx(report.paths["exit1"] * first + report.paths["exit2"] * both)


def test_thresholds_are_the_lowest_that_the_tolerance_bears():
    """Sure ones are right, unsure ones wrong at the first exit; the last is always right."""
    sure = torch.linspace(0, 1, 101).expand(3, -1)
    right = torch.stack([(sure[0] > 0.5).float(), torch.ones(101), torch.ones(101)])
    none, all_ = thresholds_for(sure, right, 0.0)
    assert none == pytest.approx(0.5, abs=1 / 255)
    assert all_ == 0.0
    (loose,) = thresholds_for(sure[:2], right[:2], 0.10)
    assert loose == pytest.approx(0.4, abs=0.01)
    (never,) = thresholds_for(sure[:2], torch.stack([torch.zeros(101), torch.ones(101)]), 0.0)
    assert never == 1.0


@pytest.fixture(scope="module")
def trained(problem):
    found = {}
    for training in closure(SCHEME.trainings(problem, 8701)):
        found[training] = training.run(problem.task, found)
    return found


def test_thresholds_are_measured_with_what_arrives_and_told_in_bytes(problem, trained):
    """At 0 dB nearly nobody may leave as early as at 30 dB; the network is built from bytes, thresholds included."""
    scheme = replace(SCHEME, table_realizations=2)
    package = scheme.pack(problem, trained, 9300)
    told = [choice.payload.layout.description for choice in package.choices]
    assert [len(description) for description in told] == [2, 2]
    picked = [int(package.select(Knowledge("average", snr, AWGN()), 9300)) for snr in (-3.0, 0.0, 29.0, 30.0, 40.0)]
    assert picked == [0, 0, 0, 1, 1]
    assert int(package.select(Knowledge(), 9300)) == 0
    gated = package.choices[1].architecture.receive(told[1])
    assert isinstance(gated, Gated)
    assert gated.thresholds == (told[1][1] / 255,)
    assert package.choices[1].payload.layout.segments == package.choices[1].architecture.layout(told[1], False).segments
    (sent,) = replace(scheme, measured="sent").pack(problem, trained, 9300).choices
    assert abs(sent.payload.layout.description[1] - told[1][1]) < abs(sent.payload.layout.description[1] - told[0][1])


def test_exits_go_in_layers_as_any_nested_members_do(problem, trained):
    """Scheme `Layered` takes the network as it is."""
    network = ElasticNetwork(builder=SCHEME.builder, teaching=SCHEME.teaching, training=SCHEME.training)
    scheme = Layered(network=network, table_snr_db=(5.0,), table_realizations=1, ratios=(1.0,))
    package = scheme.pack(problem, trained, 17_402)
    assert {len(choice.link.links) for choice in package.choices} == {1, 2}


def test_bad_arguments_are_refused(problem, task):
    unpruned = Pruned(Whole.of(problem.task, problem.model))
    with pytest.raises(ValueError, match="rising numbers of blocks"):
        ExitsBuilder((2, 1))
    with pytest.raises(ValueError, match="rising blocks from 1 to 1"):
        ExitsBuilder((2,)).build(problem.build(), (None, None), unpruned, task, 0, False)
    rows = Whole(MLP(), Signature((4,), 4, 2))
    with pytest.raises(ValueError, match="layers for images"):
        ExitsBuilder((1,)).build(rows.fresh(), (None, None), Pruned(rows), task, 0, False)
    with pytest.raises(ValueError, match="described by a byte from 0 to 1"):
        Depths(Whole.of(problem.task, problem.model), (1,)).receive(b"\x07")
    with pytest.raises(ValueError, match="exits need a threshold each"):
        Gated([nn.Identity()], [nn.Identity()], [0.5])
    with pytest.raises(ValueError, match="must be an ExitsBuilder"):
        GatedExits(builder=SlimmableBuilder())
    with pytest.raises(ValueError, match="tolerance must be 0 or more"):
        GatedExits(tolerance=-1)
    assert Teaching("largest").share == 0.5


def test_nobody_leaves_while_statistics_are_measured():
    generator = torch.Generator().manual_seed(0)

    def linear(inputs: int, outputs: int) -> nn.Linear:
        layer = nn.Linear(inputs, outputs)
        with torch.no_grad():
            layer.weight.copy_(torch.randn(outputs, inputs, generator=generator))
        return layer

    stages = [nn.Sequential(linear(n, 8), nn.BatchNorm1d(8), nn.ReLU()) for n in (4, 8)]
    heads = [linear(8, 3), linear(8, 3)]
    inputs = torch.randn(200, 4, generator=generator)
    measured = []
    for network in (Exits(stages, heads), Gated(stages, heads, [0.9])):
        estimate_statistics(network, inputs)
        measured.append([torch.stack([norm.running_mean, norm.running_var]) for norm in batch_norms(network)])
    torch.testing.assert_close(measured[1], measured[0], rtol=1e-6, atol=1e-6)
    network(inputs)
    assert 0 < int((network.taken == 0).sum()) < 200
