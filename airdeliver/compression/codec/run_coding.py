"""Runs: consecutive levels of one band, coded as the band's model says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import constriction
import numpy as np
from jaxtyping import Integer

from airdeliver.compression.codec.entropy_coding import LevelModel, coded_bits, decode_run, encode_run
from airdeliver.compression.codec.lane_coding import LaneModel, decode_lanes, encode_lanes, lane_bits
from airdeliver.compression.computed import LevelArray

BandModel = LevelModel | LaneModel
"""The probabilities of a band: one level after the other, or lane beside lane."""

_stream: Any = constriction.stream  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Run:
    """Where some levels lie, and how they are coded.

    Args:
        model: of their band.
        place: of the first of them in it.
        count: of levels.
        state: of the trellis at the first of them, where it does not begin a lane.
    """

    model: BandModel
    place: int
    count: int
    state: int = 0


def encode_runs(runs: Sequence[tuple[Run, LevelArray]]) -> bytes:
    """Range-code runs of levels into bytes; trailing zero bytes are left out."""
    encoder = _stream.queue.RangeEncoder()
    for run, levels in runs:
        if isinstance(run.model, LaneModel):
            encode_lanes(encoder, run.model, levels.astype(np.int64, copy=False), run.place, run.state)
        else:
            encode_run(encoder, run.model, levels)
    return encoder.get_compressed().astype(">u4").tobytes().rstrip(b"\0")


def decode_runs(data: bytes, runs: Sequence[Run], adapts: bool = True) -> list[Integer[np.ndarray, "_"]]:
    """The inverse of `encode_runs`.

    Bytes that were not made by it mostly give levels that mean nothing, which a checksum has to tell.

    Args:
        data: of one packet.
        runs: that it holds.
        adapts: whether the models learn from the levels of their run; not in containers of versions 1 and 2.

    Raises:
        ValueError: bytes that no levels have under these models.
    """
    words = np.frombuffer(data + bytes(-len(data) % 4), dtype=">u4").astype(np.uint32)
    decoder = _stream.queue.RangeDecoder(words)
    try:
        return [_decoded(decoder, run, adapts) for run in runs]
    except AssertionError as error:  # constriction's way to say so
        raise ValueError("the bytes were not coded with these models") from error


def band_bits(model: BandModel, levels: LevelArray) -> float:
    """About how many bits the levels of a whole band take, its model learning from them."""
    return lane_bits(model, levels) if isinstance(model, LaneModel) else coded_bits(model, levels)


def cheaper_by_context(model: BandModel, levels: LevelArray) -> BandModel:
    """The model of a band that goes by contexts, if its levels take fewer bits so."""
    by_context = replace(model, contexts=True) if isinstance(model, LaneModel) else LaneModel(model, contexts=True)
    return by_context if band_bits(by_context, levels) < band_bits(model, levels) else model


def _decoded(decoder: Any, run: Run, adapts: bool) -> Integer[np.ndarray, "_"]:
    if isinstance(run.model, LaneModel):
        return decode_lanes(decoder, run.model, run.count, run.place, run.state)
    return decode_run(decoder, run.model, run.count, adapts)
