"""A receiver that knows the gain up to an error."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Complex
from torch import Generator, Tensor

from channels.base import ChannelState, Received
from channels.checks import mean_power
from channels.impairments.base import Impairment
from channels.noise import complex_normal


@dataclass(frozen=True)
class ImperfectKnowledge(Impairment):
    r"""The receiver holds a minimum-mean-square-error estimate $\hat h$ of the gain, $h = \hat h + e$.

    For Gaussian gains the error e is orthogonal to the estimate, $E|\hat h|^2 = 1 - E|e|^2$: drawn as
    $\hat h = (1 - v) h + \sqrt{v (1 - v)}\, w$ with $w \sim \mathcal{CN}(0, 1)$, one error for as long as the gain
    stays. The noise variance grows by v times the power of the symbols.

    Args:
        channel: what is wrapped.
        error_variance: v = E|e|^2, relative to E|h|^2 = 1.

    Raises:
        ValueError: error_variance outside 0 to 1.

    Source: M. Medard, "The effect upon channel capacity in wireless communications of perfect and imperfect knowledge
    of the channel", IEEE Transactions on Information Theory 46(3), 2000.

    >>> from channels import Rayleigh
    >>> channel = ImperfectKnowledge(Rayleigh(), error_variance=0.1)
    >>> state = channel.realize(2, 10, 10.0, torch.Generator().manual_seed(0))
    >>> channel.transmit(torch.ones(1, 10) + 0j, state, torch.Generator().manual_seed(1)).noise_variance
    tensor([[0.2000],
            [0.2000]])
    """

    error_variance: float = 0.01

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.error_variance < 1:
            raise ValueError(f"error_variance must be 0 or more and below 1, got {self.error_variance}")

    def transmit(  # noqa: D102
        self, symbols: Complex[Tensor, "#realizations n"], state: ChannelState, generator: Generator
    ) -> Received:
        received = self.channel.transmit(symbols, state, generator)
        power = mean_power(symbols).float().unsqueeze(-1)
        variance = received.noise_variance + self.error_variance * power
        return Received(received.samples, self._estimate(received.gain, generator), variance)

    def effective(  # noqa: D102
        self, state: ChannelState, generator: Generator, probe: Complex[Tensor, "#realizations n"] | None = None
    ) -> ChannelState:
        inner = self.channel.effective(state, generator, probe)
        power = 1.0 if probe is None else mean_power(probe).float().unsqueeze(-1)
        variance = inner.noise_variance + self.error_variance * power
        return ChannelState(self._estimate(inner.gain, generator), variance)

    def _estimate(
        self, gain: Complex[Tensor, "realizations n"], generator: Generator
    ) -> Complex[Tensor, "realizations n"]:
        v, stretch = self.error_variance, _stretches(gain)
        stretches = int(stretch[-1]) + 1 if len(stretch) else 0
        error = complex_normal((gain.shape[0], stretches), generator)[:, stretch]
        return (1 - v) * gain + math.sqrt(v * (1 - v)) * error


def _stretches(gain: Complex[Tensor, "realizations n"]) -> Tensor:
    """Number of the stretch of unchanging gain that each column belongs to."""
    changes = (gain[:, 1:] != gain[:, :-1]).any(0).long()
    return torch.cat([changes.new_zeros(min(gain.shape[-1], 1)), changes.cumsum(0)])
