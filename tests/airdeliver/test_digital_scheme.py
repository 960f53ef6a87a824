"""Digital schemes from training to delivery, on a small problem."""

import json
from dataclasses import replace

import pytest
import torch

from airdeliver import CapacityLink, DigitalLink, Normalisation, Problem, evaluate
from airdeliver.data import load_dataset
from airdeliver.models import CNN
from airdeliver.recipe import Recipe
from airdeliver.schemes import Digital, digital, worth
from airdeliver.task import Classification
from airdeliver.training import Training
from channels import AWGN

TRAINED = {}


def finished(scheme: Digital, problem: Problem) -> dict:
    """All networks that a scheme needs, each trained once in this file."""
    trained = TRAINED

    def finish(training) -> None:
        for need in training.needs:
            finish(need)
        if training not in trained:
            trained[training] = training.run(problem.task, trained)

    for training in scheme.trainings(problem, 6000):
        finish(training)
    return trained


@pytest.fixture(scope="module")
def problem() -> Problem:
    return Problem(
        Classification(load_dataset("digits")), CNN(width=0.5), Recipe(epochs=8), Recipe(epochs=4, learning_rate=0.05)
    )


@pytest.fixture
def coarse(monkeypatch):
    """What networks are worth at every third rate, on fewer images: for tests that do not ask how good it is."""
    monkeypatch.setattr(digital, "TRAINED", digital.TRAINED[::-3][::-1])
    monkeypatch.setattr(worth, "VALIDATION_IMAGES", 128)


@pytest.mark.slow
def test_training_for_a_rate_beats_quantising_afterwards(problem):
    """At 0 dB, where few bits arrive; and of the networks the one that suits the rate is sent."""
    scheme = Digital(CapacityLink(), train_bits=(1.5, 0.75), penalty=0.1)
    images, labels = problem.task.dataset.test.take(torch.arange(len(problem.task.dataset.test)))
    inputs = problem.task.dataset.prepare(images)
    accuracy = {}
    for name, variant in (("trained", scheme), ("as it is", Digital(CapacityLink()))):
        package = variant.pack(problem, finished(variant, problem), 3000)
        delivery = variant.send(package, AWGN(), 0.0, 3000, "average", 2, 0)
        accuracy[name] = evaluate(delivery, inputs, labels).accuracy
        assert delivery.channel_uses_spent <= 3000
    assert accuracy["trained"] > accuracy["as it is"] + 0.1


def test_a_network_is_sent_with_the_steps_that_it_was_trained_with(problem, coarse):
    problem = replace(problem, training=Recipe(epochs=1), fine_tuning=Recipe(epochs=1))
    scheme = Digital(CapacityLink(), train_bits=(1.5, 0.75), penalty=0.1)
    trained = finished(scheme, problem)
    package = scheme.pack(problem, trained, 3000)
    for training, choice in zip(scheme.trainings(problem, 3000), package.choices, strict=True):
        assert isinstance(choice.link, DigitalLink)
        assert json.loads(str(choice.link.state)) == trained[training].state["quantiser"]
    frozen = replace(scheme, normalisation=Normalisation("frozen"))  # more is sent than was trained with steps
    assert all(choice.link.state is None for choice in frozen.pack(problem, trained, 3000).choices)


def test_one_training_for_all_rates_has_steps_for_each(problem, coarse):
    """The same values at either rate, with the steps of that rate, each worth what it is measured to be."""
    problem = replace(problem, training=Recipe(epochs=1), fine_tuning=Recipe(epochs=1))
    scheme = Digital(CapacityLink(), train_bits=(1.5, 0.75), penalty=0.1, together=True)
    (training,) = scheme.trainings(problem, 3000)
    trained = finished(scheme, problem)
    package = scheme.pack(problem, trained, 3000)
    fine, coarser = package.choices
    assert [json.loads(str(choice.link.state)) for choice in (fine, coarser)] == trained[training].state["quantiser"]
    assert torch.equal(fine.payload.values, coarser.payload.values)
    rates = [choice.link.reconstructed(choice.payload, 6.0) for choice in (fine, coarser)]
    assert not torch.equal(*rates)
    steps = [trained[training].state["quantiser"][i]["steps"] for i in range(2)]
    assert sum(steps[0]) < sum(steps[1])
    assert "1.5, 0.75 bits a value" in training.method.words


