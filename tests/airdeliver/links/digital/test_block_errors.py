"""Block errors against Sionna's decoder, over the same noise at the same number of iterations."""

import pytest
import torch
from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder

from airdeliver.links.digital import MCS_TABLES
from airdeliver.links.digital.base_graph import BaseGraph, select_base_graph, select_lifting
from airdeliver.links.digital.ldpc import LayeredDecoder
from airdeliver.links.digital.modulation import Modulation
from airdeliver.links.digital.rate_matching import RateMatching
from channels import AWGN

ITERATIONS = 20


class Duel:
    """Both decoders on code blocks of one MCS over AWGN."""

    def __init__(self, table: int, index: int, symbols: int, snr_db: float, seed: int):
        mcs = MCS_TABLES[table][index]
        self.bits, self.symbols, self.snr_db = int(symbols * mcs.spectral_efficiency), symbols, snr_db
        sent = symbols * mcs.bits_per_symbol
        self.modulation, self.generator = Modulation(mcs.bits_per_symbol), torch.Generator().manual_seed(seed)
        self.encoder = LDPC5GEncoder(self.bits, sent, num_bits_per_symbol=mcs.bits_per_symbol)
        self.sionna = LDPC5GDecoder(self.encoder, num_iter=ITERATIONS)
        number = select_base_graph(self.bits, mcs.rate)
        graph = BaseGraph(number, select_lifting(self.bits, number))
        self.matching = RateMatching(graph, self.bits, sent, mcs.bits_per_symbol)
        self.ours = LayeredDecoder(graph, self.matching.rows, ITERATIONS)

    def fight(self, blocks: int) -> tuple[torch.Tensor, torch.Tensor]:
        """Blocks that we lose, and that Sionna loses."""
        bits = torch.randint(0, 2, (blocks, self.bits), dtype=torch.uint8, generator=self.generator)
        symbols = self.modulation.map(self.encoder(bits.float()).to(torch.uint8))
        state = AWGN().realize(blocks, self.symbols, self.snr_db, self.generator)
        received = AWGN().transmit(symbols, state, self.generator)
        llr = self.modulation.log_likelihood_ratios(received.samples, received.gain, received.noise_variance)
        ours = self.ours(self.matching.combine(llr, self.matching.rows)).bits[:, : self.bits]
        with torch.no_grad():
            theirs = self.sionna(-llr)
        return (ours != bits).any(-1), (theirs != bits).any(-1)


@pytest.mark.parametrize(
    ("table", "index", "symbols", "snr_db"), [(1, 4, 750, -1.3), (1, 13, 500, 6.1), (2, 22, 200, 20.6)]
)
def test_no_more_blocks_are_lost_than_by_sionna(table, index, symbols, snr_db):
    """Of b + c blocks that only one of them loses, we lose b. If both were equally good, b - c would have a standard
    deviation of sqrt(b + c) (McNemar); it is below the 99.5 % quantile."""
    ours, theirs = Duel(table, index, symbols, snr_db, seed=index).fight(100)
    only_ours, only_theirs = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    assert 0.02 <= theirs.float().mean() <= 0.9
    assert only_ours - only_theirs <= 2.58 * (only_ours + only_theirs) ** 0.5


@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "index", "symbols", "snr_db"),
    [
        (1, 4, 1500, -1.45),
        (1, 9, 1500, 3.3),
        (1, 13, 1000, 6.05),
        (1, 20, 600, 11.8),
        (2, 22, 400, 20.5),
        (1, 27, 500, 18.4),
    ],
)
def test_block_error_rates_round_the_waterfall(table, index, symbols, snr_db):
    """At least 100 errors each; ours at most Sionna's plus the 99 % interval of the difference."""
    duel, lost, blocks = Duel(table, index, symbols, snr_db, seed=index), torch.zeros(2, dtype=torch.int64), 0
    while lost.min() < 100:
        lost += torch.stack([part.sum() for part in duel.fight(100)])
        blocks += 100
    ours, theirs = (lost / blocks).tolist()
    spread = (ours * (1 - ours) / blocks + theirs * (1 - theirs) / blocks) ** 0.5
    assert ours - theirs <= 2.58 * spread, f"{ours:.4f} against {theirs:.4f} of {blocks} blocks"
