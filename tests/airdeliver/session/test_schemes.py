"""Schemes in sessions: trained once, sent in rounds; layers one after the other."""

import pytest
import torch

from airdeliver import DigitalLink, Problem, evaluate
from airdeliver.elastic import SlimmableBuilder
from airdeliver.links.digital import FixedGrade, rebuilding
from airdeliver.normalisation import Normalisation
from airdeliver.package import Package
from airdeliver.schemes import Clean, ElasticNetwork, InSession, Layered
from airdeliver.session import HARQ, AssuredChoice, InLayers, Repetition, converse, timeline
from airdeliver.spectrum.layered import LayeredChoice
from airdeliver.training import Trained, Training
from channels import AWGN, Multicast, Rayleigh
from tests.airdeliver.stages import assert_same


def test_an_analog_network_promises_less_the_more_its_noise_adds_to_the_loss(problem: Problem, clean):
    scheme = InSession(Clean(), Repetition(rounds=3, share=0.5, enough=0.9))
    assert scheme.trainings(problem, 30_000) == Clean().trainings(problem, 30_000)
    assert scheme.about().title == "Clean, Repetition"
    package = scheme.pack(problem, clean, 30_000)
    (choice,) = package.choices
    assert isinstance(choice, AssuredChoice)
    assert choice.promise is not None
    scores = [score for _, score in choice.promise.points]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[-1] + 0.1
    noisy, clear = (scheme.send(package, AWGN(), snr_db, 30_000, "average", 4, 0) for snr_db in (-8.0, 25.0))
    assert (noisy.stages, clear.stages) == (3, 1)
    assert clear.channel_uses_spent < noisy.channel_uses_spent <= 30_000


def test_harq_sends_what_a_scheme_packs(problem: Problem, clean):
    scheme = InSession(Clean(DigitalLink("capacity")), HARQ(rounds=3))
    delivery = scheme.send(scheme.pack(problem, clean, 12_000), Rayleigh(), 8.0, 12_000, "average", 8, 0)
    data = problem.task.dataset
    rows = torch.arange(100)
    inputs, targets = data.prepare(data.test.take(rows)[0]), data.test.take(rows)[1]
    report = evaluate(delivery, inputs, targets, task=problem.task)
    times = timeline(delivery, report.per_realization, lambda d: evaluate(d, inputs, targets).per_realization)
    assert bool((times.uses.diff(dim=1) >= 0).all())
    assert bool((times.scores[:, -1] == report.per_realization).all())
    assert times.columns()["uses_to_end"] <= 12_000


@pytest.fixture(scope="module")
def layered(problem: Problem) -> LayeredChoice:
    """An untrained elastic network in two layers, each with a grade of its own."""
    network = ElasticNetwork(builder=SlimmableBuilder(widths=(0.5, 1.0)))
    (training,) = network.trainings(problem, 30_000)
    trained: dict[Training, Trained] = {}
    for needed in (*training.needs, training):
        trained[needed] = needed.run(problem.task, trained)
    scheme = Layered(network=network, link=DigitalLink("capacity"))
    elastic = network.elastic(problem, trained, 30_000)
    made = trained[training]
    links = tuple(DigitalLink("capacity", adaptation=FixedGrade(db)) for db in (3.0, 9.0))
    return LayeredChoice.of_network(elastic, made.architecture, made.description, scheme._links((0.5, 0.5), links))


def test_layers_arrive_one_after_the_other_and_the_first_serves(layered, problem):
    """The first layer at once, the second when the channel bears it; a lost one is sent again."""

    package = Package((layered,), Normalisation())
    channel = Multicast(AWGN(), receivers=2, offsets_db=(-4.0, 4.0))
    delivery = converse(package, InLayers(rounds=4, spare=0.5), channel, 8.0, 60_000, "average", 1, 0)
    far, near = sorted(delivery.groups, key=lambda group: group.layout.size)
    assert near.layout.size > far.layout.size
    assert [len(near.snapshots), len(far.snapshots)] == [1, 3]
    assert near.stage(0).layout.size == far.layout.size
    assert delivery.usable == 1
    assert delivery.stage(0).usable == 1
    assert int(near.snapshots[0].uses) < int(near.decoded.uses[0]) < int(far.decoded.uses[0]) <= 60_000


def test_who_wants_one_layer_leaves_after_it(layered):

    package = Package((layered,), Normalisation())
    delivery = converse(package, InLayers(enough=1), AWGN(), 12.0, 60_000, "average", 4, 0)
    assert delivery.stages == 1


def test_layers_of_a_large_network_that_wait_for_answers_are_the_same(layered, monkeypatch):
    """Values of more than two million are read when they are asked for: that had ended in an AssertionError."""

    def sent():
        package = Package((layered,), Normalisation())
        return converse(package, InLayers(rounds=4, spare=0.5), Rayleigh(), 6.0, 60_000, "average", 6, 0)

    held = sent()
    monkeypatch.setattr(rebuilding, "LONG", 1)
    assert held.stages > 1
    assert 0 < held.stage(0).usable <= held.usable
    assert_same(held, sent())


@pytest.mark.parametrize("spare", [0.0, 0.5, 0.8])
def test_layers_that_are_lost_again_and_again_stay_within_the_budget(layered, spare):
    """At -20 dB every layer is lost: it is sent again while the budget holds it, and no longer."""
    delivery = converse(
        Package((layered,), Normalisation()), InLayers(spare=spare), AWGN(), -20.0, 60_000, "average", 2, 0
    )
    (group,) = delivery.groups
    assert int(group.decoded.uses.max()) <= 60_000
    assert not bool(group.decoded.usable.any())
    answers = 8 * 2 * 4
    assert len(group.snapshots) + 1 == min(8, (60_000 - answers) // group.plan.uses[0])


def test_a_session_is_packed_for_what_it_sends_at_once(problem, layered, clean):
    """Half is spare: layers are chosen, and their score measured, for the other half."""
    asked = []

    class Asked(Clean):
        def pack(self, problem, trained, channel_uses):
            asked.append(channel_uses)
            return super().pack(problem, trained, channel_uses)

    session = InLayers(spare=0.5)
    InSession(Asked(), session).pack(problem, clean, 60_000)
    assert asked == [session.at_once(60_000)] == [session.room(layered, 60_000, 1)] == [29_968]
