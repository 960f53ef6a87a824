"""Every task: score and loss by their formulas, bounds, floors, and outputs that are not finite."""

import math

import pytest
import torch
from torch import nn

from airdeliver.data import load_dataset
from airdeliver.task import Classification, Explained, MultiTask, Regression, Segmentation, task_of
from airdeliver.task.base import Task
from airdeliver.task.segmentation import boundaries

NAMES = ("digits", "digit_scenes", "diabetes", "breast_cancer", "digits_and_ink")


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def outputs_of(task: Task, n: int, seed: int = 0) -> torch.Tensor:
    """Random answers of the right shape."""
    side = task.signature.shape[1:] if isinstance(task, Segmentation) else ()
    return torch.randn(n, task.signature.outputs, *side, generator=seeded(seed))


@pytest.mark.parametrize("name", NAMES)
def test_natural_task_scores_its_own_targets(name):
    task = task_of(load_dataset(name))
    inputs, targets = task.dataset.test.take(torch.arange(40))
    outputs = outputs_of(task, 40)
    scores = task.score(outputs, targets)
    assert scores.shape == (40,)
    low, high = task.bounds
    assert low <= task.floor <= high
    assert bool((scores >= low).all() & (scores <= high).all())
    assert bool(task.loss(outputs, targets).isfinite())
    assert task.divergence(outputs, outputs).abs() < 1e-6
    assert task.dataset.prepare(inputs).shape == (40, *task.signature.shape)
    assert task.signature.example(2).dtype == task.dataset.prepare(inputs).dtype
    outputs[3] = torch.nan
    assert task.score(outputs, targets)[3] == pytest.approx(task.floor)


@pytest.mark.parametrize("name", NAMES)
def test_tallies_of_parts_sum_to_the_tally_of_the_whole(name):
    task = task_of(load_dataset(name))
    _, targets = task.dataset.test.take(torch.arange(30))
    outputs = outputs_of(task, 30)
    parts = task.tally(outputs[:10], targets[:10]) + task.tally(outputs[10:], targets[10:])
    whole = task.extras(task.tally(outputs, targets))
    assert task.extras(parts) == pytest.approx(whole)
    assert all(math.isfinite(value) for value in whole.values())


def test_purpose_tells_tasks_apart():
    scenes = load_dataset("digit_scenes")
    assert Segmentation(scenes).purpose == Segmentation(scenes).purpose
    assert Segmentation(scenes).purpose != Segmentation(scenes, boundary=1.0).purpose


def test_classification_loss_of_one_logit_is_that_of_two():
    """Binary cross entropy of z is the cross entropy of (0, z)."""
    task = Classification(load_dataset("breast_cancer"))
    logit, labels = torch.randn(30, 1, generator=seeded(0)), torch.arange(30) % 2
    two = torch.cat([torch.zeros_like(logit), logit], 1)
    for smoothing in (0.0, 0.1):
        assert torch.allclose(task.loss(logit, labels, smoothing), task.loss(two, labels, smoothing))
    assert torch.equal(task.score(logit, labels), task.score(two, labels))


def test_segmentation_floor_is_the_score_of_the_commonest_class():
    task = Segmentation(load_dataset("digit_scenes"))
    ground = torch.zeros(6000, 11, 1, 1)
    ground[:, 0] = 1
    score = task.score(ground.expand(-1, -1, 32, 32), task.dataset.train.targets)
    assert task.floor == pytest.approx(float(score.mean()), abs=1e-5)


def test_mean_iou_is_over_all_images_together():
    """Not the mean of the images' own: a class that is right in one image and missed in another has one ratio."""
    task = Segmentation(load_dataset("digit_scenes"))
    labels = torch.randint(11, (4, 32, 32), generator=seeded(0)).to(torch.uint8)
    outputs = outputs_of(task, 4)
    said = outputs.argmax(1)
    ratios = [
        float(((said == c) & (labels == c)).sum()) / float(((said == c) | (labels == c)).sum()) for c in range(11)
    ]
    assert task.extras(task.tally(outputs, labels))["mean_iou"] == pytest.approx(sum(ratios) / 11)
    perfect = nn.functional.one_hot(labels.long(), 11).permute(0, 3, 1, 2).float()
    assert task.extras(task.tally(perfect, labels))["mean_iou"] == 1


