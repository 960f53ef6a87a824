"""Levels coded lane beside lane: the trellis, contexts, and containers that are cut within a lane."""

import json
from dataclasses import replace
from functools import lru_cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from airdeliver.compression.bands import bands_of
from airdeliver.compression.codec import Container, DecodeError, Levels, OnGrid, OnTrellis, RangeCoded
from airdeliver.compression.codec.bitstream import read_varint
from airdeliver.compression.codec.crc32c import checksum
from airdeliver.compression.codec.entropy_coding import LevelModel, fit
from airdeliver.compression.codec.lane_coding import LaneModel
from airdeliver.compression.codec.run_coding import Run, decode_runs, encode_runs
from airdeliver.compression.codec.trellis import LANE, Lanes, Trellis, multiples_of
from airdeliver.compression.quantisers.paths import choose_path
from airdeliver.payload import Layout, Segment

STATES = (4, 8)


def drawn(trellis: Trellis, count: int, seed: int = 0, spread: float = 1.2) -> np.ndarray:
    """Multiples that the trellis allows: indices at random, of the quantiser that each finds itself with."""
    indices = np.rint(np.random.default_rng(seed).laplace(0, spread, count)).astype(np.int64).clip(-127, 127)
    lanes = Lanes(0, count)
    table, second = lanes.of(indices), np.zeros(lanes.shape, bool)
    states = np.zeros(lanes.shape[1], np.int64)
    for row in range(lanes.shape[0]):
        second[row] = trellis.quantisers[states]
        states = trellis.following[states, table[row] & 1]
    return multiples_of(indices, lanes.back(second))


def modelled(trellis: Trellis, multiples: np.ndarray, contexts: bool = False) -> LaneModel:
    second = trellis.second(multiples)
    indices = trellis.indices(multiples, second)
    models = (fit(indices[own], 0, fine=False) for own in (~second, second))
    return LaneModel(*models, trellis, contexts)


@pytest.mark.parametrize("states", STATES)
def test_each_state_is_reached_from_two_by_one_parity_each(states):
    """A trellis of a convolutional code: two ways out, two ways in, and both quantisers half of the states."""
    trellis = Trellis(states)
    assert sorted(trellis.following.flatten().tolist()) == sorted(2 * list(range(states)))
    assert all(trellis.following[s, p] == to for to, ways in enumerate(trellis.before) for s, p in ways)
    assert trellis.quantisers.sum() == states // 2


@pytest.mark.parametrize("states", STATES)
@pytest.mark.parametrize("cut", [0, 1, LANE - 1, LANE, 300])
def test_a_stretch_has_the_states_of_the_whole(states, cut):
    trellis, multiples = Trellis(states), drawn(Trellis(states), 1000)
    whole = trellis.walk(multiples)
    assert np.array_equal(trellis.walk(multiples[cut:], cut, int(whole[cut])), whole[cut:])
    second = trellis.quantisers[whole]
    assert np.array_equal(multiples_of(trellis.indices(multiples, second), second), multiples)


def test_multiples_that_the_trellis_does_not_allow_are_refused():
    with pytest.raises(ValueError, match="value 0 is no multiple that the trellis allows there"):
        Trellis().walk(np.array([1, 0]))
    with pytest.raises(ValueError, match="value 2 is no multiple that the trellis allows there"):
        Trellis(4).walk(np.array([0, 2, 2]))


@settings(deadline=None, derandomize=True, max_examples=10)
@given(
    st.sampled_from(STATES), st.booleans(), st.integers(1, 700), st.integers(0, 400), st.sampled_from([0.2, 1.0, 20.0])
)
def test_stretches_of_a_trellis_return(states, contexts, count, place, spread):
    trellis = Trellis(states)
    multiples = drawn(trellis, place + count, spread=spread)
    model = modelled(trellis, multiples, contexts)
    run = Run(model, place, count, int(trellis.walk(multiples)[place]))
    (read,) = decode_runs(encode_runs([(run, multiples[place:])]), [run])
    assert np.array_equal(read, multiples[place:])


