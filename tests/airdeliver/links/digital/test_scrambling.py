"""The Gold sequence against Sionna's."""

import numpy as np
import pytest

from airdeliver.links.digital.scrambling import gold_sequence
from tests.later import Later

nr = Later("sionna.phy.nr.utils")


@pytest.mark.parametrize(("length", "initialisation"), [(1, 0), (31, 1), (5000, 12_345), (40_000, 2**31 - 1)])
def test_sequence_is_sionnas(length, initialisation):
    assert np.array_equal(gold_sequence(length, initialisation).numpy(), nr.generate_prng_seq(length, initialisation))


def test_initialisation_out_of_range_is_refused():
    with pytest.raises(ValueError, match="initialisation must be 0 to"):
        gold_sequence(10, 2**31)
