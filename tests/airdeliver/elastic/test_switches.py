"""ParaDiS: parts are disjoint, their answers add up, the bias is there once; who hears nothing is a missing summand."""

from dataclasses import replace

import pytest
import torch

from airdeliver import AnalogLink, Normalisation, evaluate
from airdeliver.architecture import Pruned, Whole
from airdeliver.delivery import send
from airdeliver.elastic import ElasticArchitecture, Every, InParts, SlimmableBuilder, Switches, SwitchesBuilder
from airdeliver.fades import Fades
from airdeliver.links import DigitalLink
from airdeliver.links.analog import pieces
from airdeliver.links.digital import FixedGrade, rebuilding
from airdeliver.models import CNN, VGG, ResNet20, Segmenter
from airdeliver.normalisation import batch_norms
from airdeliver.package import Package
from airdeliver.payload import load
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.schemes import ParaDiS
from airdeliver.spectrum.fused import FusedChoice, bearers
from airdeliver.task import Signature
from airdeliver.training.methods import Batch, Joint
from airdeliver.training.methods.joint import JointRun
from channels import AWGN, Multicast
from experiments.stage import closure
from tests.airdeliver.compression.random_network import prunable
from tests.airdeliver.stages import assert_same

SWITCHES = ((0.25,) * 4, (0.5, 0.25, 0.25), (0.5, 0.5), (1.0,))
LOUD, DEAF = 60.0, -60.0


def elastic_of(unpruned, switches=SWITCHES):
    architecture = ElasticArchitecture(SwitchesBuilder(switches), unpruned, (None,) * len(switches))
    elastic = architecture.receive(b"")
    with torch.no_grad():
        for number, p in enumerate(elastic.parameters()):
            p.copy_(0.3 * torch.randn(p.shape, generator=stream(number, "noise")))
    for member in elastic.members:
        for norm in batch_norms(member.model):
            norm.reset_running_stats()
    return elastic.eval()


@pytest.fixture(scope="module")
def elastic(problem) -> Switches:
    return elastic_of(Pruned(Whole.of(problem.task, problem.model)))


def images(count=8):
    return torch.randn(count, 1, 8, 8, generator=stream(0, "noise"))


def test_values_of_each_switch_are_those_of_the_plan():
    """The `cpu` VGG: halves have half the kernels of the whole, quarters a quarter; the bias is there once."""
    architecture = InParts(prunable(VGG(), (3, 32, 32)).whole, SWITCHES)
    sizes = [architecture.layout_of_counts((k,), statistics=False).size for k in range(4)]
    assert sizes == [4 * 7_476 + 10, 29_064 + 2 * 7_476 + 10, 2 * 29_064 + 10, 114_586]


@pytest.mark.parametrize(
    ("whole", "switches"),
    [
        (Whole(CNN(), Signature((1, 8, 8), 1, 10)), SWITCHES),
        pytest.param(
            Whole(ResNet20(width=0.5), Signature((3, 8, 8), 3, 10)), ((0.75, 0.25), (1.0,)), marks=pytest.mark.slow
        ),
    ],
)
def test_parts_are_disjoint_and_use_every_channel(whole, switches):
    """Every kernel value belongs to one part at most, and no channel is left out."""
    elastic = elastic_of(Pruned(whole), switches)
    for member, windows in zip(elastic.members, elastic.windows, strict=True):
        taken = {name: torch.zeros(p.shape, dtype=torch.int64) for name, p in elastic._whole().items()}
        del taken[elastic.bias]
        for number, window in enumerate(windows):
            for name, p in member.model.parts[str(number)].named_parameters():
                if name in taken:
                    window.of(name, taken[name], p.shape).add_(1)
        for count in taken.values():
            assert int(count.max()) == 1
            assert bool((count.flatten(1).amax(1) == 1).all())
            assert bool((count.transpose(0, 1).flatten(1).amax(1) == 1).all())


