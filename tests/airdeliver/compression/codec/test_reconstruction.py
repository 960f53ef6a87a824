"""Kinds of reconstruction, alone and in containers."""

import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from airdeliver.compression.bands import bands_of
from airdeliver.compression.codec import (
    Codebook,
    DecodeError,
    Levels,
    MidRise,
    MidRisePerChannel,
    MidTread,
    OnGrid,
    PerChannel,
    RangeCoded,
    Reconstruction,
)
from airdeliver.compression.codec.crc32c import checksum
from airdeliver.compression.codec.entropy_coding import LevelModel, decode, encode, fit
from airdeliver.compression.codec.reconstruction import STEPS, bfloat16, step_size
from airdeliver.payload import Layout, Segment

CODEC = RangeCoded()

MAGNITUDES = st.floats(2.0**-100, 2.0**60)
KINDS = st.one_of(
    st.tuples(st.just(OnGrid), st.integers(0, 3000)),
    st.tuples(st.sampled_from([MidTread, MidRise]), MAGNITUDES.map(bfloat16)),
    st.tuples(
        st.sampled_from([PerChannel, MidRisePerChannel]),
        st.lists(MAGNITUDES.map(bfloat16), min_size=1, max_size=1).map(tuple),
    ),
    st.tuples(
        st.just(Codebook), st.sets(st.floats(-1e30, 1e30).map(bfloat16), min_size=1, max_size=20).map(sorted).map(tuple)
    ),
)
PARTS = st.fixed_dictionaries(
    {
        "sizes": st.lists(st.one_of(st.integers(0, 40), st.integers(512, 900)), max_size=5),
        "kinds": st.lists(KINDS, min_size=5, max_size=5),
        "cuts": st.none() | st.lists(st.floats(0, 1), max_size=4),
        "seed": st.integers(0, 2**32 - 1),
    }
)


def layout_of(sizes: list[int]) -> Layout:
    return Layout(tuple(Segment(f"{i}.{'weight' if size > 511 else i}", (size,)) for i, size in enumerate(sizes)))


def built(parts: dict[str, Any]) -> Levels:
    """Bands of any sizes, each with a reconstruction of its own, in any groups."""
    layout = layout_of(parts["sizes"])
    bands, rng = bands_of(layout), np.random.default_rng(parts["seed"])
    kinds = [kind(parameter) for kind, parameter in parts["kinds"][: len(bands)]]
    runs = [np.zeros(0, np.int64)]
    for size, kind in zip(bands.sizes, kinds, strict=True):
        run = np.rint(rng.laplace(0, 2.0 ** rng.integers(-2, 12), size)).astype(np.int64)
        runs.append(run % len(kind.entries) if isinstance(kind, Codebook) else run)
    groups: tuple[int, ...] = ()
    if parts["cuts"] is not None:
        ends = [0, *sorted(round(cut * len(bands)) for cut in parts["cuts"]), len(bands)]
        groups = tuple(end - start for start, end in pairwise(ends))
    return Levels.fitted(layout, np.concatenate(runs), kinds, [None] * len(bands), groups)


@settings(deadline=None, derandomize=True, max_examples=150)
@given(PARTS, st.sampled_from([32, 64, 1000]))
def test_every_kind_in_every_group_returns_from_its_bytes(parts, packet_bytes):
    levels = built(parts)
    container = CODEC.pack(levels, packet_bytes)
    assert sum(container.groups) == len(container.data)
    assert len(container.groups) == (len(levels.groups) or 2)
    contents = CODEC.unpack(container.data, levels.layout)
    assert bool(contents.arrived.all())
    assert torch.equal(contents.values, levels.values())


@settings(deadline=None, derandomize=True, max_examples=60)
@given(PARTS)
def test_a_group_that_is_lost_takes_no_other_with_it(parts):
    """Head and first group arrive, one of the others does not."""
    levels = built(parts)
    container = CODEC.pack(levels, 64)
    ends = np.cumsum(container.groups)
    bands = bands_of(levels.layout)
    in_order = np.empty(levels.layout.size, np.int64)
    counts = levels.groups or (bands.protected, len(bands) - bands.protected)
    in_order[bands.order] = np.arange(len(counts)).repeat(
        [sum(bands.sizes[end - count : end]) for end, count in zip(np.cumsum(counts), counts, strict=True)]
    )
    for group in range(1, len(container.groups)):
        data = bytearray(container.data)
        data[ends[group - 1] : ends[group]] = bytes(container.groups[group])
        contents = CODEC.unpack(bytes(data), levels.layout)
        assert torch.equal(contents.arrived, torch.from_numpy(in_order != group))
        assert torch.equal(contents.values[contents.arrived], levels.values()[contents.arrived])


