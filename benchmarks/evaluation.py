"""Delivered-accuracy evaluation against a researcher's plain loop, and against the forward passes alone."""

import copy

import torch
from torch import Tensor, nn

from airdeliver import AnalogLink, Delivery, deliver, evaluate
from airdeliver.models import VGG
from airdeliver.payload.folding import Folded
from airdeliver.scoring import BATCH
from benchmarks.ratio import Ratio, speed_ratio
from channels import AWGN

REALIZATIONS, IMAGES, SNR_DB, CHANNEL_USES = 16, 10_000, 10.0, 100_000


def measure() -> list[Ratio]:
    """K = 16 realizations of the 115k VGG on 10,000 images of CIFAR-10's shape."""
    generator = torch.Generator().manual_seed(0)
    model = VGG()(3, 10, generator).eval()
    images = torch.randn(IMAGES, 3, 32, 32, generator=generator)
    labels = torch.randint(10, (IMAGES,), generator=generator)
    delivery = _delivery(model)
    plain = speed_ratio(
        "evaluate: float32 / researcher's loop",
        lambda: evaluate(_delivery(model), images, labels),
        lambda: _researchers_loop(model, images, labels, generator),
        bar=2.4,
    )
    mixed = speed_ratio(
        "evaluate: bfloat16 / researcher's loop",
        lambda: evaluate(_delivery(model), images, labels, precision="bfloat16"),
        lambda: _researchers_loop(model, images, labels, generator),
        bar=3.0,
    )
    limit = speed_ratio(
        "evaluate: float32 / forward passes alone",
        lambda: evaluate(delivery, images, labels),
        _forward_passes(model, images),
        bar=0.9,
    )
    return [plain, mixed, limit]


def _delivery(model: nn.Module) -> Delivery:
    return deliver(model, AnalogLink(), AWGN(), SNR_DB, CHANNEL_USES, REALIZATIONS, normalisation="frozen")


@torch.no_grad()
def _researchers_loop(model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator) -> list[float]:
    """Copy the network, add noise to its state dict, run it as it is."""
    accuracies = []
    for _ in range(REALIZATIONS):
        noisy = copy.deepcopy(model)
        state = noisy.state_dict()
        for name, value in state.items():
            if value.is_floating_point() and "running" not in name:
                noise = torch.randn(value.shape, generator=generator)
                state[name] = value + noise * value.std() * 10 ** (-SNR_DB / 20)
        noisy.load_state_dict(state)
        correct = 0
        for batch, truth in zip(images.split(BATCH), labels.split(BATCH), strict=True):
            correct += int((noisy(batch).argmax(1) == truth).sum())
        accuracies.append(correct / len(labels))
    return accuracies


def _forward_passes(model: nn.Module, images: Tensor):
    """K bare forward passes of the folded network in the best layout."""
    source = copy.deepcopy(model).to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
    folded = Folded(source).module
    batches = [batch.contiguous(memory_format=torch.channels_last) for batch in images.split(BATCH)]

    @torch.inference_mode()
    def run() -> None:
        for _ in range(REALIZATIONS):
            for batch in batches:
                folded(batch)

    return run
