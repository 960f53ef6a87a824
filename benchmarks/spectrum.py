"""The training of a spectrum of four members against that of a single network of the largest member's size."""

from dataclasses import replace

import torch

from airdeliver import Task
from airdeliver.models import VGG
from airdeliver.recipe import Recipe
from airdeliver.schemes import AirNet, AirNetSpectrum
from airdeliver.training import Training
from benchmarks.ratio import Ratio, speed_ratio
from benchmarks.training import noise_images

SYMBOLS = 60_000


def measure() -> list[Ratio]:
    """The 115k VGG on images of CIFAR-10's shape, an epoch of clean training and one through the link."""
    recipe = Recipe(epochs=1, batch_size=256, learning_rate=0.01)
    task = Task(noise_images(), VGG(), recipe, recipe, threads=torch.get_num_threads())
    scheme, clean = AirNetSpectrum(), Training.clean(task)
    known = {clean: clean.run(task, {})}
    (spectrum,) = scheme.trainings(task, SYMBOLS)
    (single,) = AirNet(teacher=None, train_snr_db=10.0).trainings(task, SYMBOLS)

    def whole(training: Training) -> None:
        training.run(task, {clean: clean.run(task, {})})

    ratios = [
        speed_ratio("train: spectrum / one network", lambda: whole(spectrum), lambda: whole(single)),
        speed_ratio(
            "train: ..., fine-tuning alone", lambda: spectrum.run(task, known), lambda: single.run(task, known)
        ),
    ]
    # A ratio of speeds r is one of times 1 / r: the bar is on the time.
    times = [replace(ratio, value=1 / ratio.value, low=1 / ratio.high, high=1 / ratio.low) for ratio in ratios]
    return [replace(times[0], bar=1.6, bar_is="at most"), times[1]]
