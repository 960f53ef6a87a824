"""Compact networks over the digital link: what is trained, and in which order."""

from dataclasses import replace

import pytest

from airdeliver import DigitalLink, Execution, Problem
from airdeliver.models import CNN, GhostVGG
from airdeliver.recipe import Recipe
from airdeliver.schemes import Clean, Compact, OfModel
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Distilled, KeptZeros, Plain, RigL
from channels import AWGN

SHORT = Recipe(epochs=1, batch_size=64, learning_rate=0.05)


def trained_all(scheme, problem: Problem) -> dict[Training, Trained]:
    known: dict[Training, Trained] = {}

    def finish(training: Training) -> None:
        for need in training.needs:
            finish(need)
        if training not in known:
            known[training] = training.run(problem.task, known)

    for training in scheme.trainings(problem, 4000):
        finish(training)
    return known


@pytest.fixture(scope="module")
def small(problem: Problem) -> Problem:
    return replace(problem, model=CNN(width=0.5), training=SHORT, fine_tuning=SHORT, execution=Execution(0))


def test_a_sparse_network_is_trained_for_a_rate_and_arrives_with_its_zeros(small):
    scheme = Compact(DigitalLink(phy="capacity"), train_bits=(1.0,), sparsity=0.8)
    (training,) = scheme.trainings(small, 4000)
    assert isinstance(training.method, KeptZeros)
    (first,) = training.needs
    assert first.method == RigL(Plain(small.model), 0.8)
    known = trained_all(scheme, small)
    package = scheme.pack(small, known, 4000)
    delivery = scheme.send(package, AWGN(), 10.0, 4000, "average", 1, 0)
    weights = [p for p in delivery.model(0).parameters() if p.ndim > 1]
    assert sum(int((p == 0).sum()) for p in weights) >= 0.8 * sum(p.numel() for p in weights) - len(weights)
    assert "80% zeros (rigl)" in scheme.about().title


def test_each_teacher_learns_from_the_one_before(small):
    scheme = Compact(teachers=(2.0, CNN(width=0.75)))
    (student,) = scheme.trainings(small, 4000)
    assert isinstance(student.method, Distilled)
    assistant = student.method.teacher
    assert assistant.method == Distilled(Plain(CNN(width=0.75)), Training.clean(small, CNN(width=1.0)))
    assert student.method.distillation == scheme.distillation
    assert list(trained_all(scheme, small)) == [assistant.method.teacher, assistant, student]


def test_a_scheme_of_another_model(small):
    scheme = OfModel(Clean(), GhostVGG(width=0.5))
    (training,) = scheme.trainings(small, 4000)
    assert training == Clean().trainings(replace(small, model=GhostVGG(width=0.5)), 4000)[0]
    assert scheme.normalisation == Clean().normalisation
    assert scheme.about().title == "Clean, GhostVGG"


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="sparsity must be from 0 to below 1 and sparse rigl, static or gradual"):
        Compact(sparsity=1.5)
