"""The training of a spectrum of four members against that of a single network of the largest member's size."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor

from airdeliver import Execution, Problem
from airdeliver.elastic import Elastic
from airdeliver.elastic.base import Computed
from airdeliver.models import VGG
from airdeliver.recipe import Recipe
from airdeliver.schemes import AirNet, AirNetSpectrum
from airdeliver.task import Classification, Task
from airdeliver.training import Trained, Training
from benchmarks.ratio import Ratio, speed_ratio
from benchmarks.training import noise_images

SYMBOLS = 60_000

# Half of CIFAR-10's: ranking and pruning, once a training, weigh little in many steps, as they do in a training.
IMAGES = 22_528


def measure() -> list[Ratio]:
    """The 115k VGG on images of CIFAR-10's shape, an epoch of clean training and one through the link."""
    recipe = Recipe(epochs=1, batch_size=256, learning_rate=0.01)
    task, execution = Classification(noise_images(IMAGES)), Execution(threads=torch.get_num_threads())
    problem = Problem(task, VGG(), recipe, recipe, execution)
    scheme, clean = AirNetSpectrum(), Training.clean(problem)
    known = {clean: clean.run(task, {})}
    (spectrum,) = scheme.trainings(problem, SYMBOLS)
    (single,) = AirNet(teacher=None, train_snr_db=10.0).trainings(problem, SYMBOLS)

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
    return [replace(times[0], bar=1.6, bar_is="at most"), times[1], _widths(task, spectrum, known)]


def _widths(task: Task, training: Training, known: Mapping[Training, Trained]) -> Ratio:
    """The three smaller members, forward and backward on half a batch each, computed padded and as they are."""
    spectrum = training.run(task, known).model().train()
    assert isinstance(spectrum, Elastic)
    images = task.dataset.prepare(task.dataset.train.take(torch.arange(128))[0])
    parameters: list[dict[str, Tensor]] = [dict(member.model.named_parameters()) for member in spectrum.members[:-1]]
    padded = [spectrum.computing(index) for index in range(len(parameters))]
    plain = [Elastic.computing(spectrum, index) for index in range(len(parameters))]

    def steps(computed: Sequence[Computed]) -> None:
        for compute, named in zip(computed, parameters, strict=True):
            compute(named, images).square().mean().backward()

    return speed_ratio(
        "train: small members, padded / as they are", lambda: steps(padded), lambda: steps(plain), bar=1.0, pairs=15
    )
