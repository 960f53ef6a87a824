"""The input pipeline against the training step that needs its images: it must never be the bottleneck."""

import tempfile
from itertools import cycle
from pathlib import Path

import torch
from torch import Generator

from airdeliver.data import Augmentation, Classes, Dataset, Images, Split
from airdeliver.models import VGG
from airdeliver.task import Classification
from benchmarks.ratio import Ratio, speed_ratio

IMAGES, BATCH, STEPS = 10_240, 256, 4


def measure() -> list[Ratio]:
    """Batches of 256 of CIFAR-10's shape, from a mapped file, cropped, flipped and scaled; steps of the 115k VGG."""
    with tempfile.TemporaryDirectory() as folder:
        dataset = _dataset(Path(folder) / "images")
        generator = Generator().manual_seed(0)
        batches = cycle(torch.randperm(IMAGES, generator=generator).split(BATCH))
        task = Classification(dataset)
        model = task.build(VGG(), generator).to(memory_format=torch.channels_last).train()  # pyright: ignore[reportCallIssue]
        optimizer = torch.optim.AdamW(model.parameters())
        images, labels = dataset.train.take(next(batches))
        prepared = dataset.prepare(images)

        def pipeline() -> None:
            for _ in range(STEPS):
                taken, _ = dataset.train.take(next(batches))
                dataset.prepare(dataset.augmentation(taken, generator))

        def training() -> None:
            for _ in range(STEPS):
                optimizer.zero_grad()
                task.loss(model(prepared), labels).backward()
                optimizer.step()

        return [speed_ratio("load: images a second / those a training step needs", pipeline, training, bar=3.0)]


def _dataset(file: Path) -> Dataset:
    generator = Generator().manual_seed(0)
    size = IMAGES * 32 * 32 * 3
    mapped = torch.from_file(str(file), shared=True, size=size, dtype=torch.uint8)
    mapped.copy_(torch.randint(256, (size,), generator=generator, dtype=torch.uint8))
    images = mapped.view(IMAGES, 32, 32, 3).permute(0, 3, 1, 2)
    split = Split(images, torch.randint(10, (IMAGES,), generator=generator))
    names = tuple(str(label) for label in range(10))
    inputs = Images(3, 32, 32, (128.0,) * 3, (74.0,) * 3, Augmentation(4, flip=True))
    return Dataset("noise", split, split, split, inputs, Classes(names), "noise")
