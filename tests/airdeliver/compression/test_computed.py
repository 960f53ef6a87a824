"""Levels that are worked out where they are asked for are those of an array."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airdeliver.compression import computed
from airdeliver.compression.computed import PIECE, Computed

SIZE = 2 * PIECE + 300


def squares(first: int, end: int) -> np.ndarray:
    return np.arange(first, end) ** 2 % 251 - 125


EVERY = squares(0, SIZE)


@given(st.lists(st.tuples(st.integers(-SIZE - 5, SIZE + 5), st.integers(-SIZE - 5, SIZE + 5)), max_size=3))
def test_slices_are_those_of_an_array(cuts):
    held, made = EVERY, Computed(squares, SIZE, np.int8)
    for first, end in cuts:
        held, made = held[first:end], made[first:end]
    assert made.shape == held.shape
    assert np.array_equal(made.astype(np.int64), held)
    assert made.astype(np.int16).dtype == np.int16
    assert np.asarray(made).dtype == made.dtype == np.int8
    assert np.array_equal(np.asarray(made), held)


def test_few_pieces_are_held_and_none_is_made_twice_in_a_row():
    asked = []

    def rule(first: int, end: int) -> np.ndarray:
        asked.append(first // PIECE)
        return np.zeros(end - first, np.int8)

    made = Computed(rule, 20 * PIECE, np.int8)
    for first in range(0, 20 * PIECE, PIECE // 2):
        made[first : first + PIECE].astype(np.int64)
    assert asked == list(range(20))
    assert len(made._pieces._held) == computed._HELD
    made[:3].astype(np.int64)
    assert asked == [*range(20), 0]


def test_levels_are_asked_for_one_after_the_other():
    with pytest.raises(ValueError, match="not every 2 of them"):
        Computed(squares, SIZE, np.int8)[::2]
