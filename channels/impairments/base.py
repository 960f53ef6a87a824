"""An impairment wraps any channel, another impairment included, and disturbs what passes."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Complex, Float
from torch import Tensor

from channels.base import ChannelState
from channels.wrapper import Wrapper


@dataclass(frozen=True)
class Impairment(Wrapper):
    """A wrapper that disturbs what passes. Hardware acts on the time samples of the wrapped channel (see `Wrapper`).

    Args:
        channel: what is wrapped.

    Raises:
        ValueError: something that is not a channel, or one with many receivers.
    """

    def __post_init__(self):
        super().__post_init__()
        if self.channel.receivers != 1:
            raise ValueError(
                f"an impairment belongs inside a multicast, round each receiver's channel: wrap it as "
                f"{type(self.channel).__name__}({type(self).__name__}(...), ...)"
            )


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
