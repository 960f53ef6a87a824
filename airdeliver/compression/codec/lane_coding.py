"""Levels coded lane beside lane, each by what is known of it: its quantiser, and how large those before it were.

The levels of a stretch of a band are a table, a lane of 128 a column (`Lanes`). They are coded row after row: so a
receiver that decodes a row of all lanes at once knows, of each lane, everything before.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Bool, Float64, Int64, Integer, UInt8

from airdeliver.compression.codec.adaptive import FIRST, expected_bits
from airdeliver.compression.codec.entropy_coding import (
    ESCAPE,
    REACH,
    SCALES,
    ZEROS,
    LevelModel,
    decode_rest,
    encode_rest,
    pieces_of,
    symbols_of,
    table_of,
)
from airdeliver.compression.codec.trellis import FURTHEST, Lanes, Trellis
from airdeliver.compression.computed import LevelArray

CONTEXTS = 5
"""Classes of what comes before a level: twice the magnitude of the last in its lane, and those of the two before that,
together; magnitudes are of the coarse part or, with a trellis, in multiples of its step."""

_CLASSES = np.repeat(np.arange(CONTEXTS, dtype=np.uint8), (1, 1, 1, 2, 1))
"""0, 1, 2, 3 to 4, and 5 or more."""

_OF_MULTIPLES = np.repeat(np.arange(CONTEXTS, dtype=np.uint8), (1, 2, 3, 4, 1))
"""0, 1 to 2, 3 to 5, 6 to 9, and 10 or more."""

_LARGE = 10
"""Magnitudes from which on nothing more is told."""

_ZERO, _ZERO_OF_MULTIPLES, _SCALE = (7, 1, -4, -6, -6), (7, 2, -2, -4, -6), (-1, 0, 0, 1, 2)
"""What each context adds to `zero` and `scale` of its model to begin with, about what it has in networks trained on
CIFAR-10 and digits at 0.5 to 2 bits a value: packets are too short to learn it in each anew."""


@dataclass(frozen=True)
class LaneModel:
    """The probabilities of a band's levels that are coded lane beside lane.

    Args:
        first: of the levels or, with a trellis, of the indices of its first quantiser.
        second: of those of its second one; None without a trellis.
        trellis: that the levels follow, if they do.
        contexts: whether levels are told apart by those before them.

    Raises:
        ValueError: a trellis with one model, or none with two; models of another centre or with fine bits in a trellis.
    """

    first: LevelModel
    second: LevelModel | None = None
    trellis: Trellis | None = None
    contexts: bool = False

    def __post_init__(self) -> None:
        if (self.second is None) != (self.trellis is None):
            raise ValueError("a trellis has two quantisers: it needs two models, and one model no trellis")
        if self.second is not None:
            paired = self.first.paired or self.second.paired
            if self.first.centre != self.second.centre or self.first.shift or self.second.shift or paired:
                raise ValueError("both models of a trellis must have one centre, no fine bits, and levels not in pairs")

    @property
    def centre(self) -> int:
        """The level about which the others lie."""
        return self.first.centre

    @property
    def shift(self) -> int:
        """Number of fine bits."""
        return self.first.shift

    @property
    def models(self) -> tuple[LevelModel, ...]:
        """Of each quantiser."""
        return (self.first,) if self.second is None else (self.first, self.second)

    @property
    def classes(self) -> int:
        """Tables of probabilities that learn apart."""
        return len(self.models) * (CONTEXTS if self.contexts else 1)

    @property
    def begun(self) -> tuple[LevelModel, ...]:
        """The model that each class begins with."""
        if not self.contexts:
            return self.models
        more = _ZERO if self.trellis is None else _ZERO_OF_MULTIPLES
        shifts = list(zip(more, _SCALE, strict=True))
        return tuple(_shifted(model, *each) for model in self.models for each in shifts)

    def context(
        self,
        last: Integer[np.ndarray, "*shape"],
        before: Integer[np.ndarray, "*shape"],
        third: Integer[np.ndarray, "*shape"],
    ) -> UInt8[np.ndarray, "*shape"]:
        """What comes before a level, by the magnitudes of the three before it, each at most 10."""
        table = _CLASSES if self.trellis is None else _OF_MULTIPLES
        return table[np.minimum(2 * last + before + third, len(table) - 1)]

    def cost(self, levels: Int64[np.ndarray, "n"], place: int = 0, state: int = 0) -> Float64[np.ndarray, "n"]:
        """Cost in bits of each level of a stretch, contexts left aside.

        Args:
            levels: consecutive ones.
            place: of the first of them in its band.
            state: of the trellis there.
        """
        if self.trellis is None:
            return self.first.cost(levels)
        stretch = Stretch.of(self, levels, place, state)
        return np.where(stretch.second, self.models[-1].bits()[stretch.symbols], self.first.bits()[stretch.symbols])

    def total(self, levels: LevelArray) -> float:
        """Cost in bits of all levels of a band together, contexts left aside; counted piece by piece."""
        return float(sum(self.cost(part.astype(np.int64, copy=False)).sum() for part in pieces_of(levels)))

    def states(self, levels: LevelArray) -> UInt8[np.ndarray, "n"] | None:
        """The state of the trellis at each level of a band; None without one."""
        if self.trellis is None:
            return None
        pieces = (self.trellis.walk(part.astype(np.int64) - self.centre) for part in pieces_of(levels))
        return np.concatenate([np.zeros(0, np.uint8), *pieces])


@dataclass(frozen=True, eq=False)
class Stretch:
    """Consecutive levels of a band as symbols.

    Args:
        symbols: of the coarse parts.
        fine: what is left of each level.
        second: whether each is of the second quantiser.
        classes: of each, what its probabilities go by.
    """

    symbols: Int64[np.ndarray, "n"]
    fine: Int64[np.ndarray, "n"]
    second: Bool[np.ndarray, "n"]
    classes: Int64[np.ndarray, "n"]

    @classmethod
    def of(cls, model: LaneModel, levels: Int64[np.ndarray, "n"], place: int, state: int) -> "Stretch":
        """Symbols of levels; see `LaneModel.cost`.

        Raises:
            ValueError: levels that the trellis does not allow.
        """
        if model.trellis is None:
            coarse, fine = model.first.parts(levels)
            second = np.zeros(len(levels), bool)
        else:
            second = model.trellis.second(levels - model.centre, place, state)
            coarse, fine = model.trellis.indices(levels - model.centre, second), np.zeros(len(levels), np.int64)
            if np.abs(coarse).max(initial=0) > FURTHEST:
                raise ValueError(f"indices of a trellis must be at most {FURTHEST} in magnitude")
        classes = second.astype(np.int64)
        if model.contexts:
            lanes = Lanes(place, len(levels))
            multiples = coarse if model.trellis is None else levels - model.centre
            table = lanes.of(np.minimum(np.abs(multiples), _LARGE).astype(np.uint8))
            rows = np.concatenate([np.zeros((3, table.shape[1]), np.uint8), table])
            classes = classes * CONTEXTS + lanes.back(model.context(rows[2:-1], rows[1:-2], rows[:-3]))
        return cls(symbols_of(coarse), fine, second, classes)


def _shifted(model: LevelModel, zero: int, scale: int) -> LevelModel:
    """A model with other odds and scale, within what there is; one without a scale keeps none."""
    odds = min(ZEROS - 1, max(0, model.zero + zero))
    return replace(model, zero=odds, scale=min(SCALES - 1, max(1, model.scale + scale)) if model.scale else 0)


class _Tables(dict[int, Any]):
    """The coder's table of each class, made when it is asked for.

    Args:
        model: of the band.
        seen: how often each class had each symbol.
    """

    def __init__(self, model: LaneModel, seen: Int64[np.ndarray, "classes 256"]) -> None:
        super().__init__()
        self._models, self._seen = model.begun, seen

    def __missing__(self, kind: int) -> Any:
        self[kind] = table_of(self._models[kind], self._seen[kind])
        return self[kind]


def encode_lanes(
    encoder: Any, model: LaneModel, levels: Int64[np.ndarray, "n"], place: int = 0, state: int = 0
) -> None:
    """Range-code a stretch of a band's levels.

    Args:
        encoder: of `constriction`.
        model: of the band.
        levels: consecutive ones.
        place: of the first of them in its band.
        state: of the trellis there.

    Raises:
        ValueError: levels that the trellis does not allow.
    """
    stretch, lanes = Stretch.of(model, levels, place, state), Lanes(place, len(levels))
    # Row after row, in a row class after class, in a class lane after lane.
    keys = (np.arange(len(levels)) + lanes.offset) % lanes.length * model.classes + stretch.classes
    order = np.argsort(keys, kind="stable")
    keys, symbols = keys[order], stretch.symbols[order].astype(np.int32)
    seen = np.zeros((model.classes, 256), np.int64)
    for rows in _phases(lanes):
        first, end = np.searchsorted(keys, [rows.start * model.classes, rows.stop * model.classes]).tolist()
        tables = _Tables(model, seen)
        kinds, starts = np.unique(keys[first:end], return_index=True)
        ends = [*starts[1:].tolist(), end - first]
        for kind, begin, stop in zip((kinds % model.classes).tolist(), starts.tolist(), ends, strict=True):
            encoder.encode(symbols[first + begin : first + stop], tables[kind])
        seen = seen + _counted(keys[first:end] % model.classes, symbols[first:end], model.classes)
    if model.trellis is None:
        encode_rest(encoder, model.first, levels, stretch.symbols, stretch.fine)


def decode_lanes(decoder: Any, model: LaneModel, count: int, place: int = 0, state: int = 0) -> Int64[np.ndarray, "n"]:
    """The inverse of `encode_lanes`.

    Raises:
        ValueError: an escape where the trellis has none.
    """
    found, seen = _Found.nothing(model, place, count, state), np.zeros((model.classes, 256), np.int64)
    for rows in _phases(found.lanes):
        tables = _Tables(model, seen)
        kinds, symbols = zip(*(found.row(decoder, tables, row) for row in rows), strict=True)
        seen = seen + _counted(np.concatenate(kinds), np.concatenate(symbols), model.classes)
    if model.trellis is None:
        return decode_rest(decoder, model.first, found.coarse + REACH)
    if (found.coarse + REACH == ESCAPE).any():
        raise ValueError("a level of a trellis escapes")
    return found.multiples + model.centre


@dataclass(eq=False)
class _Found:
    """What a receiver has of a stretch, row by row.

    Args:
        model: of the band.
        lanes: of the stretch.
        state: of the trellis at its first value.
        coarse: parts, or indices of a trellis.
        multiples: of the step of a trellis; the coarse parts without one.
        states: of the trellis in each lane.
        past: magnitudes of the three levels before in each lane, the last one last.
    """

    model: LaneModel
    lanes: Lanes
    state: int
    coarse: Int64[np.ndarray, "n"]
    multiples: Int64[np.ndarray, "n"]
    states: UInt8[np.ndarray, "lanes"]
    past: Int64[np.ndarray, "3 lanes"]

    @classmethod
    def nothing(cls, model: LaneModel, place: int, count: int, state: int) -> "_Found":
        """Before the first row."""
        lanes, none = Lanes(place, count), np.zeros(count, np.int64)
        width = lanes.shape[1]
        return cls(model, lanes, state, none, none.copy(), np.zeros(width, np.uint8), np.zeros((3, width), np.int64))

    def row(self, decoder: Any, tables: "_Tables", number: int) -> tuple[np.ndarray, np.ndarray]:
        """Decode a row: classes and symbols of its values."""
        model, trellis, offset = self.model, self.model.trellis, self.lanes.offset
        here = self.lanes.lanes_of(number)
        own = slice(here.start * self.lanes.length + number - offset, None, self.lanes.length)
        second = np.zeros(here.stop - here.start, bool)
        if trellis is not None:
            if number == offset and number:
                self.states[0] = self.state
            second = trellis.quantisers[self.states[here]]
        classes = second.astype(np.int64)
        if model.contexts:
            classes = classes * CONTEXTS + model.context(*self.past[::-1, here])
        order, symbols = np.argsort(classes, kind="stable"), np.zeros(len(classes), np.int64)
        first = 0
        for kind, count in enumerate(np.bincount(classes).tolist()):
            if count:
                symbols[order[first : first + count]] = decoder.decode(tables[kind], count)
            first += count
        coarse = symbols - REACH
        multiples = coarse if trellis is None else 2 * coarse - second * np.sign(coarse)
        self.coarse[own][: len(coarse)], self.multiples[own][: len(coarse)] = coarse, multiples
        self.past[:2] = self.past[1:]
        self.past[2, here] = np.minimum(np.abs(multiples), _LARGE)
        if trellis is not None:
            self.states[here] = trellis.following[self.states[here], coarse & 1]
        return classes, symbols


def lane_bits(model: LaneModel, levels: LevelArray) -> float:
    """About how many bits `encode_lanes` makes of a band."""
    counts = np.zeros(model.classes * 256, np.int64)
    for part in pieces_of(levels):
        stretch = Stretch.of(model, part.astype(np.int64, copy=False), 0, 0)
        counts += np.bincount(stretch.classes * 256 + stretch.symbols, minlength=len(counts))
    return _expected(model, counts.reshape(model.classes, 256))


def _expected(model: LaneModel, counts: Int64[np.ndarray, "classes 256"]) -> float:
    """Bits of so many levels of which each class learns as it goes."""
    extra = float(counts.sum(0) @ model.first.extra())
    bits = 0.0
    for own, found in zip(model.begun, counts, strict=True):
        bits += expected_bits(_doubling(found), np.exp2(own.extra() - own.bits()))
    return bits + extra


def _doubling(counts: Int64[np.ndarray, "256"]) -> list[Int64[np.ndarray, "256"]]:
    """Counts as if they came evenly: those that are done after 64, 192, 448, ... of them, less those before."""
    total, done, step, before, found = int(counts.sum()), 0, FIRST, np.zeros(256, np.int64), []
    while done < total:
        done, step = min(total, done + step), 2 * step
        by_now = counts * done // total
        found.append(by_now - before)
        before = by_now
    return found


def _phases(lanes: Lanes) -> Iterator[range]:
    """Rows after each of which probabilities learn: those in which 64, 192, 448, ... levels are done."""
    first, done, step, following = lanes.first_row, 0, FIRST, FIRST
    for row in range(lanes.first_row, lanes.shape[0]):
        here = lanes.lanes_of(row)
        done += here.stop - here.start
        if done >= following or row == lanes.shape[0] - 1:
            yield range(first, row + 1)
            first = row + 1
        while done >= following:
            step *= 2
            following += step


def _counted(
    classes: Integer[np.ndarray, "n"], symbols: Integer[np.ndarray, "n"], most: int
) -> Int64[np.ndarray, "classes 256"]:
    """How often each class has each symbol."""
    return np.bincount(classes * 256 + symbols, minlength=most * 256).reshape(most, 256)
