"""Who learns from whom: soft cross entropy and divergence teach alike, and teachers learn nothing from pupils."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import cross_entropy

from airdeliver.data import load_dataset
from airdeliver.data.targets import UNLABELLED
from airdeliver.randomness import stream
from airdeliver.task import Segmentation
from airdeliver.training.methods import Batch, Boundary, Distillation, Teaching
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


@pytest.fixture
def scenes():
    return Segmentation(load_dataset("digit_scenes"))


def test_labels_may_weigh_as_much_as_they_do_without_a_teacher(task):
    said, targets = logits(0, 1), torch.arange(16) % 10
    teaching = Teaching("next", Distillation(1.0, 1.0), share=1.0, labels=1.0)
    terms = teaching.terms({0: said[0]}, said[1], Batch(said[1], targets), task, 0.0)
    torch.testing.assert_close(terms["member 0"], task.loss(said[0], targets))
    torch.testing.assert_close(terms["member 0 taught"], task.divergence(said[0], said[1].detach()))


def test_every_member_learns_further_terms(scenes):
    """The boundary's, which is what the task has of its own where it says so."""
    _, masks = scenes.dataset.train.take(torch.arange(4))
    said = [torch.randn(4, 11, 32, 32, generator=stream(n, "noise")) for n in (0, 1)]
    teaching = Teaching("next", Distillation(1.0, 1.0), 1.0, labels=1.0, further=[Boundary(0.5)])
    terms = teaching.terms({0: said[0]}, said[1], Batch(said[1], masks), scenes, 0.1)
    by_task = replace(scenes, boundary=0.5)
    for outputs, names in ((said[0], ("member 0", "member 0 boundary")), (said[1], (TASK, "boundary"))):
        torch.testing.assert_close(sum(terms[name] for name in names), by_task.loss(outputs, masks, 0.1))
    assert set(terms) == {TASK, "boundary", "member 0", "member 0 taught", "member 0 boundary"}


def test_the_boundary_of_a_mask_of_one_class_is_nothing(scenes):
    outputs = torch.randn(2, 11, 8, 8, generator=stream(0, "noise")).requires_grad_()
    loss = scenes.boundary_loss(outputs, torch.full((2, 8, 8), 3))
    assert float(loss.detach()) == 0
    loss.backward()
    assert not outputs.grad.any()


def test_pixels_that_nobody_labelled_are_no_boundary(scenes):
    outputs = torch.randn(1, 11, 4, 4, generator=stream(0, "noise"))
    masks = torch.zeros(1, 4, 4, dtype=torch.long)
    masks[0, :, 2:] = UNLABELLED
    expected = cross_entropy(outputs[0, :, :, 1].T, masks[0, :, 1])
    torch.testing.assert_close(scenes.boundary_loss(outputs, masks), expected)


def test_further_terms_that_cannot_be_are_refused(task):
    said = logits(0)[0]
    with pytest.raises(ValueError, match="needs a task with masks"):
        Boundary().of(said, torch.arange(16) % 10, task, 0.0)
    with pytest.raises(ValueError, match="above 0"):
        Boundary(0.0)
    with pytest.raises(ValueError, match="at least 0, or None"):
        Teaching(labels=-1.0)
    with pytest.raises(ValueError, match="further must be a Term"):
        Teaching(further=("boundary",))
