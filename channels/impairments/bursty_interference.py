"""Interference that comes in bursts."""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Complex, Float
from torch import Generator, Tensor

from channels.base import ChannelState, Decibel, Received
from channels.impairments.base import DisturbedState, Impairment, disturbed_state
from channels.noise import complex_normal


@dataclass(frozen=True)
class BurstyInterference(Impairment):
    """Gaussian interference in the bad state of a Gilbert-Elliott chain; the receiver notices bursts.

    The chain moves from symbol to symbol, starts in its stationary distribution, and its interference is noise of
    its own variance, in the state and at the receiver. Payload symbols are hit whether the channel has a waveform or
    not.

    Args:
        channel: what is wrapped.
        burst_fraction: stationary probability of the bad state, 0 to 1.
        burst_length: mean symbols of a burst, at least 1 / (1 - burst_fraction), that of independent symbols.
        interference_db: power of the interference over unit signal power, in dB, at each receive antenna.

    Raises:
        ValueError: a fraction, length or interference outside these bounds.

    Source: E. N. Gilbert, Bell System Technical Journal 39(5), 1960; E. O. Elliott, the same 42(5), 1963.

    >>> from channels import AWGN
    >>> channel = BurstyInterference(AWGN(), burst_fraction=0.5, burst_length=4.0, interference_db=10.0)
    >>> channel.realize(1, 8, 0.0, torch.Generator().manual_seed(2)).noise_variance
    tensor([[11., 11., 11.,  1.,  1., 11., 11., 11.]])
    """

    burst_fraction: float = 0.1
    burst_length: float = 100.0
    interference_db: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.burst_fraction < 1:
            raise ValueError(f"burst_fraction must be 0 or more and below 1, got {self.burst_fraction}")
        if not 1 / (1 - self.burst_fraction) <= self.burst_length < math.inf:
            raise ValueError(
                f"burst_length must be at least {1 / (1 - self.burst_fraction):.4g} symbols, the mean of independent "
                f"ones at a burst_fraction of {self.burst_fraction}, got {self.burst_length}"
            )
        if not self.interference_db < math.inf:
            raise ValueError(f"interference_db must be a number below infinity, got {self.interference_db}")

    def realize(self, realizations: int, n: int, snr_db: Decibel, generator: Generator) -> ChannelState:  # noqa: D102
        state = self.channel.realize(realizations, n, snr_db, generator)
        bursts = gilbert_elliott(state.gain.shape[0], n, self.burst_fraction, self.burst_length, generator)
        return DisturbedState(state.gain, state.noise_variance + self._interference(bursts), state, bursts)

    def transmit(  # noqa: D102
        self, symbols: Complex[Tensor, "#realizations n"], state: ChannelState, generator: Generator
    ) -> Received:
        state = disturbed_state(state)
        received = self.channel.transmit(symbols, state.wrapped, generator)
        interference = self._interference(state.disturbed[:, : symbols.shape[-1]])
        samples = received.samples + complex_normal(tuple(interference.shape), generator) * interference.sqrt()
        return replace(received, samples=samples, noise_variance=received.noise_variance + interference)

    def effective(  # noqa: D102
        self, state: ChannelState, generator: Generator, probe: Complex[Tensor, "#realizations n"] | None = None
    ) -> ChannelState:
        state = disturbed_state(state)
        n = None if probe is None else probe.shape[-1]
        inner = self.channel.effective(state.wrapped, generator, probe)
        return ChannelState(inner.gain, inner.noise_variance + self._interference(state.disturbed[:, :n]))

    def _interference(self, bursts: Bool[Tensor, "realizations n"]) -> Float[Tensor, "realizations n"]:
        # Independent at every antenna, so combining divides it as it divides the noise.
        return bursts * (10 ** (self.interference_db / 10) / self.array_gain)


def gilbert_elliott(
    realizations: int, n: int, fraction: float, length: float, generator: Generator
) -> Bool[Tensor, "realizations n"]:
    """Stationary two-state Markov chains, True in the bad state.

    One uniform number u moves both states at once: to bad below P(good to bad), to good above 1 - P(bad to good), and
    nowhere in between. So the state is that of the last move, and no step has to wait for the one before.

    Args:
        realizations: number of independent chains.
        n: steps of each.
        fraction: stationary probability of the bad state.
        length: mean steps of a stay in the bad state, at least 1 / (1 - fraction).
        generator: the only source of randomness.

    >>> gilbert_elliott(1, 4, 0.0, 1.0, torch.Generator())
    tensor([[False, False, False, False]])
    """
    device = generator.device
    leave = 1 / length
    enter = leave * fraction / (1 - fraction)
    u = torch.rand((realizations, n + 1), generator=generator, device=device, dtype=torch.float64)
    bad = u < enter
    moves = bad | (u >= 1 - leave)
    bad[:, 0] = u[:, 0] < fraction
    moves[:, 0] = True
    step = torch.arange(n + 1, device=device)
    last = torch.where(moves, step, 0).cummax(-1).values
    return bad.gather(-1, last)[:, 1:]
