"""One set of signs for several tasks, and a network for each."""

from dataclasses import replace

import pytest
import torch

from airdeliver import AnalogLink, DigitalLink, Problem, evaluate
from airdeliver.architecture import Device, Keyed
from airdeliver.data import load_dataset
from airdeliver.delivery_cost import delivery_cost
from airdeliver.links.analog import Mixture
from airdeliver.links.digital import FixedErrorRate
from airdeliver.models import CNN
from airdeliver.recipe import Recipe
from airdeliver.schemes import ASetForEach, OneSetOfSigns
from airdeliver.schemes.a_set_for_each import bits_of_signs
from airdeliver.schemes.several_tasks import served
from airdeliver.task import task_of
from airdeliver.training import Trained, Training
from channels import AWGN
from tests.airdeliver.training.checkpoints import with_and_without_interruption

USES = 20_000
LINK = DigitalLink(phy="capacity", adaptation=FixedErrorRate(0.01, outer_loop=None), spends_all=False)
SIGNS = OneSetOfSigns(2, link=LINK)


@pytest.fixture(scope="module")
def problem() -> Problem:
    recipe = Recipe(epochs=3, batch_size=64, learning_rate=0.1)
    return Problem(task_of(load_dataset("digits_tasks")), CNN(), recipe, replace(recipe, epochs=1, learning_rate=0.05))


@pytest.fixture(scope="module")
def known(problem: Problem) -> dict[Training, Trained]:
    found: dict[Training, Trained] = {}
    (training,) = SIGNS.trainings(problem, USES)
    found[training] = training.run(problem.task, found)
    return found


def scored(scheme, problem, known, snr_db=10.0, realizations=1):
    """Mean accuracy over the tasks that are served, and the delivery."""
    package = scheme.pack(problem, known, USES)
    delivery = scheme.send(package, AWGN(), snr_db, USES, "average", realizations, 0)
    data = problem.task.dataset
    inputs, targets = data.test.take(torch.arange(120))
    report = evaluate(delivery, data.prepare(inputs), targets, task=scheme.serves(problem.task))
    return report.accuracy, delivery


def test_two_tasks_arrive_in_one_set_of_signs_at_about_a_bit_each(problem, known):
    accuracy, delivery = scored(SIGNS, problem, known)
    assert accuracy > 0.4  # after 6 epochs
    bits = delivery_cost(delivery, problem.task.signature.example()).container_bits
    expected = bits_of_signs(problem, served(problem, 2)) - 512  # keys are side information
    assert bits == pytest.approx(expected, rel=0.05)


def test_a_further_task_costs_a_key_norms_and_a_head(problem, known):
    """What the first delivery says of the last task, the second one does at a fraction of the uses."""
    _, whole = scored(SIGNS, problem, known)
    further = replace(SIGNS, further=True)
    accuracy, alone = scored(further, problem, known)
    (group,) = alone.groups
    assert all(name.startswith("networks.0") for name in group.layout.names)
    assert len(group.description) == 32
    assert alone.channel_uses_spent < 0.35 * whole.channel_uses_spent
    assert accuracy > 0.4


def test_wrong_keys_give_chance(problem, known):
    """The mean over listeners: within a point, or three standard errors of so few, of a tenth."""
    (network,) = known.values()
    architecture, data = network.architecture, problem.task.dataset
    assert isinstance(architecture, Keyed)
    inputs, targets = data.test.take(torch.arange(0, len(data.test), 3))
    prepared, scores = data.prepare(inputs), []
    model = network.model()
    for user in range(1, 17):
        other = replace(architecture, device=Device(user=user)).receive(network.description)
        other.load_state_dict(network.tensors)
        other.train()  # norms by the batch that they serve
        with torch.no_grad():
            scores.append(SIGNS.serves(problem.task).score(other(prepared), targets).mean())
    found = torch.stack(scores)
    assert abs(float(found.mean()) - 0.1) < max(0.01, 3 * float(found.std()) / len(found) ** 0.5)
    own = SIGNS.serves(problem.task).score(model.train()(prepared), targets).mean()
    assert float(own) > float(found.max()) + 0.15
    overheard, _ = scored(replace(SIGNS, overheard=True), problem, known)
    assert overheard < 0.2


def test_analog_signs_arrive_as_posterior_means(problem, known):
    """Within -a and a, nearer to 0 the noisier; at a high SNR they are the signs."""
    link = AnalogLink(Mixture(2, each=True))
    spreads = []
    for snr_db in (0.0, 30.0):
        scheme = replace(SIGNS, link=link)
        _, delivery = scored(scheme, problem, known, snr_db=snr_db, realizations=1)
        (group,) = delivery.groups
        parts = dict(zip(group.layout.names, group.layout.split(group.decoded.values[0]), strict=True))
        name = max((n for n in parts if n.startswith("binary")), key=lambda n: len(parts[n]))
        (network,) = known.values()
        scale = float(network.tensors[name].abs().mean())
        spreads.append(float((parts[name].abs() / scale).mean()))
        assert float(parts[name].abs().max()) < 1.1 * scale
    assert spreads[0] < 0.9 < spreads[1]
    assert spreads[1] == pytest.approx(1.0, abs=0.02)


@pytest.mark.slow
def test_the_rival_takes_as_many_bits(problem):
    rival, found = ASetForEach(2, link=LINK), dict[Training, Trained]()

    def make(training: Training) -> None:
        for need in training.needs:
            make(need)
        found[training] = training.run(problem.task, found)

    short = replace(problem, training=replace(problem.training, epochs=1))
    make(rival.trainings(short, USES)[0])
    assert len(found) == 3  # clean, 1 bit a value, and what signs take
    _, delivery = scored(rival, short, found)
    bits = delivery_cost(delivery, short.task.signature.example()).container_bits
    assert 0.9 < bits / bits_of_signs(short, served(short, 2)) <= 1.0


def test_a_training_in_turn_goes_on_where_it_stopped(problem):
    (training,) = SIGNS.trainings(replace(problem, training=replace(problem.training, epochs=1)), USES)
    with_and_without_interruption(training, problem.task, {}, 1)


def test_a_problem_of_one_task_is_refused():
    problem = Problem(task_of(load_dataset("digits")), CNN())
    with pytest.raises(ValueError, match="such as digits_tasks"):
        SIGNS.trainings(problem, USES)
    with pytest.raises(ValueError, match="at least 1"):
        OneSetOfSigns(0)
