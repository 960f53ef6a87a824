"""One training that serves all digital rates, against one network's; and what it costs in accuracy."""

import math
import statistics
from dataclasses import replace
from functools import cache

import torch

from airdeliver import DigitalLink, Normalisation, Problem
from airdeliver.compression.quantisers import RateDistortion
from airdeliver.data import load_dataset
from airdeliver.models import CNN
from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.schemes.packing import choice_of
from airdeliver.schemes.worth import Validation
from airdeliver.task import Classification
from airdeliver.training import Trained, Training
from airdeliver.training.methods import AtAnyRate, Continued, Quantised
from benchmarks.ratio import Ratio, speed_ratio

RATES, PENALTY, SEEDS = (2.0, 1.1, 0.7), 0.5, 3
RECIPE = Recipe(epochs=30, batch_size=64, learning_rate=0.05)
LONGER = 1.5


def measure() -> list[Ratio]:
    """Digits' CNN: three rates, a training of 45 epochs for all of them, and a chain of three of 30."""
    clean, known = _clean(0)
    every, one = _together(0), _chain(0)[0]
    ratio = speed_ratio(
        "rates: all together / one network",
        lambda: every.run(clean.task, known),
        lambda: one.run(clean.task, known),
    )
    time = replace(ratio, value=1 / ratio.value, low=1 / ratio.high, high=1 / ratio.low, bar=1.6, bar_is="at most")
    behind = [_chain_score(seed) - _together_score(seed) for seed in range(SEEDS)]
    mean, deviation = 100 * statistics.mean(behind), 100 * statistics.stdev(behind)
    # Student's t of two degrees of freedom, 95 %.
    half = 4.303 * deviation / math.sqrt(SEEDS)
    points = Ratio("rates: points behind the chain, mean over rates", mean, mean - half, mean + half, 1.0, "at most")
    return [time, points]


@cache
def _clean(seed: int) -> tuple[Problem, dict[Training, Trained]]:
    task = Classification(load_dataset("digits"))
    problem = Problem(task, CNN(), RECIPE, RECIPE, execution=Execution(seed=seed))
    training = Training.clean(problem)
    return problem, {training: training.run(task, {})}


def _together(seed: int) -> Training:
    problem, _ = _clean(seed)
    recipe = replace(RECIPE, epochs=round(LONGER * RECIPE.epochs))
    method = AtAnyRate(Continued(Training.clean(problem)), RateDistortion(), PENALTY, rates=RATES)
    return Training.of(problem, method, recipe)


def _chain(seed: int) -> list[Training]:
    problem, _ = _clean(seed)
    chain = [Training.clean(problem)]
    for rate in RATES:
        method = Quantised(Continued(chain[-1]), RateDistortion(bits_per_value=rate), PENALTY)
        chain.append(Training.of(problem, method, RECIPE))
    return chain[1:]


def _together_score(seed: int) -> float:
    problem, known = _clean(seed)
    made = _together(seed).run(problem.task, known)
    return statistics.mean(
        _score(problem, made, made.state["quantiser"][number], rate) for number, rate in enumerate(RATES)
    )


def _chain_score(seed: int) -> float:
    problem, known = _clean(seed)
    scores = []
    for training, rate in zip(_chain(seed), RATES, strict=True):
        known[training] = training.run(problem.task, known)
        scores.append(_score(problem, known[training], known[training].state["quantiser"], rate))
    return statistics.mean(scores)


def _score(problem: Problem, trained: Trained, state: object, rate: float) -> float:
    """On the test images, of the network at so many bits a value, with the steps that it was trained with."""
    data, normalisation = problem.task.dataset, Normalisation()
    choice = choice_of(trained, DigitalLink(state=state), normalisation)  # type: ignore[arg-type]
    raw, targets = data.test.take(torch.arange(len(data.test)))
    judge = Validation(problem, normalisation, data.prepare(raw), targets)
    assert isinstance(choice.link, DigitalLink)
    return judge.score(choice.receive(choice.link.reconstructed(choice.payload, rate)))
