"""Symbols that never arrive."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Complex
from torch import Generator, Tensor

from channels.base import ChannelState, Decibel, Received, gaussian_probe
from channels.impairments.base import DisturbedState, Impairment, disturbed_state


@dataclass(frozen=True)
class Erasures(Impairment):
    """Blocks of symbols are lost independently, and the receiver knows which: their gain is 0, their sample noise.

    Args:
        channel: what is wrapped.
        probability: of losing a block, 0 to 1; E|h|^2 becomes 1 - probability.
        block: symbols that are lost together; `None` for the whole delivery.

    Raises:
        ValueError: probability outside 0 to 1, or block below 1.

    Source: P. Elias, "Coding for two noisy channels", Third London Symposium on Information Theory, 1955.

    >>> from channels import AWGN
    >>> state = Erasures(AWGN(), 0.5, block=2).realize(1, 8, 0.0, torch.Generator().manual_seed(0))
    >>> state.gain.real
    tensor([[0., 0., 1., 1., 0., 0., 0., 0.]])
    """

    probability: float = 0.1
    block: int | None = 1

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.probability <= 1:
            raise ValueError(f"probability must be 0 to 1, got {self.probability}")
        if self.block is not None and self.block < 1:
            raise ValueError(f"block must be at least 1 symbol, or None, got {self.block}")

    @property
    def mean_gain(self) -> float:  # type: ignore[override]
        """E|h|^2 of the wrapped channel times the share that arrives."""
        return self.channel.mean_gain * (1 - self.probability)

    def realize(self, realizations: int, n: int, snr_db: Decibel, generator: Generator) -> ChannelState:  # noqa: D102
        state = self.channel.realize(realizations, n, snr_db, generator)
        blocks = 1 if self.block is None else math.ceil(n / self.block)
        shape = (state.gain.shape[0], blocks)
        lost = torch.rand(shape, generator=generator, device=generator.device) < self.probability
        if self.block is not None:
            lost = lost.repeat_interleave(self.block, dim=-1)[:, :n]
        return DisturbedState(state.gain * ~lost, state.noise_variance, state, lost)

    def transmit(  # noqa: D102
        self, symbols: Complex[Tensor, "#realizations n"], state: ChannelState, generator: Generator
    ) -> Received:
        state = disturbed_state(state)
        arrives = ~state.disturbed[:, : symbols.shape[-1]]
        received = self.channel.transmit(symbols * arrives, state.wrapped, generator)
        return Received(received.samples, received.gain * arrives, received.noise_variance)

    def effective(  # noqa: D102
        self, state: ChannelState, generator: Generator, probe: Complex[Tensor, "#realizations n"] | None = None
    ) -> ChannelState:
        state = disturbed_state(state)
        probe = gaussian_probe(state, generator) if probe is None else probe
        arrives = ~state.disturbed[:, : probe.shape[-1]]
        inner = self.channel.effective(state.wrapped, generator, probe * arrives)
        return ChannelState(inner.gain * arrives, inner.noise_variance)