@settings(deadline=None, derandomize=True, max_examples=10)
@given(st.lists(st.integers(-(2**30), 2**30), min_size=1, max_size=40), st.integers(0, 300), st.booleans())
def test_plain_levels_return_by_context_whatever_they_are(levels, place, paired):
    array = np.array(levels + 200 * [0, 1, -1], np.int64)
    run = Run(LaneModel(fit(array, 0, paired), contexts=True), place, len(array))
    (read,) = decode_runs(encode_runs([(run, array)]), [run])
    assert np.array_equal(read, array)


def test_cost_is_what_the_coder_takes_without_contexts():
    multiples = drawn(Trellis(), 60_000)
    model = modelled(Trellis(), multiples)
    coded = 8 * len(encode_runs([(Run(model, 0, len(multiples)), multiples)]))
    assert coded == pytest.approx(model.cost(multiples).sum(), rel=0.01)


def test_contexts_find_what_neighbours_tell():
    """Deviations of 2.5 in some filters of 9 and 0.6 in others: three tenths of what knowing them would save."""
    rng = np.random.default_rng(0)
    scale = np.repeat(np.where(rng.random(4000) < 0.3, 2.5, 0.6), 9)
    levels = np.rint(scale * rng.standard_normal(36_000)).astype(np.int64)
    plain = fit(levels, 0)
    sizes = [
        len(encode_runs([(Run(model, 0, len(levels)), levels)])) for model in (plain, LaneModel(plain, contexts=True))
    ]
    known = sum(bits_of(levels[scale == own]) for own in (0.6, 2.5)) / 8
    assert sizes[1] < sizes[0] - 0.3 * (sizes[0] - known)


def bits_of(levels: np.ndarray) -> float:
    """Empirical entropy of all levels together, in bits."""
    counts = np.unique(levels, return_counts=True)[1]
    return float(-(counts * np.log2(counts / counts.sum())).sum())


LAYOUT = Layout((Segment("0.weight", (3000,)), Segment("0.bias", (20,)), Segment("1.weight", (30, 50))))


@lru_cache
def followed(states: int = 8) -> Levels:
    """Levels whose large bands follow a trellis."""
    bands, trellis, rng = bands_of(LAYOUT), Trellis(states), np.random.default_rng(1)
    numbers, models, kinds = [], [], []
    for band, size in enumerate(bands.sizes):
        if band < bands.protected:
            numbers.append(np.rint(rng.laplace(0, 3, size)).astype(np.int64))
            models.append(fit(numbers[-1], 0))
            kinds.append(OnGrid(2000))
        else:
            levels, model = choose_path(rng.standard_normal(size) + 3.9 * (band == 2), 0.3, trellis)
            numbers.append(levels)
            models.append(model)
            kinds.append(OnTrellis(2040 - band))
    return Levels(LAYOUT, np.concatenate(numbers), tuple(kinds), tuple(models))


@pytest.mark.parametrize("states", STATES)
@pytest.mark.parametrize("contexts", [False, True])
@pytest.mark.parametrize("packet_bytes", [64, 1024])
def test_containers_of_a_trellis_return_however_they_are_cut(states, contexts, packet_bytes):
    levels = followed(states)
    container = RangeCoded(contexts).pack(levels, packet_bytes)
    contents = RangeCoded().unpack(container.data, LAYOUT)
    assert bool(contents.arrived.all())
    assert torch.equal(contents.values, levels.values())
    back = RangeCoded().levels(container.data, LAYOUT)
    assert np.array_equal(back.numbers, levels.numbers)
    assert [type(r) for r in back.reconstructions] == [type(r) for r in levels.reconstructions]


