"""An epoch with noise injection against one without."""

from dataclasses import replace

import torch

from airdeliver import AnalogLink, Execution, Problem
from airdeliver.data import Augmentation, Classes, Dataset, Images, Split
from airdeliver.links.condition import Condition
from airdeliver.models import VGG
from airdeliver.recipe import Recipe
from airdeliver.task import Classification
from airdeliver.training import Training
from airdeliver.training.methods import ThroughLink
from benchmarks.ratio import Ratio, speed_ratio
from channels import AWGN

IMAGES = 5_120


def measure() -> list[Ratio]:
    """The 115k VGG on images of CIFAR-10's shape, batches of 256."""
    task, execution = Classification(noise_images()), Execution(threads=torch.get_num_threads())
    clean = Training.clean(Problem(task, VGG(), Recipe(epochs=1, batch_size=256), execution=execution))
    condition = Condition(AnalogLink(protection="size"), AWGN(), (0.0, 10.0))
    noisy = replace(clean, method=ThroughLink(clean.method, condition))
    ratio = speed_ratio("train: through the link / clean", lambda: noisy.run(task, {}), lambda: clean.run(task, {}))
    # A ratio of speeds r is one of times 1 / r: the bar is on the time.
    return [replace(ratio, value=1 / ratio.value, low=1 / ratio.high, high=1 / ratio.low, bar=1.1, bar_is="at most")]


def noise_images(count: int = IMAGES) -> Dataset:
    """Images of CIFAR-10's shape that are noise, with flips and crops, so many for training."""
    generator = torch.Generator().manual_seed(0)

    def split(n: int) -> Split:
        images = torch.randint(256, (n, 32, 32, 3), generator=generator, dtype=torch.uint8).permute(0, 3, 1, 2)
        return Split(images, torch.randint(10, (n,), generator=generator))

    names = tuple(str(label) for label in range(10))
    inputs = Images(3, 32, 32, (128.0,) * 3, (74.0,) * 3, Augmentation(4, flip=True))
    return Dataset("noise", split(count), split(2), split(2), inputs, Classes(names), "noise")
