"""Muon: filters take orthogonal steps, everything else takes those of SGD; crops shift as a recipe says."""

import math

import pytest
import torch
from torch import nn

from airdeliver.recipe import Recipe
from airdeliver.task import Classification
from airdeliver.training import Training
from airdeliver.training.fit import FILTERS, _optimizer
from airdeliver.training.muon import Muon, orthogonal

RECIPE = Recipe(optimizer="muon", learning_rate=0.2, weight_decay=0.0)


@pytest.mark.parametrize("shape", [(16, 27), (32, 144), (64, 9)])
def test_singular_values_become_alike_and_directions_stay(shape):
    """The singular vectors of a matrix are those of what it becomes."""
    matrix = torch.randn(shape, generator=torch.Generator().manual_seed(0))
    u, _, v = torch.linalg.svd(matrix, full_matrices=False)
    turned = u.mT @ orthogonal(matrix) @ v.mT
    values = turned.diagonal()
    assert 0.5 < float(values.min()) <= float(values.max()) < 1.5
    assert float((turned - values.diag()).abs().max()) < 1e-4
    assert torch.equal(orthogonal(torch.zeros(shape)), torch.zeros(shape))


def network() -> nn.Module:
    model = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 5))
    generator = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator)
        parameter.grad = torch.randn(parameter.shape, generator=generator)
    return model


def test_filters_step_orthogonally_and_the_rest_as_by_sgd():
    mine, plain = network(), network()
    before = mine[0].weight.detach().clone()
    muon = _optimizer(mine, {}, RECIPE, {})
    assert isinstance(muon, Muon)
    muon.step()
    torch.optim.SGD(plain.parameters(), lr=0.2, momentum=0.9, nesterov=True).step()
    assert all(torch.equal(a, b) for a, b in zip(list(mine.parameters())[1:], list(plain.parameters())[1:]))
    step = (before - mine[0].weight).flatten(1) / (0.2 * FILTERS)
    assert torch.allclose(step, orthogonal(plain[0].weight.grad.flatten(1)), atol=1e-5)
    assert torch.equal(mine[0].weight.grad, plain[0].weight.grad)


def test_a_step_is_as_long_whatever_the_gradient_s_size():
    lengths = []
    for factor in (1e-3, 1e3):
        model = network()
        before = model[0].weight.detach().clone()
        model[0].weight.grad.mul_(factor)
        _optimizer(model, {}, RECIPE, {}).step()
        lengths.append(float((before - model[0].weight.detach()).norm()))
    assert lengths[0] == pytest.approx(lengths[1], rel=1e-3)
    assert lengths[0] == pytest.approx(0.2 * FILTERS * math.sqrt(8), rel=0.3)


def test_crops_shift_as_the_recipe_says(problem):
    """On digits, whose crops shift by up to a pixel: without them each epoch sees the images as they are."""
    data = problem.task.dataset
    assert data.shifted(3).augmentation.padding == 3
    assert data.shifted(0).augmentation.flip == data.augmentation.flip
    generator = torch.Generator().manual_seed(0)
    inputs, targets = data.train.take(torch.arange(20))
    assert torch.equal(data.shifted(0).augment(inputs, targets, generator)[0], inputs)
    losses = {}
    for shift in (None, data.augmentation.padding, 0):
        recipe = Recipe(epochs=1, batch_size=256, learning_rate=0.05, shift=shift)
        losses[shift] = (
            Training.of(problem, Training.clean(problem).method, recipe).run(problem.task, {}).state["epochs"]
        )
    assert losses[None] == losses[data.augmentation.padding]
    assert losses[None] != losses[0]


def test_other_inputs_than_images_have_no_crops():
    from airdeliver.data import load_dataset

    data = load_dataset("diabetes")
    assert data.shifted(2) is data


def test_few_epochs_reach_more(problem):
    """The digits' CNN after two epochs, at the same rate; three seeds."""
    scores = {}
    for optimizer, rate in (("sgd", 0.1), ("muon", 0.1)):
        recipe = Recipe(epochs=2, batch_size=64, learning_rate=rate, optimizer=optimizer)
        task = Classification(problem.task.dataset)
        method = Training.clean(problem).method
        trained = [Training(task.purpose, recipe, method, seed, 1).run(task, {}) for seed in range(3)]
        scores[optimizer] = sum(each.state["validation_score"] for each in trained) / 3
    assert scores["muon"] > scores["sgd"]
