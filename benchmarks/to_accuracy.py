"""Processor time from nothing to 78 % on CIFAR-10: the recipe of the preset, and the recipe of a few epochs.

Needs CIFAR-10: the hub's, or a folder of its parquet files in the environment variable `CIFAR10`.
"""

import os
import statistics
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from airdeliver import Problem
from airdeliver.data import load_dataset
from airdeliver.models import VGG
from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task import Classification
from airdeliver.training import Training
from airdeliver.training.fit import mean_score
from benchmarks.ratio import Ratio
from experiments.machine import bfloat16_factor

WANTED, SEEDS = 0.78, 3
PRESET = Recipe(epochs=10, batch_size=256, learning_rate=0.4, label_smoothing=0.1)
SHORTENED = replace(PRESET, epochs=6)
FEW = replace(PRESET, epochs=3, learning_rate=0.6, optimizer="muon", shift=2)
RECIPES = FEW, SHORTENED, PRESET


def measure() -> list[Ratio]:
    """The cpu VGG, three seeds of each recipe, one thread; test images tell when 78 % is reached."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        few, shortened, preset = ([_Watch.of(recipe, seed) for seed in range(SEEDS)] for recipe in RECIPES)
    finally:
        torch.set_num_threads(threads)
    return [
        _ratio("to_accuracy: 78 %, preset / few epochs", preset, few, 2.0),
        _ratio("to_accuracy: 78 %, preset shortened to six epochs / few epochs", shortened, few, None),
        *(
            Ratio(f"to_accuracy: % after {name}", 100 * statistics.mean(last), 100 * min(last), 100 * max(last), bar)
            for name, watches, bar in (
                ("the preset's ten epochs", preset, None),
                ("six", shortened, None),
                ("three, few epochs", few, 78.0),
            )
            for last in [[watch.scores[-1] for watch in watches]]
        ),
    ]


class _Watch:
    """A checkpoint that keeps nothing but the score after each epoch, and the processor time until then."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.scores, self.seconds = problem, list[float](), list[float]()
        self.spent, self.since = 0.0, time.process_time()

    @classmethod
    def of(cls, recipe: Recipe, seed: int) -> "_Watch":
        """What a training of this recipe reaches, epoch by epoch."""
        task = Classification(load_dataset("cifar10", os.environ.get("CIFAR10")))
        recipe = replace(recipe, precision="bfloat16" if bfloat16_factor() < 1 else "float32")
        problem = Problem(task, VGG(), recipe, execution=Execution(seed=seed))
        watch = cls(problem)
        Training.clean(problem).run(task, {}, watch)
        return watch

    @property
    def reached(self) -> float:
        """Seconds until the first epoch after which the score is what is wanted; of all epochs if none is."""
        met = [seconds for seconds, score in zip(self.seconds, self.scores, strict=True) if score >= WANTED]
        return min(met, default=self.seconds[-1])

    def load(self) -> None:
        """Nothing to go on from."""

    def save(self, tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> None:
        """One more epoch; what scoring takes does not count."""
        self.spent += time.process_time() - self.since
        network = self.problem.task.build(self.problem.model)
        network.load_state_dict({n.removeprefix("model/"): t for n, t in tensors.items() if n.startswith("model/")})
        self.scores.append(mean_score(network, self.problem.task, self.problem.task.dataset.test))
        self.seconds.append(self.spent)
        self.since = time.process_time()


def _ratio(name: str, slow: list[_Watch], fast: list[_Watch], bar: float | None) -> Ratio:
    pairs = sorted(s.reached / f.reached for s, f in zip(slow, fast, strict=True))
    ours, theirs = (statistics.median(watch.reached for watch in watches) for watches in (fast, slow))
    return Ratio(name, statistics.median(pairs), pairs[0], pairs[-1], bar, "at least", ours, theirs)
