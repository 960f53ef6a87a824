"""Digital schemes from training to delivery, on a small task."""

import pytest
import torch

from airdeliver import CapacityLink, Task, evaluate
from airdeliver.data import load_dataset
from airdeliver.models import CNN
from airdeliver.recipe import Recipe
from airdeliver.schemes import Digital
from channels import AWGN


def finished(scheme: Digital, task: Task) -> dict:
    """All networks that a scheme needs."""
    trained = {}

    def finish(training) -> None:
        for need in training.needs:
            finish(need)
        if training not in trained:
            trained[training] = training.run(task, trained)

    for training in scheme.trainings(task, 6000):
        finish(training)
    return trained


@pytest.fixture(scope="module")
def task() -> Task:
    return Task(load_dataset("digits"), CNN(width=0.5), Recipe(epochs=8), Recipe(epochs=4, learning_rate=0.05))


def test_training_for_a_rate_beats_quantising_afterwards(task):
    """At 0 dB, where few bits arrive; and of the networks the one that suits the rate is sent."""
    scheme = Digital(CapacityLink(), train_bits=(1.5, 0.75), penalty=0.1)
    trained = finished(scheme, task)
    images, labels = task.dataset.test.take(torch.arange(len(task.dataset.test)))
    inputs = task.dataset.prepare(images)
    accuracy = {}
    for name, variant in (("trained", scheme), ("as it is", Digital(CapacityLink()))):
        package = variant.pack(task, trained | finished(variant, task) if name != "trained" else trained, 3000)
        delivery = variant.send(package, AWGN(), 0.0, 3000, "average", 2, 0)
        accuracy[name] = evaluate(delivery, inputs, labels).accuracy
        assert delivery.channel_uses_spent <= 3000
    assert accuracy["trained"] > accuracy["as it is"] + 0.1


def test_networks_share_trainings_whatever_they_are_sent_over(task):
    a = Digital(CapacityLink(), train_bits=(1.0,)).trainings(task, 1000)
    b = Digital(train_bits=(1.0,)).trainings(task, 2000)
    assert a == b
    assert a[0].start == Digital().trainings(task, 1000)[0]


def test_rates_that_rise_are_refused():
    with pytest.raises(ValueError, match="train_bits"):
        Digital(train_bits=(0.5, 1.0))
