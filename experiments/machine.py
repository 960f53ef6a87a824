"""What this machine is good for: cores that may be used, and whether it is quick at bfloat16."""

import math
import os
import time
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import torch

from experiments.stage import Stage

SLOW = 1.5
"""Times float32's time from which bfloat16 is worth a line."""

QUOTA = Path("/sys/fs/cgroup/cpu.max")


def cores() -> int:
    """Cores that this process may use: a container's share may be less than the machine has."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = QUOTA.read_text().split()
        return max(1, min(usable, math.ceil(int(quota) / int(period))))
    except (OSError, ValueError):  # no container, or one without a share
        return usable


@cache
def bfloat16_factor() -> float:
    """Time of a step of training in bfloat16 over that in float32 on this processor, measured once a process.

    A convolution forward and backward, the best of three, a few hundredths of a second where there are instructions
    for it. Without them PyTorch converts back and forth, and a step takes many times as long.
    """
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(16, 16, 16, 16, generator=generator)
    kernels = torch.randn(32, 16, 3, 3, generator=generator).requires_grad_()

    def seconds(mixed: bool) -> float:
        started = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=mixed):
            loss = torch.nn.functional.conv2d(images, kernels, padding=1).float().square().mean()
        torch.autograd.grad(loss, kernels)
        return time.perf_counter() - started

    best = {mixed: min(seconds(mixed) for _ in range(4)) for mixed in (False, True)}
    return best[True] / best[False]


def slowdown(stages: Iterable[Stage], precision: str, device: str) -> float:
    """How many times as long bfloat16 takes here as float32; 1 where none of the work is in it, or it is quick.

    Args:
        stages: what is left to do.
        precision: of the evaluation.
        device: where it is done.
    """
    mixed = precision == "bfloat16" or any(", bfloat16," in stage.like for stage in stages)
    if not mixed or torch.device(device).type != "cpu":
        return 1.0
    factor = bfloat16_factor()
    return factor if factor >= SLOW else 1.0


def notes(factor: float, threads: int, workers: int) -> list[str]:
    """Lines about what this machine cannot do well.

    Args:
        factor: how many times as long bfloat16 takes.
        threads: of a task.
        workers: tasks at once on this machine.

    >>> notes(1.0, 1, 1)
    []
    """
    found = []
    if factor > 1:
        found.append(
            f"bfloat16 takes {factor:.1f} times as long as float32 on this processor: give precision=float32, and "
            "training.precision=float32 fine_tuning.precision=float32"
        )
    wanted, there = threads * workers, cores()
    if wanted > there:
        tasks = f"{workers} tasks of {threads} threads" if workers > 1 else f"threads={threads}"
        found.append(f"{tasks} on {there} {'core' if there == 1 else 'cores'}: they wait for each other, give fewer")
    return found
