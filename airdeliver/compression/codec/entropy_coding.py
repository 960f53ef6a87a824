"""Entropy coding of integer levels: parametric models as integer tables, and a range coder that uses them.

Every table is integer arithmetic or correctly rounded decimal arithmetic, so that sender and receiver compute the same
one on any platform.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from functools import lru_cache
from typing import Any

import constriction
import numpy as np
from jaxtyping import Float64, Int64, Integer

from airdeliver.compression.codec.adaptive import adapted, expected_bits, parts
from airdeliver.compression.computed import LevelArray

_stream: Any = constriction.stream  # type: ignore[attr-defined]

LARGEST_LEVEL = 2**30
"""The largest magnitude of a level."""

REACH = 127
"""Magnitudes up to which a level's coarse part has a probability of its own; larger ones escape."""

PIECE = 1 << 16
"""Levels that are looked at at a time."""

SHAPES = (0.5, 1.0, 1.5, 2.0)
SCALES = 96
ZEROS = 128
ESCAPE = 2 * REACH + 1
_TOTAL = 1 << 24
_ESCAPE_WEIGHT = 1 << 10
_NEAR = 1 << 14
"""Centres below this have all levels that do not escape within 16 bits."""


@dataclass(frozen=True)
class LevelModel:
    r"""The probability of a level: a spike at the centre and a generalised Gaussian around it.

    With $d$ = level - centre and the coarse part $k = \lfloor (d + 2^{b-1}) / 2^b \rfloor$ ($k = d$ for $b = 0$),
    $P(k = 0) = \pi$ and $P(k) \propto (1 - \pi) \exp(-(|k| / s)^\beta)$ otherwise; the $b$ fine bits are uniform.

    Paired levels lie about centre - 1/2, as those of a mid-rise quantiser do: $k = \lfloor d / 2^b \rfloor$, and $k$
    and $-k - 1$ have half each of the spike ($k = 0$), or what $k$ has above.

    Args:
        centre: the level about which the others lie.
        shift: number b of fine bits, 0 to 30.
        shape: index of $\beta$ in `SHAPES`: 0.5 heavy tails, 1 Laplace, 2 Gauss.
        scale: $s = 2^{scale / 8 - 4}$, 0 to 95.
        zero: odds $\pi / (1 - \pi) = 2^{zero / 8 - 6}$, 0 to 127.
        paired: whether the levels lie in pairs.

    Raises:
        ValueError: a parameter out of range.
    """

    centre: int = 0
    shift: int = 0
    shape: int = 1
    scale: int = 32
    zero: int = 48
    paired: bool = False

    def __post_init__(self) -> None:
        ranges = (("shift", 31), ("shape", len(SHAPES)), ("scale", SCALES), ("zero", ZEROS))
        for name, end in ranges:
            if not 0 <= getattr(self, name) < end:
                raise ValueError(f"{name} of a level model must be 0 to {end - 1}, got {getattr(self, name)}")
        if abs(self.centre) > LARGEST_LEVEL:
            raise ValueError(f"centre of a level model must be at most 2^30 in magnitude, got {self.centre}")

    def weights(self) -> Int64[np.ndarray, "256"]:
        """Probabilities in units of 2^-24 of the coarse parts -127 to 127, and of the escape."""
        return _weights(self.shape, self.scale, self.zero, self.paired)

    def bits(self) -> Float64[np.ndarray, "256"]:
        """Cost in bits of each coarse part -127 to 127, and of the escape, fine bits included.

        In floating point, which is fast and close enough to choose by; `weights` is what is coded with.
        """
        return _bits(self.shape, self.scale, self.zero, self.paired) + _extra(self.shift)

    def extra(self) -> Float64[np.ndarray, "256"]:
        """Bits that follow each symbol: the fine part, or the whole level behind an escape."""
        return _extra(self.shift)

    def cost(self, levels: Int64[np.ndarray, "*shape"]) -> Float64[np.ndarray, "*shape"]:
        """Cost in bits of each level."""
        return self.bits()[symbols_of(self.coarse(levels))]

    def total(self, levels: LevelArray) -> float:
        """Cost in bits of all levels together, counted piece by piece."""
        return float(sum(self.cost(part.astype(np.int64, copy=False)).sum() for part in pieces_of(levels)))

    def coarse(self, levels: Int64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
        """The coarse part of each level."""
        return (levels - (self.centre - self._half)) >> self.shift

    def parts(
        self, levels: Int64[np.ndarray, "*shape"]
    ) -> tuple[Int64[np.ndarray, "*shape"], Int64[np.ndarray, "*shape"]]:
        """Coarse and fine parts of levels."""
        coarse = self.coarse(levels)
        return coarse, levels - (self.centre - self._half) - (coarse << self.shift)

    @property
    def _half(self) -> int:
        """What makes the coarse part the nearest multiple, where levels lie about the centre itself."""
        return 0 if self.paired else 1 << self.shift >> 1


def fit(
    levels: LevelArray,
    centre: int | None = None,
    paired: bool = False,
    times: Int64[np.ndarray, "n"] | None = None,
    fine: bool = True,
) -> LevelModel:
    """The cheapest model for these levels.

    Args:
        levels: integers of magnitude at most 2^30.
        centre: of the model; by default the median.
        paired: whether the levels lie in pairs about centre - 1/2.
        times: how often each level occurs, where they are counted beforehand; None for once. It needs a centre.
        fine: whether large levels have fine bits.

    >>> fit(np.array([0, 0, 3, 0, -1])).centre
    0
    >>> fit(np.array([0, 0, 3, 0, -1]), 0) == fit(np.array([0, 3, -1]), 0, times=np.array([3, 1, 1]))
    True
    """
    if not len(levels):
        return LevelModel(paired=paired)
    centre = int(np.median(levels)) if centre is None else centre
    total = len(levels) if times is None else int(times.sum())
    pieces = pieces_of(levels)
    parts = [*zip(pieces, [None] * len(pieces) if times is None else pieces_of(times), strict=True)]
    typical = 0
    for part, often in parts:
        spread = np.abs(part.astype(np.int64) - centre)
        typical += int((spread if often is None else spread * often).sum())
    typical = float(typical) / total
    shift = min(30, max(0, math.floor(math.log2(typical)) - 3)) if typical > 0 and fine else 0
    half = 0 if paired else 1 << shift >> 1
    counts = np.zeros(REACH + 1)
    for part, often in parts:
        coarse = (part.astype(np.int64, copy=False) - (centre - half)) >> shift
        magnitude = np.maximum(coarse, -coarse - 1) if paired else np.abs(coarse)
        counts += np.bincount(np.minimum(magnitude, REACH + 1), minlength=REACH + 2, weights=often)[: REACH + 1]
    zeros, others = counts[0], total - counts[0]
    odds = 8 * (math.log2(zeros / others) + 6) if zeros and others else (ZEROS - 1.0 if zeros else 0.0)
    costs = _tail_bits() @ counts[1:]
    shape, scale = divmod(int(costs.argmin()), SCALES)
    return LevelModel(centre, shift, shape, scale, int(min(ZEROS - 1, max(0, round(odds)))), paired)


def pieces_of(levels: LevelArray) -> list[LevelArray]:
    """Levels in pieces that a cache holds: what is computed of them takes many times their memory."""
    return [levels[first : first + PIECE] for first in range(0, len(levels), PIECE)]


def encode(runs: list[tuple[LevelModel, Int64[np.ndarray, "_"]]], adapts: bool = True) -> bytes:
    """Range-code runs of levels, each with its model, into bytes; trailing zero bytes are left out.

    Args:
        runs: models and levels.
        adapts: whether the models learn from the levels of their run; not in containers of versions 1 and 2.

    >>> levels = np.array([0, 0, 1, -1, 0, 100_000])
    >>> model = fit(levels)
    >>> bool((decode(encode([(model, levels)]), [(model, 6)])[0] == levels).all())
    True
    """
    encoder = _stream.queue.RangeEncoder()
    for model, levels in runs:
        encode_run(encoder, model, levels, adapts)
    return encoder.get_compressed().astype(">u4").tobytes().rstrip(b"\0")


def encode_run(encoder: Any, model: LevelModel, levels: LevelArray, adapts: bool = True) -> None:
    """One of the runs of `encode`."""
    seen = np.zeros(256, np.int64)
    for part in _learning(len(levels), adapts):
        table, counts = table_of(model, seen), np.zeros(256, np.int64)
        for piece in pieces_of(levels[part]):
            symbols = symbols_of(model.coarse(piece.astype(np.int64, copy=False)))
            encoder.encode(symbols.astype(np.int32), table)
            counts += np.bincount(symbols, minlength=256)
        seen += counts
    if model.shift or seen[ESCAPE]:
        every = levels.astype(np.int64, copy=False)
        coarse, fine = model.parts(every)
        encode_rest(encoder, model, every, symbols_of(coarse), fine)


def encode_rest(
    encoder: Any,
    model: LevelModel,
    levels: Int64[np.ndarray, "n"],
    symbols: Int64[np.ndarray, "n"],
    fine: Int64[np.ndarray, "n"],
) -> None:
    """What follows the symbols of a run: levels that escaped, and the fine parts of the others."""
    escaped = symbols == ESCAPE
    if escaped.any():
        far = (levels[escaped] & 0xFFFFFFFF).astype(np.int64)
        for half in (far >> 16, far & 0xFFFF):
            encoder.encode(half.astype(np.int32), _uniform(16))
        fine = fine[~escaped]
    for low, width in _pieces(model.shift):
        encoder.encode((fine >> low & ((1 << width) - 1)).astype(np.int32), _uniform(width))


def decode(data: bytes, runs: list[tuple[LevelModel, int]], adapts: bool = True) -> list[Integer[np.ndarray, "_"]]:
    """The inverse of `encode`, given the models and the number of levels of each run.

    Bytes that were not made by `encode` mostly give levels that mean nothing, which a checksum has to tell.

    Raises:
        ValueError: bytes that no levels have under these models.
    """
    try:
        return _decode(data, runs, adapts)
    except AssertionError as error:  # constriction's way to say so
        raise ValueError("the bytes were not coded with these models") from error


def coded_bits(model: LevelModel, levels: LevelArray) -> float:
    """About how many bits `encode` makes of a run whose model adapts."""
    plain, counts = _extra(model.shift), []
    for part in parts(len(levels)):
        coarse = (model.coarse(piece.astype(np.int64, copy=False)) for piece in pieces_of(levels[part]))
        counts.append(sum((np.bincount(symbols_of(k), minlength=256) for k in coarse), np.zeros(256, np.int64)))
    return expected_bits(counts, np.exp2(plain - model.bits())) + sum(float(part @ plain) for part in counts)


def _decode(data: bytes, runs: list[tuple[LevelModel, int]], adapts: bool) -> list[Integer[np.ndarray, "_"]]:
    words = np.frombuffer(data + bytes(-len(data) % 4), dtype=">u4").astype(np.uint32)
    decoder = _stream.queue.RangeDecoder(words)
    return [decode_run(decoder, model, count, adapts) for model, count in runs]


def decode_run(decoder: Any, model: LevelModel, count: int, adapts: bool = True) -> Integer[np.ndarray, "n"]:
    """One of the runs of `decode`, in two bytes a level where its symbol says all, in eight where more follows."""
    if not count:
        return np.zeros(0, np.int64)
    seen, symbols = np.zeros(256, np.int64), np.empty(count, np.uint8)
    for part in _learning(count, adapts):
        table, counts = table_of(model, seen), np.zeros(256, np.int64)
        for first in range(part.start, part.stop, PIECE):
            piece = symbols[first : min(first + PIECE, part.stop)]
            piece[:] = decoder.decode(table, len(piece))
            counts += np.bincount(piece, minlength=256)
        seen += counts
    if not model.shift and not seen[ESCAPE] and abs(model.centre) < _NEAR:
        return symbols.astype(np.int16) + np.int16(model.centre - REACH)
    return decode_rest(decoder, model, symbols.astype(np.int64))


def _learning(count: int, adapts: bool) -> Iterable[slice]:
    """The parts of a run after each of which its model learns."""
    return parts(count) if adapts else [slice(0, count)][: min(count, 1)]


def decode_rest(decoder: Any, model: LevelModel, symbols: Int64[np.ndarray, "n"]) -> Int64[np.ndarray, "n"]:
    """The levels of a run whose symbols are known: the inverse of `encode_rest`."""
    escaped = symbols == ESCAPE
    outside = int(escaped.sum())
    high, low = (decoder.decode(_uniform(16), outside).astype(np.int64) if outside else 0 for _ in range(2))
    fine = np.zeros(len(symbols) - outside, np.int64)
    for position, width in _pieces(model.shift):
        if len(fine):
            fine |= decoder.decode(_uniform(width), len(fine)).astype(np.int64) << position
    levels = symbols - REACH
    levels[~escaped] = (levels[~escaped] << model.shift) + fine - model._half + model.centre
    if outside:
        levels[escaped] = ((high << 16 | low) ^ 0x80000000) - 0x80000000
    return levels


def symbols_of(coarse: Int64[np.ndarray, "*shape"]) -> Int64[np.ndarray, "*shape"]:
    """The symbol of each coarse part."""
    return np.where(np.abs(coarse) <= REACH, coarse + REACH, ESCAPE)


def _pieces(bits: int) -> list[tuple[int, int]]:
    """Fine bits in pieces that a uniform model of the range coder can hold."""
    return [(low, min(16, bits - low)) for low in range(0, bits, 16)]


def table_of(model: LevelModel, seen: Int64[np.ndarray, "256"]) -> Any:
    """The coder's table of a model, when some symbols have been seen."""
    if not seen.any():
        return _categorical(model.shape, model.scale, model.zero, model.paired)
    return _stream.model.Categorical(adapted(model.weights(), seen) / _TOTAL, perfect=False)


@lru_cache(maxsize=32)
def _uniform(bits: int) -> Any:
    return _stream.model.Uniform(1 << bits)


@lru_cache(maxsize=4096)
def _categorical(shape: int, scale: int, zero: int, paired: bool) -> Any:
    # Exact in binary64, and the conversion to the coder's 24 bits is addition and multiplication alone.
    return _stream.model.Categorical(_weights(shape, scale, zero, paired) / _TOTAL, perfect=False)


@lru_cache(maxsize=4096)
def _weights(shape: int, scale: int, zero: int, paired: bool) -> Int64[np.ndarray, "256"]:
    free = _TOTAL - _ESCAPE_WEIGHT - 2 * REACH
    with localcontext(Context(prec=30)):
        root = Decimal(2).sqrt().sqrt().sqrt()
        odds, spread = root**zero / 64, root**scale / 16
        spike = int(odds * free / (odds + 1))
        tail = [(-_raised(k / spread, SHAPES[shape])).exp() for k in range(1, REACH + 1)]
        total = 2 * sum(tail)
        side = [1 + (int((free - spike) * p / total) if total else 0) for p in tail]
    lower = [*reversed(side[:-1]), 0] if paired else [*reversed(side)]
    weights = np.array([*lower, 0, *side, _ESCAPE_WEIGHT], dtype=np.int64)
    rest = _TOTAL - int(weights.sum())
    weights[REACH] = rest
    if paired:
        weights[REACH - 1 : REACH + 1] = rest // 2, rest - rest // 2
    return weights


def _raised(value: Decimal, exponent: float) -> Decimal:
    """A power by multiplication and square roots, which are correctly rounded everywhere."""
    root = value.sqrt() if exponent % 1 else Decimal(1)
    return root * value ** int(exponent)


@lru_cache(maxsize=1 << 15)
def _bits(shape: int, scale: int, zero: int, paired: bool) -> Float64[np.ndarray, "256"]:
    odds = 2.0 ** (zero / 8 - 6)
    tail = np.minimum(_tail_bits()[shape * SCALES + scale] + 1 + math.log2(1 + odds), 24.0)
    escape = math.log2(_TOTAL / _ESCAPE_WEIGHT)
    spike = math.log2(1 + 1 / odds)
    if paired:
        return np.array([*tail[-2::-1], spike + 1, spike + 1, *tail, escape])
    return np.array([*tail[::-1], spike, *tail, escape])


@lru_cache(maxsize=32)
def _extra(shift: int) -> Float64[np.ndarray, "256"]:
    """Bits that follow each symbol: the fine part, or the whole level behind an escape."""
    return np.array([float(shift)] * ESCAPE + [32.0])


@lru_cache(maxsize=1)
def _tail_bits() -> Float64[np.ndarray, "models 127"]:
    """Cost in bits of each magnitude 1 to 127 given that it is not 0, for every shape and scale."""
    magnitude = np.arange(1, REACH + 1)
    spread = 2.0 ** (np.arange(SCALES) / 8 - 4)
    exponent = np.concatenate([(magnitude / spread[:, None]) ** shape for shape in SHAPES])
    shift = exponent[:, :1]
    normaliser = np.log(np.exp(shift - exponent).sum(1, keepdims=True)) - shift
    # A probability that rounds to 0 still gets one unit of the table.
    return np.minimum((exponent + normaliser) / math.log(2), 24.0)
