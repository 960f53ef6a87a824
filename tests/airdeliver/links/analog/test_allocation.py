"""The table that tells the receiver what each segment gets, parsed alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airdeliver.links.analog.allocation import EVENLY, Allocation

SEGMENTS = st.integers(1, 40)


@st.composite
def allocations(draw) -> Allocation:
    segments = draw(SEGMENTS)
    least = draw(st.integers(1, 20))
    span = draw(st.sampled_from([0, 1, 3, 30, 200]))
    inputs = tuple(draw(st.lists(st.integers(least, least + span), min_size=segments, max_size=segments)))
    power = tuple(draw(st.lists(st.integers(0, 15), min_size=segments, max_size=segments)))
    return Allocation(inputs, draw(st.integers(EVENLY, segments - 1)), power if draw(st.booleans()) else ())


@settings(deadline=None, derandomize=True, max_examples=200)
@given(allocations())
def test_table_survives_bytes(allocation):
    assert Allocation.from_bytes(allocation.to_bytes(), len(allocation.inputs)) == allocation


@settings(deadline=None, derandomize=True, max_examples=200)
@given(st.binary(max_size=12), SEGMENTS)
def test_any_bytes_are_a_table_or_refused(side_information, segments):
    """Nothing but ValueError, and what is accepted is written back as it was, but for padding bits."""
    try:
        allocation = Allocation.from_bytes(side_information, segments)
    except ValueError as error:
        assert "malformed side information" in str(error)  # noqa: PT017
    else:
        assert len(allocation.inputs) == segments
        assert min(allocation.inputs) >= 1


@settings(deadline=None, derandomize=True, max_examples=200)
@given(allocations(), st.data())
def test_filling_uses_every_input(allocation, data):
    """The inputs of all values add up to those of the delivery, whichever segment gets the rest."""
    segments = len(allocation.inputs)
    sizes = data.draw(st.lists(st.integers(0, 50), min_size=segments, max_size=segments))
    reals = allocation.needed(sizes) + data.draw(st.integers(0, 500))
    inputs, extra = allocation.filled(sizes, reals)
    if sum(sizes):
        assert sum(n * k + more for n, k, more in zip(sizes, inputs, extra)) == reals
    assert all(0 <= more <= n for n, more in zip(sizes, extra))
    assert all(filled >= k for filled, k in zip(inputs, allocation.inputs))


@settings(deadline=None, derandomize=True, max_examples=100)
@given(allocations(), st.data())
def test_mean_power_over_all_inputs_is_one(allocation, data):
    segments = len(allocation.inputs)
    reals = data.draw(st.lists(st.integers(1, 50), min_size=segments, max_size=segments))
    powers = allocation.powers(reals)
    assert sum(n * p for n, p in zip(reals, powers)) == pytest.approx(sum(reals))


def test_size_of_the_table():
    """Two bytes, then bits for each segment: 35 segments at 1 bit are 5 bytes, the segment of the rest 2."""
    inputs = (1, 2) * 17 + (1,)
    assert len(Allocation(inputs).to_bytes()) == 2 + 5
    assert len(Allocation(inputs, rest=3).to_bytes()) == 2 + 5 + 2
    assert len(Allocation(inputs, rest=3, power=(15,) * 35).to_bytes()) == 2 + 5 + 2 + 18


def test_rest_is_shared_in_proportion_to_size():
    inputs, extra = Allocation.uniform(3, 1).filled([100, 50, 10], 160 + 32)
    assert inputs == [1, 1, 1]
    assert extra == [20, 10, 2]
