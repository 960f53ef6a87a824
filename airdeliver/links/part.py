"""A part of a delivery: some of its symbols, over what the channel is there."""

import math
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Complex
from torch import Generator, Tensor

from channels import Channel, ChannelState, Received
from channels.wrapper import Wrapper


@dataclass(frozen=True)
class Behind(Wrapper):
    """A channel whose first symbols are another part's: what is sent meets what comes behind them.

    Where pilots lie, how a receiver interpolates between them and which symbols an impairment hits follows from a
    symbol's place in the delivery. In front, symbols of equal power stand for the other part.

    Args:
        channel: of the whole delivery.
        symbols_before: of the other part.
    """

    symbols_before: int = 0

    @property
    def receivers(self) -> int:  # type: ignore[override]
        """Of the whole channel."""
        return self.channel.receivers

    def transmit(  # noqa: D102
        self, symbols: Complex[Tensor, "_ n"], state: ChannelState, generator: Generator
    ) -> Received:
        heard = self.channel.transmit(self._behind(symbols), state, generator)
        return columns(heard, self.symbols_before, self.symbols_before + symbols.shape[-1])

    def effective(  # noqa: D102
        self, state: ChannelState, generator: Generator, probe: Complex[Tensor, "_ n"] | None = None
    ) -> ChannelState:
        seen = self.channel.effective(state, generator, None if probe is None else self._behind(probe))
        return columns(ChannelState(seen.gain, seen.noise_variance), self.symbols_before, None)

    def _behind(self, symbols: Tensor) -> Tensor:
        turns = torch.randint(0, 4, (1, self.symbols_before), generator=Generator().manual_seed(0))
        quadrants = torch.polar(torch.ones(1), turns * (math.pi / 2) + math.pi / 4)
        return torch.cat([quadrants.to(symbols).expand(len(symbols), -1), symbols], dim=-1)


def part_of(channel: Channel, state: ChannelState, start: int, end: int) -> tuple[Channel, ChannelState]:
    """Channel and state that symbols `start` to `end` of a delivery meet.

    >>> from channels import AWGN
    >>> state = ChannelState(torch.ones(1, 8) + 0j, torch.ones(1, 1))
    >>> part_of(AWGN(), state, 2, 5)[1].gain.shape
    torch.Size([1, 3])
    """
    if type(state) is ChannelState:
        return channel, columns(state, start, end)
    return (Behind(channel, start) if start else channel), state


def columns(of: Any, start: int, end: int | None) -> Any:
    """Some symbols of what was received, or of a state whose gain or noise may be that of all of them."""
    named = {name: getattr(of, name) for name in ("samples", "gain", "noise_variance") if hasattr(of, name)}
    cut = {name: t[..., start:end] if t.shape[-1] > 1 or name == "samples" else t for name, t in named.items()}
    return replace(of, **cut)
