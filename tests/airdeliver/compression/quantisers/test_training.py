"""Quantisers in training and in sending: scales learn, a training resumes bit for bit, what was trained arrives."""

from collections.abc import Mapping

import pytest
import torch

from airdeliver import CapacityLink, deliver
from airdeliver.compression.quantisers import LSQ, Quantiser, RateDistortion, Signs
from airdeliver.data import load_dataset
from airdeliver.models import CNN
from airdeliver.payload import layout_of, values_of
from airdeliver.problem import Problem
from airdeliver.recipe import Recipe
from airdeliver.task import task_of
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Continued, Quantised
from airdeliver.training.methods.quantised import QUANTISER
from channels import AWGN
from tests.airdeliver.few import few_digits

QUANTISERS = [LSQ(bits=3), Signs(), RateDistortion(bits_per_value=1.0)]


class Interrupted:
    """A checkpoint that dies after the first epoch."""

    saved = None

    def load(self):
        return self.saved

    def save(self, tensors, record):
        first = self.saved is None
        self.saved = {name: tensor.clone() for name, tensor in tensors.items()}, record
        if first:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def problem() -> Problem:
    recipe = Recipe(epochs=3, batch_size=64, learning_rate=0.05)
    short = Recipe(epochs=2, batch_size=64, learning_rate=0.02)
    return Problem(task_of(load_dataset("digits")), CNN(), recipe, short)


@pytest.fixture(scope="module")
def clean(problem) -> Mapping[Training, Trained]:
    training = Training.clean(problem)
    return {training: training.run(problem.task, {})}


def quantised(problem: Problem, quantiser: Quantiser) -> Training:
    return Training.of(problem, Quantised(Continued(Training.clean(problem)), quantiser, 0.1), problem.fine_tuning)


@pytest.mark.parametrize("quantiser", QUANTISERS, ids=lambda quantiser: type(quantiser).__name__)
def test_a_training_resumes_bit_for_bit(problem, clean, quantiser):
    training, checkpoint, task = quantised(problem, quantiser), Interrupted(), few_digits(problem.task)
    undisturbed = training.run(task, clean)
    with pytest.raises(KeyboardInterrupt):
        training.run(task, clean, checkpoint)
    resumed = training.run(task, clean, checkpoint)
    assert all(torch.equal(resumed.tensors[name], tensor) for name, tensor in undisturbed.tensors.items())
    assert resumed.state[QUANTISER] == undisturbed.state[QUANTISER]


@pytest.mark.parametrize("quantiser", QUANTISERS[:2], ids=lambda quantiser: type(quantiser).__name__)
def test_what_was_trained_arrives(problem, clean, quantiser):
    """The receiver has, from bytes alone, the values that the network bore when its training ended, bit for bit."""
    trained = quantised(problem, quantiser).run(problem.task, clean)
    model = trained.model()
    layout = layout_of(model, statistics=False)
    link = CapacityLink(quantiser=quantiser, state=trained.state[QUANTISER])
    delivery = deliver(model, link, AWGN(), 20.0, 14_000, realizations=1)
    state = quantiser.restore(trained.state[QUANTISER], layout)
    borne = quantiser.quantise(values_of(model, layout), layout, state).detach()
    assert torch.equal(values_of(delivery.model(0), layout), borne)


def test_scales_are_learned(problem, clean):
    """Steps of LSQ move, by more than rounding them would."""
    (start,) = clean.values()
    model, quantiser = start.model(), LSQ(bits=3)
    layout = layout_of(model, statistics=False)
    before = quantiser.init(values_of(model, layout), layout).tensors["steps"].detach()
    trained = quantised(problem, quantiser).run(problem.task, clean)
    after = torch.tensor(trained.state[QUANTISER]["tensors"]["steps"])
    assert bool(((after / before).log2().abs() > 2.0**-8).all())
