"""What a code block needs: how much its soft bits must tell before the decoder gets it right, measured."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Bool, Complex, Float, Float64, UInt8
from torch import Generator, Tensor

from airdeliver.links.digital.block_errors import block_error_rate
from airdeliver.links.digital.coded import SCHEMES, segmentation
from airdeliver.links.digital.modulation import Modulation
from airdeliver.links.digital.transport import TransportBlock

LENGTHS = 16
"""Block lengths an octave at which blocks are tried out."""

CRC_BITS = 24
BLOCKS = 80
"""Blocks that are tried out at each of five SNRs."""

_EXPECTED = (0.97, 0.9, 0.6, 0.3, 0.1)  # error rates there, by the normal approximation, which is pessimistic
_BENT = 1e-3  # keeps the slope finite where blocks with and without errors do not overlap


@dataclass(frozen=True)
class Need:
    """Information in bits that a code block needs: half of those that have `centre` are lost.

    Args:
        centre: per bit of the block, CRC included.
        width: of the logistic curve round it, in bits per root of the block's bits.
    """

    centre: float
    width: float

    def lost(self, information: Float64[Tensor, "*batch"], block_bits: int) -> Float64[Tensor, "*batch"]:
        """Probability that a block is lost whose soft bits tell so many bits in all."""
        missing = self.centre * block_bits - information
        return torch.sigmoid(missing / (self.width * math.sqrt(block_bits)))


def told(llr: Float[Tensor, "rows sent"], bits: UInt8[Tensor, "#rows sent"]) -> Float[Tensor, "rows sent"]:
    r"""Information in bits that each soft bit tells of the bit that was sent: $1 - \log_2(1 + \exp(\mp L))$.

    Its mean is what a decoder that believes its soft bits can use, whatever made them: at most the mutual information,
    and less where they claim more than they know.

    Source: G. Caire, G. Taricco, E. Biglieri, Bit-interleaved coded modulation, IEEE Trans. IT 44(3), 1998, eq. (13).

    >>> told(torch.tensor([[0.0, 40.0]]), torch.zeros(1, 2, dtype=torch.uint8))
    tensor([[0., 1.]])
    """
    return 1 - torch.nn.functional.softplus(llr * (2.0 * bits - 1.0)) / math.log(2)


@dataclass(frozen=True)
class Trial:
    """Code blocks sent through AWGN, in one or more rounds, and decoded.

    Args:
        lost: which of them were.
        rounds: LLRs and symbols of each round.
        bits_per_symbol: of the constellation.
    """

    lost: Bool[Tensor, "blocks"]
    rounds: Sequence[tuple[Float[Tensor, "blocks sent"], Complex[Tensor, "blocks symbols"]]]
    bits_per_symbol: int

    @property
    def information(self) -> Float64[Tensor, "blocks"]:
        """In bits, that the soft bits of each block told, summed over rounds."""
        modulation, one, sure = Modulation(self.bits_per_symbol), torch.ones(1, 1) + 0j, torch.full((1, 1), 1e-2)
        sums = [
            told(llr, (modulation.log_likelihood_ratios(symbols, one, sure) < 0).to(torch.uint8)).double().sum(-1)
            for llr, symbols in self.rounds
        ]
        return torch.stack(sums).sum(0)


def try_out(
    block: TransportBlock,
    snr_db: float,
    blocks: int,
    iterations: int,
    generator: Generator,
    versions: tuple[int, ...] = (0,),
) -> Trial:
    """Send a transport block of one code block so many times, with other bits each time, through AWGN.

    Args:
        block: that is sent.
        snr_db: of each round.
        blocks: times.
        iterations: most of the LDPC decoder.
        generator: of bits and noise.
        versions: redundancy versions of the rounds whose soft bits are combined.
    """
    payload = torch.randint(0, 2, (blocks, block.bits), dtype=torch.uint8, generator=generator)
    variance, modulation = 10 ** (-snr_db / 10), Modulation(block.bits_per_symbol)
    gain, noise = torch.ones(1, 1, dtype=torch.complex64), torch.full((1, 1), variance)
    each = [replace(block, version=version) for version in versions]
    reach, rounds = max(one.rows for one in each), []
    codewords: Tensor | float = 0.0
    for one in each:
        symbols = one.encode(payload)
        disturbance = torch.randn(symbols.shape, dtype=torch.complex64, generator=generator)
        llr = modulation.log_likelihood_ratios(symbols + math.sqrt(variance) * disturbance, gain, noise)
        rounds.append((llr, symbols))
        codewords = codewords + one.recover(llr, reach)
    assert isinstance(codewords, Tensor)
    _, arrived = block.decode_codewords(codewords, reach, iterations)
    return Trial(~arrived[:, 0], rounds, block.bits_per_symbol)


def single_block(grade: int, length: int) -> TransportBlock:
    """A transport block of one code block, of about 2^(length / 16) bits, CRC included."""
    mcs, wanted = SCHEMES[grade], 2 ** (length / LENGTHS)
    bits = round(wanted) - CRC_BITS
    while segmentation(bits, mcs).blocks > 1:
        bits -= 8
    return TransportBlock(bits, math.ceil(wanted / mcs.spectral_efficiency), mcs.bits_per_symbol, mcs.rate)


@lru_cache(maxsize=1 << 12)
def need(grade: int, length: int, iterations: int, versions: tuple[int, ...] = (0,)) -> Need:
    """What code blocks of a grade need, from 400 of them in AWGN round the waterfall.

    Which blocks are lost there depends on the noise that they met by little more than what their soft bits tell: the
    curve is a few times steeper than that over the SNR. So it holds for soft bits of other channels, too.

    Args:
        grade: of the block.
        length: 16 times the binary logarithm of the bits of the code block, CRC included.
        iterations: most of the LDPC decoder.
        versions: redundancy versions of the rounds that it was sent in, over which information is summed.
    """
    block, generator = single_block(grade, length), Generator().manual_seed(length)
    block_bits, sent = block.segmentation.block_bits, float(len(versions) * block.symbols * block.bits_per_symbol)
    grid = torch.arange(-25.0, 45.0, 0.02, dtype=torch.float64)
    expected = block_error_rate(grid, block_bits, sent, block.bits_per_symbol)
    levels = [float(grid[(expected - share).abs().argmin()]) for share in _EXPECTED]
    trials = [try_out(block, level, BLOCKS, iterations, generator, versions) for level in levels]
    lost = torch.cat([trial.lost for trial in trials]).double().numpy()
    return _fitted(torch.cat([trial.information for trial in trials]).numpy(), lost, block_bits)


def _fitted(information: Float64[np.ndarray, "blocks"], lost: Float64[np.ndarray, "blocks"], block_bits: int) -> Need:
    """The logistic curve of most likelihood."""
    middle, scale = float(information.mean()), math.sqrt(block_bits)
    surplus = (information - middle) / scale

    def unlikely(curve: Float64[np.ndarray, "2"]) -> float:
        odds = -curve[1] * (surplus - curve[0])
        return float((np.logaddexp(0, odds) - lost * odds).mean() + _BENT * curve[1] ** 2)

    from scipy.optimize import minimize  # takes a fifth of a second, which most have no use for

    centre, slope = minimize(unlikely, np.array([0.0, 2.0])).x
    return Need((middle + centre * scale) / block_bits, 1 / max(float(slope), 1e-2))
