"""A chain of trainings for ever fewer bits a value does not break."""

import pytest
import torch

from airdeliver.compression.quantisers import RateDistortion
from airdeliver.data import load_dataset
from airdeliver.models import VGG
from airdeliver.normalisation import estimate_statistics
from airdeliver.payload import layout_of, load, values_of
from airdeliver.problem import Execution, Problem
from airdeliver.recipe import Recipe
from airdeliver.task import task_of
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Continued, Quantised
from airdeliver.training.methods.quantised import QUANTISER, bounded


def received_score(problem: Problem, trained: Trained, quantiser: RateDistortion) -> float:
    """Validation score with the values that a receiver has, statistics estimated anew."""
    model, data = trained.model(), problem.task.dataset
    layout = layout_of(model, statistics=False)
    state = quantiser.restore(trained.state[QUANTISER], layout)
    load(model, layout, quantiser.levels(values_of(model, layout), layout, state).values())
    images, labels = data.validation.take(torch.arange(len(data.validation)))
    inputs = data.prepare(images)
    estimate_statistics(model.eval(), inputs)
    with torch.no_grad():
        return float(problem.task.score(model(inputs).float(), labels).mean())


def crest(trained: Trained) -> float:
    """The largest weight of any layer over the root mean square of the layer, in float64."""
    weights = [t.double() for t in trained.model().parameters() if t.ndim > 1]
    return max(float(w.abs().max() / w.square().mean().sqrt()) for w in weights)


def test_a_filter_of_next_to_nothing_behind_a_norm_moves_no_further_than_its_bound():
    """Batch norm divides by the deviation: a filter a hundredth as long gets a hundred times the gradient."""
    generator = torch.Generator().manual_seed(0)
    convolution, norm = torch.nn.Conv2d(3, 2, 3, bias=False), torch.nn.BatchNorm2d(2)
    with torch.no_grad():
        convolution.weight.copy_(torch.randn(convolution.weight.shape, generator=generator))
        convolution.weight[1] = convolution.weight[0] / 100
    inputs = torch.randn(64, 3, 8, 8, generator=generator)
    norm(convolution(inputs)).pow(3).mean(0).sum().backward()
    gradient = convolution.weight.grad
    assert gradient is not None
    before = gradient.flatten(1).norm(dim=1).clone()
    bounded(convolution.parameters(), 0.1)
    after, own = gradient.flatten(1).norm(dim=1), convolution.weight.flatten(1).norm(dim=1)
    assert before[1] > 50 * before[0]
    assert bool((after <= 0.1 * own.clamp(min=1e-3) * 1.001).all())


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_no_training_breaks_from_2_to_a_tenth_of_a_bit(seed: int):
    """Without the bound, seed 0 had 79 and 57 % at 0.2 and 0.1 bits, its largest weight 80 deviations from 0."""
    recipe, short = Recipe(8, 64), Recipe(6, 64, learning_rate=0.05)
    problem = Problem(task_of(load_dataset("digits")), VGG(), recipe, short, Execution(seed))
    training = Training.clean(problem)
    trained = {training: training.run(problem.task, {})}
    for rate in (2.0, 1.0, 0.4, 0.2, 0.1):
        quantiser = RateDistortion(rate)
        training = Training.of(problem, Quantised(Continued(training), quantiser, 0.5), short)
        trained[training] = training.run(problem.task, trained)
        assert received_score(problem, trained[training], quantiser) > (0.93 if rate > 0.1 else 0.85), rate
        assert crest(trained[training]) < 40, rate
