"""Layers: leading ones are a member, exactly; a late or lost one leaves a working smaller member."""

from dataclasses import replace

import pytest
import torch

from airdeliver import AnalogLink, Normalisation, evaluate
from airdeliver.architecture import Pruned, Whole
from airdeliver.capability import Capability
from airdeliver.compression.quantisers import Signs
from airdeliver.delivery import send
from airdeliver.elastic import ElasticArchitecture, NestedBuilder, SlimmableBuilder, Statistics, layers_of
from airdeliver.elastic.layers import elastic_values
from airdeliver.links import DigitalLink, LayeredLink
from airdeliver.links.analog import Repetition, pieces
from airdeliver.links.digital import FixedGrade, rebuilding
from airdeliver.links.layered import layouts_of
from airdeliver.models import VGG, ResNet20
from airdeliver.package import Package
from airdeliver.payload import Payload, load, values_of
from airdeliver.randomness import stream
from airdeliver.schemes import AirNetSpectrum
from airdeliver.schemes.layered import thresholds
from airdeliver.spectrum.layered import LayeredChoice
from channels import AWGN, Multicast, Rayleigh
from tests.airdeliver.compression.random_network import prunable
from tests.airdeliver.stages import assert_same

USES = 20_000
WIDTHS = (0.25, 0.5, 1.0)


def slimmable(unpruned, affine="shared"):
    builder = SlimmableBuilder(widths=WIDTHS, grid=8, statistics=Statistics(affine))
    architecture = ElasticArchitecture(builder, unpruned, (None,) * 3)
    elastic = architecture.receive(b"")
    with torch.no_grad():
        for number, p in enumerate(elastic.parameters()):
            p.copy_(torch.randn(p.shape, generator=stream(number, "noise")))
    return elastic, architecture, b""


def spectrum(task):
    """Ranked members, with parameters of their own, the two smallest cut from the other end."""
    unpruned, conditions = prunable(VGG(), (3, 32, 32)), AirNetSpectrum().conditions(60_000)
    elastic = NestedBuilder().build(unpruned.unpruned(), conditions, unpruned, task, 0, False)
    architecture = ElasticArchitecture(NestedBuilder(), unpruned, conditions)
    return elastic, architecture, architecture.describe([m.shape for m in elastic.members])


@pytest.mark.parametrize("kind", ["shared", "own", "residual", "spectrum"])
def test_leading_layers_are_a_member_exactly(kind, problem, task):
    """The values of member k lie in the first N_k of the payload, N_k the first that do; not one is sent twice."""
    if kind == "spectrum":
        elastic, architecture, description = spectrum(task)
    elif kind == "residual":
        elastic, architecture, description = slimmable(prunable(ResNet20(width=0.5), (3, 32, 32)))
    else:
        elastic, architecture, description = slimmable(Pruned(Whole.of(problem.task, problem.model)), kind)
    layers = layers_of(architecture, description)
    assert len(layers.order.unique()) == len(layers.order) == layers.layout.size
    sent = elastic_values(elastic)[layers.order]
    ends = torch.tensor([part.size for part in layouts_of(layers.layout)]).cumsum(0).tolist()
    for number, index in enumerate(elastic.delivered):
        member, layout = elastic.members[index], layers.member_layout(number)
        assert torch.equal(layers.of_member(sent, number), values_of(member.model, layout))
        assert int(layers.members[number].max()) == ends[number] - 1 or kind == "spectrum"
        assert set(range(ends[number])) >= set(layers.members[number].tolist())
    needed = {place for places in layers.members for place in places.tolist()}
    assert needed == set(range(layers.layout.size))
    if kind == "shared":
        assert ends == [layers.member_layout(k).size for k in range(3)]


@pytest.fixture(scope="module")
def choice(problem) -> LayeredChoice:
    elastic, architecture, description = slimmable(Pruned(Whole.of(problem.task, problem.model)))
    link = LayeredLink([AnalogLink()] * 3, [0.2, 0.3, 0.5])
    return LayeredChoice.of_network(elastic, architecture, description, link)


def sent(choice, channel, snr_db, realizations=4, uses=USES):
    return send(Package((choice,), Normalisation()), channel, snr_db, uses, "average", realizations, 0)


def test_without_noise_every_receiver_has_the_largest_member(choice):
    delivery = sent(choice, AWGN(), 100.0)
    (group,) = delivery.groups
    model = group.network()
    load(model, group.layout, group.decoded.values[0])
    largest = choice.model.members[-1].model
    for name, p in largest.named_parameters():
        torch.testing.assert_close(model.get_parameter(name), p, atol=1e-2, rtol=1e-2)
    assert delivery.channel_uses_spent <= USES
    assert delivery.parameters_sent == 14_458