def test_boundary_term_is_the_loss_of_the_pixels_at_a_boundary():
    scenes = load_dataset("digit_scenes")
    _, masks = scenes.test.take(torch.arange(8))
    plain, bounded = Segmentation(scenes), Segmentation(scenes, boundary=0.5)
    outputs = outputs_of(plain, 8)
    each = nn.functional.cross_entropy(outputs, masks.long(), reduction="none")
    edge = boundaries(masks.long())
    assert 0 < edge.float().mean() < 0.5
    assert torch.allclose(bounded.loss(outputs, masks) - plain.loss(outputs, masks), 0.5 * each[edge].mean(), atol=1e-5)


def test_explained_variance_of_the_mean_is_zero_and_of_the_truth_one():
    task = Regression(load_dataset("diabetes"))
    targets = task.dataset.train.targets
    assert float(task.score(torch.zeros_like(targets), targets).mean()) == pytest.approx(task.floor, abs=1e-5)
    assert task.score(targets, targets).unique().tolist() == [1.0]
    assert task.score(targets[:, 0], targets).unique().tolist() == [1.0]


def test_explained_variance_agrees_with_scikit_learn():
    """R^2 of the training split, where mean and variance are the targets' own."""
    from sklearn.metrics import r2_score

    targets = load_dataset("diabetes").train.targets
    answers = 0.5 * targets + 0.3 * torch.randn(targets.shape, generator=seeded(0))
    assert float(Explained().score(answers, targets).mean()) == pytest.approx(r2_score(targets, answers), abs=1e-5)


def test_root_mean_squared_error_is_in_the_unit_of_the_target():
    task = Regression(load_dataset("diabetes"))
    targets = task.dataset.test.targets
    off = task.extras(task.tally(targets + 1, targets))
    assert off == {"rmse_progression": pytest.approx(task.dataset.targets.std[0], rel=1e-5)}


def test_regression_refuses_to_broadcast():
    task = Regression(load_dataset("diabetes"))
    with pytest.raises(ValueError, match=r"outputs \(5, 3\) and targets \(5, 1\)"):
        task.score(torch.zeros(5, 3), torch.zeros(5, 1))


def test_multi_task_is_the_weighted_mean_of_its_tasks():
    data = load_dataset("digits_and_ink")
    task = MultiTask(data, weights=(3.0, 1.0))
    _, targets = data.test.take(torch.arange(50))
    outputs = outputs_of(task, 50)
    digit, ink = outputs[:, :10], outputs[:, 10:]
    labels, amounts = targets[:, 0].long(), targets[:, 1:]
    right, explained = (digit.argmax(1) == labels).float(), 1 - (ink - amounts)[:, 0].square()
    assert torch.allclose(task.score(outputs, targets), 0.75 * right + 0.25 * explained, atol=1e-6)
    loss = 0.75 * nn.functional.cross_entropy(digit, labels) + 0.25 * nn.functional.mse_loss(ink, amounts)
    assert torch.allclose(task.loss(outputs, targets), loss)
    extras = task.extras(task.tally(outputs, targets))
    assert extras == pytest.approx({"accuracy_digit": float(right.mean()), "r2_ink": float(explained.mean())}, abs=1e-5)
    assert task.bounds == (-math.inf, 1.0)
    assert task.floor == pytest.approx(0.075)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Segmentation(load_dataset("digits")), "segmentation needs masks, data set digits has none"),
        (lambda: Segmentation(load_dataset("digit_scenes"), boundary=-1.0), "boundary must be a weight"),
        (lambda: Regression(load_dataset("digits")), "regression needs numbers to predict, data set digits has none"),
        (lambda: MultiTask(load_dataset("digits")), "several tasks need several targets, data set digits has one"),
        (lambda: MultiTask(load_dataset("digits_and_ink"), weights=(1.0,)), "a weight above 0 for each of the 2 tasks"),
    ],
)
def test_a_task_refuses_data_that_is_not_its_own(make, message):
    with pytest.raises(ValueError, match=message):
        make()
