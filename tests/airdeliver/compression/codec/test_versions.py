"""Versions of the container: bytes of all earlier ones still decode, and the third costs less for what they held."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from airdeliver.compression.bands import bands_of
from airdeliver.compression.codec import DecodeError, RangeCoded
from airdeliver.compression.quantisers.allocation import allocate
from airdeliver.payload import Layout, Payload

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("version_1.json").read_text(encoding="utf-8"))
"""Written by the last code of version 1: layout, values, what they were reconstructed as, and the bytes."""

EARLIER = [*CASES, *json.loads(Path(__file__).with_name("version_2.json").read_text(encoding="utf-8"))]
"""Written by the last code of versions 1 and 2."""

MIXED, SAME = CASES
CODEC = RangeCoded()


def floats(hexadecimal: str) -> torch.Tensor:
    return torch.from_numpy(np.frombuffer(bytes.fromhex(hexadecimal), "<f4").copy())


@pytest.mark.parametrize("case", EARLIER, ids=lambda case: case["name"])
def test_bytes_of_earlier_versions_decode(case):
    contents = CODEC.unpack(bytes.fromhex(case["container"]), Layout.from_dict(case["layout"]))
    assert bool(contents.arrived.all())
    assert torch.equal(contents.values, floats(case["reconstructed"]))


@pytest.mark.parametrize("case", EARLIER, ids=lambda case: case["name"])
def test_lost_packets_of_earlier_versions_cost_their_values_alone(case):
    data = bytes.fromhex(case["container"])[:-10]
    contents = CODEC.unpack(data, Layout.from_dict(case["layout"]))
    lost, sent = ~contents.arrived, floats(case["reconstructed"])
    assert 0 < int(lost.sum()) < len(lost)
    assert torch.equal(contents.values[~lost], sent[~lost])


def test_payloads_whose_bands_are_the_same_have_the_same_levels_in_fewer_bytes():
    """At least 6: 4 of the head whose checksum stands for the layout, 2 of what a packet alone need not say."""
    layout, before = Layout.from_dict(SAME["layout"]), bytes.fromhex(SAME["container"])
    levels = allocate(Payload(floats(SAME["values"]), layout), SAME["bits"])
    assert torch.equal(levels.values(), floats(SAME["reconstructed"]))
    container = CODEC.pack(levels, SAME["packet_bytes"])
    assert len(container.data) <= len(before) - 6
    assert torch.equal(CODEC.unpack(container.data, layout).values, floats(SAME["reconstructed"]))


def test_small_convolutions_and_normalisation_have_bands_of_their_own():
    layout = Layout.from_dict(MIXED["layout"])
    names = [[layout.names[i] for i in members] for members in bands_of(layout).members]
    assert names == [["0.weight", "3.weight"], ["1.weight"], ["1.bias", "3.bias"], ["2.weight"]]
    before = [[layout.names[i] for i in members] for members in bands_of(layout, mixed=True).members]
    assert before == [["0.weight", "1.weight", "3.weight"], ["1.bias", "3.bias"], ["2.weight"]]


@pytest.mark.parametrize("version", [0, 4, 0x11, 0x42, 0x82])
def test_other_versions_and_unknown_flags_are_refused(version):
    data = bytearray(bytes.fromhex(SAME["container"]))
    data[2] = version
    with pytest.raises(DecodeError, match=f"version {version}, this code reads versions 1 to 3"):
        CODEC.unpack(bytes(data), Layout.from_dict(SAME["layout"]))
