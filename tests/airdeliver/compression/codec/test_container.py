"""The container: round trips, size, and every kind of damage."""

import json
import tracemalloc

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from airdeliver.compression.bands import bands_of
from airdeliver.compression.codec import Levels, OnGrid, RangeCoded
from airdeliver.compression.codec.bitstream import DecodeError, read_varint, varint
from airdeliver.compression.codec.crc32c import checksum, crc32c
from airdeliver.compression.codec.entropy_coding import LARGEST_LEVEL
from airdeliver.compression.codec.reconstruction import STEPS
from airdeliver.compression.quantisers.allocation import allocate
from airdeliver.payload import Layout, Payload, Segment


def layout_with(*sizes: int) -> Layout:
    return Layout(tuple(Segment(f"{i}.weight", (size,)) for i, size in enumerate(sizes)))


CODEC = RangeCoded()
pack, unpack = CODEC.pack, CODEC.unpack


def quantised(layout: Layout, levels: np.ndarray, step: int = 2000) -> Levels:
    """With the cheapest models; `levels` in band order."""
    bands = len(bands_of(layout))
    return Levels.fitted(layout, levels, [OnGrid(step + i) for i in range(bands)], [None] * bands)


def network(seed: int = 0, rate: float = 1.0) -> Levels:
    """About 100,000 values in large segments and 600 in small ones, at `rate` bits a value."""
    generator = torch.Generator().manual_seed(seed)
    layout = layout_with(*[40_000, 64, 30_000, 64, 20_000, 256, 9_600, 216])
    scales = torch.tensor([0.05, 1.0, 0.1, 0.3, 0.02, 1.0, 0.2, 0.5]).repeat_interleave(torch.tensor(layout.sizes))
    normal = torch.randn(layout.size, generator=generator)
    return allocate(Payload(scales * normal, layout), rate * layout.size)


LEVELS = st.one_of(
    st.lists(st.integers(-2, 2), max_size=3000),
    st.lists(st.integers(-LARGEST_LEVEL, LARGEST_LEVEL), max_size=50),
    st.builds(lambda level, n: [level] * n, st.integers(-LARGEST_LEVEL, LARGEST_LEVEL), st.integers(1, 4000)),
)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.lists(LEVELS, max_size=4), st.sampled_from([32, 64, 1000]))
def test_containers_return_what_was_packed(segments, packet_bytes):
    """Empty, one value, all equal, huge range."""
    layout = layout_with(*map(len, segments))
    order = bands_of(layout).order
    levels = np.array([level for segment in segments for level in segment], dtype=np.int64)[order]
    source = quantised(layout, levels)
    contents = unpack(pack(source, packet_bytes).data, layout)
    assert bool(contents.arrived.all())
    assert torch.equal(contents.values, source.values())


def test_millions_of_values_return():
    layout = layout_with(3_000_000)
    source = quantised(layout, np.rint(np.random.default_rng(0).laplace(0, 0.4, 3_000_000)).astype(np.int64))
    assert torch.equal(unpack(pack(source, 4096).data, layout).values, source.values())


@pytest.mark.parametrize("rate", [1.0, 2.0, 4.0])
def test_size_is_the_entropy_and_three_percent_at_100k_values(rate):
    """2 % for the coder and the packets, 1 % for the head; entropy is the empirical one of every band."""
    source = network(rate=rate)
    counts = [np.unique(run, return_counts=True)[1] for run in bands_of(source.layout).split(source.numbers)]
    entropy = sum(float(-(c * np.log2(c / c.sum())).sum()) for c in counts)
    data = pack(source).data
    head = len(pack(quantised(source.layout, np.zeros_like(source.numbers))).data)
    assert 8 * head < 0.01 * entropy
    assert 8 * len(data) < 1.03 * entropy


def test_lost_packets_cost_their_values_and_nothing_else():
    source = network()
    container = pack(source)
    for packet in (0, 5):
        damaged = bytearray(container.data)
        damaged[container.protected + 1024 * packet + 700] ^= 0x10
        contents = unpack(bytes(damaged), source.layout)
        lost = ~contents.arrived
        assert 0.02 < float(lost.float().mean()) < 0.2
        assert torch.equal(contents.values[~lost], source.values()[~lost])
        assert float(contents.values[lost].abs().max()) == 0


def test_lost_values_become_the_mean_where_it_matters():
    layout = layout_with(5000)
    values = 1 + 0.1 * torch.randn(5000, generator=torch.Generator().manual_seed(0))
    source = allocate(Payload(values, layout), 15_000.0)
    container = pack(source, 256)
    contents = unpack(container.data[: container.protected + 256], layout)
    assert float((contents.values[~contents.arrived] - 1).abs().max()) < 0.1


def test_bytes_behind_the_container_do_not_matter():
    source = network()
    assert torch.equal(unpack(pack(source).data + b"\x17" * 999, source.layout).values, source.values())


def test_another_architecture_is_refused():
    source = network()
    data = pack(source).data
    with pytest.raises(DecodeError, match="another architecture"):
        unpack(data, layout_with(source.layout.size))
    with pytest.raises(DecodeError, match="version 9"):
        unpack(data[:2] + b"\x09" + data[3:], source.layout)


