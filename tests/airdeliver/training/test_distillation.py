"""Distillation: the loss as Hinton wrote it, and a teacher that is trained once."""

from dataclasses import replace

import pytest
import torch

from airdeliver.models import CNN
from airdeliver.training import Training
from airdeliver.training.distillation import Distillation
from airdeliver.training.training import restored


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_divergence_is_the_softened_kullback_leibler_divergence():
    """T² sum p log(p / q) over classes, mean over the batch; 0 for equal logits."""
    student, teacher = torch.randn(5, 10, generator=seeded(0)), torch.randn(5, 10, generator=seeded(1))
    p, q = (teacher / 3).softmax(-1), (student / 3).softmax(-1)
    expected = 9 * (p * (p / q).log()).sum(-1).mean()
    torch.testing.assert_close(Distillation(temperature=3.0).divergence(student, teacher), expected)
    assert abs(float(Distillation().divergence(student, student + 1))) < 1e-5


def test_objective_mixes_labels_and_teacher(task):
    images, labels = torch.randn(6, 1, 8, 8, generator=seeded(2)), torch.arange(6)
    student, teacher = CNN()(1, 10, seeded(0)), CNN(width=2.0)(1, 10, seeded(1)).eval()
    student.eval()
    taught = teacher(images).detach()
    for weight in (0.0, 0.3, 1.0):
        distillation = Distillation(temperature=2.0, weight=weight)
        loss = distillation.objective(teacher, task)(student, images, labels)
        logits = student(images)
        expected = (1 - weight) * task.loss(logits, labels) + weight * distillation.divergence(logits, taught)
        torch.testing.assert_close(loss, expected, rtol=1e-4, atol=1e-4)
    loss.backward()
    assert all(p.grad is not None for p in student.parameters())
    assert all(p.grad is None for p in teacher.parameters())


def test_a_student_learns_what_its_teacher_says_and_not_the_labels(task, clean):
    """A teacher whose classes are shifted by one teaches the shift, though no label says so."""
    ((start, trained),) = clean.items()
    teacher = restored(task, start, trained)
    with torch.no_grad():
        for p in teacher[-1].parameters():
            p.copy_(p.roll(1, 0))
    shifted = replace(start, seed=7)
    recipe = replace(task.training, epochs=10, learning_rate=0.1)
    student = replace(start, recipe=recipe, teacher=shifted, distillation=Distillation(temperature=1.0, weight=1.0))
    assert student.needs == (shifted,)
    learned = student.run(task, {shifted: replace(trained, tensors=teacher.state_dict())})
    images, labels = task.dataset.validation.images, task.dataset.validation.labels
    predicted = restored(task, student, learned)(task.dataset.prepare(images)).argmax(-1)
    # The teacher itself is right about three images of four.
    assert float((predicted == (labels + 1) % 10).float().mean()) > 0.5
    assert float((predicted == labels).float().mean()) < 0.2


def test_teacher_and_distillation_belong_together(task):
    with pytest.raises(ValueError, match="give both"):
        replace(Training.clean(task), distillation=Distillation())
    with pytest.raises(ValueError, match="temperature"):
        Distillation(temperature=0.0)
    with pytest.raises(ValueError, match="weight"):
        Distillation(weight=1.5)
