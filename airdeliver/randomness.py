"""Random streams: every draw of the library comes from a generator that one of these seeds makes."""

import hashlib
from typing import Literal

import torch

BLOCK = 16
"""Realizations that share one generator: the unit in which deliveries are drawn and sent."""

Purpose = Literal[
    "initialisation",
    "batches",
    "augmentation",
    "training noise",
    "importance",
    "fading",
    "rounds",
    "strata",
    "noise",
    "estimate",
    "statistics",
    "calibration",
    "test images",
    "masks",
    "features",
]


def stream(seed: int, purpose: Purpose, block: int = 0, device: torch.device | str = "cpu") -> torch.Generator:
    """An independent generator for one purpose and one block of realizations.

    It depends on nothing else, neither the scheme nor the grouping nor the worker: schemes meet the same channels and
    the same noise, so that differences between them are sharp.

    >>> a, b = stream(0, "fading"), stream(0, "noise")
    >>> bool(torch.rand(1, generator=a) == torch.rand(1, generator=b))
    False
    """
    digest = hashlib.sha256(f"{seed}/{purpose}/{block}".encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def blocks(realizations: int, size: int = BLOCK) -> list[range]:
    """Split realizations into consecutive blocks.

    >>> blocks(20)
    [range(0, 16), range(16, 20)]
    """
    return [range(start, min(start + size, realizations)) for start in range(0, realizations, size)]
