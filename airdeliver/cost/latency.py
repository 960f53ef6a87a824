"""Latency: how long an inference takes on the machine at hand."""

import time
from statistics import median

import torch
from torch import Tensor, nn


@torch.inference_mode()
def latency(model: nn.Module, example: Tensor, repetitions: int = 5) -> float:
    """Median seconds of a forward pass, measured here and now, after one that is not counted.

    Args:
        model: left in evaluation mode.
        example: prepared inputs.
        repetitions: that the median is of.

    Raises:
        ValueError: fewer than one repetition.
    """
    if repetitions < 1:
        raise ValueError(f"repetitions must be at least 1, got {repetitions}")
    device = next(model.parameters(), example).device
    example = example.to(device)
    model.eval()(example)
    taken = []
    for _ in range(repetitions):
        started = time.perf_counter()
        model(example)
        if device.type == "cuda":
            torch.cuda.synchronize(device)
        taken.append(time.perf_counter() - started)
    return median(taken)
