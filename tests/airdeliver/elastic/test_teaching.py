"""Who learns from whom: soft cross entropy and divergence teach alike, and teachers learn nothing from pupils."""

import pytest
import torch

from airdeliver.randomness import stream
from airdeliver.training.methods import Batch, Distillation, Teaching
from airdeliver.training.methods.base import TASK


def logits(*numbers):
    return [torch.randn(16, 10, generator=stream(n, "noise"), dtype=torch.float64).requires_grad_() for n in numbers]


def test_soft_cross_entropy_and_divergence_have_equal_gradients(task):
    """They differ by the teacher's entropy, which the student cannot change."""
    pupil, teacher = logits(0, 1)
    soft = -(teacher.detach().softmax(-1) * pupil.log_softmax(-1)).sum(-1).mean()
    (expected,) = torch.autograd.grad(soft, pupil)
    (gradient,) = torch.autograd.grad(task.divergence(pupil, teacher.detach()), pupil)
    torch.testing.assert_close(gradient, expected, rtol=1e-12, atol=1e-15)
    entropy = -(teacher.softmax(-1) * teacher.log_softmax(-1)).sum(-1).mean()
    torch.testing.assert_close(task.divergence(pupil, teacher.detach()) + entropy, soft)


@pytest.mark.parametrize(("teacher", "taught_by"), [("largest", [2, 2]), ("next", [1, 2])])
def test_each_member_has_the_teacher_that_the_rule_says(teacher, taught_by, task):
    said = logits(0, 1, 2)
    targets = torch.arange(16) % 10
    teaching = Teaching(teacher, Distillation(1.0, 0.25), share=0.5)
    smaller = {index: said[index][:8] for index in (0, 1)}
    terms = teaching.terms(smaller, said[2], Batch(said[2], targets), task, 0.0)
    torch.testing.assert_close(terms[TASK], task.loss(said[2], targets))
    for index, by in enumerate(taught_by):
        torch.testing.assert_close(terms[f"member {index}"], 0.75 * task.loss(said[index][:8], targets[:8]))
        apart = 0.25 * task.divergence(said[index][:8], said[by][:8])
        torch.testing.assert_close(terms[f"member {index} taught"], apart)
        gradients = torch.autograd.grad(terms[f"member {index} taught"], said, allow_unused=True, retain_graph=True)
        assert [i for i, g in enumerate(gradients) if g is not None] == [index]


def test_without_a_teacher_all_learn_from_labels(task):
    said, targets = logits(0, 1), torch.arange(16) % 10
    terms = Teaching("none", share=1.0).terms({0: said[0]}, said[1], Batch(said[1], targets), task, 0.0)
    torch.testing.assert_close(terms, {TASK: task.loss(said[1], targets), "member 0": task.loss(said[0], targets)})


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="share must be above 0"):
        Teaching(share=0.0)
