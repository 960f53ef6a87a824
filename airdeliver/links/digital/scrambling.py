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
    return GoldSequence(initialisation).take(length)


class GoldSequence:
    """The same sequence, taken piece by piece.

    Args:
        initialisation: c_init.

    >>> sequence = GoldSequence(1)
    >>> torch.equal(torch.cat([sequence.take(5), sequence.take(40)]), gold_sequence(45, 1))
    True
    """

    def __init__(self, initialisation: int):
        first, second = [1] + [0] * 30, [initialisation >> i & 1 for i in range(31)]
        self._ahead = [np.array(first, np.uint8), np.array(second, np.uint8)]
        self.take(_SKIPPED)

    def take(self, length: int) -> UInt8[Tensor, "length"]:
        """The next so many bits."""
        registers = [_register(a, taps, length + 31) for a, taps in zip(self._ahead, ((3, 0), (3, 2, 1, 0)))]
        self._ahead = [register[length:].copy() for register in registers]
        return torch.from_numpy(registers[0][:length] ^ registers[1][:length])


def _register(bits: np.ndarray, taps: tuple[int, ...], length: int) -> np.ndarray:
    """x(n + 31) = sum of x(n + tap) modulo 2; squared, it also holds with all distances doubled."""
    while len(bits) < length:
        stretch = 1 << ((len(bits) // 31).bit_length() - 1)
        step = (31 - max(taps)) * stretch
        begin = len(bits) - 31 * stretch
        parts = [bits[begin + tap * stretch :][:step] for tap in taps]
        bits = np.concatenate([bits, np.bitwise_xor.reduce(parts)])
    return bits[:length]