def test_answers_add_up_and_the_bias_is_there_once(elastic):
    whole = elastic._whole()
    for member in elastic.members:
        model = member.model
        said = sum(part(images()) for part in model.parts.values()) + whole[elastic.bias]
        torch.testing.assert_close(model(images()), said)
        assert all(last.bias is None for last in (part[-1] for part in model.parts.values()))
    quarter = elastic.members[0].model.parts["2"]
    assert torch.equal(quarter[3].weight, whole["3.weight"][16:24, 8:12])
    assert torch.equal(quarter[-1].weight, whole["12.weight"][:, 16:24])


def test_kernels_are_shared_and_norms_are_each_switchs_own(elastic):
    with torch.no_grad():
        elastic.members[2].model.parts["0"][0].weight.fill_(7.0)
        elastic.members[2].model.parts["0"][1].weight.fill_(7.0)
    assert bool((elastic._whole()["0.weight"][:8] == 7.0).all())
    assert bool((elastic.members[3].model.parts["0"][0].weight[:8] == 7.0).all())
    assert not bool((elastic.members[3].model.parts["0"][1].weight[:8] == 7.0).any())
    moved = elastic.to(torch.float64)
    assert moved.members[0].model.parts["3"][3].weight.dtype == torch.float64
    assert moved.members[0].model.parts["3"][3].weight.data_ptr() >= moved._whole()["3.weight"].data_ptr()
    elastic.to(torch.float32)


def test_what_is_received_computes_what_was_sent(elastic):
    for member in elastic.members:
        received = member.architecture.receive(member.description)
        payload = member.payload(Normalisation("frozen"))
        load(received, payload.layout, payload.values)
        torch.testing.assert_close(received.eval()(images()), member.model(images()), atol=1e-5, rtol=1e-5)


def choice_of(elastic, switch, link=None):
    member = elastic.members[switch]
    payload = member.payload(Normalisation("frozen"))
    return FusedChoice(member.architecture, member.model, payload, link or AnalogLink())


def sent(choice, offsets, realizations=2, snr_db=0.0):
    channel = Multicast(AWGN(), receivers=len(offsets), offsets_db=offsets) if len(offsets) > 1 else AWGN()
    package = Package((choice,), Normalisation("frozen"))
    return send(package, channel, snr_db, 40_000, "average", realizations, 0)


@pytest.mark.parametrize(
    ("offsets", "present"),
    [
        ((LOUD,) * 4, [0, 1, 2, 3]),
        ((LOUD, DEAF, LOUD, LOUD), [0, 2, 3]),
        ((DEAF, DEAF, LOUD, DEAF), [2]),
        ((LOUD, DEAF), [0, 2]),
        ((DEAF, LOUD, LOUD, LOUD, LOUD, DEAF), [0, 1, 2, 3]),
    ],
)
def test_a_receiver_in_outage_is_a_missing_summand(elastic, offsets, present):
    """A realization is a transmission; two receivers run two parts each, of six the last two stand by."""
    delivery = sent(choice_of(elastic, 0), offsets)
    assert delivery.realizations == 2
    assert delivery.usable == 1.0
    whole, here = elastic.members[0].model, [str(part) for part in present]
    expected = sum(whole.parts[part](images()) for part in here) + whole.bias
    for number in range(2):
        torch.testing.assert_close(delivery.model(number)(images()), expected, atol=0.02, rtol=0.02)


def test_a_transmission_that_nobody_hears_is_lost_and_a_single_receiver_runs_all_parts(elastic, problem):
    data = problem.task.dataset
    inputs, targets = data.test.take(torch.arange(64))
    lost = sent(choice_of(elastic, 2), (DEAF, DEAF), realizations=3)
    report = evaluate(lost, data.prepare(inputs), targets, task=problem.task)
    assert (lost.usable, report.accuracy, len(report.per_realization)) == (0.0, pytest.approx(0.1), 3)
    alone = sent(choice_of(elastic, 2), (0.0,), snr_db=LOUD)
    torch.testing.assert_close(alone.model(1)(images()), elastic.members[2].model(images()), atol=0.02, rtol=0.02)


