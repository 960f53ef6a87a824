"""An impairment wraps any channel, another impairment included, and disturbs what passes."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Complex, Float
from torch import Generator, Tensor

from channels.base import Channel, ChannelState, Decibel


@dataclass(frozen=True)
class Impairment(Channel):
    """A wrapper that passes everything on to its channel; a member overrides `realize` or `transmit`.

    Hardware acts on time samples. A channel that has a waveform (OFDM) offers `modulate(symbols (k, n))`, its time
    samples `(k, m)`, and `demodulate(samples, n)`, the symbols again; any other channel's symbols are its time samples.

    Args:
        channel: what is wrapped.
    """

    channel: Channel

    @property
    def mean_gain(self) -> float:  # type: ignore[override]
        """E|h|^2 of the wrapped channel."""
        return self.channel.mean_gain

    @property
    def array_gain(self) -> float:  # type: ignore[override]
        """That of the wrapped channel."""
        return self.channel.array_gain

    @property
    def receivers(self) -> int:  # type: ignore[override]
        """Those of the wrapped channel."""
        return self.channel.receivers

    @property
    def differentiable(self) -> bool:  # type: ignore[override]
        """Whether gradients pass the wrapped channel."""
        return self.channel.differentiable

    def symbols(self, channel_uses: int) -> int:
        """The most payload symbols that fit into `channel_uses` of the wrapped channel."""
        return self.channel.symbols(channel_uses)

    def uses(self, symbols: int) -> int:
        """What `symbols` payload symbols cost on the wrapped channel."""
        return self.channel.uses(symbols)

    def realize(self, realizations: int, n: int, snr_db: Decibel, generator: Generator) -> ChannelState:  # noqa: D102
        return self.channel.realize(realizations, n, snr_db, generator)

    def modulate(self, symbols: Complex[Tensor, "k n"]) -> Complex[Tensor, "k m"]:
        """Time samples of the wrapped channel's waveform; the symbols themselves if it has none."""
        modulate = getattr(self.channel, "modulate", None)
        return symbols if modulate is None else modulate(symbols)

    def demodulate(self, samples: Complex[Tensor, "k m"], n: int) -> Complex[Tensor, "k n"]:
        """Symbols of time samples: the inverse of `modulate`."""
        demodulate = getattr(self.channel, "demodulate", None)
        return samples if demodulate is None else demodulate(samples, n)


@dataclass(frozen=True)
class DisturbedState(ChannelState):
    """The state of a wrapped channel, and which of its symbols are disturbed.

    Args:
        gain, noise_variance: disturbance included.
        wrapped: the state of the wrapped channel.
        disturbed: one flag a symbol, `(realizations, 1)` for whole deliveries.
    """

    wrapped: ChannelState
    disturbed: Bool[Tensor, "realizations #n"]


def disturbed_state(state: ChannelState) -> DisturbedState:
    """The state itself, if it is one of a channel that disturbs symbols.

    Raises:
        TypeError: a state of another channel.
    """
    if not isinstance(state, DisturbedState):
        raise TypeError(
            f"the state must come from this channel's own realize, got a {type(state).__name__} of another channel"
        )
    return state


def bussgang(
    before: Complex[Tensor, "k n"], after: Complex[Tensor, "k n"]
) -> tuple[Complex[Tensor, "k 1"], Float[Tensor, "k 1"]]:
    r"""Split `after` into a part proportional to `before` and a distortion uncorrelated with it, for each row.

    Returns:
        The gain $a = \langle after, before \rangle / \langle before, before \rangle$ (1 for a row of zeros), and
        the variance of $after - a \cdot before$ per complex symbol.

    Source: J. J. Bussgang, MIT Research Laboratory of Electronics report 216, 1952; complex symbols: D. Dardari,
    V. Tralli and A. Vaccari, IEEE Transactions on Communications 48(10), 2000.

    >>> x = torch.tensor([[1.0 + 0j, 1j]])
    >>> bussgang(x, 0.5 * x)
    (tensor([[0.5000+0.j]]), tensor([[0.]]))
    """
    energy = before.abs().square().sum(-1, keepdim=True)
    silent = energy == 0
    product = (after * before.conj()).sum(-1, keepdim=True)
    gain = torch.where(silent, torch.ones_like(product), product / energy.masked_fill(silent, 1.0))
    distortion = (after - gain * before).abs().square().sum(-1, keepdim=True) / max(before.shape[-1], 1)
    return gain, distortion
