"""Curvature against closed forms, and what it predicts against what noise does."""

import pytest
import torch
from scipy.stats import spearmanr

from airdeliver import Normalisation
from airdeliver.curvature import hutchinson, mean_squared_gradients, training_batches
from airdeliver.payload import layout_of, values_of
from airdeliver.sensitivity import by_curvature, by_measurement


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def network(clean):
    (trained,) = clean.values()
    return trained.model()


def test_hutchinson_finds_the_diagonal_of_a_known_hessian():
    """Loss x^T A x / 2: the mean is diag(A); the variance of element i is the sum of A_ij² over the other j."""
    draws, x = 1000, torch.randn(6, generator=seeded(1), requires_grad=True)
    half = torch.randn(6, 6, generator=seeded(0))
    a, signs = half + half.T, seeded(2)
    estimates = torch.stack([hutchinson(x @ a @ x / 2, [x], signs)[0] for _ in range(draws)])
    error = (estimates.mean(0) - a.diagonal()).abs()
    deviation = (a.square().sum(1) - a.diagonal().square()).sqrt()
    assert bool((error < 4 * deviation / draws**0.5).all())


def test_squared_gradients_of_single_images_are_the_empirical_fisher(task, network):
    fisher = mean_squared_gradients(network, task, seed=0, batches=4, batch_size=1)
    expected = torch.zeros_like(network[0].weight)
    for images, labels in training_batches(task, 0, 4, 1, "cpu"):
        loss = task.loss(network(images), labels)
        expected += torch.autograd.grad(loss, network[0].weight)[0].square() / 4
    torch.testing.assert_close(fisher["0.weight"], expected)


@pytest.mark.parametrize(("kind", "within"), [("receiver", 1.3), ("frozen", 3.0)])
def test_curvature_predicts_what_noise_does_to_the_loss(problem, network, kind, within):
    """Each segment noisy at 20 dB alone: rank correlation at least 0.8, and the sum within a factor.

    Kinks of ReLU are not in the Hessian; with frozen statistics they more than double what noise does.
    """
    normalisation, what = Normalisation(kind), (problem.task, problem.execution)
    layout = layout_of(network, normalisation.sends_statistics)
    variance = torch.stack([part.var(correction=0) for part in layout.split(values_of(network, layout))]) / 100
    predicted = by_curvature(network, layout, normalisation, *what) * variance
    measured = by_measurement(network, layout, normalisation, *what, variance, draws=4, images=384) * variance
    assert spearmanr(predicted, measured).statistic >= 0.8
    assert 1 / within < float(measured.sum() / predicted.sum()) < within


def test_measuring_leaves_the_network_as_it_is(problem, network):
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    layout, what = layout_of(network, statistics=False), (problem.task, problem.execution)
    by_curvature(network, layout, Normalisation(), *what, batches=1)
    by_measurement(network, layout, Normalisation(), *what, torch.full((len(layout.segments),), 0.1), 1, 64)
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
