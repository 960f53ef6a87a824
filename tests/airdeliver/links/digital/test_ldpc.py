"""Encoder and decoder: parity checks, and that the two implementations of the decoder are one."""

import sys

import pytest
import torch

from airdeliver.links.digital.base_graph import LIFTING_SIZES, BaseGraph
from airdeliver.links.digital.ldpc import LayeredDecoder
from airdeliver.links.digital.ldpc_encoder import encode
from airdeliver.links.digital.transport import TransportBlock
from channels.noise import complex_normal

CASES = [(2, 8, 42, -4.0, 40), (1, 30, 10, 4.0, 40), (2, 208, 20, -1.0, 9), (1, 384, 24, 0.85, 5)]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noisy(graph: BaseGraph, rows: int, snr_db: float, blocks: int, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Information bits, and LLRs of their codewords over a real channel; the first two columns are not sent."""
    generator = seeded(seed)
    information = torch.randint(
        0, 2, (blocks, graph.information_columns * graph.lifting), dtype=torch.uint8, generator=generator
    )
    codewords = encode(information, graph, rows).float()
    snr = 10 ** (snr_db / 10)
    noise = complex_normal(codewords.shape, generator).real * 2**0.5
    llr = 2 * snr * (1 - 2 * codewords + noise / snr**0.5)
    llr[:, : 2 * graph.lifting] = 0
    return information, llr


@pytest.mark.parametrize("number", [1, 2])
def test_codewords_satisfy_every_check(number):
    for lifting in (size for sizes in LIFTING_SIZES for size in sizes):
        graph = BaseGraph(number, lifting)
        information = torch.randint(
            0, 2, (2, graph.information_columns * lifting), dtype=torch.uint8, generator=seeded(lifting)
        )
        codewords = encode(information, graph)
        assert torch.equal(codewords[:, : information.shape[1]], information)
        columns = codewords.unflatten(-1, (graph.columns, lifting)).int()
        row, column, shift = torch.from_numpy(graph.entries).T
        place = (torch.arange(lifting) + shift.unsqueeze(-1)) % lifting
        terms = columns[:, column].gather(-1, place.expand(2, -1, -1))
        checks = torch.zeros(2, graph.rows, lifting, dtype=torch.int32).index_add_(1, row, terms)
        assert not (checks % 2).any(), lifting


def test_fewer_rows_are_the_start_of_the_codeword():
    graph = BaseGraph(1, 20)
    information = torch.randint(0, 2, (3, 440), dtype=torch.uint8, generator=seeded(0))
    assert torch.equal(encode(information, graph, 7), encode(information, graph)[:, : 29 * 20])


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.parametrize(("number", "lifting", "rows", "snr_db", "blocks"), CASES)
def test_both_implementations_agree_bit_by_bit(number, lifting, rows, snr_db, blocks, early_stopping):
    graph = BaseGraph(number, lifting)
    _, llr = noisy(graph, rows, snr_db, blocks)
    decoder = LayeredDecoder(graph, rows, 12, early_stopping)
    compiled, plain = decoder(llr, threads=1), decoder.with_torch(llr)
    assert torch.equal(compiled.bits, plain.bits)
    assert torch.equal(compiled.decided, plain.decided)
    assert torch.equal(compiled.satisfied, plain.satisfied)
    assert torch.equal(compiled.iterations, plain.iterations)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_gpu_decodes_the_same_bits():
    graph = BaseGraph(1, 384)
    _, llr = noisy(graph, 24, 0.85, 8)
    decoder = LayeredDecoder(graph, 24)
    assert torch.equal(decoder(llr.cuda()).bits.cpu(), decoder(llr).bits)


def test_threads_and_batches_do_not_change_a_bit():
    graph = BaseGraph(2, 16)
    _, llr = noisy(graph, 42, -3.5, 150)
    decoder = LayeredDecoder(graph)
    whole = decoder(llr, threads=1).bits
    assert torch.equal(decoder(llr, threads=3).bits, whole)
    assert torch.equal(torch.cat([decoder(part).bits for part in llr.split(11)]), whole)


def test_early_stopping_saves_iterations_not_errors():
    graph = BaseGraph(2, 64)
    information, llr = noisy(graph, 20, 0.0, 200)
    early, late = LayeredDecoder(graph, 20)(llr), LayeredDecoder(graph, 20, early_stopping=False)(llr)
    assert early.satisfied.float().mean() > 0.9
    assert early.iterations.float().mean() < 10
    assert (late.iterations == 20).all()
    assert torch.equal(early.bits[early.satisfied], information[early.satisfied])
    assert torch.equal(early.bits, late.bits)


def test_known_bits_stay_known():
    """Infinite LLRs, as fillers have, against a channel that says nothing."""
    graph = BaseGraph(2, 24)
    llr = torch.zeros(20, graph.columns * 24)
    llr[:, : graph.information_columns * 24] = torch.inf
    assert not LayeredDecoder(graph)(llr).bits.any()


def test_bad_arguments_are_refused(monkeypatch):
    graph = BaseGraph(2, 8)
    with pytest.raises(ValueError, match="iterations must be at least 1"):
        LayeredDecoder(graph, iterations=0)
    with pytest.raises(ValueError, match="rows must be 4 to 42"):
        LayeredDecoder(graph, rows=3)
    with pytest.raises(ValueError, match="416 LLRs"):
        LayeredDecoder(graph)(torch.zeros(1, 10))
    with pytest.raises(ValueError, match="NaN"):
        LayeredDecoder(graph)(torch.full((1, 416), torch.nan))
    with pytest.raises(ValueError, match="80 information bits"):
        encode(torch.zeros(1, 10, dtype=torch.uint8), graph)
    with pytest.raises(ValueError, match="rows must be 4 to 42"):
        encode(torch.zeros(1, 80, dtype=torch.uint8), graph, rows=2)
    monkeypatch.setitem(sys.modules, "airdeliver.links.digital.ldpc_kernel", None)
    with pytest.raises(ImportError, match="airdeliver\\[sionna\\]"):
        LayeredDecoder(graph)(torch.zeros(1, 416))


def test_a_bit_that_happens_to_balance_costs_no_block():
    """LLRs are whole numbers, some of which are 0 for an iteration: 2 dB above the waterfall nothing is lost to them.

    Of 1,000 blocks of 144 bits, 16-QAM of rate 0.33, 4 were.
    """
    block = TransportBlock(144, 127, 4, 340 / 1024)
    payload = torch.randint(0, 2, (1, block.bits), dtype=torch.uint8, generator=seeded(0))
    symbols = block.encode(payload)
    heard = symbols + 10**-0.55 * complex_normal((4000, block.symbols), seeded(1))
    arrived = block.decode(heard, torch.ones(1, 1) + 0j, torch.full((1, 1), 10**-1.1))
    assert bool(arrived.block_ok.all())
