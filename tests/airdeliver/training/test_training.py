"""Trainings: equal ones are one, and an interrupted one ends where an undisturbed one does."""

from dataclasses import replace

import pytest
import torch

from airdeliver.links import AnalogLink
from airdeliver.links.condition import Condition
from airdeliver.models import CNN
from airdeliver.recipe import Recipe
from airdeliver.task import Classification
from airdeliver.training import Training
from airdeliver.training.methods import Continued, Plain, ThroughLink
from channels import AWGN
from tests.airdeliver.few import few_digits
from tests.airdeliver.training.checkpoints import with_and_without_interruption


def fine_tuned(problem, snr_db=5.0) -> Training:
    method = ThroughLink(Continued(Training.clean(problem)), Condition(AnalogLink(), AWGN(), snr_db))
    return Training.of(problem, method, problem.fine_tuning)


def test_trainings_are_equal_by_what_their_weights_depend_on(problem):
    other = replace(problem, execution=replace(problem.execution, seed=1))
    assert fine_tuned(problem) == fine_tuned(problem)
    assert len({fine_tuned(problem), fine_tuned(other), fine_tuned(problem, 6.0)}) == 3
    assert fine_tuned(problem).needs == (Training.clean(problem),)
    elsewhere = replace(problem, execution=replace(problem.execution, device="cuda"))
    assert fine_tuned(problem) == fine_tuned(elsewhere)


@pytest.mark.parametrize("optimizer", ["sgd", "adamw", "muon"])
def test_an_interrupted_training_resumes_bit_for_bit(problem, optimizer):
    rate = 0.002 if optimizer == "adamw" else 0.05
    recipe = Recipe(epochs=3, batch_size=128, learning_rate=rate, optimizer=optimizer)
    method = ThroughLink(Plain(CNN()), Condition(AnalogLink(), AWGN(), (0.0, 10.0)))
    with_and_without_interruption(Training.of(problem, method, recipe), few_digits(problem.task), {}, epochs=2)


def test_training_learns_and_another_seed_gives_another_network(problem, clean):
    (trained,) = clean.values()
    assert trained.state["validation_score"] > 0.6
    assert trained.state["epochs"][-1] < trained.state["epochs"][0]
    assert trained.state["terms"] == {"task": trained.state["epochs"]}
    once = replace(Training.clean(problem), seed=1, recipe=replace(problem.training, epochs=1))
    other = once.run(problem.task, {})
    assert not torch.equal(next(iter(other.tensors.values())), next(iter(trained.tensors.values())))


def test_a_trained_network_knows_what_it_is(problem, clean):
    (trained,) = clean.values()
    inputs = problem.task.signature.example(4)
    twin = CNN()(1, 10)
    twin.load_state_dict(dict(trained.tensors))
    assert torch.equal(trained.model()(inputs), twin.eval()(inputs))


def test_divergence_is_said_in_one_line(problem):
    training = replace(Training.clean(problem), recipe=Recipe(epochs=2, batch_size=64, learning_rate=1e12))
    with pytest.raises(ValueError, match=r"training diverged in epoch 1 .*: lower the learning rate"):
        training.run(problem.task, {})


def test_threads_are_as_before_afterwards(problem):
    before = torch.get_num_threads()
    replace(Training.clean(problem), threads=2, recipe=Recipe(epochs=0)).run(problem.task, {})
    assert torch.get_num_threads() == before


def test_another_task_is_refused(problem):
    other = Classification(replace(problem.task.dataset, fingerprint="another"))
    with pytest.raises(ValueError, match="give that task"):
        Training.clean(problem).run(other, {})


def test_the_learning_rate_is_one_cycle(problem):
    """Linear from peak / warm-up steps to the peak, linear to zero: a closed form, to the last bit."""
    from airdeliver.training.fit import _Loop
    from airdeliver.training.methods.plain import Plain as Method

    recipe = Recipe(epochs=2, batch_size=128, learning_rate=0.3, warm_up=0.25)
    run = Method(CNN()).start(problem.task, {}, recipe, problem.execution)
    loop = _Loop(run, problem.task, recipe, 0)
    rates = []
    for _ in range(2 * loop.steps):
        rates.append(loop.optimizer.param_groups[0]["lr"])
        loop.optimizer.step()
        loop.schedule.step()
    end, peak = 2 * loop.steps, 0.25 * 2 * loop.steps
    shares = [min(1.0, (s + 1) / peak if s < peak else (end - s) / (end - peak)) for s in range(end)]
    assert rates == [0.3 * share for share in shares]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": -1}, "0 or more epochs"),
        ({"learning_rate": 0.0}, "above 0"),
        ({"optimizer": "adam"}, "sgd, adamw or muon"),
        ({"shift": -1}, "shift must be 0 pixels or more"),
        ({"precision": "float16"}, "float32 or bfloat16"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_bad_recipes_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Recipe(**arguments)
