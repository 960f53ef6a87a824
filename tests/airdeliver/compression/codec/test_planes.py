"""Bit planes: every number of leading planes is the quantiser's own answer at that precision."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from airdeliver.compression.codec import BitPlanes, DecodeError
from airdeliver.compression.quantisers import State, Vertical
from airdeliver.payload import Layout, Segment

LAYOUT = Layout(
    (
        Segment("a.weight", (8, 9)),
        Segment("b.weight", (40, 40)),
        Segment("b.bias", (40,)),
        Segment("c.weight", (30, 50)),
        Segment("d.weight", (10, 60)),
    )
)
VALUES = torch.randn(LAYOUT.size, generator=torch.Generator().manual_seed(0)) * 0.1


def packed(dead_zone: bool, bits: int = 6, planes: int | None = None):
    quantiser = Vertical(bits=bits, dead_zone=dead_zone)
    codec = BitPlanes(bits=bits, dead_zone=dead_zone, planes=planes, chunk=700)
    return quantiser, codec, codec.pack(quantiser.levels(VALUES, LAYOUT, State()))


@pytest.mark.parametrize("dead_zone", [False, True], ids=["mid-rise", "dead zone"])
def test_leading_planes_are_the_network_of_that_precision(dead_zone: bool):
    """q_b = floor(q_B / 2^(B - b)), exactly, from 1 plane to all."""
    quantiser, codec, container = packed(dead_zone)
    for planes in range(1, quantiser.most + 1):
        data = container.data[: sum(container.groups[: 1 + planes])]
        contents = codec.unpack(data, LAYOUT)
        assert torch.equal(contents.values, replace(quantiser, planes=planes).quantise(VALUES, LAYOUT, State()))
        assert bool(contents.arrived.all())


@pytest.mark.parametrize("dead_zone", [False, True], ids=["mid-rise", "dead zone"])
def test_only_so_many_planes_are_sent(dead_zone: bool):
    quantiser, codec, container = packed(dead_zone, planes=2)
    assert len(container.groups) == codec.most_groups == 3
    expected = replace(quantiser, planes=2).quantise(VALUES, LAYOUT, State())
    assert torch.equal(codec.unpack(container.data, LAYOUT).values, expected)


def test_a_lost_chunk_leaves_its_values_at_the_planes_above():
    """The second of five chunks of plane 3: planes 1 and 2 of its 700 values, all planes of the others."""
    quantiser, codec, container = packed(False)
    data = bytearray(container.data)
    start = sum(container.groups[:3])
    chunk = container.groups[3] // 5
    data[start + chunk + chunk // 2] ^= 0xFF
    values = codec.unpack(bytes(data), LAYOUT).values
    whole, coarse = (replace(quantiser, planes=p).quantise(VALUES, LAYOUT, State()) for p in (None, 2))
    changed = torch.nonzero(values != whole).flatten()
    assert 600 < len(changed) <= 700
    assert torch.equal(values[changed], coarse[changed])


def test_planes_cost_what_their_information_is():
    """The sign a bit a value; the planes together no more than 3 % above the entropy of the levels."""
    quantiser, _, container = packed(False, bits=4)
    levels = quantiser.levels(VALUES, LAYOUT, State())
    large = np.concatenate([run for run in np.split(levels.numbers, np.cumsum([40, 72, 1600, 1500]))[2:4]])
    count = np.unique(large, return_counts=True)[1]
    entropy = -float((count / len(large) * np.log2(count / len(large))).sum())
    assert 8 * container.groups[1] / len(large) == pytest.approx(1, abs=0.12)
    checksums = 4 * 4 * 5
    assert 8 * (sum(container.groups[1:]) - checksums) / len(large) < 1.06 * entropy


def test_a_dead_zone_makes_the_base_cheap():
    """Three deviations of range: 13 % of the values are at 1.5 deviations or beyond: 0.70 bits with their signs."""
    *_, container = packed(True)
    assert 0.6 < 8 * container.groups[1] / 3100 < 0.85


def test_what_is_small_must_arrive():
    *_, codec, container = packed(False)
    data = bytearray(container.data)
    data[container.groups[0] // 2] ^= 1
    with pytest.raises(DecodeError):
        codec.unpack(bytes(data), LAYOUT)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Vertical(planes=9), "planes must be 1 to 8, got 9"),
        (lambda: Vertical(planes=8, dead_zone=True), "planes must be 1 to 7, got 8"),
        (lambda: Vertical(per_channel=True), "vertical layers have one range a layer"),
        (lambda: BitPlanes(planes=8, dead_zone=True), "planes at least 1 and no more than there are"),
    ],
)
def test_what_cannot_be_is_refused(make, message: str):
    with pytest.raises(ValueError, match=message):
        make()
