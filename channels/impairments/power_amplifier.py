"""A power amplifier that saturates."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float
from torch import Generator, Tensor

from channels.base import ChannelState, Received, gaussian_probe
from channels.impairments.base import Impairment, bussgang


@dataclass(frozen=True)
class PowerAmplifier(Impairment):
    r"""The sender's amplifier by the Rapp model: $|f(x)| = |x| / (1 + (|x| / A)^{2p})^{1 / (2p)}$, phase kept.

    Small signals are amplified by 1 and none leaves above the saturation amplitude A, so the sent power is at most
    that of the symbols: what saturation takes is lost, as at a real transmitter. The SNR keeps its meaning, that of
    unit power. The receiver knows the Bussgang gain of the delivery, and its noise variance includes the distortion.

    Args:
        channel: what is wrapped; its time samples are amplified if it has a waveform.
        back_off_db: input back-off, A^2 over unit power, in dB.
        smoothness: p of the Rapp model; infinity for hard clipping.

    Raises:
        ValueError: back-off that is not a number, or smoothness that is not positive.

    Source: C. Rapp, "Effects of HPA-nonlinearity on a 4-DPSK/OFDM-signal for a digital sound broadcasting system",
    Second European Conference on Satellite Communications, 1991.

    >>> from channels import AWGN
    >>> amplifier = PowerAmplifier(AWGN(), back_off_db=0.0, smoothness=float("inf"))
    >>> amplifier.amplify(torch.tensor([[0.5 + 0j, 2j]]))
    tensor([[0.5000+0.j, 0.0000+1.j]])
    """

    back_off_db: float = 6.0
    smoothness: float = 2.0

    def __post_init__(self):
        super().__post_init__()
        if not math.isfinite(self.back_off_db):
            raise ValueError(f"back_off_db must be a finite number of dB, got {self.back_off_db}")
        if not self.smoothness > 0:
            raise ValueError(f"smoothness must be above 0 (infinity for hard clipping), got {self.smoothness}")

    def amplify(self, samples: Complex[Tensor, "k m"]) -> Complex[Tensor, "k m"]:
        """What leaves the amplifier, for time samples whose back-off is relative to unit power."""
        # The square of the amplitude, so that the gradient at zero is finite.
        drive = samples.real.square().addcmul(samples.imag, samples.imag) * 10 ** (-self.back_off_db / 10)
        above = drive.clamp(min=1.0)
        clipped = samples * above.rsqrt()
        if math.isinf(self.smoothness):
            return clipped
        # Powers of a number from 0 to 1 (drive, or 1 / drive in saturation) cannot overflow.
        return clipped * (1 + (drive / above.square()) ** self.smoothness) ** (-0.5 / self.smoothness)

    def papr_db(self, symbols: Complex[Tensor, "k n"]) -> Float[Tensor, "k"]:
        """Peak-to-average power ratio in dB of each row's time samples, as they enter the amplifier."""
        return papr_db(self.modulate(symbols))

    def transmit(  # noqa: D102
        self, symbols: Complex[Tensor, "#realizations n"], state: ChannelState, generator: Generator
    ) -> Received:
        sent = self.demodulate(self.amplify(self.modulate(symbols)), symbols.shape[-1])
        gain, distortion = bussgang(symbols, sent)
        received = self.channel.transmit(sent, state, generator)
        variance = received.noise_variance + received.gain.abs().square() * distortion
        return Received(received.samples, received.gain * gain, variance)

    def effective(  # noqa: D102
        self, state: ChannelState, generator: Generator, probe: Complex[Tensor, "#realizations n"] | None = None
    ) -> ChannelState:
        probe = gaussian_probe(state, generator) if probe is None else probe
        sent = self.demodulate(self.amplify(self.modulate(probe)), probe.shape[-1])
        gain, distortion = bussgang(probe, sent)
        inner = self.channel.effective(state, generator, sent)
        return ChannelState(inner.gain * gain, inner.noise_variance + inner.gain.abs().square() * distortion)


def papr_db(samples: Complex[Tensor, "k m"]) -> Float[Tensor, "k"]:
    """Peak-to-average power ratio in dB of each row.

    >>> papr_db(torch.tensor([[1.0 + 0j, 0j, 0j, 0j]]))
    tensor([6.0206])
    """
    power = samples.abs().square()
    return 10 * torch.log10(power.amax(-1) / power.mean(-1))
