"""MCS tables and transport block sizes against Sionna's."""

import pytest
import torch

from airdeliver.links.digital.mcs import MCS_TABLES, transport_block_size
from tests.later import Later

nr = Later("sionna.phy.nr.utils")


@pytest.mark.parametrize("table", MCS_TABLES)
def test_tables_are_the_standards(table):
    for mcs in MCS_TABLES[table]:
        bits_per_symbol, rate = nr.decode_mcs_index(mcs.index, table)
        assert int(bits_per_symbol) == mcs.bits_per_symbol
        assert float(rate) == mcs.rate
    assert [len(MCS_TABLES[t]) for t in (1, 2, 3)] == [29, 28, 29]


@pytest.mark.parametrize("table", MCS_TABLES)
def test_transport_block_sizes_are_the_standards(table):
    symbols = [*range(20, 400, 7), *range(400, 100_000, 3779)]
    for mcs in MCS_TABLES[table]:
        coded = torch.tensor(symbols) * mcs.bits_per_symbol
        order = torch.full_like(coded, mcs.bits_per_symbol)
        sizes = nr.calculate_tb_size(
            order, torch.full(coded.shape, mcs.rate), num_coded_bits=coded, return_cw_length=False
        )[0]
        assert [transport_block_size(n, mcs) for n in symbols] == sizes.tolist()


def test_no_symbols_are_refused():
    with pytest.raises(ValueError, match="at least one symbol"):
        transport_block_size(0, MCS_TABLES[1][0])
