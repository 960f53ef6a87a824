"""Fitting: a container that takes as much of the room as there is, and no more."""

from dataclasses import dataclass, replace

import numpy as np

from airdeliver.compression.codec import Codec, Container, Levels
from airdeliver.compression.quantisers import Quantiser, State
from airdeliver.compression.quantisers.answers import levels_of
from airdeliver.links.digital.physical_layer import PhysicalLayer
from airdeliver.links.memory import Memory, digest_of
from airdeliver.payload import Payload

_TRIES = 4
_ENOUGH = 0.997
"""Share of the room from which on a container is not fitted more closely."""


@dataclass(frozen=True)
class Fitted:
    """A container and the grade that it is sent at.

    Args:
        levels: that it holds; None of a large payload, of which they are not held beside the container.
        container: its bytes.
        grade: of the physical layer.
    """

    levels: Levels | None
    container: Container
    grade: int


SMALL = 1 << 16
"""Values up to which containers are remembered: senders ask for the same at many SNRs and fades."""

LARGE = 1 << 20
"""Values from which on levels are held until they are in a container."""

_FITTED = Memory[Fitted](64)


@dataclass(frozen=True)
class Fitting:
    """What a container is made with, and what it may take.

    Args:
        quantiser: of the values.
        codec: of the levels.
        physical: layer that carries the container.
        room: complex symbols for it.
        bits_per_value: most bits that a value may take on average; None for as many as fit.
        spends_all: whether what has one size is sent at the slowest grade that it fits.
    """

    quantiser: Quantiser
    codec: Codec
    physical: PhysicalLayer
    room: int
    bits_per_value: float | None = None
    spends_all: bool = True

    def fit(self, payload: Payload, state: State | None, grade: int) -> Fitted:
        """A container that fits at a grade, as closely as it pays.

        If not even the smallest fits, it is sent at a faster grade: the channel is too bad, nothing will arrive. If the
        quantiser has but one answer, it is sent at the slowest grade that it fits, unless uses shall be saved.

        Args:
            payload: to be sent.
            state: that its network was trained with; None for one that suits the values.
            grade: of the physical layer.

        Raises:
            ValueError: a segment whose values are smaller or larger than the steps of a container can tell apart, by
                name.
        """
        if state is not None or payload.layout.size > SMALL:
            return self._fitted(payload, state, grade)
        sensitivity = None if payload.sensitivity is None else digest_of(payload.sensitivity)
        asked = (self, grade, payload.layout, digest_of(payload.values), sensitivity)
        return _FITTED.answer(asked, lambda: self._fitted(payload, state, grade))

    def _fitted(self, payload: Payload, state: State | None, grade: int) -> Fitted:
        packet_bytes, large = self.physical.packet_bytes, payload.layout.size >= LARGE
        near: Levels | None = None
        taken: float | None = None  # by the levels that `near` stands for, where it is without them

        def size(levels: Levels) -> float:
            if levels is near and taken is not None:
                return taken
            return self._share(self.codec.estimate(levels, packet_bytes), levels, grade)

        goal, best = 1.0, None
        for tried in range(1, _TRIES + 1):
            levels = levels_of(self.quantiser, payload, state, size, goal, near)
            container = self.codec.pack(levels, packet_bytes)
            share = self._share(container.groups, levels, grade)
            if best is None or share <= 1:
                best = Fitted(None if large else levels, container, grade)
            del container
            if _ENOUGH <= share <= 1 or not self.quantiser.adapts or tried == _TRIES:
                break
            goal *= 0.9995 / share
            near = levels
            if large:
                taken, near = size(levels), replace(levels, numbers=np.asarray(levels.numbers[:0]).copy())
            del levels
        assert best is not None
        return self._at_its_grade(best)

    def _at_its_grade(self, fitted: Fitted) -> Fitted:
        grade, resolution = fitted.grade, self.physical.resolution
        while not self._fits(fitted, grade) and grade < self.physical.fastest:
            grade = min(self.physical.fastest, grade + resolution)
        if not self.quantiser.adapts and self.spends_all:
            while grade >= resolution and self._fits(fitted, grade - resolution):
                grade -= resolution
        return replace(fitted, grade=grade)

    def _fits(self, fitted: Fitted, grade: int) -> bool:
        return self.physical.symbols(fitted.container.groups, grade) <= self.room

    def _share(self, lengths: tuple[int, ...], levels: Levels, grade: int) -> float:
        """Which share of what it may take a container takes: of the symbols, or of the bits if those bind."""
        share = self.physical.symbols(lengths, grade) / max(self.room, 1)
        if self.bits_per_value is None:
            return share
        return max(share, 8 * sum(lengths) / (self.bits_per_value * max(1, levels.layout.size)))
