"""Code blocks that error rates are measured with are as long as they are asked for, CRC included."""

import pytest

from airdeliver.links.digital.trial import LENGTHS, single_block


@pytest.mark.parametrize(
    "length", [7 * LENGTHS, 9 * LENGTHS + 5, 11 * LENGTHS, 12 * LENGTHS - 1, 12 * LENGTHS, 13 * LENGTHS]
)
@pytest.mark.parametrize("grade", [4, 20, 33])
def test_a_block_has_the_length_that_it_stands_for(grade: int, length: int):
    block = single_block(grade, length)
    cut = block.segmentation
    assert cut.blocks == 1
    # Short codes of low rate have no blocks above 3,840 bits.
    longest = 3840 if cut.graph.number == 2 else 8448
    assert abs(cut.block_bits - min(round(2 ** (length / LENGTHS)), longest)) <= 8
