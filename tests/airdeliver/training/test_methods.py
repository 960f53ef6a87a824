"""Every method: it resumes where it was, starts from what another has made, and does what it says."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch

from airdeliver import AnalogLink, Problem
from airdeliver.compression.quantisers import LSQ, RateDistortion
from airdeliver.elastic import Elastic
from airdeliver.links.condition import Condition
from airdeliver.models import CNN
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.schemes import AirNet, AirNetSpectrum
from airdeliver.training import Trained, Training
from airdeliver.training.methods import (
    AtAnyRate,
    Batch,
    Continued,
    Distilled,
    Masked,
    Method,
    Plain,
    Pruned,
    Quantised,
    RigL,
    Sparse,
    ThroughLink,
)
from channels import AWGN
from tests.airdeliver.few import few_digits
from tests.airdeliver.training.checkpoints import Memory

RECIPE = Recipe(epochs=2, batch_size=64, learning_rate=0.05)
USES = 3000
CONDITION = Condition(AnalogLink(), AWGN(), (0.0, 10.0))


@pytest.fixture(scope="module")
def small(problem) -> Problem:
    task = few_digits(problem.task)
    return replace(problem, task=task, model=CNN(width=0.5), training=RECIPE, fine_tuning=RECIPE)


@pytest.fixture(scope="module")
def known(small) -> dict[Training, Trained]:
    return {}


def finished(training: Training, problem: Problem, known: dict[Training, Trained]) -> Trained:
    """Trained once in this file, and what it needs before."""
    if training not in known:
        for need in training.needs:
            finished(need, problem, known)
        known[training] = training.run(problem.task, known)
    return known[training]


def spectrum(problem: Problem) -> Training:
    return AirNetSpectrum(design_snr_db=(0.0, 10.0)).trainings(problem, USES)[0]


def pruned(problem: Problem) -> Training:
    return AirNet(teacher=None, noise=False).trainings(problem, USES)[0]


def of(problem: Problem, method: Method) -> Training:
    return Training.of(problem, method, RECIPE)


def continued(problem: Problem) -> Continued:
    return Continued(Training.clean(problem))


METHODS = {
    "plain": Training.clean,
    "continued": lambda problem: of(problem, continued(problem)),
    "through link": lambda problem: of(problem, ThroughLink(continued(problem), CONDITION)),
    "distilled": lambda problem: of(problem, Distilled(Plain(problem.model), Training.clean(problem))),
    "pruned": pruned,
    "rate and distortion": lambda problem: of(
        problem, Quantised(continued(problem), RateDistortion(bits_per_value=1.5), 0.1)
    ),
    "any rate": lambda problem: of(problem, AtAnyRate(continued(problem), RateDistortion(), 0.1, rates=(2.0, 1.0))),
    "lsq": lambda problem: of(problem, Quantised(continued(problem), LSQ(bits=3))),
    "sparse": lambda problem: of(problem, Sparse(Plain(problem.model), 0.7, until=0.8, every=3)),
    "masked": lambda problem: of(problem, Masked(Plain(problem.model), 0.7)),
    "rigl": lambda problem: of(problem, RigL(Plain(problem.model), 0.7, every=3)),
    "joint": spectrum,
}


def assert_same(one: Trained, other: Trained) -> None:
    assert one.tensors.keys() == other.tensors.keys()
    assert all(torch.equal(one.tensors[name], other.tensors[name]) for name in one.tensors)
    assert one.description == other.description
    timeless = [{**trained.state, "train_seconds": None} for trained in (one, other)]
    assert timeless[0] == timeless[1]


@pytest.mark.parametrize("name", METHODS)
def test_an_interrupted_training_ends_where_an_undisturbed_one_does(name, small, known):
    """Bit for bit: weights, description, losses and what the method keeps of its own."""
    training = METHODS[name](small)
    undisturbed, memory = finished(training, small, known), Memory(1)
    with pytest.raises(KeyboardInterrupt):
        training.run(small.task, known, memory)
    assert_same(training.run(small.task, known, memory), undisturbed)


@pytest.mark.parametrize(
    ("name", "terms"),
    [
        ("plain", {"task"}),
        ("through link", {"task"}),
        ("distilled", {"task", "teacher"}),
        ("rate and distortion", {"task", "rate"}),
        ("lsq", {"task"}),
    ],
)
def test_terms_of_the_loss_are_logged_by_name(name, terms, small, known):
    """One mean an epoch; they add up to the loss."""
    state = finished(METHODS[name](small), small, known).state
    assert set(state["terms"]) == terms
    assert all(len(means) == RECIPE.epochs for means in state["terms"].values())
    for epoch, loss in enumerate(state["epochs"]):
        assert sum(means[epoch] for means in state["terms"].values()) == pytest.approx(loss)


def test_a_spectrum_teaches(small, known):
    """With the answers of its largest member, which is what it is as a network."""
    elastic, distilled = spectrum(small), of(small, Distilled(Plain(small.model), spectrum(small)))
    assert distilled.needs == (elastic,)
    trained = finished(distilled, small, known)
    assert trained.model()(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
    assert all(value > 0 for value in trained.state["terms"]["teacher"])


def test_a_spectrum_goes_on(small, known):
    """It stays a spectrum, with its members' own tensors."""
    before = finished(spectrum(small), small, known)
    trained = finished(of(small, Continued(spectrum(small))), small, known)
    network = trained.model()
    assert isinstance(network, Elastic)
    assert trained.description == before.description
    assert trained.tensors.keys() == before.tensors.keys()
    assert any(not torch.equal(trained.tensors[name], before.tensors[name]) for name in before.tensors)


