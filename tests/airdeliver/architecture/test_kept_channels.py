"""The description of a pruned network: exact, short, and refused if it is not one."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from airdeliver.architecture.kept_channels import KeptChannels, decode_counts, encode_counts

widths = st.lists(st.integers(2, 700).flatmap(lambda n: st.tuples(st.integers(1, n), st.just(n))), max_size=20)


@settings(deadline=None, derandomize=True)
@given(widths)
def test_counts_come_back_from_the_fewest_bytes(pairs):
    counts, units = tuple(c for c, _ in pairs), tuple(n for _, n in pairs)
    description = encode_counts(counts, units)
    assert decode_counts(description, units) == counts
    assert 256 ** len(description) >= math.prod(units) > 256 ** (len(description) - 1) or not pairs


def test_bytes_of_no_network_are_refused():
    with pytest.raises(ValueError, match="another architecture"):
        decode_counts(b"\xff\xff", (16, 32, 32))
    with pytest.raises(ValueError, match="another architecture"):
        decode_counts(b"\x01", (16, 32, 32))


def test_every_group_keeps_a_channel():
    with pytest.raises(ValueError, match="at least one"):
        KeptChannels(((0, 2), ()))
    with pytest.raises(ValueError, match="1 to 4"):
        encode_counts((0,), (4,))


def test_what_is_kept_within_what_was_kept():
    assert KeptChannels(((0, 2), (1,))).within(KeptChannels(((1, 3, 5), (0, 4)))) == KeptChannels(((1, 5), (4,)))