def test_networks_share_trainings_whatever_they_are_sent_over(problem):
    a = Digital(CapacityLink(), train_bits=(1.0,)).trainings(problem, 1000)
    b = Digital(train_bits=(1.0,)).trainings(problem, 2000)
    assert a == b
    assert a[0].needs == Digital().trainings(problem, 1000)


def test_a_pruned_network_is_sent_with_its_description_and_delivers(problem, coarse):
    """Pruned to a half, taught by a wider network, at a third of the bits; everything within the budget."""
    scheme = Digital(CapacityLink(), train_bits=(1.0, 0.7), keep=(1.0, 0.5), penalty=0.1, teacher=2.0)
    trained = finished(scheme, problem)
    whole, pruned = scheme.trainings(problem, 2000)
    teacher = Training.clean(problem, CNN(width=1.0))
    assert pruned.needs == (whole, teacher)
    assert whole.needs == (Training.clean(problem), teacher)
    assert ["pruned" in training.method.words for training in (whole, pruned)] == [False, True]
    package = scheme.pack(problem, trained, 2000)
    sizes = [choice.payload.layout.size for choice in package.choices]
    assert 0.4 * sizes[0] < sizes[1] <= 0.5 * sizes[0]
    delivery = scheme.send(package, AWGN(), 0.0, 2000, "average", 2, 0)
    assert delivery.parameters_sent == sizes[1]
    assert delivery.channel_uses_spent <= 2000
    images, labels = problem.task.dataset.test.take(torch.arange(len(problem.task.dataset.test)))
    assert evaluate(delivery, problem.task.dataset.prepare(images), labels).accuracy > 0.3  # chance is 0.1


@pytest.mark.parametrize(
    ("faulty", "said"),
    [
        ({"train_bits": (0.5, 1.0)}, "train_bits"),
        ({"train_bits": (1.0, 0.9), "keep": (0.5, 1.0)}, "never rise"),
        ({"train_bits": (1.0, 0.9), "keep": (0.5,)}, "a share for each"),
        ({"train_bits": (1.0, 3.0), "keep": (1.0, 0.5)}, "fall from one to the next"),
        ({"train_bits": (1.0, 0.9), "keep": (1.0, 0.5), "together": True}, "no shares to keep"),
        ({"together": True}, "needs train_bits"),
    ],
)
def test_rates_that_rise_are_refused(faulty, said):
    with pytest.raises(ValueError, match=said):
        Digital(**faulty)


def test_a_rate_may_rise_where_the_network_shrinks_more():
    assert Digital(train_bits=(0.5, 0.7), keep=(1.0, 0.5)).keep == (1.0, 0.5)


def test_a_network_is_tried_out_as_far_down_as_it_is_worth_something(problem, coarse, monkeypatch):
    """Trained for many bits it is worth little at few: no line from the least that was tried to chance at none."""
    scheme = Digital(CapacityLink(), train_bits=(3.0,), penalty=0.1)
    package = scheme.pack(problem, finished(scheme, problem), 3000)
    (choice,) = package.choices
    worth_then = choice.link.worth
    least, score = worth_then.points[0]
    most = worth_then.points[-1][1]
    assert least < 0.55 * 3.0
    assert score - worth_then.chance <= worth.LEAST * (most - worth_then.chance) or least <= worth.LOWEST
    scores = [each for _, each in worth_then.points]
    assert scores == sorted(scores)
    monkeypatch.setattr(worth, "LEAST", 1.0)  # nothing further is tried
    (optimist,) = scheme.pack(problem, finished(scheme, problem), 3000).choices
    few = torch.tensor([0.5])
    assert float(worth_then.of(few)) < float(optimist.link.worth.of(few)) - 0.05