def test_a_lost_packet_of_a_trellis_costs_its_values_alone():
    levels = followed()
    container = RangeCoded().pack(levels, 64)
    data = bytearray(container.data)
    data[container.protected + 70] ^= 1  # in the second packet of the large bands
    contents = RangeCoded().unpack(bytes(data), LAYOUT)
    lost = int((~contents.arrived).sum())
    assert 0 < lost < 1000
    assert torch.equal(contents.values[contents.arrived], levels.values()[contents.arrived])


def test_containers_without_lanes_are_what_they_were():
    """Not a bit of an option that is not taken: the flag is clear, and codecs without contexts agree."""
    numbers = np.rint(np.random.default_rng(0).laplace(0, 1, LAYOUT.size)).astype(np.int64)
    plain = Levels.fitted(LAYOUT, numbers, [OnGrid(2000)] * 3, [0] * 3)
    assert RangeCoded().pack(plain).data[2] == 0x03
    assert RangeCoded() == RangeCoded(contexts=False)
    assert RangeCoded().pack(followed()).data[2] == 0x83


def resealed(data: bytes) -> bytes:
    """A head with a checksum that holds, behind a change."""
    named = json.dumps(LAYOUT.to_dict(), separators=(",", ":")).encode()
    return data + checksum(named + data)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.binary(max_size=90))
def test_heads_of_any_content_are_refused_or_read(body):
    data = resealed(packed(False).data[:3] + body) + body
    try:
        contents = RangeCoded().unpack(data, LAYOUT)
    except DecodeError:
        return
    assert len(contents.values) == LAYOUT.size


@lru_cache
def packed(contexts: bool) -> Container:
    return RangeCoded(contexts).pack(followed(), 64)


@settings(deadline=None, derandomize=True, max_examples=10)
@given(st.data())
def test_packets_of_any_content_are_refused_or_read(draw):
    """Sound checksums over whatever bytes: a DecodeError of one line, or values."""
    container = packed(draw.draw(st.booleans()))
    data, first = bytearray(container.data), container.protected
    for packet in draw.draw(st.lists(st.integers(0, 3), min_size=1, max_size=3)):
        begin = first + 64 * packet
        body = draw.draw(st.binary(min_size=60, max_size=60))
        data[begin : begin + 64] = body + checksum(body)
    try:
        contents = RangeCoded().unpack(bytes(data), LAYOUT)
    except DecodeError:
        return
    assert bool(contents.values.isfinite().all())


def test_a_state_that_the_trellis_does_not_have_is_refused_in_one_line():
    levels = followed(4)
    container = RangeCoded().pack(levels, 64)
    for begin in range(container.protected, len(container.data) - 64, 64):
        packet = bytearray(container.data[begin : begin + 60])
        _, at = read_varint(bytes(packet), 0)
        _, at = read_varint(bytes(packet), at)
        if begin > container.protected and packet[at] < 4:
            packet[at] = 4
            damaged = bytearray(container.data)
            damaged[begin : begin + 64] = bytes(packet) + checksum(bytes(packet))
            with pytest.raises(DecodeError, match=r"^a packet begins in state 4 of a trellis of 4$"):
                RangeCoded().unpack(bytes(damaged), LAYOUT)
            return
    raise AssertionError("no packet begins within a lane")


def test_what_cannot_be_is_refused(unchecked):
    one = LevelModel()
    for make, message in (
        (lambda: Trellis(5), "a trellis has 4 or 8 states, got 5"),
        (lambda: LaneModel(one, one), "a trellis has two quantisers"),
        (lambda: LaneModel(one, trellis=Trellis()), "a trellis has two quantisers"),
        (lambda: LaneModel(one, replace(one, shift=1), Trellis()), "both models of a trellis must have one centre"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    levels = followed()
    with pytest.raises(ValueError, match="levels of a trellis need a reconstruction on a trellis"):
        RangeCoded().pack(replace(levels, reconstructions=(OnGrid(2000),) * 3))
