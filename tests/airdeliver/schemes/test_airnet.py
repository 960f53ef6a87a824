"""AirNet on digits: what it trains, that it fits and fills the budget, and that its parts can be switched off."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import pytest
import torch

from airdeliver import AnalogLink, BudgetError, Normalisation, Problem, evaluate
from airdeliver.links import Knowledge
from airdeliver.models import CNN, VGG
from airdeliver.package import Package
from airdeliver.recipe import Recipe
from airdeliver.schemes import AirNet, Scheme
from airdeliver.sensitivity import by_curvature
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Distilled, ThroughLink
from channels import AWGN, Rayleigh
from experiments.stage import closure

USES = 8701
"""What the whole network costs, and the two bytes of its widths."""


class Known(dict):
    """Networks that were trained already, for all tests together."""

    def get_all(self, scheme: Scheme, problem: Problem, uses: int) -> Mapping[Training, Trained]:
        for training in closure(scheme.trainings(problem, uses)):
            if training not in self:
                self[training] = training.run(problem.task, self)
        return self


@pytest.fixture(scope="module")
def known() -> Known:
    return Known()


@pytest.fixture(scope="module")
def quick(problem) -> Problem:
    """An epoch of fine-tuning for what need not be good."""
    return replace(problem, fine_tuning=Recipe(epochs=1, batch_size=64, learning_rate=0.02))


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sensitivities from a quarter of the batches, for what need not be protected well."""
    monkeypatch.setattr("airdeliver.schemes.airnet.by_curvature", partial(by_curvature, batches=4))


def packed(scheme: AirNet, problem: Problem, known: Known, uses: int = USES) -> Package:
    return scheme.pack(problem, known.get_all(scheme, problem, uses), uses)


VARIANTS = {
    "all": AirNet(),
    "no kd": AirNet(teacher=None),
    "no noise": AirNet(noise=False),
    "no prune": AirNet(prune=False, uses_per_value=0.5),
    "plain": AirNet(uses_per_value=0.5),
    "equal": AirNet(link=AnalogLink(protection="equal")),
    "power": AirNet(link=AnalogLink(protection="power"), teacher=None),
    "both": AirNet(link=AnalogLink(protection="both")),
    "gradual": AirNet(pruning_steps=2, fine_tuning=Recipe(2, 64, 0.02), teacher=None),
    "frozen": AirNet(normalisation=Normalisation("frozen"), teacher=None),
    "sender": AirNet(normalisation=Normalisation("sender"), teacher=None),
    "spiral": AirNet(train_snr_db=12.0, uses_per_value=1.0, teacher=None),
}


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("name", VARIANTS)
def test_every_variant_fits_and_fills_the_budget(name, quick, known):
    """Spent <= budget, unused <= 2 % of it or 2 uses; the receiver builds the network from its description alone."""
    scheme = VARIANTS[name]
    package = packed(scheme, quick, known)
    delivery = scheme.send(package, AWGN(), 10.0, USES, "average", 2, 0)
    assert USES - 0.02 * USES <= delivery.channel_uses_spent <= USES
    assert delivery.power <= 1 + 1e-4
    (choice,) = package.choices
    rebuilt = choice.architecture.receive(choice.payload.layout.description)
    assert [p.shape for p in rebuilt.parameters()] == [p.shape for p in choice.model.parameters()]
    assert all(bool(p.isnan().all()) for p in rebuilt.parameters())
    test = quick.task.dataset.test
    report = evaluate(delivery, quick.task.dataset.prepare(test.images[:200]), test.labels[:200])
    assert report.accuracy > 0.25


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("share", [0.25, 0.6, 1.4])
def test_any_budget_is_filled(share, quick, known):
    scheme, uses = AirNet(teacher=None), int(share * USES)
    package = packed(scheme, quick, known, uses)
    delivery = scheme.send(package, Rayleigh(), 5.0, uses, "average", 2, 0)
    assert 0.98 * uses <= delivery.channel_uses_spent <= uses


def test_pruning_leaves_room_for_the_powers(quick, known):
    """Otherwise their table never fits and power stays equal; every segment that travels gets some."""
    link = AnalogLink(protection="power")
    (choice,) = packed(AirNet(link=link, teacher=None), quick, known).choices
    plan = choice.link.plan(choice.payload, USES, Knowledge("average", -5.0, AWGN()))
    powers = [row.power for row in plan.table() if row.uses_per_parameter]
    assert len(set(powers)) > 1
    assert min(powers) > 0.2


