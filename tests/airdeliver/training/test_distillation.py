"""Distillation: the loss as Hinton wrote it, and a teacher that is trained once."""

from dataclasses import replace

import pytest
import torch

from airdeliver.models import CNN
from airdeliver.training import Training
from airdeliver.training.methods import Batch, Continued, Distillation, Distilled, Plain


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_divergence_is_the_softened_kullback_leibler_divergence(task):
    """T² sum p log(p / q) over classes, mean over the batch; 0 for equal logits."""
    student, teacher = torch.randn(5, 10, generator=seeded(0)), torch.randn(5, 10, generator=seeded(1))
    p, q = (teacher / 3).softmax(-1), (student / 3).softmax(-1)
    expected = 9 * (p * (p / q).log()).sum(-1).mean()
    torch.testing.assert_close(task.divergence(student, teacher, 3.0), expected)
    assert abs(float(task.divergence(student, student + 1, 4.0))) < 1e-5


def test_soft_cross_entropy_and_divergence_have_equal_gradients(task):
    """At T = 1 they differ by the teacher's entropy, which the student cannot change."""
    student, teacher = torch.randn(5, 10, generator=seeded(0)), torch.randn(5, 10, generator=seeded(1))
    a, b = student.clone().requires_grad_(), student.clone().requires_grad_()
    task.divergence(a, teacher, 1.0).backward()
    torch.nn.functional.cross_entropy(b, teacher.softmax(-1)).backward()
    torch.testing.assert_close(a.grad, b.grad)


def test_the_loss_mixes_labels_and_teacher(problem, clean):
    ((start, trained),) = clean.items()
    batch = Batch(torch.randn(6, 1, 8, 8, generator=seeded(2)), torch.arange(6))
    for weight in (0.0, 0.3, 1.0):
        method = Distilled(Plain(CNN(width=0.5)), start, Distillation(temperature=2.0, weight=weight))
        run = method.start(problem.task, clean, problem.training, problem.execution)
        run.network.eval()
        terms = run.loss(batch, seeded(0))
        logits, taught = run.network(batch.inputs), trained.model()(batch.inputs).detach()
        hard, soft = problem.task.loss(logits, batch.targets), problem.task.divergence(logits, taught, 2.0)
        torch.testing.assert_close(terms["task"], (1 - weight) * hard, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(terms["teacher"], weight * soft, rtol=1e-4, atol=1e-4)
    sum(terms.values()).backward()
    assert all(p.grad is not None for p in run.network.parameters())


def test_a_student_learns_what_its_teacher_says_and_not_the_labels(problem, clean):
    """A teacher whose classes are shifted by one teaches the shift, though no label says so."""
    ((start, trained),) = clean.items()
    teacher = trained.model()
    with torch.no_grad():
        for p in teacher[-1].parameters():
            p.copy_(p.roll(1, 0))
    shifted = replace(start, seed=7)
    method = Distilled(Plain(CNN()), shifted, Distillation(temperature=1.0, weight=1.0))
    student = replace(start, recipe=replace(problem.training, epochs=10, learning_rate=0.1), method=method)
    assert student.needs == (shifted,)
    learned = student.run(problem.task, {shifted: replace(trained, tensors=teacher.state_dict())})
    images, labels = problem.task.dataset.validation.images, problem.task.dataset.validation.labels
    predicted = learned.model()(problem.task.dataset.prepare(images)).argmax(-1)
    # The teacher itself is right about three images of four.
    assert float((predicted == (labels + 1) % 10).float().mean()) > 0.5
    assert float((predicted == labels).float().mean()) < 0.2


def test_a_chain_of_assistants_is_a_chain_of_trainings(problem):
    teacher = Training.clean(problem, CNN(width=2.0))
    assistant = Training.of(problem, Distilled(Plain(CNN()), teacher), problem.training)
    student = Training.of(problem, Distilled(Continued(Training.clean(problem)), assistant), problem.training)
    assert student.needs == (Training.clean(problem), assistant)
    assert assistant.needs == (teacher,)


def test_bad_numbers_are_refused():
    with pytest.raises(ValueError, match="temperature"):
        Distillation(temperature=0.0)
    with pytest.raises(ValueError, match="weight"):
        Distillation(weight=1.5)
