"""Transport blocks: against Sionna's chain where it can, round trips where it cannot."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from airdeliver.links.digital import MCS_TABLES, TransportBlock
from airdeliver.links.digital.base_graph import BaseGraph
from airdeliver.links.digital.rate_matching import RateMatching, sent_bits
from airdeliver.links.digital.segmentation import Segmentation
from channels import AWGN, Rayleigh
from channels.base import Channel
from tests.later import Later

mapping = Later("sionna.phy.mapping")
nr = Later("sionna.phy.nr")

ONE = torch.ones(1, 1, dtype=torch.complex64)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_bits(realizations: int, bits: int, seed: int = 0) -> torch.Tensor:
    return torch.randint(0, 2, (realizations, bits), dtype=torch.uint8, generator=seeded(seed))


def deliver(block: TransportBlock, payload, channel: Channel, snr_db: float, realizations: int, seed: int = 0):
    generator = seeded(seed)
    state = channel.realize(realizations, block.symbols, snr_db, generator)
    received = channel.transmit(block.encode(payload), state, generator)
    return block.decode(received.samples, received.gain, received.noise_variance)


@pytest.mark.parametrize(
    ("table", "index", "symbols"), [(1, 5, 777), (1, 10, 5000), (1, 15, 40_000), (2, 20, 10_000), (1, 27, 9_001)]
)
def test_symbols_are_those_of_sionnas_chain(table, index, symbols):
    """CRCs, segmentation, code, rate matching, interleaver, scrambling and mapping, bit for bit."""
    mcs = MCS_TABLES[table][index]
    block = TransportBlock.of(mcs, symbols)
    encoder = nr.TBEncoder(
        target_tb_size=block.bits,
        num_coded_bits=symbols * mcs.bits_per_symbol,
        target_coderate=mcs.rate,
        num_bits_per_symbol=mcs.bits_per_symbol,
        n_rnti=1,
        n_id=1,
    )
    payload = random_bits(2, block.bits)
    expected = mapping.Mapper("qam", mcs.bits_per_symbol)(encoder(payload.float()))
    torch.testing.assert_close(block.encode(payload), expected)


@settings(deadline=None, derandomize=True, max_examples=40)
@given(
    bits=st.one_of(st.integers(1, 400), st.integers(3_700, 4_000), st.integers(8_300, 30_000)),
    bits_per_symbol=st.sampled_from([2, 4, 6, 8]),
    rate=st.floats(0.02, 0.8),
    realizations=st.integers(1, 3),
)
def test_any_payload_fits_any_bandwidth(bits, bits_per_symbol, rate, realizations):
    symbols = 200 + int(bits / rate / bits_per_symbol)
    block = TransportBlock(bits, symbols, bits_per_symbol)
    payload = random_bits(realizations, bits, bits)
    sent = block.encode(payload)
    assert sent.shape == (realizations, symbols)
    arrived = block.decode(sent, ONE, torch.full((1, 1), 1e-3))
    assert torch.equal(arrived.bits, payload)
    assert arrived.block_ok.shape == (realizations, len(block.ranges))
    assert arrived.block_ok.all()
    assert block.ranges[0][0] == 0
    assert block.ranges[-1][1] == bits
    assert all(stop == start for (_, stop), (start, _) in zip(block.ranges[:-1], block.ranges[1:]))


def test_lost_blocks_cost_their_bits_and_no_others():
    """Erasing one block's symbols: it fails, the rest arrives."""
    block = TransportBlock(30_000, 40_000, 2)
    payload = random_bits(1, 30_000)
    gain = torch.ones(1, 40_000, dtype=torch.complex64)
    per_block = 40_000 // len(block.ranges)
    gain[:, per_block : 2 * per_block] = 0
    arrived = block.decode(gain * block.encode(payload), gain, torch.full((1, 1), 0.1))
    assert arrived.block_ok.tolist() == [[True, False, *[True] * (len(block.ranges) - 2)]]
    wrong = (arrived.bits != payload)[0].nonzero().flatten()
    start, stop = block.ranges[1]
    assert len(wrong) > 0
    assert start <= int(wrong.min())
    assert int(wrong.max()) < stop


