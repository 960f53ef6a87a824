"""The pseudo-random sequence that makes coded bits look like coin tosses, whatever the payload."""

from functools import lru_cache

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

_SKIPPED = 1600


@lru_cache(maxsize=16)
def gold_sequence(length: int, initialisation: int = 0) -> UInt8[Tensor, "length"]:
    """The length-31 Gold sequence of 5G NR.

    Constant payloads would otherwise send constant symbols, whose power is far from 1 in a large constellation.

    Args:
        length: number of bits.
        initialisation: c_init, 0 to 2^31 - 1.

    Raises:
        ValueError: initialisation out of its range.

    Source: 3GPP TS 38.211, 5.2.1.

    >>> gold_sequence(8, 1).tolist()
    [0, 0, 0, 0, 0, 0, 1, 0]
    """
    if not 0 <= initialisation < 2**31:
        raise ValueError(f"initialisation must be 0 to 2^31 - 1, got {initialisation}")
    first = _register([1] + [0] * 30, (3, 0), length + _SKIPPED)
    second = _register([initialisation >> i & 1 for i in range(31)], (3, 2, 1, 0), length + _SKIPPED)
    return torch.from_numpy((first ^ second)[_SKIPPED:])


def _register(start: list[int], taps: tuple[int, ...], length: int) -> np.ndarray:
    """x(n + 31) = sum of x(n + tap) modulo 2; squared, it also holds with all distances doubled."""
    bits = np.array(start, np.uint8)
    while len(bits) < length:
        stretch = 1 << ((len(bits) // 31).bit_length() - 1)
        step = (31 - max(taps)) * stretch
        begin = len(bits) - 31 * stretch
        parts = [bits[begin + tap * stretch :][:step] for tap in taps]
        bits = np.concatenate([bits, np.bitwise_xor.reduce(parts)])
    return bits[:length]
