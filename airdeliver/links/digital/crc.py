"""Cyclic redundancy checks of 5G NR, over many blocks at once."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

_CHUNK = 8448  # the longest code block
_AT_ONCE = 64  # chunks as numbers: four bytes a bit


@dataclass(frozen=True)
class CRC:
    """The remainder of the bits, first bit first, times x^length, divided by a polynomial.

    Args:
        exponents: of the polynomial over two elements; the largest is the number of check bits.

    Source: 3GPP TS 38.212, 5.1.

    >>> protected = CRC24A.attach(torch.ones(2, 100, dtype=torch.uint8))
    >>> protected.shape, CRC24A.check(protected).tolist()
    (torch.Size([2, 124]), [True, True])
    """

    exponents: tuple[int, ...]

    @property
    def length(self) -> int:
        """Number of check bits."""
        return max(self.exponents)

    def remainder(self, bits: UInt8[Tensor, "*batch bits"]) -> UInt8[Tensor, "*batch length"]:
        """The check bits of `bits`."""
        table, shift = (part.to(bits.device) for part in _matrices(self.exponents))
        chunks = max(1, -(-bits.shape[-1] // _CHUNK))
        if chunks == 1:
            return _mod2(bits.float() @ table[_CHUNK - bits.shape[-1] :]).to(torch.uint8)
        # Leading zeros leave the remainder alone, so chunks and pairs of chunks are filled up in front.
        padded = torch.nn.functional.pad(bits, (chunks * _CHUNK - bits.shape[-1], 0))
        cut = padded.unflatten(-1, (chunks, _CHUNK)).split(_AT_ONCE, dim=-2)
        parts = torch.cat([_mod2(some.float() @ table) for some in cut], dim=-2)
        while parts.shape[-2] > 1:
            parts = torch.nn.functional.pad(parts, (0, 0, parts.shape[-2] % 2, 0))
            parts = _mod2(parts[..., ::2, :] @ shift + parts[..., 1::2, :])
            shift = _mod2(shift @ shift)
        return parts[..., 0, :].to(torch.uint8)

    def attach(self, bits: UInt8[Tensor, "*batch bits"]) -> UInt8[Tensor, "*batch longer"]:
        """The bits with their check bits behind them."""
        return torch.cat([bits, self.remainder(bits)], dim=-1)

    def check(self, bits: UInt8[Tensor, "*batch longer"]) -> Bool[Tensor, "*batch"]:
        """Whether the check bits at the end are those of the bits before; wrongly true with probability 2^-length."""
        return (self.remainder(bits[..., : -self.length]) == bits[..., -self.length :]).all(-1)


CRC24A = CRC((24, 23, 18, 17, 14, 11, 10, 7, 6, 5, 4, 3, 1, 0))
"""Of transport blocks above 3824 bits."""
CRC24B = CRC((24, 23, 6, 5, 1, 0))
"""Of code blocks, where there are several."""
CRC16 = CRC((16, 12, 5, 0))
"""Of transport blocks up to 3824 bits."""


@lru_cache
def _matrices(exponents: tuple[int, ...]) -> tuple[Float[Tensor, "chunk length"], Float[Tensor, "length length"]]:
    """Remainders of a one at each place of a chunk, and what `_CHUNK` more zeros behind make of a remainder."""
    length = max(exponents)
    polynomial = sum(1 << e for e in exponents)
    powers = [1]
    for _ in range(_CHUNK + length - 1):
        power = powers[-1] << 1
        powers.append(power ^ polynomial if power >> length else power)
    bits = np.array(powers)[:, None] >> np.arange(length - 1, -1, -1) & 1
    table = torch.from_numpy(bits[length:][::-1].copy()).float()
    return table, torch.from_numpy(bits[_CHUNK : _CHUNK + length][::-1].copy()).float()


def _mod2(counts: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    return counts.remainder(2)