def test_receivers_take_the_leading_layers_that_their_snr_bears(choice):
    """Of one multicast, and never a layer behind one that they do not take."""
    link = replace(choice.link, least_db=(-64.0, 0.0, 10.0))
    multicast = Multicast(AWGN(), receivers=3, offsets_db=(-8.0, 0.0, 8.0))
    delivery = sent(replace(choice, link=link), multicast, 5.0, realizations=2)
    sizes = {int(n): group.layout.size for group in delivery.groups for n in group.realizations}
    small, middle, large = (choice.layers.member_layout(k).size for k in range(3))
    assert [sizes[n] for n in range(6)] == [small, middle, large] * 2
    assert delivery.usable == 1.0


def test_a_lost_layer_leaves_a_working_smaller_member(choice, problem):
    """Digital layers at rising grades: in between, the first arrive and the rest do not; what is built is finite."""
    grades = (FixedGrade(grade) for grade in (-3.0, 6.0, 15.0))
    links = [DigitalLink("capacity", adaptation=grade, quantiser=Signs()) for grade in grades]
    digital = replace(choice, link=LayeredLink(links, [0.7, 0.15, 0.15]))
    data = problem.task.dataset
    inputs, targets = data.test.take(torch.arange(64))
    for snr_db, count in ((10.0, 2), (0.0, 1)):
        delivery = sent(digital, AWGN(), snr_db, realizations=2, uses=20_000)
        (group,) = delivery.groups
        assert group.layout.size == choice.layers.member_layout(count - 1).size
        assert evaluate(delivery, data.prepare(inputs), targets, task=problem.task).finite == 1.0
    delivery = sent(digital, AWGN(), -9.0, realizations=2, uses=20_000)
    assert delivery.usable == 0.0


def test_layers_of_a_large_network_are_the_same(choice, monkeypatch):
    """Digital values of more than two million are read when they are asked for; many analog ones come in pieces."""
    grades = (FixedGrade(grade) for grade in (-3.0, 6.0))
    links = [DigitalLink("capacity", adaptation=grade, quantiser=Signs()) for grade in grades]
    digital = replace(choice, link=LayeredLink([*links, AnalogLink()], [0.3, 0.1, 0.6]))
    held = sent(digital, Rayleigh(), 8.0, realizations=6)
    monkeypatch.setattr(rebuilding, "LONG", 1)
    assert len(held.groups) > 1
    assert_same(held, sent(digital, Rayleigh(), 8.0, realizations=6))
    monkeypatch.setattr(pieces, "LARGE", 1)
    in_pieces = sent(digital, Rayleigh(), 8.0, realizations=6)
    assert torch.equal(in_pieces.usable_realizations, held.usable_realizations)
    for one, other in zip(in_pieces.groups, held.groups, strict=True):
        assert torch.equal(one.realizations, other.realizations)
        assert one.decoded.values.shape == other.decoded.values.shape


def test_a_late_layer_leaves_a_working_smaller_member(choice):
    """Over time: nothing, the smallest, the middle, all; each the network that a receiver would have that far."""
    delivery = sent(choice, AWGN(), 30.0)
    plan = delivery.groups[0].plan
    assert plan.uses == tuple(sorted(plan.uses))
    assert plan.uses[-1] == plan.symbols
    assert delivery.after(plan.uses[0] - 1).usable == 0.0
    for number, uses in enumerate(plan.uses):
        early = delivery.after(uses)
        (group,) = early.groups
        expected = choice.layers.of_member(choice.payload.values, number)
        assert group.layout == choice.layers.member_layout(number)
        error = (group.decoded.values - expected).square().mean() / expected.square().mean()
        assert float(error) < 0.02
        assert early.channel_uses_spent >= uses


def test_a_receiver_takes_no_more_than_it_is_capable_of(choice):
    """The second hears the first layers alone, the third has no more operations than the middle member needs."""
    (group,) = sent(choice, AWGN(), 30.0).groups
    uses, macs = group.plan.uses, choice.macs
    able = (Capability(), Capability(channel_uses=uses[0]), Capability(macs=macs[1]), Capability(channel_uses=1))
    multicast = Multicast(AWGN(), receivers=4, offsets_db=(0.0,) * 4)
    delivery = sent(replace(choice, capabilities=able), multicast, 30.0, realizations=1)
    sizes = {int(n): g.layout.size for g in delivery.groups for n in g.realizations}
    small, middle, large = (choice.layers.member_layout(k).size for k in range(3))
    assert [sizes[n] for n in range(4)] == [large, small, middle, small]
    assert delivery.usable_realizations.tolist() == [True, True, True, False]


def test_a_fading_gain_per_symbol_reaches_each_layer(choice):
    """Layers lie one after the other in time: each is decoded with its own symbols' gains."""
    delivery = sent(choice, Rayleigh(coherence=50), 40.0)
    expected = choice.layers.of_member(choice.payload.values, 2)
    (group,) = delivery.groups
    assert float((group.decoded.values - expected).square().mean() / expected.square().mean()) < 0.1