@pytest.mark.parametrize("name", ["rate and distortion", "lsq"])
def test_a_quantised_network_is_a_start(name, small, known):
    start = METHODS[name](small)
    trained = finished(of(small, Sparse(Continued(start), 0.5)), small, known)
    assert trained.architecture == finished(start, small, known).architecture
    assert "quantiser" in known[start].state
    assert "quantiser" not in trained.state


def test_a_sparse_network_learns_from_a_teacher_through_a_link(small, known):
    method = Distilled(ThroughLink(Sparse(continued(small), 0.6, every=4), CONDITION), pruned(small))
    trained = finished(of(small, method), small, known)
    assert set(trained.state["terms"]) == {"task", "teacher"}
    assert_sparse(trained.tensors, 0.6, small)


def test_a_pruned_network_is_pruned_before_the_first_step(small, known):
    whole = finished(Training.clean(small), small, known)
    trained = finished(pruned(small), small, known)
    assert sum(t.numel() for t in trained.tensors.values()) < sum(t.numel() for t in whole.tensors.values())
    assert isinstance(pruned(small).method, Pruned)


def assert_sparse(tensors: Mapping[str, torch.Tensor], share: float, problem: Problem) -> None:
    """So large a share of each weight is zero, to the value."""
    weights = [name for name, p in problem.build().named_parameters() if p.ndim > 1]
    assert weights
    for name in weights:
        assert int((tensors[name] == 0).sum()) == round(share * tensors[name].numel())


def test_sparsity_is_reached_exactly(small, known):
    assert_sparse(finished(METHODS["sparse"](small), small, known).tensors, 0.7, small)


def run_of(training: Training, problem: Problem, known: dict[Training, Trained]):
    for need in training.needs:
        finished(need, problem, known)
    return training.method.start(problem.task, known, RECIPE, problem.execution)


def test_what_has_gone_stays_away(small, known):
    """Whatever the optimiser does in between, and whether it is a step that removes or not."""
    run = run_of(METHODS["sparse"](small), small, known)
    gone = {name: torch.zeros_like(p, dtype=torch.bool) for name, p in run.network.named_parameters() if p.ndim > 1}
    zeros = []
    for step in range(2 * (len(small.task.dataset.train) // RECIPE.batch_size)):
        noise = stream(0, "noise", step)
        with torch.no_grad():
            for p in run.network.parameters():
                p.add_(torch.randn(p.shape, generator=noise))
        run.after_step(step)
        parameters = dict(run.network.named_parameters())
        for name, mask in gone.items():
            assert not bool(parameters[name][mask].any())
            gone[name] = parameters[name].detach() == 0
        zeros.append(sum(int(mask.sum()) for mask in gone.values()))
        assert all(bool(p.all()) for p in parameters.values() if p.ndim <= 1)
    assert zeros == sorted(zeros)
    assert len(set(zeros)) > 2


def test_learned_scales_have_gradients_and_change(small, known):
    training = METHODS["lsq"](small)
    run = run_of(training, small, known)
    ((_, steps),) = run.learned().items()
    begun, noise = steps.detach().clone(), stream(0, "noise")
    inputs, targets = small.task.dataset.train.take(torch.arange(64))
    own = [p.detach().clone() for p in run.network.parameters()]
    with run.arriving(noise):
        sum(run.loss(Batch(small.task.dataset.prepare(inputs), targets), noise).values()).backward()
    assert steps.grad is not None
    assert bool((steps.grad != 0).any())
    assert bool(steps.grad.isfinite().all())
    assert all(torch.equal(before, p) for before, p in zip(own, run.network.parameters(), strict=True))
    learned = torch.tensor(finished(training, small, known).state["quantiser"]["tensors"]["steps"])
    assert learned.shape == begun.shape
    assert bool((learned != begun).any())
