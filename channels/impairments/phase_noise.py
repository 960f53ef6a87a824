"""Oscillators that drift: phase noise and the residual carrier-frequency offset."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Complex, Float
from torch import Generator, Tensor

from channels.base import ChannelState, Decibel, Received
from channels.checks import mean_power
from channels.impairments.base import Impairment


@dataclass(frozen=True)
class PhaseNoise(Impairment):
    r"""The carrier turns by a Wiener phase and a frequency offset since the receiver last corrected its phase.

    Between two corrections the phase is $W_t + 2 \pi \epsilon t$: W has independent Gaussian increments of variance
    $2 \pi \beta$, and $\epsilon$ is Gaussian, drawn once a delivery. The receiver knows the statistics, not the
    phase: its gain is multiplied by $c_t = E e^{j \phi_t} = e^{-\pi \beta t - (2 \pi \sigma t)^2 / 2}$, and its noise
    variance grows by $|h|^2 (1 - c_t^2)$ at unit power. On a waveform, this is averaged over the delivery.

    Args:
        channel: what is wrapped; its time samples turn if it has a waveform.
        linewidth: beta, full 3 dB width of the carrier's line, in cycles per symbol.
        frequency_offset: sigma, standard deviation of the residual offset, in cycles per symbol.
        tracking_interval: symbols from one correction of the phase to the next; `None` for one at the start only.

    Raises:
        ValueError: a negative linewidth or offset, or a tracking interval below 1.

    Source: T. Pollet, M. Van Bladel and M. Moeneclaey, "BER sensitivity of OFDM systems to carrier frequency offset
    and Wiener phase noise", IEEE Transactions on Communications 43(2/3/4), 1995.

    >>> from channels import AWGN
    >>> channel = PhaseNoise(AWGN(), linewidth=1e-3, tracking_interval=10)
    >>> state = channel.realize(2, 100, float("inf"), torch.Generator().manual_seed(0))
    >>> received = channel.transmit(torch.ones(1, 100) + 0j, state, torch.Generator().manual_seed(1))
    >>> received.gain[0, [0, 9, 10]].abs()
    tensor([0.9969, 0.9691, 0.9969])
    """

    linewidth: float = 1e-5
    frequency_offset: float = 0.0
    tracking_interval: int | None = 1000

    def __post_init__(self):
        super().__post_init__()
        for name in ("linewidth", "frequency_offset"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name} must be 0 or more cycles per symbol, got {getattr(self, name)}")
        if self.tracking_interval is not None and self.tracking_interval < 1:
            raise ValueError(f"tracking_interval must be at least 1 symbol, or None, got {self.tracking_interval}")

    def realize(self, realizations: int, n: int, snr_db: Decibel, generator: Generator) -> ChannelState:  # noqa: D102
        state = self.channel.realize(realizations, n, snr_db, generator)
        # The phase drifts over a delivery even where the gain does not, so the state tells how long it is.
        return replace(state, gain=state.gain.expand(-1, n))

    def transmit(  # noqa: D102
        self, symbols: Complex[Tensor, "#realizations n"], state: ChannelState, generator: Generator
    ) -> Received:
        rows, n = state.gain.shape[0], symbols.shape[-1]
        samples = self.modulate(symbols)
        # One symbol lasts as long whether it is one time sample or several.
        duration = n / max(samples.shape[-1], 1)
        phase = self._phase(rows, samples.shape[-1], duration, generator)
        turned = self.demodulate(samples * torch.polar(torch.ones_like(phase), phase), n)
        received = self.channel.transmit(turned, state, generator)
        mean = self._mean_rotation(samples.shape[-1], n, generator.device)
        power = mean_power(symbols).float().unsqueeze(-1)
        variance = received.noise_variance + received.gain.abs().square() * power * (1 - mean.square())
        return Received(received.samples, received.gain * mean, variance)

    def effective(  # noqa: D102
        self, state: ChannelState, generator: Generator, probe: Complex[Tensor, "#realizations n"] | None = None
    ) -> ChannelState:
        n = state.gain.shape[-1] if probe is None else probe.shape[-1]
        inner = self.channel.effective(state, generator, probe)
        mean = self._mean_rotation(self.modulate(inner.gain.new_zeros(1, n)).shape[-1], n, generator.device)
        power = 1.0 if probe is None else mean_power(probe).float().unsqueeze(-1)
        variance = inner.noise_variance + inner.gain.abs().square() * power * (1 - mean.square())
        return ChannelState(inner.gain * mean, variance)

    def _interval(self, m: int, duration: float) -> int:
        longest = max(m, 1)
        if self.tracking_interval is None or m == 0:
            return longest
        return min(max(round(self.tracking_interval / duration), 1), longest)

    def _phase(self, rows: int, m: int, duration: float, generator: Generator) -> Float[Tensor, "rows m"]:
        interval = self._interval(m, duration)
        steps = torch.randn((rows, math.ceil(m / interval), interval), generator=generator, device=generator.device)
        steps *= math.sqrt(2 * math.pi * self.linewidth * duration)
        offset = torch.randn((rows, 1, 1), generator=generator, device=generator.device) * self.frequency_offset
        return (steps + 2 * math.pi * duration * offset).cumsum(-1).flatten(1)[:, :m]

    def _mean_rotation(self, m: int, n: int, device: torch.device) -> Float[Tensor, "1 #n"]:
        """Of each of n symbols, or of all where they are m other time samples."""
        duration = n / max(m, 1)
        time = (torch.arange(m, device=device) % self._interval(m, duration) + 1) * duration
        drift = math.pi * self.linewidth * time + (2 * math.pi * self.frequency_offset * time).square() / 2
        mean = torch.exp(-drift).unsqueeze(0)
        return mean if m == n else mean.mean(-1, keepdim=True)