def test_a_budget_below_the_smallest_network_is_refused(quick, known):
    with pytest.raises(BudgetError, match="even the smallest network"):
        packed(AirNet(teacher=None), quick, known, 1000)


def test_the_teacher_is_trained_once_and_larger(problem):
    """The clean network and the teacher are shared by all SNRs and budgets; students are not."""
    students = [AirNet(train_snr_db=snr).trainings(problem, uses)[0] for snr in (0.0, 5.0) for uses in (5000, 8000)]
    assert len(set(students)) == 4
    teachers = {student.method.teacher for student in students}
    assert {teacher.method.model for teacher in teachers} == {CNN(width=2.0)}
    assert {student.needs[0] for student in students} == {Training.clean(problem)}
    assert AirNet(teacher=VGG()).trainings(problem, 8000)[0].method.teacher.method.model == VGG()
    assert AirNet(teacher=None).trainings(problem, 8000)[0].needs == (Training.clean(problem),)


def test_only_what_weights_depend_on_tells_trainings_apart(problem):
    """Receiver normalisation does not; the budget only where the network is pruned to it."""
    scheme = AirNet()
    other = replace(scheme, normalisation=Normalisation("receiver", 64))
    assert scheme.trainings(problem, 8000) == other.trainings(problem, 8000)
    assert scheme.trainings(problem, 8000) != scheme.trainings(problem, 8001)
    whole = AirNet(prune=False, uses_per_value=0.5)
    assert whole.trainings(problem, 9000) == whole.trainings(problem, 9001)


def test_gradual_pruning_is_a_chain_of_trainings(problem):
    """Each pruned, through the link and taught; only the last is made for the budget."""
    (last,) = AirNet(pruning_steps=3, fine_tuning=Recipe(epochs=8)).trainings(problem, 5000)
    chain = [last, last.needs[0], last.needs[0].needs[0]]
    methods = [training.method for training in chain]
    assert all(isinstance(method, Distilled) and isinstance(method.method, ThroughLink) for method in methods)
    assert [method.method.method.pruning.step for method in methods] == [3, 2, 1]
    assert [method.method.condition.symbols for method in methods] == [5000, None, None]
    assert sum(training.recipe.epochs for training in chain) == 8
    assert chain[-1].needs[0] == Training.clean(problem)
    assert {method.teacher for method in methods} == {Training.clean(problem, CNN(width=2.0))}


def test_the_pruned_network_is_better_at_low_snr(problem, known):
    """At 0 dB and matched bandwidth a pruned network, expanded and protected, beats the whole one sent once."""
    problem = replace(problem, training=Recipe(8, 64, 0.1), fine_tuning=Recipe(6, 64, 0.05))
    test, accuracy = problem.task.dataset.test, {}
    for name in ("no kd", "no prune"):
        scheme = replace(VARIANTS[name], train_snr_db=0.0, teacher=None, link=AnalogLink(protection="expansion"))
        delivery = scheme.send(packed(scheme, problem, known), AWGN(), 0.0, USES, "average", 4, 0)
        accuracy[name] = evaluate(delivery, problem.task.dataset.prepare(test.images), test.labels).accuracy
    assert accuracy["no kd"] > accuracy["no prune"] + 0.05


def test_the_whole_network_arrives_without_noise(quick, known):
    """What the receiver rebuilt at infinite SNR is what the sender holds."""
    scheme = VARIANTS["frozen"]
    package = packed(scheme, quick, known)
    delivery = scheme.send(package, AWGN(), float("inf"), USES, "average", 1, 0)
    images = quick.task.dataset.prepare(quick.task.dataset.test.images[:64])
    torch.testing.assert_close(delivery.model(0)(images), package.choices[0].model(images), rtol=1e-2, atol=1e-2)


def test_bad_arguments_are_refused(problem):
    with pytest.raises(ValueError, match="pruning_steps"):
        AirNet(pruning_steps=0)
    with pytest.raises(ValueError, match="multiple of 1/2"):
        AirNet(uses_per_value=0.7)
