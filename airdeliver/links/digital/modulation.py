"""QPSK to 256-QAM: bits to complex symbols, received samples to log-likelihood ratios."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float, UInt8
from torch import Tensor

_SMALLEST_VARIANCE = 1e-9
_SMALLEST_LIKELIHOOD = 1e-35  # bounds an LLR at about 80
_SYMBOLS_AT_ONCE = 1 << 14  # keeps the likelihoods in the cache


@dataclass(frozen=True)
class Modulation:
    r"""Gray-mapped square QAM of unit mean power; even bits choose the real part, odd bits the imaginary part.

    Args:
        bits_per_symbol: 2 (QPSK), 4 (16-QAM), 6 (64-QAM) or 8 (256-QAM).

    Raises:
        ValueError: any other number of bits.

    Source: 3GPP TS 38.211, 5.1.3 to 5.1.6.

    >>> Modulation(2).map(torch.tensor([0, 0, 1, 0], dtype=torch.uint8))
    tensor([ 0.7071+0.7071j, -0.7071+0.7071j])
    """

    bits_per_symbol: int

    def __post_init__(self) -> None:
        if self.bits_per_symbol not in (2, 4, 6, 8):
            raise ValueError(f"bits_per_symbol must be 2, 4, 6 or 8, got {self.bits_per_symbol}")

    @property
    def levels(self) -> Float[Tensor, "levels"]:
        """Amplitudes of one real dimension, at the number that its bits spell, first bit first.

        >>> Modulation(4).levels * math.sqrt(10)
        tensor([ 1.,  3., -1., -3.])
        """
        levels = torch.ones(1)
        for j in range(self.bits_per_symbol // 2):
            # The bit of largest weight comes last, in front of all that were mapped before.
            inner = levels if j == 0 else 2**j - levels
            levels = torch.cat([inner, -inner])
        return levels / math.sqrt(2 * (2**self.bits_per_symbol - 1) / 3)

    def map(self, bits: UInt8[Tensor, "*batch bits"]) -> Complex[Tensor, "*batch symbols"]:
        """Turn bits into symbols.

        Raises:
            ValueError: bits that do not fill whole symbols.
        """
        if bits.shape[-1] % self.bits_per_symbol:
            raise ValueError(f"bits must fill symbols of {self.bits_per_symbol}, got {bits.shape[-1]} bits")
        pairs = bits.unflatten(-1, (-1, self.bits_per_symbol // 2, 2))
        number = torch.zeros_like(pairs[..., 0, :])
        for pair in pairs.unbind(-2):
            number = (number << 1) | pair
        return torch.view_as_complex(self.levels.to(bits.device)[number.long()])

    def log_likelihood_ratios(
        self,
        samples: Complex[Tensor, "realizations n"],
        gain: Complex[Tensor, "#realizations #n"],
        noise_variance: Float[Tensor, "#realizations #n"],
    ) -> Float[Tensor, "realizations bits"]:
        r"""Exact LLRs ln P(bit = 0 | y) / P(bit = 1 | y) of y = h x + noise, for equally likely symbols.

        In one real dimension $\ln p(y | a) = 2 \mathrm{Re}(y h^*) a / \sigma^2 - |h|^2 a^2 / \sigma^2$ up to a
        constant, summed over the amplitudes that share the bit. Magnitudes end at about 80, and an erased symbol
        (h = 0) has LLR 0.

        Args:
            samples: received samples.
            gain: what the receiver believes h is.
            noise_variance: per complex symbol; 0 is taken for 1e-9.
        """
        llr = samples.real.new_empty(*samples.shape, self.bits_per_symbol // 2, 2)
        levels = self.levels.to(samples.device)
        variance = noise_variance.clamp_min(_SMALLEST_VARIANCE)
        matched = (samples * gain.conj()).div_(variance).mul_(2)
        power = (gain.abs().square() / variance).expand(samples.shape)
        step = max(1, _SYMBOLS_AT_ONCE // max(1, len(samples)))
        for part in (slice(i, i + step) for i in range(0, samples.shape[-1], step)):
            llr[:, part] = _bitwise(torch.view_as_real(matched[:, part]), power[:, part], levels)
        return llr.flatten(1)


def _bitwise(
    matched: Float[Tensor, "realizations n 2"], power: Float[Tensor, "realizations n"], levels: Float[Tensor, "levels"]
) -> Float[Tensor, "realizations n bits 2"]:
    if len(levels) == 2:
        return (2 * levels[0] * matched).unsqueeze(-2)
    # One row an amplitude, one column a real dimension of a symbol.
    numbers = torch.arange(len(levels), device=levels.device)
    bits = len(levels).bit_length() - 1
    one = (numbers >> torch.arange(bits - 1, -1, -1, device=levels.device).unsqueeze(-1) & 1).to(levels.dtype)
    observed = torch.stack([matched, power.unsqueeze(-1).expand_as(matched)]).view(2, -1)
    metric = torch.stack([levels, -levels.square()], dim=-1) @ observed
    likelihood = metric.sub_(metric.amax(0)).exp_()
    sums = (torch.cat([1 - one, one]) @ likelihood).clamp_min_(_SMALLEST_LIKELIHOOD).log_()
    return (sums[:bits] - sums[bits:]).view(bits, *matched.shape).movedim(0, -2)
