"""A receiver with few bits."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Complex, Float
from scipy.special import ndtr
from torch import Generator, Tensor

from channels.base import ChannelState, Received, gaussian_probe
from channels.checks import mean_power
from channels.impairments.base import Impairment, bussgang


@dataclass(frozen=True)
class Quantiser(Impairment):
    """The receiver's analog-to-digital converter: a uniform quantiser of each real part, behind a gain control.

    The quantiser is mid-rise. The gain control scales every delivery to unit power, and the step is the best one for
    Gaussian samples. The receiver knows the Bussgang gain, and its noise variance includes the distortion: those of the
    delivery, or, where samples are symbols whose strength changes within it, those of each strength, as of Gaussian
    samples. Gradients pass straight through.

    Args:
        channel: what is wrapped; its time samples are quantised if it has a waveform, pilots at the payload's power.
        bits: of each real part, 1 to 16.

    Raises:
        ValueError: bits outside 1 to 16.

    Source: J. Max, "Quantizing for minimum distortion", IRE Transactions on Information Theory 6(1), 1960, table II;
    gain and distortion: A. Mezghani and J. A. Nossek, IEEE International Symposium on Information Theory, 2012.

    >>> from channels import AWGN
    >>> channel = Quantiser(AWGN(), bits=1)
    >>> state = channel.realize(1, 2, float("inf"), torch.Generator().manual_seed(0))
    >>> channel.transmit(torch.tensor([[0.8 + 0.9j, -1 + 0.1j]]), state, torch.Generator()).samples.real.sign()
    tensor([[ 1., -1.]])
    """

    bits: int = 6

    def __post_init__(self):
        super().__post_init__()
        if not 1 <= self.bits <= 16:
            raise ValueError(f"bits must be 1 to 16, got {self.bits}")

    def transmit(  # noqa: D102
        self, symbols: Complex[Tensor, "#realizations n"], state: ChannelState, generator: Generator
    ) -> Received:
        received = self.channel.transmit(symbols, state, generator)
        samples, gain, distortion = self._convert(received, symbols)
        variance = gain.abs().square() * received.noise_variance + distortion
        return Received(samples, received.gain * gain, variance)

    def effective(  # noqa: D102
        self, state: ChannelState, generator: Generator, probe: Complex[Tensor, "#realizations n"] | None = None
    ) -> ChannelState:
        probe = gaussian_probe(state, generator) if probe is None else probe
        inner = self.channel.effective(state, generator, probe)
        # Split on samples as they arrive: what clips before the converter leaves it less to clip.
        _, gain, distortion = self._convert(self.channel.transmit(probe, state, generator), probe)
        return ChannelState(inner.gain * gain, gain.abs().square() * inner.noise_variance + distortion)

    def _convert(
        self, received: Received, symbols: Complex[Tensor, "#k n"]
    ) -> tuple[Complex[Tensor, "k n"], Complex[Tensor, "k #n"], Float[Tensor, "k #n"]]:
        """What the converter makes of what arrives, and its Bussgang gain and distortion."""
        arrived = received.samples
        level = arrived.detach().abs().square().sum(-1, keepdim=True).div(max(arrived.shape[-1], 1)).sqrt()
        level = level.masked_fill(level == 0, 1.0)
        unit = arrived / level
        scaled = self.modulate(unit)
        samples = self.demodulate(self.quantise(scaled), arrived.shape[-1]) * level
        before, after = arrived.detach(), samples.detach()
        constant = max(received.gain.shape[-1], received.noise_variance.shape[-1]) == 1
        if constant or scaled is not unit:  # time samples of a waveform mix all symbols: one is as strong as the next
            return samples, *bussgang(before, after)
        power = mean_power(symbols).float().unsqueeze(-1)
        strength = received.gain.abs().square() * power + received.noise_variance
        gain, distortion = gaussian_split(self.bits, strength / level.square())
        # The split of Gaussian samples of each strength, scaled to that of these samples.
        scale, left = bussgang(gain * before, after)
        distortion = distortion * level.square()
        return samples, gain * scale, distortion * (left / distortion.mean(-1, keepdim=True).clamp(min=1e-30))

    def quantise(self, samples: Complex[Tensor, "k m"]) -> Complex[Tensor, "k m"]:
        """Nearest levels of the real and the imaginary part, for samples of unit power."""
        step = gaussian_step(self.bits) / math.sqrt(2)
        reals = torch.view_as_real(samples.resolve_conj())
        outermost = 2 ** (self.bits - 1) - 0.5
        levels = ((reals.detach() / step).floor() + 0.5).clamp(-outermost, outermost) * step
        return torch.view_as_complex(reals + (levels - reals.detach()))


def gaussian_split(bits: int, power: Float[Tensor, "*n"]) -> tuple[Complex[Tensor, "*n"], Float[Tensor, "*n"]]:
    """Bussgang gain and distortion of Gaussian samples of any power behind a gain control for power 1.

    >>> gain, distortion = gaussian_split(1, torch.tensor([1.0, 4.0]))
    >>> gain.real, round(float(distortion[0]), 3)
    (tensor([0.6366, 0.3183]), 0.231)
    """
    gains, distortions = (table.to(power.device) for table in _split_table(bits))
    position = (power.clamp(min=1e-30).log10() - _LOWEST).div(_HIGHEST - _LOWEST).clamp(0, 1) * (len(gains) - 1)
    below = position.long().clamp(max=len(gains) - 2)
    gain, distortion = (torch.lerp(t[below], t[below + 1], position - below) for t in (gains, distortions))
    return gain.to(torch.complex64), distortion * power


_LOWEST, _HIGHEST = -4.0, 3.0  # decimal logarithms of the powers between which the table lies


@lru_cache(maxsize=16)
def _split_table(bits: int) -> tuple[Float[Tensor, "points"], Float[Tensor, "points"]]:
    """Gain, and distortion over power, on even steps of the logarithm of power."""
    rows = [gaussian_moments(bits, gaussian_step(bits) * 10 ** (-x / 2)) for x in np.linspace(_LOWEST, _HIGHEST, 141)]
    product, square = torch.tensor(rows, dtype=torch.float64).unbind(-1)
    return product.float(), (square - product.square()).clamp(min=0).float()


@lru_cache(maxsize=16)
def gaussian_step(bits: int) -> float:
    """The step of the uniform mid-rise quantiser with the least mean square error for unit-variance Gaussian values.

    >>> round(gaussian_step(1), 3), round(gaussian_step(4), 4)
    (1.596, 0.3352)
    """
    from scipy.optimize import minimize_scalar  # takes a fifth of a second, which most have no use for

    found = minimize_scalar(lambda step: gaussian_error(bits, step), bounds=(2.0**-bits, 4.0), method="bounded")
    return float(found.x)  # type: ignore[attr-defined]


def gaussian_error(bits: int, step: float) -> float:
    """Mean square error of a uniform mid-rise quantiser for unit-variance Gaussian values.

    >>> round(gaussian_error(1, gaussian_step(1)), 4), round(gaussian_error(4, gaussian_step(4)), 5)
    (0.3634, 0.01154)
    """
    product, square = gaussian_moments(bits, step)
    return square - 2 * product + 1


def gaussian_moments(bits: int, step: float) -> tuple[float, float]:
    """E Q(x) x and E Q(x)^2 of a uniform mid-rise quantiser for unit-variance Gaussian values x."""
    levels: Float[Tensor, "levels"] = torch.arange(2**bits, dtype=torch.float64) + 0.5 - 2 ** (bits - 1)
    edges = torch.cat([levels[:1] - math.inf, levels[1:] - 0.5, levels[-1:] + math.inf]) * step
    density = torch.exp(-edges.square() / 2) / math.sqrt(2 * math.pi)
    below = torch.from_numpy(ndtr(edges.numpy()))
    levels = levels * step
    # E x over a cell is the difference of densities at its edges.
    return -float((levels * density.diff()).sum()), float((levels.square() * below.diff()).sum())
