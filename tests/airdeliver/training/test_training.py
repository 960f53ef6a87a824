"""Trainings: equal ones are one, and an interrupted one ends where an undisturbed one does."""

from dataclasses import replace

import pytest
import torch

from airdeliver.links import AnalogLink, CapacityLink
from airdeliver.recipe import Recipe
from airdeliver.training import Through, Training
from channels import AWGN


class Memory:
    """A checkpoint that dies after some epochs."""

    def __init__(self, epochs: int) -> None:
        self.saved, self.left = None, epochs

    def load(self):
        return self.saved

    def save(self, tensors, record):
        self.saved = (
            {name: tensor.clone() for name, tensor in tensors.items()},
            dict(record, epochs=[*record["epochs"]]),
        )
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def with_and_without_interruption(training, task, epochs):
    """Twice the same training, the second one interrupted after some epochs; their weights are equal, bit for bit."""
    undisturbed, memory = training.run(task, {}), Memory(epochs)
    with pytest.raises(KeyboardInterrupt):
        training.run(task, {}, memory)
    resumed = training.run(task, {}, memory)
    assert all(torch.equal(resumed.tensors[name], tensor) for name, tensor in undisturbed.tensors.items())
    return undisturbed, resumed


def test_trainings_are_equal_by_what_their_weights_depend_on(task):
    through = Through(AnalogLink(), AWGN(), 5.0)
    assert Training.fine_tuned(task, through) == Training.fine_tuned(task, Through(AnalogLink(), AWGN(), 5.0))
    assert len({Training.fine_tuned(task, through), Training.fine_tuned(replace(task, seed=1), through)}) == 2
    assert Training.fine_tuned(task, through).needs == (Training.clean(task),)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_an_interrupted_training_resumes_bit_for_bit(task, optimizer):
    rate = 0.05 if optimizer == "sgd" else 0.002
    recipe = Recipe(epochs=3, batch_size=128, learning_rate=rate, optimizer=optimizer)
    training = replace(Training.clean(task), recipe=recipe, through=Through(AnalogLink(), AWGN(), (0.0, 10.0)))
    undisturbed, resumed = with_and_without_interruption(training, task, epochs=2)
    assert resumed.record["epochs"] == undisturbed.record["epochs"]


def test_a_digital_link_goes_on_where_it_was(task):
    """Slope and steps too, which follow from all steps before."""
    recipe = Recipe(epochs=3, batch_size=128, learning_rate=0.05)
    through = Through(CapacityLink(bits_per_value=1.0), AWGN(), 0.0, penalty=0.1)
    training = replace(Training.clean(task), recipe=recipe, through=through)
    undisturbed, resumed = with_and_without_interruption(training, task, epochs=1)
    assert resumed.record["link"] == undisturbed.record["link"]


def test_training_learns_and_another_seed_gives_another_network(task, clean):
    (trained,) = clean.values()
    assert trained.record["validation_accuracy"] > 0.6
    assert trained.record["epochs"][-1] < trained.record["epochs"][0]
    other = replace(Training.clean(task), seed=1, recipe=replace(task.training, epochs=1)).run(task, {})
    assert not torch.equal(next(iter(other.tensors.values())), next(iter(trained.tensors.values())))


def test_divergence_is_said_in_one_line(task):
    training = replace(Training.clean(task), recipe=Recipe(epochs=2, batch_size=64, learning_rate=1e12))
    with pytest.raises(ValueError, match=r"training diverged in epoch 1 .*: lower the learning rate"):
        training.run(task, {})


def test_threads_are_as_before_afterwards(task):
    before = torch.get_num_threads()
    replace(Training.clean(task), threads=2, recipe=Recipe(epochs=0)).run(task, {})
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": -1}, "0 or more epochs"),
        ({"learning_rate": 0.0}, "above 0"),
        ({"optimizer": "adam"}, "sgd or adamw"),
        ({"precision": "float16"}, "float32 or bfloat16"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_bad_recipes_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**arguments)