@settings(deadline=None, derandomize=True, max_examples=200)
@given(PARTS, st.data())
def test_heads_of_any_content_are_refused_or_read(parts, drawn):
    """With sound checksums: a sender of bad will gets a DecodeError or finite values."""
    levels = built(parts)
    data = bytearray(CODEC.pack(levels, 64).data)
    named = json.dumps(levels.layout.to_dict(), separators=(",", ":")).encode()
    end = next(end for end in range(7, len(data)) if checksum(named + bytes(data[:end])) == data[end : end + 4])
    for _ in range(drawn.draw(st.integers(1, 4))):
        data[drawn.draw(st.integers(3, end - 1))] = drawn.draw(st.integers(0, 255))
    data[2] = drawn.draw(st.sampled_from([data[2], 0x03, 0x13, 0x23, 0x33, 0x63]))
    data[end : end + 4] = checksum(named + bytes(data[:end]))
    try:
        contents = CODEC.unpack(bytes(data), levels.layout)
    except DecodeError:
        return
    assert len(contents.values) == levels.layout.size
    assert bool(contents.values.isfinite().all())


@settings(deadline=None, derandomize=True, max_examples=100)
@given(st.lists(st.integers(-3000, 3000), max_size=60), st.integers(0, 6), st.integers(0, 127))
def test_paired_levels_return_whatever_they_are(levels, shift, zero):
    array = np.array(levels, dtype=np.int64)
    for model in (fit(array, 0, paired=True), LevelModel(3, shift, 1, 20, zero, paired=True)):
        (decoded,) = decode(encode([(model, array)]), [(model, len(array))])
        assert np.array_equal(decoded, array)


def test_signs_cost_a_bit_and_pairs_are_symmetric():
    """Levels 0 and -1 of a mid-rise quantiser: at most 0.2 % above their entropy of 1 bit."""
    signs = np.random.default_rng(0).integers(-1, 1, 50_000)
    model = fit(signs, 0, paired=True)
    assert model.cost(signs).sum() / 50_000 < 1.002
    assert 8 * len(encode([(model, signs)])) / 50_000 < 1.003
    for shape in range(4):
        weights = LevelModel(0, 0, shape, 40, 30, paired=True).weights()
        assert weights.sum() == 1 << 24
        assert weights.min() >= 1
        assert np.abs(weights[127:254] - weights[126::-1]).max() <= 1


def test_lost_signs_are_nothing():
    """Neither plus nor minus: what is lost of a mid-rise band becomes 0, of a mid-tread band its mean."""
    layout = layout_of([4000, 3000])
    rng = np.random.default_rng(1)
    numbers = np.concatenate([rng.integers(-1, 1, 4000), 40 + rng.integers(-2, 3, 3000)])
    levels = Levels.fitted(layout, numbers, [MidRise(0.5), MidTread(0.25)], [0, 40])
    container = CODEC.pack(levels, 64)
    contents = CODEC.unpack(container.data[: container.protected], layout)
    assert not bool(contents.arrived.any())
    assert contents.values[:4000].unique().tolist() == [0.0]
    assert contents.values[4000:].unique().tolist() == [10.0]


def test_the_grid_is_powers_of_two_in_sixteenths():
    assert [step_size(2048 + 16 * k) for k in (-3, 0, 5)] == [0.125, 1.0, 32.0]
    ratios = [step_size(k + 1) / step_size(k) for k in range(STEPS - 1)]
    assert max(abs(ratio - 2 ** (1 / 16)) for ratio in ratios) < 1e-6


@settings(deadline=None, derandomize=True)
@given(st.floats(-3e38, 3e38))
def test_numbers_are_rounded_as_torch_rounds_them(value):
    assert bfloat16(value) == float(torch.tensor(value, dtype=torch.float32).bfloat16())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OnGrid(STEPS), "index of 0 to 4095"),
        (lambda: MidTread(0.3), "a number that bfloat16 holds"),
        (lambda: MidRise(0.0), "above 0"),
        (lambda: MidTread(3.4e38), "beyond the range"),
        (lambda: Codebook(()), "at least one"),
        (lambda: Codebook((1.0, 0.5)), "rising"),
        (lambda: Codebook((0.0, 1.0)).values(np.array([2])), "must be 0 to 1"),
        (lambda: CODEC.pack(grouped((1, 1))), "all 1 bands"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def grouped(groups: tuple[int, ...]) -> Levels:
    kinds: list[Reconstruction] = [OnGrid(2048)]
    return Levels.fitted(layout_of([600]), np.zeros(600, np.int64), kinds, [0], groups)


def test_channels_return_with_steps_of_their_own():
    layout = Layout((Segment("a.weight", (4, 150)), Segment("a.bias", (4,))))
    steps = tuple(bfloat16(0.1 * k) for k in range(1, 5))
    numbers = np.random.default_rng(0).integers(-3, 4, 604)
    for kind, middle in ((PerChannel, 0.0), (MidRisePerChannel, 0.5)):
        levels = Levels.fitted(layout, numbers, [MidTread(1.0), kind(steps)], [None, None])
        values = CODEC.unpack(CODEC.pack(levels, 40).data, layout).values  # packets end within channels
        assert torch.equal(values, levels.values())
        expected = (numbers[4:].reshape(4, 150) + middle) * np.array(steps)[:, None]
        assert np.array_equal(values[:600].numpy().reshape(4, 150), expected.astype(np.float32))
    with pytest.raises(ValueError, match="3 levels are no 4 equal parts"):
        PerChannel(steps).values(np.zeros(3, np.int64))
    with pytest.raises(ValueError, match="steps must be above 0"):
        PerChannel((0.0,))
