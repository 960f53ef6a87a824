"""Additive white Gaussian noise: nothing but noise."""

from dataclasses import dataclass

import torch
from torch import Generator

from channels.base import Channel, ChannelState, Decibel, noise_variance


@dataclass(frozen=True)
class AWGN(Channel):
    r"""The channel $y = x + w$ with $w \sim \mathcal{CN}(0, \sigma^2)$, $\sigma^2$ = 10^(-SNR / 10) per complex symbol.

    Source: D. Tse and P. Viswanath, Fundamentals of Wireless Communication, 2005, section 2.2.4.

    >>> state = AWGN().realize(4, 1000, snr_db=10.0, generator=torch.Generator().manual_seed(0))
    >>> state.gain.shape, round(float(state.noise_variance[0]), 3)
    (torch.Size([4, 1]), 0.1)
    """

    def realize(self, realizations: int, n: int, snr_db: Decibel, generator: Generator) -> ChannelState:  # noqa: D102
        variance = noise_variance(snr_db, realizations, generator)
        return ChannelState(torch.ones_like(variance, dtype=torch.complex64), variance)
