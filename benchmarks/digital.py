"""The 5G NR transport against Sionna's blocks: LDPC decoding at the same block errors, encoding, demapping."""

import math
import time
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from airdeliver.links.digital.base_graph import BaseGraph
from airdeliver.links.digital.ldpc import LayeredDecoder
from airdeliver.links.digital.ldpc_encoder import encode
from airdeliver.links.digital.modulation import Modulation
from airdeliver.links.digital.rate_matching import RateMatching
from benchmarks.ratio import Ratio, speed_ratio
from channels import AWGN

BITS, SENT, ITERATIONS = 8448, 16896, 20
SNR_DB = 1.1  # of QPSK, where Sionna loses about one block in 12
BLOCKS, ERRORS = 16, 100
MATCHING = RateMatching(BaseGraph(1, 384), BITS, SENT, bits_per_symbol=1)


def measure() -> list[Ratio]:
    """Minutes: 100 block errors of Sionna's decoder, and its compilation."""
    from sionna.phy.fec.ldpc import LDPC5GDecoder, LDPC5GEncoder

    encoder = LDPC5GEncoder(BITS, SENT, device="cpu")
    rules = ("boxplus-phi", "boxplus")  # two ways to compute the same
    theirs = _fastest([LDPC5GDecoder(encoder, rule, num_iter=ITERATIONS, device="cpu") for rule in rules])
    lost, as_many = _block_errors(theirs)
    bits, llr = _received(BLOCKS, seed=0)
    codeword = MATCHING.combine(llr, MATCHING.rows)
    speeds = [
        speed_ratio(
            f"digital: ldpc decoder / sionna, {name}",
            lambda decoder=decoder: decoder(codeword),
            lambda: theirs(llr),
            bar=bar,
        )
        for name, decoder, bar in (
            (f"{ITERATIONS} iterations", _decoder(ITERATIONS, early_stopping=False), 40.0),
            (f"{ITERATIONS} iterations, early stopping", _decoder(ITERATIONS, early_stopping=True), None),
            (f"ours {as_many} iterations", _decoder(as_many, early_stopping=False), None),
        )
    ]
    single = bits.float()
    encoding = speed_ratio(
        "digital: ldpc encoder / sionna",
        lambda: encode(bits, MATCHING.graph, MATCHING.rows),
        lambda: encoder(single),
        bar=1.0,
    )
    return [*speeds, *lost, encoding, *(_demapping(order) for order in (2, 4, 6, 8))]


def _decoder(iterations: int, early_stopping: bool) -> LayeredDecoder:
    return LayeredDecoder(MATCHING.graph, MATCHING.rows, iterations, early_stopping)


def _received(blocks: int, seed: int) -> tuple[Tensor, Tensor]:
    """Information bits, and the LLRs of their codewords over AWGN."""
    generator, qpsk = Generator().manual_seed(seed), Modulation(2)
    bits = torch.randint(0, 2, (blocks, BITS), dtype=torch.uint8, generator=generator)
    symbols = qpsk.map(MATCHING.select(encode(bits, MATCHING.graph, MATCHING.rows)))
    received = AWGN().transmit(symbols, AWGN().realize(blocks, SENT // 2, SNR_DB, generator), generator)
    return bits, qpsk.log_likelihood_ratios(received.samples, received.gain, received.noise_variance)


def _fastest(decoders: list[torch.nn.Module]) -> Callable[[Tensor], Tensor]:
    """Sionna's decoder at its best batch size, compiled if that is faster."""
    _, llr = _received(BLOCKS, seed=1)

    def in_batches(run: Callable[[Tensor], Tensor], size: int) -> Callable[[Tensor], Tensor]:
        def decode(llr: Tensor) -> Tensor:
            with torch.no_grad():
                return torch.cat([run(-part) for part in llr.split(size)])

        return decode

    def seconds(run: Callable[[Tensor], Tensor]) -> float:
        run(llr)
        start = time.perf_counter()
        run(llr)
        return time.perf_counter() - start

    ways = [(decoder, size) for decoder in decoders for size in (1, 4, 16)]
    decoder, size = min(ways, key=lambda way: seconds(in_batches(*way)))
    return min(in_batches(decoder, size), in_batches(torch.compile(decoder), size), key=seconds)


def _block_errors(theirs: Callable[[Tensor], Tensor]) -> tuple[list[Ratio], int]:
    """Blocks that we lose over those that Sionna loses, and the iterations at which we lose as many."""
    decoders = [_decoder(iterations, early_stopping=True) for iterations in range(ITERATIONS // 2, ITERATIONS + 1)]
    lost, sionna, batches = torch.zeros(len(decoders)), 0, 0
    while sionna < ERRORS:
        bits, llr = _received(BLOCKS, seed=1000 + batches)
        codewords = MATCHING.combine(llr, MATCHING.rows)
        lost += torch.stack([(decoder(codewords).bits != bits).any(-1).sum() for decoder in decoders])
        sionna += int((theirs(llr) != bits).any(-1).sum())
        batches += 1

    def ratio(index: int, bar: float | None) -> Ratio:
        name = f"digital: block errors of {batches * BLOCKS}, ours {decoders[index].iterations} iterations / sionna"
        ours = max(float(lost[index]), 0.5)
        spread = math.exp(2.58 * math.sqrt(1 / ours + 1 / sionna))
        value = float(lost[index]) / sionna
        return Ratio(name, value, ours / sionna / spread, ours / sionna * spread, bar, "at most")

    equal = int((lost.clamp_min(0.5) / sionna).log().abs().argmin())
    return [ratio(-1, 1.0), ratio(equal, None)], decoders[equal].iterations


def _demapping(order: int) -> Ratio:
    """Exact LLRs of 10^5 symbols."""
    from sionna.phy.mapping import Demapper

    modulation, sionna = Modulation(order), Demapper("app", "qam", order, device="cpu")
    samples = torch.randn(1, 100_000, dtype=torch.complex64, generator=Generator().manual_seed(order))
    gain, variance = torch.ones(1, 1, dtype=torch.complex64), torch.full((1, 1), 0.05)
    return speed_ratio(
        f"digital: demapper of {2**order}-QAM / sionna",
        lambda: modulation.log_likelihood_ratios(samples, gain, variance),
        lambda: sionna(samples, variance[0, 0]),
        bar=1.0,
    )
