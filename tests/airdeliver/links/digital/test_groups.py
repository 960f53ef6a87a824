"""Groups of a container as transport blocks: those of one grade are one, and what they promise is what they lose."""

import pytest
import torch

from airdeliver.compression.codec import Container
from airdeliver.links.digital.abstraction import Abstraction
from airdeliver.links.digital.coded import Coded
from airdeliver.links.digital.full import Full
from airdeliver.links.digital.outlook import Outlook
from channels import AWGN

SLOW = 7
"""0.31 bits a symbol: between arriving and not at -5 dB."""


def test_neighbours_of_one_grade_are_one_block_and_empty_groups_are_none():
    chain = Full()
    assert chain.transports((154, 160), SLOW) == [(314, SLOW)]
    assert chain.transports((154, 0, 160), SLOW) == [(314, SLOW)]
    slower = chain.grades_of((10, 3000), SLOW)[0]
    assert slower < SLOW
    assert chain.transports((10, 3000), SLOW) == [(10, slower), (3000, SLOW)]
    assert [block.bits for block in chain.blocks((154, 160), SLOW)] == [8 * 314]
    steps = Full(ladder=0.7).transports((100, 100, 100), SLOW)
    assert [length for length, _ in steps] == [100] * 3
    assert len({grade for _, grade in steps}) == 3


def test_every_group_knows_its_transport_block():
    assert Full().transport_of((154, 0, 160), SLOW) == [0, 0, 0]
    assert Full().transport_of((10, 0, 3000), SLOW) == [0, 0, 1]
    assert Full().transport_of((0, 10, 3000), SLOW) == [0, 0, 0]
    assert Full(ladder=0.7).transport_of((100, 100, 0, 100), SLOW) == [0, 1, 1, 2]


@pytest.mark.parametrize("chain", [Full(), Abstraction()], ids=["full", "abstraction"])
@pytest.mark.parametrize("groups", [(60, 20, 40), (10, 200), (0, 50)])
def test_bytes_arrive_in_their_order(chain, groups):
    data = bytes(torch.randint(0, 256, (sum(groups),), generator=torch.Generator().manual_seed(0)).tolist())
    container = Container(data, groups)
    assert b"".join(chain.parts(container, SLOW)) == data
    state = AWGN().realize(2, chain.symbols(groups, SLOW), 10.0, torch.Generator().manual_seed(1))
    carried = chain.carry(container, SLOW, AWGN(), state, torch.Generator().manual_seed(2))
    assert carried.rows == [data, data]


def test_as_much_is_lost_as_is_expected_before_it_is_known_how_long_groups_are():
    """Two groups at the waterfall: the share lost of 2,000 deliveries within 4 standard errors of the promise."""
    chain: Coded = Abstraction()
    groups, count = (154, 160), 2000
    symbols = chain.symbols(groups, SLOW)
    state = AWGN().realize(count, symbols, -5.0, torch.Generator().manual_seed(0))
    carried = chain.carry(Container(bytes(314), groups), SLOW, AWGN(), state, torch.Generator().manual_seed(1))
    lost = sum(row != bytes(314) for row in carried.rows) / count
    outlook = Outlook.of(state[torch.arange(1)], chain.alphabets)
    expected = float(chain.failure(torch.tensor([SLOW]), outlook, symbols)[0, 0])
    assert 0.02 < expected < 0.2
    # The expectation is the normal approximation, the loss that of the decoder, a tenth of a dB apart.
    assert lost == pytest.approx(expected, abs=0.05 + 4 * (expected * (1 - expected) / count) ** 0.5)