def test_parts_of_a_large_network_are_the_same(elastic, monkeypatch):
    """Digital values of more than two million are read when they are asked for; many analog ones come in pieces."""
    digital = choice_of(elastic, 0, DigitalLink("capacity", adaptation=FixedGrade(0.0), bits_per_value=4.0))
    offsets = (LOUD, DEAF, LOUD, LOUD)
    held = sent(digital, offsets)
    monkeypatch.setattr(rebuilding, "LONG", 1)
    assert held.usable == 1.0
    assert_same(held, sent(digital, offsets))
    monkeypatch.setattr(pieces, "LARGE", 1)
    test_a_receiver_in_outage_is_a_missing_summand(elastic, offsets, [0, 2, 3])


def test_each_part_bears_the_noise_of_its_own_receiver(elastic):
    """The second part comes from the second receiver, whose noise is large."""
    delivery = sent(choice_of(elastic, 2), (LOUD, 0.0))
    model, member = delivery.model(0), elastic.members[2].model
    errors = [
        float((model.parts[part][3].weight - member.parts[part][3].weight).square().mean().sqrt())
        for part in ("0", "1")
    ]
    assert errors[0] < 0.01 < errors[1]


def test_over_the_digital_link_and_of_many_fades(elastic):
    link = DigitalLink("capacity", adaptation=FixedGrade(0.0))
    delivery = sent(choice_of(elastic, 2, link), (LOUD, DEAF))
    assert [len(g.realizations) for g in delivery.groups] == [2]
    assert list(delivery.groups[0].network().parts) == ["0"]
    channel = Multicast(AWGN(), receivers=2, offsets_db=(0.0, 3.0))
    package = Package((choice_of(elastic, 2),), Normalisation("frozen"))
    assert send(package, channel, 10.0, 40_000, "average", Fades(64, 3, 16), 0).realizations == 3


def test_the_first_that_can_use_it_bears_a_part():
    usable = torch.tensor([[False, True, True, False], [False, False, False, True]])
    there, source = bearers(usable, 2)
    assert there.tolist() == [[True, True], [False, True]]
    assert source.tolist() == [[2, 1], [0, 3]]


def test_every_step_trains_all_switches_and_the_whole_teaches(problem):
    scheme = ParaDiS(training=Recipe(epochs=1, batch_size=64, learning_rate=0.05))
    found = {}
    for training in closure(scheme.trainings(problem, 8701)):
        found[training] = training.run(problem.task, found)
    (training,) = scheme.trainings(problem, 8701)
    made = found[training].model()
    assert isinstance(made, Switches)
    method = training.method
    assert isinstance(method, Joint)
    assert isinstance(method.sampler, Every)
    run = method.start(problem.task, found, problem.training, problem.execution)
    assert isinstance(run, JointRun)
    terms = run.loss(Batch(images(16), torch.arange(16) % 10), stream(0, "noise"))
    assert set(terms) == {"task", "member 0 taught", "member 1 taught", "member 2 taught"}
    sum(terms.values()).backward()
    assert all(p.grad is not None and bool(p.grad.abs().sum() > 0) for p in run.network.parameters())
    package = replace(scheme, member=1).pack(problem, found, 8701)
    assert package.choices[0].payload.layout.description == b"\x01"


def test_bad_arguments_are_refused(problem):
    with pytest.raises(ValueError, match="add up to 1"):
        SwitchesBuilder([[0.5, 0.25], [1.0]])
    assert SwitchesBuilder([[0.5, 0.5]]).members == 1
    with pytest.raises(ValueError, match="leaves a layer without any"):
        InParts(Whole.of(problem.task, problem.model), ((0.01, 0.99), (1.0,))).blocks(0)
    with pytest.raises(ValueError, match="switch is described by a byte below 4"):
        InParts(Whole.of(problem.task, problem.model), SWITCHES).receive(b"\x04")
    with pytest.raises(ValueError, match="one bias that belongs to no channel"):
        elastic_of(Pruned(Whole(Segmenter(), Signature((3, 8, 8), 3, 5))))
    with pytest.raises(ValueError, match="must be a SwitchesBuilder"):
        ParaDiS(builder=SlimmableBuilder())