@pytest.mark.parametrize("symbols", [6_000, 60_000])
def test_mcs_0_arrives_at_minus_5_db(symbols):
    """Code rate 120 / 1024, below what the codes have: bits are sent again. The threshold is about -6 dB."""
    block = TransportBlock.of(MCS_TABLES[1][0], symbols)
    assert block.code_rate < 1 / 5
    payload = random_bits(1, block.bits)
    arrived = deliver(block, payload, AWGN(), -5.0, realizations=50)
    assert arrived.block_ok.all()
    assert torch.equal(arrived.bits, payload.expand(50, -1))


def test_lowest_mcs_arrives_where_half_the_symbols_are_noise():
    """MCS 0 of table 3, 0.06 bit a symbol, at -11 dB; and not at -14 dB, where capacity is 0.056."""
    block = TransportBlock.of(MCS_TABLES[3][0], 12_000)
    payload = random_bits(1, block.bits)
    assert deliver(block, payload, AWGN(), -11.0, realizations=20).block_ok.all()
    assert not deliver(block, payload, AWGN(), -14.0, realizations=20).block_ok.any()


def test_block_ok_tells_the_truth_under_fading():
    """Slow fading below and above the threshold: a block that passes its CRC is right, one that fails is wrong."""
    block = TransportBlock(20_000, 10_000, 4)
    payload = random_bits(1, 20_000)
    arrived = deliver(block, payload, Rayleigh(), 7.0, realizations=40, seed=3)
    right = [(arrived.bits == payload)[:, start:stop].all(-1) for start, stop in block.ranges]
    assert torch.equal(arrived.block_ok, torch.stack(right, dim=-1))
    assert 0.1 < arrived.block_ok.float().mean() < 0.9


def test_constant_payloads_have_unit_power():
    """Scrambling; the mean of n powers whose variance is 0.4 at 256-QAM."""
    block = TransportBlock(60_000, 10_000, 8)
    for value in (0, 1):
        power = block.encode(torch.full((1, 60_000), value, dtype=torch.uint8)).abs().square().mean()
        assert abs(float(power) - 1) < 4 * (0.4 / 10_000) ** 0.5


def test_repeated_llrs_add_up():
    matching = RateMatching(BaseGraph(2, 8), block_bits=70, sent_bits=1000, bits_per_symbol=2)
    codeword = matching.combine(matching.select(torch.ones(1, 416, dtype=torch.uint8)).float(), rows=42)
    assert matching.buffer_bits == 390
    expected = torch.full((416,), 2.0)
    expected[16:70], expected[80:246] = 3, 3
    expected[:16], expected[70:80] = 0, torch.inf
    assert torch.equal(codeword[0], expected)


@settings(deadline=None, derandomize=True)
@given(symbols=st.integers(50, 10_000), order=st.sampled_from([2, 4, 6, 8]), blocks=st.integers(1, 50))
def test_all_symbols_are_used(symbols, order, blocks):
    lengths = sent_bits(symbols, order, blocks)
    assert sum(lengths) == symbols * order
    assert set(lengths) <= {lengths[0], lengths[0] + order}
    assert list(lengths) == sorted(lengths)


@settings(deadline=None, derandomize=True)
@given(bits=st.integers(1, 10**6), number=st.sampled_from([1, 2]))
def test_code_blocks_are_no_longer_than_allowed(bits, number):
    plan = Segmentation(bits, number)
    assert plan.block_bits <= (8448 if number == 1 else 3840)
    assert 0 <= plan.padding < plan.blocks
    overhead = plan.crc.length + (24 * plan.blocks if plan.blocks > 1 else 0)
    assert plan.blocks * plan.block_bits == bits + overhead + plan.padding


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="at least one payload bit"):
        TransportBlock(0, 100, 2)
    with pytest.raises(ValueError, match="2, 4, 6 or 8"):
        TransportBlock(100, 100, 3)
    with pytest.raises(ValueError, match="need at least 535 symbols"):
        TransportBlock(1000, 530, 2)
    with pytest.raises(ValueError, match="must have 1000 bits"):
        TransportBlock(1000, 1000, 2).encode(random_bits(1, 999))
    with pytest.raises(ValueError, match="must be 1000 symbols"):
        TransportBlock(1000, 1000, 2).decode(torch.zeros(1, 9, dtype=torch.complex64), ONE, torch.ones(1, 1))
