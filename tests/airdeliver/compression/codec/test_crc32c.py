"""Checksums of strings of all lengths, divided in stretches or not."""

import numpy as np
import pytest

from airdeliver.compression.codec.crc32c import crc32c

POLYNOMIAL = 0x82F63B78


def _bit_by_bit(data: bytes) -> int:
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (POLYNOMIAL if register & 1 else 0)
    return register ^ 0xFFFFFFFF


@pytest.mark.parametrize("length", [0, 1, 3, 4, 31, 63, 64, 65, 96, 97, 255, 1023, 2047, 2048, 2049, 2303, 2304, 3000])
def test_as_by_the_definition(length: int):
    data = np.random.default_rng(length).integers(0, 256, (2, length), dtype=np.uint8)
    assert crc32c(data).tolist() == [_bit_by_bit(row.tobytes()) for row in data]


def test_leading_zeros_count():
    assert crc32c(np.zeros((1, 100), np.uint8)) != crc32c(np.zeros((1, 101), np.uint8))
