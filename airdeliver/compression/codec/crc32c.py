"""CRC-32C of many equally long byte strings at once."""

from functools import lru_cache

import numpy as np
from jaxtyping import UInt8, UInt32

_POLYNOMIAL = 0x82F63B78
_ONES = np.uint32(0xFFFFFFFF)
_SHORT, _LONG = 32, 256
"""Bytes of the stretches that a string is divided in, side by side: about the square root of what they are many of."""


def _table() -> UInt32[np.ndarray, "256"]:
    table = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.where(table & 1, table >> 1 ^ np.uint32(_POLYNOMIAL), table >> 1)
    return table


_TABLE = _table()


def crc32c(data: UInt8[np.ndarray, "strings length"]) -> UInt32[np.ndarray, "strings"]:
    """The Castagnoli checksum of each row.

    Source: RFC 3720, appendix B.4; G. Castagnoli et al., Optimization of cyclic redundancy-check codes, IEEE Trans.
    Communications 41(6), 1993.

    >>> hex(crc32c(np.frombuffer(b"123456789", np.uint8)[None])[0])
    '0xe3069283'
    """
    strings, length = data.shape
    stretch = _SHORT if length <= 8 * _LONG else _LONG
    if length <= 2 * stretch:
        return _remainder(data, np.full(strings, _ONES)) ^ _ONES
    # The same from a register of zeros, where leading zeros change nothing, so that stretches are divided side by side.
    stretches = -(-length // stretch)
    padded = np.zeros((strings, stretches * stretch), np.uint8)
    padded[:, -length:] = data
    padded[:, -length : 4 - length] ^= 0xFF
    each = _remainder(padded.reshape(-1, stretch), np.zeros(strings * stretches, np.uint32)).reshape(strings, -1)
    register, tables = each[:, 0], _zeros(stretch)
    for following in each.T[1:]:
        register = _behind(register, tables) ^ following
    return register ^ _ONES


def _remainder(data: UInt8[np.ndarray, "strings length"], register: UInt32[np.ndarray, "strings"]) -> np.ndarray:
    for column in np.ascontiguousarray(data.T):
        register = _TABLE[(register ^ column) & 0xFF] ^ register >> 8
    return register


def _behind(
    register: UInt32[np.ndarray, "strings"], tables: UInt32[np.ndarray, "4 256"]
) -> UInt32[np.ndarray, "strings"]:
    """What a stretch of zeros makes of a register, given what it makes of each of its bytes."""
    bytes_of = register.astype("<u4").view(np.uint8).reshape(-1, 4)
    return np.bitwise_xor.reduce([table[column] for table, column in zip(tables, bytes_of.T, strict=True)])


@lru_cache(maxsize=2)
def _zeros(stretch: int) -> UInt32[np.ndarray, "4 256"]:
    """What so many zero bytes make of each byte of a register alone."""
    registers = (np.arange(256, dtype=np.uint32) << 8 * np.arange(4, dtype=np.uint32)[:, None]).reshape(-1)
    return _remainder(np.zeros((1024, stretch), np.uint8), registers).reshape(4, 256)


def checksum(data: bytes) -> bytes:
    """CRC-32C of one byte string, as four bytes, least significant first."""
    return crc32c(np.frombuffer(data, np.uint8)[None]).astype("<u4").tobytes()
