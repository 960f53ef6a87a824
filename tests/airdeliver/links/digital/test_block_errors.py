"""Block errors against Sionna's decoder, over the same noise at the same number of iterations."""

import pytest
import torch

from airdeliver.links.digital import MCS_TABLES
from airdeliver.links.digital.base_graph import BaseGraph, select_base_graph, select_lifting
from airdeliver.links.digital.ldpc import LayeredDecoder
from airdeliver.links.digital.modulation import Modulation
from airdeliver.links.digital.rate_matching import RateMatching
from channels import AWGN
from tests.later import Later

ldpc = Later("sionna.phy.fec.ldpc")

ITERATIONS = 20


class Duel:
    """Both decoders on code blocks of one MCS over AWGN."""

    def __init__(self, table: int, index: int, symbols: int, snr_db: float, seed: int):
        mcs = MCS_TABLES[table][index]
        self.bits, self.symbols, self.snr_db = int(symbols * mcs.spectral_efficiency), symbols, snr_db
        sent = symbols * mcs.bits_per_symbol
        self.modulation, self.generator = Modulation(mcs.bits_per_symbol), torch.Generator().manual_seed(seed)
        self.encoder = ldpc.LDPC5GEncoder(self.bits, sent, num_bits_per_symbol=mcs.bits_per_symbol)
        self.sionna = ldpc.LDPC5GDecoder(self.encoder, num_iter=ITERATIONS)
        number = select_base_graph(self.bits, mcs.rate)
        graph = BaseGraph(number, select_lifting(self.bits, number))
        self.matching = RateMatching(graph, self.bits, sent, mcs.bits_per_symbol)
        self.ours = LayeredDecoder(graph, self.matching.rows, ITERATIONS)

    def receive(self, blocks: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Information bits, and the LLRs of what was sent of their codewords."""
        bits = torch.randint(0, 2, (blocks, self.bits), dtype=torch.uint8, generator=self.generator)
        symbols = self.modulation.map(self.encoder(bits.float()).to(torch.uint8))
        state = AWGN().realize(blocks, self.symbols, self.snr_db, self.generator)
        received = AWGN().transmit(symbols, state, self.generator)
        return bits, self.modulation.log_likelihood_ratios(received.samples, received.gain, received.noise_variance)

    def we_lose(self, bits: torch.Tensor, llr: torch.Tensor) -> torch.Tensor:
        decoded = self.ours(self.matching.combine(llr, self.matching.rows)).bits[:, : self.bits]
        return (decoded != bits).any(-1)

    def sionna_loses(self, bits: torch.Tensor, llr: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return (self.sionna(-llr) != bits).any(-1)

    def rate(self, loses, errors: int = 100) -> tuple[float, float]:
        """Block error rate from at least that many errors, and its variance."""
        lost = blocks = 0
        while lost < errors:
            lost += int(loses(*self.receive(50)).sum())
            blocks += 50
        return lost / blocks, lost * (blocks - lost) / blocks**3


@pytest.mark.parametrize(
    ("table", "index", "symbols", "snr_db"), [(1, 4, 750, -1.3), (1, 13, 500, 6.1), (2, 22, 200, 20.6)]
)
def test_no_more_blocks_are_lost_than_by_sionna(table, index, symbols, snr_db):
    """Of b + c blocks that only one of them loses, we lose b. If both were equally good, b - c would have a standard
    deviation of sqrt(b + c) (McNemar); it is below the 99.5 % quantile."""
    duel = Duel(table, index, symbols, snr_db, seed=index)
    received = duel.receive(100)
    ours, theirs = duel.we_lose(*received), duel.sionna_loses(*received)
    only_ours, only_theirs = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    assert 0.02 <= theirs.float().mean() <= 0.9
    assert only_ours - only_theirs <= 2.58 * (only_ours + only_theirs) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "index", "symbols", "snr_db"),
    [
        (1, 4, 750, -1.4),
        (1, 9, 700, 3.2),
        (1, 13, 500, 6.0),
        (1, 20, 300, 11.7),
        (2, 22, 200, 20.3),
        (1, 27, 250, 18.5),
    ],
)
def test_block_error_rates_round_the_waterfall(table, index, symbols, snr_db):
    """At least 100 errors each; ours at most Sionna's plus the 99 % interval of the difference."""
    duel = Duel(table, index, symbols, snr_db, seed=index)
    (ours, our_variance), (theirs, their_variance) = duel.rate(duel.we_lose), duel.rate(duel.sionna_loses)
    assert 0.005 < ours < 0.3
    assert ours - theirs <= 2.58 * (our_variance + their_variance) ** 0.5
