"""CRCs against Sionna's, and what they find."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from airdeliver.links.digital.crc import CRC16, CRC24A, CRC24B
from tests.later import Later

crc = Later("sionna.phy.fec.crc")

CRCS = {"CRC24A": CRC24A, "CRC24B": CRC24B, "CRC16": CRC16}


@pytest.mark.parametrize("bits", [1, 300, 8448, 8449, 30_000])
@pytest.mark.parametrize("name", CRCS)
def test_check_bits_are_sionnas(name, bits):
    payload = torch.randint(0, 2, (3, bits), dtype=torch.uint8, generator=torch.Generator().manual_seed(bits))
    assert torch.equal(CRCS[name].attach(payload).float(), crc.CRCEncoder(name)(payload.float()))


@settings(deadline=None, derandomize=True, max_examples=40)
@given(bits=st.integers(1, 20_000), start=st.integers(0, 20_000), length=st.integers(1, 16), seed=st.integers(0, 99))
def test_every_burst_up_to_its_length_is_found(bits, start, length, seed):
    generator = torch.Generator().manual_seed(seed)
    payload = torch.randint(0, 2, (bits,), dtype=torch.uint8, generator=generator)
    for crc in CRCS.values():
        protected = crc.attach(payload)
        assert crc.check(protected)
        burst = torch.randint(0, 2, (length,), dtype=torch.uint8, generator=generator)
        burst[0] = 1
        begin = start % (len(protected) - length) if len(protected) > length else 0
        protected[begin : begin + length] ^= burst
        assert not crc.check(protected)
