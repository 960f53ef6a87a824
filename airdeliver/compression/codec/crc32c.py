"""CRC-32C of many equally long byte strings at once."""

import numpy as np
from jaxtyping import UInt8, UInt32

_POLYNOMIAL = 0x82F63B78


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
    register = np.full(len(data), 0xFFFFFFFF, dtype=np.uint32)
    for column in np.ascontiguousarray(data.T):
        register = _TABLE[(register ^ column) & 0xFF] ^ register >> 8
    return register ^ np.uint32(0xFFFFFFFF)


def checksum(data: bytes) -> bytes:
    """CRC-32C of one byte string, as four bytes, least significant first."""
    return crc32c(np.frombuffer(data, np.uint8)[None]).astype("<u4").tobytes()
