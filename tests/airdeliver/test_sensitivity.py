"""Sensitivity by curvature against exact Hessians and against what noise does."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
import torch
from scipy.stats import spearmanr
from torch import nn
from torch.func import functional_call

from airdeliver import Problem
from airdeliver.curvature import training_batches
from airdeliver.links.analog import AnalogPlan
from airdeliver.normalisation import Normalisation
from airdeliver.payload import layout_of, values_of
from airdeliver.sensitivity import by_curvature, by_measurement
from airdeliver.training import Trained, Training


@pytest.fixture(scope="module")
def converged(problem: Problem) -> dict[Training, Trained]:
    """The clean network after 12 epochs: where the gradient vanishes, the loss is its curvature."""
    longer = replace(problem, training=replace(problem.training, epochs=12))
    training = Training.clean(longer)
    return {training: training.run(longer.task, {})}


@pytest.mark.parametrize(("normalisation", "snr_db"), [("receiver", 5.0), ("frozen", 20.0)])
def test_curvature_ranks_segments_as_noise_does(
    problem: Problem, converged: Mapping[Training, Trained], normalisation: str, snr_db: float
):
    """Expected and measured loss increase of each segment alone, noisy at an SNR: rank correlation of at least 0.8.

    Noise is relative to a segment's own variance, as in analog delivery. Seen: 0.98 or more.
    """
    (trained,) = converged.values()
    model, kind = trained.model(), Normalisation(normalisation)
    layout = layout_of(model, statistics=kind.sends_statistics)
    plan = AnalogPlan.measure(values_of(model, layout), layout, 0.25)
    noise = (plan.scale.square() / 10 ** (snr_db / 10)).clamp(min=1e-12)
    expected = by_curvature(model, layout, kind, problem.task, problem.execution) * noise
    measured = by_measurement(model, layout, kind, problem.task, problem.execution, noise, draws=3, images=256) * noise
    sent = list(plan.sent)
    assert spearmanr(expected[sent], measured[sent]).statistic >= 0.8


def test_curvature_is_half_the_trace_of_the_hessian(problem: Problem):
    """A linear classifier on 1 x 8 x 8 images: the exact Hessian of cross entropy, block by block, within 10 %."""
    model = nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(16, 10))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)) / 4)
    layout, what = layout_of(model), (problem.task, problem.execution)
    ours = by_curvature(model, layout, Normalisation("frozen"), *what, batches=1024, batch_size=1)
    ((images, labels),) = training_batches(problem.task, problem.execution.seed, 1, 1024, "cpu")

    def loss(weight: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        return problem.task.loss(functional_call(model, {"2.weight": weight, "2.bias": bias}, images), labels)

    blocks = torch.autograd.functional.hessian(loss, tuple(p.detach() for p in model.parameters()))
    exact = [float(blocks[i][i].reshape(p.numel(), p.numel()).trace()) / 2 for i, p in enumerate(model.parameters())]
    assert ours.tolist() == pytest.approx(exact, rel=0.1)


def test_the_model_is_left_as_it_is(problem: Problem, clean: Mapping[Training, Trained]):
    (trained,) = clean.values()
    model = trained.model()
    for kind in (Normalisation("frozen"), Normalisation("receiver")):
        layout = layout_of(model, statistics=kind.sends_statistics)
        by_curvature(model, layout, kind, problem.task, problem.execution, batches=1, batch_size=16)
        by_measurement(
            model, layout, kind, problem.task, problem.execution, torch.ones(len(layout.segments)), draws=1, images=16
        )
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in trained.tensors.items())
    assert not any(parameter.grad is not None for parameter in model.parameters())


def test_equal_seeds_give_equal_sensitivities(problem: Problem, clean: Mapping[Training, Trained]):
    (trained,) = clean.values()
    model, kind = trained.model(), Normalisation("receiver")
    layout, what = layout_of(model, statistics=False), (problem.task, problem.execution)
    first, second = (by_curvature(model, layout, kind, *what, batches=2, batch_size=16) for _ in range(2))
    assert torch.equal(first, second)


def test_what_cannot_be_told_from_nothing_is_not_taken_for_nothing(problem, clean):
    """A first layer whose estimate came out below 0 was sent without protection, and the network was lost with it."""
    (network,) = clean.values()
    model, kind = network.model(), Normalisation()
    layout = layout_of(model, kind.sends_statistics)
    found = by_curvature(model, layout, kind, problem.task, problem.execution, batches=4)
    assert (found > 0).all()
