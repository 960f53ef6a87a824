"""Code blocks that error rates are measured with are as long as they are asked for, CRC included."""

from dataclasses import replace

import pytest

from airdeliver.links.digital.mcs import SCHEMES
from airdeliver.links.digital.transport import TransportBlock
from airdeliver.links.digital.trial import LENGTHS, like, single_block


@pytest.mark.parametrize(
    "length", [7 * LENGTHS, 9 * LENGTHS + 5, 11 * LENGTHS, 12 * LENGTHS - 1, 12 * LENGTHS, 13 * LENGTHS]
)
@pytest.mark.parametrize("grade", [4, 20, 33])
def test_a_block_has_the_length_that_it_stands_for(grade: int, length: int):
    block = single_block(SCHEMES[grade], length)
    cut = block.segmentation
    assert cut.blocks == 1
    # Short codes of low rate have no blocks above 3,840 bits.
    longest = 3840 if cut.graph.number == 2 else 8448
    assert abs(cut.block_bits - min(round(2 ** (length / LENGTHS)), longest)) <= 8


def test_a_short_block_is_tried_out_itself_and_a_long_one_by_one_of_about_its_length():
    short, long, several = (TransportBlock(bits, bits, 2) for bits in (144, 3_000, 12_000))
    assert like(replace(short, version=2), SCHEMES[4]) == short
    for block in (long, several):
        tried, length = like(block, SCHEMES[20]), block.segmentation.block_bits
        assert tried.segmentation.blocks == 1
        assert abs(tried.segmentation.block_bits / length - 1) < 0.05
        # Whatever is nearly as long is measured once or twice.
        assert len({like(TransportBlock(block.bits + 8 * k, block.symbols, 2), SCHEMES[20]) for k in range(8)}) <= 2
