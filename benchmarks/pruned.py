"""A training step of a pruned network, computed at widths filled up with zeros against as it is."""

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from airdeliver.architecture import Pruned, Whole
from airdeliver.elastic.aligned import Aligned
from airdeliver.models import VGG
from airdeliver.payload.memory_format import channels_last
from airdeliver.task.base import Signature
from benchmarks.ratio import Ratio, speed_ratio

BATCH, SHAPE, CLASSES = 128, (3, 32, 32), 10
WIDTHS = {
    "as AirNet prunes": (15, 32, 32, 48, 48, 64, 63),
    "nine tenths": (12, 25, 25, 41, 40, 55, 56),
    "half": (5, 14, 15, 21, 21, 30, 32),
}
BARS = {"float32": 1.1, "bfloat16": 1.4}


def measure() -> list[Ratio]:
    """The 115k VGG pruned to three shares, forward and backward on images of CIFAR-10's shape."""
    return [_step(name, counts, precision) for name, counts in WIDTHS.items() for precision in BARS]


def _step(name: str, counts: tuple[int, ...], precision: str) -> Ratio:
    architecture = Pruned(Whole(VGG(), Signature(SHAPE, SHAPE[0], CLASSES)))
    network = architecture.of_counts(counts).train()
    channels_last(network)
    aligned = Aligned(network, architecture, counts)
    generator = Generator().manual_seed(0)
    images = torch.randn(BATCH, *SHAPE, generator=generator).contiguous(memory_format=torch.channels_last)
    labels = torch.randint(CLASSES, (BATCH,), generator=generator)

    def step(compute: Callable[[], Tensor]) -> None:
        network.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bfloat16"):
            logits = compute()
        nn.functional.cross_entropy(logits.float(), labels).backward()

    return speed_ratio(
        f"pruned: {name}, {precision}, padded / as it is",
        lambda: step(lambda: aligned(dict(network.named_parameters()), images)),
        lambda: step(lambda: network(images)),
        bar=BARS[precision],
    )
