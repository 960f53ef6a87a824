"""Sums of which few are held are, to the bit, those of all values."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from airdeliver.compression.codec import sums
from airdeliver.compression.codec.sums import Sums


@pytest.fixture(autouse=True, scope="module")
def few():
    """Values between two sums that are held."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sums, "PIECE", 8)
        yield


@given(st.data())
def test_sums_and_places_are_those_of_all_values(data):
    count = data.draw(st.integers(1, 60))
    costs = np.array(data.draw(st.lists(st.sampled_from([0.0, 0.1, 1 / 3, 5.7]), min_size=count, max_size=count)))
    first = data.draw(st.integers(0, count))
    every = np.concatenate([[0.0], costs[first:]]).cumsum()
    asked = Sums(first, count, lambda begin, end: costs[begin:end])
    for _ in range(data.draw(st.integers(1, 6))):
        place, end = data.draw(st.integers(first, count)), data.draw(st.integers(first, count))
        assert asked.before(place) == every[place - first]
        total = data.draw(st.sampled_from([*every.tolist(), 0.05, 3.0, 1e9]))
        assert asked.reached(total, end) == first + int(np.searchsorted(every[: end - first + 1], total))


def test_two_pieces_are_held():
    asked = Sums(0, 800, lambda begin, end: np.ones(end - begin))
    assert asked.reached(700.0, 800) == 700
    assert len(asked._held) == 2