def mutated(data: bytes, rng: np.random.Generator, protected: int) -> bytes:
    """Flipped, cut, repeated or random bytes; half of them with checksums made good again."""
    kind = rng.integers(6)
    if kind == 0:
        return rng.bytes(int(rng.integers(0, 400)))
    damaged = bytearray(data)
    if kind == 1:
        return bytes(damaged[: rng.integers(len(data))])
    if kind == 2:
        start, end = np.sort(rng.integers(0, len(data), 2))
        return bytes(damaged[:start] + damaged[start:end] * 2 + damaged[end:])
    end = len(data) if kind == 3 else 60
    for _ in range(rng.integers(1, 8)):
        damaged[rng.integers(0, min(end, len(data)))] = rng.integers(256)
    if kind == 5:
        length = int(rng.integers(8, protected))
        damaged[length - 4 : length] = checksum(bytes(damaged[: length - 4]))
    return bytes(damaged)


def attack(containers: int) -> None:
    """Every container, however damaged, is refused or read; what is said to have arrived is right."""
    layout = layout_with(700, 20, 30)
    rng = np.random.default_rng(0)
    source = quantised(layout, np.rint(rng.laplace(0, 1.0, 750)).astype(np.int64))
    container, truth = pack(source, 64), source.values()
    head = container.data.index(pack(source, 64).data[:40])
    assert head == 0
    refused = 0
    for _ in range(containers):
        data = mutated(container.data, rng, container.protected)
        try:
            contents = unpack(data, layout)
        except DecodeError:
            refused += 1
            continue
        assert len(contents.values) == layout.size
        if data[: container.protected] == container.data[: container.protected]:
            assert torch.equal(contents.values[contents.arrived], truth[contents.arrived])
    assert 0.2 < refused / containers < 0.98


def test_damaged_containers_are_refused_or_right():
    attack(800)


@pytest.mark.slow
def test_many_damaged_containers_are_refused_or_right():
    attack(100_000)


@settings(deadline=None, derandomize=True, max_examples=300)
@given(st.binary(max_size=120), st.integers(0, 10_000))
def test_heads_with_sound_checksums_and_any_content_are_bounded(body, size):
    """Whatever the head declares, work and memory stay within the layout and the data."""
    layout = layout_with(size)
    genuine = pack(quantised(layout, np.zeros(size, np.int64))).data[:3]
    data = genuine + body
    data += checksum(json.dumps(layout.to_dict(), separators=(",", ":")).encode() + data) + body
    try:
        contents = unpack(data, layout)
    except DecodeError:
        return
    assert len(contents.values) == size


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.data(), st.integers(0, 2**32 - 1))
def test_packets_with_sound_checksums_and_any_content_are_refused_or_read(drawn, seed):
    """A sender of bad will gets a DecodeError or finite values, whatever its models and packets say."""
    layout, rng = layout_with(700, 20, 30), np.random.default_rng(seed)
    levels = np.rint(rng.laplace(0, 2.0 ** rng.integers(0, 30), layout.size)).clip(-LARGEST_LEVEL, LARGEST_LEVEL)
    source = quantised(layout, levels.astype(np.int64), drawn.draw(st.integers(0, STEPS - 3)))
    data = bytearray(pack(source, 64).data)
    for end in range(len(data), 64, -64)[: drawn.draw(st.integers(0, 3))]:
        body = bytes(data[end - 64 : end - 60]) + drawn.draw(st.binary(min_size=56, max_size=56))
        data[end - 64 : end] = body + checksum(body)
    try:
        contents = unpack(bytes(data), layout)
    except DecodeError:
        return
    assert bool(contents.values.isfinite().all())


def test_values_that_no_float_holds_are_refused():
    """A sound container of the largest level and step: 2^30 times almost 2^128."""
    layout = layout_with(700)
    source = quantised(layout, np.full(700, LARGEST_LEVEL), STEPS - 1)
    with pytest.raises(DecodeError, match="binary32"):
        unpack(pack(source).data, layout)


def test_packets_that_a_head_declares_take_no_memory_before_they_arrive():
    """A million declared packets, none of which follows: at most ten times the 4 bytes of each value."""
    layout = layout_with(1_000_000)
    packed = pack(quantised(layout, np.zeros(layout.size, np.int64)))
    fields = b"".join(map(varint, [32, 0, 0, layout.size, 32]))
    at = 3
    for _ in range(5):
        _, at = read_varint(packed.data, at)
    length, start = read_varint(packed.data, at)
    head = packed.data[:3] + fields + varint(length) + packed.data[start : start + length]
    bands_of(layout)
    tracemalloc.start()
    named = json.dumps(layout.to_dict(), separators=(",", ":")).encode()
    contents = unpack(head + checksum(named + head) + bytes(1000), layout)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert not bool(contents.arrived.any())
    assert peak < 40 * layout.size


@pytest.mark.parametrize("length", [1, 1024, 1025, 4096, 65_531])
def test_checksums_of_long_strings_are_those_of_short_ones(length):
    """CRC-32C is linear: that of a string from the register that its beginning leaves."""
    data = np.random.default_rng(0).integers(0, 256, (2, length), dtype=np.uint8)
    table = [0] * 256
    for byte in range(256):
        table[byte] = byte
        for _ in range(8):
            table[byte] = table[byte] >> 1 ^ (0x82F63B78 if table[byte] & 1 else 0)
    for row, found in zip(data, crc32c(data), strict=True):
        register = 0xFFFFFFFF
        for byte in row.tobytes():
            register = register >> 8 ^ table[(register ^ byte) & 0xFF]
        assert found == register ^ 0xFFFFFFFF