def test_the_plan_comes_back_from_its_bytes_and_pays_for_all_of_them(choice):
    link = replace(choice.link, least_db=(-64.0, -2.5, 7.0))
    plan = link.plan(choice.payload, USES, knowledge())
    told = link.plan_from_bytes(plan.to_bytes(), choice.layers.layout)
    assert told.least_db == (-64.0, -2.5, 7.0)
    assert told.to_bytes() == plan.to_bytes()
    assert plan.side_information_symbols >= sum(p.side_information_symbols for p in plan.plans) - len(plan.plans)
    assert plan.symbols <= USES


def knowledge():
    from airdeliver.links import Knowledge

    return Knowledge("average", 5.0, AWGN())


def test_values_travel_at_power_one_at_most(choice):
    link = LayeredLink([AnalogLink(protection="size")] * 3, [0.5, 0.3, 0.2])
    plan = link.plan(choice.payload, 40_000, knowledge())
    symbols = link.encode(choice.payload.values, plan)
    assert float(symbols.abs().square().mean()) <= 1 + 1e-5
    torch.testing.assert_close(link.power(choice.payload.values, plan), symbols.abs().square().mean(-1))


def test_thresholds_are_where_a_further_layer_pays():
    scores = torch.tensor([[0.6, 0.6, 0.6], [0.3, 0.7, 0.7], [0.1, 0.2, 0.8]])
    assert thresholds((0.0, 5.0, 10.0), scores) == (-64.0, 2.5, 7.5)
    assert thresholds((0.0, 5.0), torch.tensor([[0.5, 0.5], [0.6, 0.6]])) == (-64.0, -64.0)
    assert thresholds((0.0, 5.0), torch.tensor([[0.5, 0.5], [0.6, 0.4]])) == (-64.0, 63.0)


def test_bad_arguments_are_refused(choice):
    with pytest.raises(ValueError, match="their sum 1"):
        LayeredLink([AnalogLink()] * 2, [0.5, 0.6])
    with pytest.raises(ValueError, match="need a share each"):
        LayeredLink([AnalogLink()] * 2, [1.0])
    with pytest.raises(ValueError, match="macs must be at least 1"):
        Capability(macs=0)
    with pytest.raises(ValueError, match="3 layers and the link wants 4"):
        LayeredLink([AnalogLink()] * 4, [0.25] * 4).plan(choice.payload, USES, knowledge())
    with pytest.raises(ValueError, match="NUMBER/NAME"):
        LayeredLink([AnalogLink()], [1.0]).plan(Payload(torch.zeros(1), layout_of_one()), USES, knowledge())


def layout_of_one():
    from airdeliver.payload import Layout, Segment

    return Layout((Segment("weight", (1,)),))


@pytest.mark.parametrize("link", [AnalogLink(protection="size"), AnalogLink(expansion=Repetition(2))])
@pytest.mark.parametrize("uses", [60_000, 60_001, 61_013])
def test_layers_that_fill_their_share_arrive_as_they_were_sent(choice, link, uses):
    """The receiver is told no lengths: what each layer filled follows from all that it received."""
    filling = replace(choice, link=LayeredLink([link] * 3, [0.21, 0.3, 0.49]))
    delivery = sent(filling, AWGN(), 60.0, realizations=1, uses=uses)
    (group,) = delivery.groups
    expected = filling.layers.of_member(filling.payload.values, 2)
    assert torch.allclose(group.decoded.values[0], expected, atol=0.05)
    assert delivery.channel_uses_spent <= uses


def test_layers_fill_their_shares_all_or_none():
    with pytest.raises(ValueError, match="all have an expansion or a protection, or none"):
        LayeredLink([AnalogLink(), AnalogLink(protection="size")], [0.5, 0.5])


def test_layers_are_lost_where_their_side_information_is(choice):
    """At -20 dB a symbol carries 0.014 bits, not the quarter that tells what the layers are; nobody has it free."""
    assert sent(choice, AWGN(), -20.0).usable == 0.0
    faded = sent(choice, Rayleigh(), -5.0, realizations=64)
    carried = torch.cat([group.information for group in faded.groups]) >= choice.link.side_information_rate
    order = torch.cat([group.realizations for group in faded.groups]).argsort()
    assert 0 < int(carried.sum()) < 64
    assert torch.equal(faded.usable_realizations, carried[order])


def test_whether_analog_layers_arrive_at_all_is_settled_by_the_channel(choice):
    """So that eight deliveries over a channel without fading say as much of the share that arrives as any number."""
    fades = sent(choice, Rayleigh(), 0.0, 64)
    assert not fades.settled.isnan().any()
    assert torch.equal(fades.settled >= 1, fades.usable_realizations)
    assert 0 < int(fades.usable_realizations.sum()) < 64
    digital = replace(choice, link=LayeredLink([DigitalLink(adaptation=FixedGrade(0.0))] * 3, (0.3, 0.3, 0.4)))
    assert sent(digital, AWGN(), 10.0).settled.isnan().all()
