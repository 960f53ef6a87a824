"""Sparse from the first step on: how the zeros are shared out, that they stay, and where RigL moves them."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from airdeliver import Problem
from airdeliver.models import CNN, VGG
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Batch, Continued, KeptZeros, Masked, Method, Plain, RigL
from airdeliver.training.methods.masked import kept_weights
from airdeliver.training.methods.rigl import moved

SHAPES = {name: tuple(p.shape) for name, p in VGG()(3, 10).named_parameters() if p.ndim > 1}


def entropy(share: float) -> float:
    return 0.0 if share in (0.0, 1.0) else -share * math.log2(share) - (1 - share) * math.log2(1 - share)


@pytest.mark.parametrize(("sparsity", "kilobits"), [(0.8, 77.5), (0.9, 48.9), (0.95, 28.9)])
def test_positions_of_the_kernel_distribution_cost_what_is_stated(sparsity: float, kilobits: float):
    """sum n H(density): what an ideal code of the positions takes for the VGG of 114,586 parameters."""
    kept = kept_weights(SHAPES, sparsity, "erk")
    sizes = {name: math.prod(shape) for name, shape in SHAPES.items()}
    assert sum(kept.values()) == round((1 - sparsity) * sum(sizes.values()))
    assert sum(sizes[n] * entropy(kept[n] / sizes[n]) for n in kept) / 1000 == pytest.approx(kilobits, abs=0.05)


def test_densities_follow_the_shape_and_dense_layers_leave_their_share_to_the_others():
    kept = kept_weights(SHAPES, 0.9, "erk")
    assert kept["0.0.weight"] == 432  # would be above 1: dense
    scores = {n: kept[n] / sum(SHAPES[n]) for n in ("0.4.weight", "0.11.weight", "0.21.weight")}
    assert max(scores.values()) / min(scores.values()) < 1.01
    even = kept_weights(SHAPES, 0.9, "uniform")
    assert all(abs(even[n] / math.prod(SHAPES[n]) - 0.1) < 0.005 for n in even)


def run_of(method: Method, problem: Problem, known: dict[Training, Trained]):
    """A run, and one step of it by hand."""
    run = method.start(problem.task, known, problem.training, problem.execution)
    optimizer = torch.optim.SGD(run.network.parameters(), lr=0.1, momentum=0.9, weight_decay=1e-3)
    batch = Batch(torch.randn(32, 1, 8, 8, generator=stream(0, "noise")), torch.arange(32) % 10)

    def take(step: int) -> bool:
        optimizer.zero_grad()
        sum(run.loss(batch, stream(0, "noise")).values()).backward()
        taken = run.before_step(step, optimizer)
        if taken:
            optimizer.step()
        run.after_step(step)
        return taken

    return run, optimizer, take


def test_masked_weights_stay_zero_and_are_the_same_for_the_same_seed(problem):
    run, optimizer, take = run_of(Masked(Plain(CNN()), 0.8), problem, {})
    masks = {name: mask.clone() for name, mask in run.masks.items()}
    assert all(take(step) for step in range(4))
    for name, weight in run.weights.items():
        assert torch.equal(weight != 0, masks[name])
        assert not optimizer.state[weight]["momentum_buffer"][~masks[name]].any()
    again, _, _ = run_of(Masked(Plain(CNN()), 0.8), problem, {})
    other, _, _ = run_of(Masked(Plain(CNN()), 0.8), replace(problem, execution=replace(problem.execution, seed=5)), {})
    assert all(torch.equal(again.masks[name], mask) for name, mask in masks.items())
    assert any(not torch.equal(other.masks[name], mask) for name, mask in masks.items())


def test_rigl_moves_the_smallest_weights_to_the_largest_gradients_in_place_of_a_step(problem):
    method = RigL(Plain(CNN()), 0.8, every=2, share=0.3, until=1.0)
    run, optimizer, take = run_of(method, problem, {})
    assert [take(0), take(1)] == [True, True]
    before = {name: weight.detach().clone() for name, weight in run.weights.items()}
    masks = {name: mask.clone() for name, mask in run.masks.items()}
    free = {n: p.detach().clone() for n, p in run.network.named_parameters() if p.ndim == 1}
    assert not take(2)
    share = 0.15 * (1 + math.cos(math.pi * 2 / run.last))
    for name, weight in run.weights.items():
        count, mask = int(masks[name].sum()), run.masks[name]
        dropped, grown = masks[name] & ~mask, mask & ~masks[name]
        assert int(mask.sum()) == count
        assert 0 <= int(dropped.sum()) == int(grown.sum()) <= int(share * count)
        # What stays keeps its value, what is new begins at 0, and no momentum is left of what went or came.
        assert torch.equal(weight[mask & masks[name]], before[name][mask & masks[name]])
        assert not weight[grown].any()
        assert not optimizer.state[weight]["momentum_buffer"][dropped | grown].any()
        smallest = before[name].abs()[masks[name]].sort().values[: int(share * count)]
        assert not len(smallest) or bool((before[name].abs()[dropped] <= smallest[-1]).all())
    assert any(bool((run.masks[name] != masks[name]).any()) for name in masks)
    assert all(torch.equal(p, free[n]) for n, p in run.network.named_parameters() if n in free)


def test_a_weight_that_is_dropped_and_grown_at_once_keeps_its_value():
    weight, gradient = torch.tensor([3.0, -0.1, 0.0]), torch.tensor([0.0, 9.0, 1.0])
    assert moved(weight, gradient, torch.tensor([True, True, False]), 0.5).tolist() == [True, True, False]


def sparsity(trained: Trained) -> float:
    weights: list[Tensor] = [p for p in trained.model().parameters() if p.ndim > 1]
    return 1 - sum(int(p.count_nonzero()) for p in weights) / sum(p.numel() for p in weights)


def test_what_goes_on_from_a_sparse_network_keeps_its_zeros(problem):
    """The share of zeros is exact after training, and after a training that goes on from it."""
    recipe = Recipe(epochs=2, batch_size=64, learning_rate=0.05)
    sparse = Training.of(problem, RigL(Plain(CNN()), 0.75, every=4), recipe)
    made = sparse.run(problem.task, {})
    assert sparsity(made) == pytest.approx(0.75, abs=2e-3)  # a weight may be 0 by chance
    on = Training.of(problem, KeptZeros(Continued(sparse)), recipe).run(problem.task, {sparse: made})
    for name, tensor in made.tensors.items():
        if tensor.ndim > 1:
            assert not on.tensors[name][tensor == 0].any()
    assert made.state["validation_score"] > 0.3


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Masked(Plain(CNN()), 1.0), "sparsity must be from 0 to below 1 and distribution erk or uniform, got"),
        (lambda: Masked(Plain(CNN()), 0.5, "random"), "got 0.5 and 'random'"),  # pyright: ignore[reportArgumentType]
        (lambda: RigL(Plain(CNN()), every=0), "every must be at least 1 step"),
    ],
)
def test_methods_that_cannot_be_are_refused(make, message: str, unchecked):
    with pytest.raises(ValueError, match=message):
        make()
