"""The page on a method of one's own does what it says: what is frozen stays, bit for bit, and a sweep runs."""

from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest
import torch

from airdeliver import AnalogLink, Problem
from airdeliver.data import load_dataset
from airdeliver.links.condition import Condition
from airdeliver.models import CNN
from airdeliver.task import Classification
from airdeliver.training import Recipe, Trained, Training
from airdeliver.training.methods import Continued, Method, Plain, Sparse, ThroughLink
from channels import AWGN
from tests.airdeliver.training.checkpoints import with_and_without_interruption
from tests.docs.test_pages import blocks, commands, run

FILE = Path(__file__).parents[2] / "docs" / "own_method" / "my_method.py"
SGD = Recipe(epochs=2, learning_rate=0.05, weight_decay=0.1)
CONDITION = Condition(AnalogLink(), AWGN(), (0.0, 10.0))


@pytest.fixture
def folder(following) -> Path:
    return following(my_method=blocks("own_method", "python")[0])


@pytest.fixture
def my_method(folder: Path) -> ModuleType:
    import my_method  # type: ignore[import-not-found]

    return my_method


@pytest.fixture(scope="module")
def problem() -> Problem:
    return Problem(Classification(load_dataset("digits")), CNN(width=0.5), SGD, SGD)


@pytest.fixture(scope="module")
def clean(problem: Problem) -> dict[Training, Trained]:
    training = Training.clean(problem)
    return {training: training.run(problem.task, {})}


def test_the_page_shows_the_file():
    assert blocks("own_method", "python") == [FILE.read_text()]


METHODS = {
    "continued": Continued,
    "through link": lambda clean: ThroughLink(Continued(clean), CONDITION),
    "sparse": lambda clean: Sparse(Continued(clean), 0.5, every=3),
}


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
def test_what_is_frozen_stays_bit_for_bit_and_the_rest_changes(name, optimizer, my_method, problem, clean):
    """Under strong weight decay and momentum, inside of which masks are set, and interrupted after an epoch."""
    ((start, before),) = clean.items()
    method: Method = my_method.Frozen(METHODS[name](start), ("1", "3.weight"))
    training = Training.of(problem, method, replace(SGD, optimizer=optimizer, learning_rate=0.01))
    for trained in with_and_without_interruption(training, problem.task, clean, 1):
        same = {n for n, _ in problem.build().named_parameters() if torch.equal(trained.tensors[n], before.tensors[n])}
        assert same == {"1.weight", "1.bias", "3.weight"}


def test_a_network_from_scratch_keeps_its_initial_values(my_method, problem):
    training = Training.of(problem, my_method.Frozen(Plain(problem.model), ("0",)), SGD)
    begun = training.method.start(problem.task, {}, SGD, problem.execution).network.state_dict()
    for trained in with_and_without_interruption(training, problem.task, {}, 1):
        assert torch.equal(trained.tensors["0.weight"], begun["0.weight"])
        assert not torch.equal(trained.tensors["3.weight"], begun["3.weight"])


@pytest.mark.parametrize("name", ["features", "0.w", ""])
def test_a_name_that_begins_none_is_refused(name, my_method, problem):
    method = my_method.Frozen(Plain(problem.model), ("0", name))
    with pytest.raises(ValueError, match=rf"'{name}' begins no parameter's name; there are 0\.weight, 1\.weight"):
        method.start(problem.task, {}, SGD, problem.execution)


def test_the_scheme_freezes_the_first_layer(my_method, problem, clean):
    (training,) = my_method.FirstLayerFrozen().trainings(problem, 3000)
    assert training.needs == tuple(clean)
    assert training.method.names == ("0",)


def test_the_sweep_runs(folder: Path):
    (command,) = commands("own_method")
    assert run(command)["scheme"].tolist() == ["clean", "FirstLayerFrozen"]
