"""Many fades at the price of few: draw them all, send a few that stand for the rest."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor

from airdeliver.links.digital.physical_layer import information
from airdeliver.randomness import BLOCK, blocks
from channels import ChannelState

GAINS = 2**27
"""Most gains that are drawn where one fade has many (fast or frequency-selective fading): fewer fades then."""

_AT_ONCE = 1024
"""Fades that are drawn together where one is one gain."""

_LEAST, _MOST = 2.0**-4, 2.0**3
"""Bits per complex symbol between which what arrives of a network changes with them."""


@dataclass(frozen=True)
class Fades:
    """How many fades are drawn, and how many of them are sent, instead of as many independent deliveries.

    A fade is drawn in microseconds, a network evaluated in seconds, and what arrives depends on the fade by little more
    than its mutual information. So many are drawn and put in the order of their mutual information, this order is cut
    into strata, and one fade of each stratum, drawn at random, is sent through noise of its own; its score stands for
    the stratum. The mean of the scores, each with its stratum's share of all fades, is without bias whatever the
    channel, and its error falls faster than with the root of their number.

    Strata are narrow where many fades are and where the mutual information changes: one step of half the share of fades
    plus half the share of the octaves from 1/16 to 8 bits per symbol. Deep fades, rare where the mean SNR is high, are
    thus told apart.

    Args:
        drawn: fades.
        sent: strata.
        exact: strata where all that may be sent is digital: equal payloads are evaluated once, so that many cost
            little, and only many tell the share that arrives.

    Raises:
        ValueError: fewer than 3 strata, or fewer fades than strata.

    Source: W. G. Cochran, Sampling Techniques, 1977, sections 5.3 (stratified) and 12.1 (double sampling).
    """

    drawn: int = 16384
    sent: int = 32
    exact: int = 256

    def __post_init__(self) -> None:
        if not 3 <= min(self.sent, self.exact) <= max(self.sent, self.exact) <= self.drawn:
            raise ValueError(
                f"fades need 3 <= sent and exact <= drawn, got sent {self.sent}, exact {self.exact}, drawn {self.drawn}"
            )


@dataclass(frozen=True)
class Strata:
    """What the fades that were sent stand for; they are numbered as their mutual information rises.

    Args:
        drawn: fades that they were chosen from.
        shares: of these, that each stands for; they add up to 1.
    """

    drawn: int
    shares: Float[Tensor, "realizations"]


def choose(
    mutual: Float[Tensor, "fades"], sent: int, generator: Generator
) -> tuple[Int64[Tensor, "chosen"], Float[Tensor, "chosen"]]:
    """One fade of each stratum, in rising order of mutual information, and the share of all that it stands for.

    Strata that no fade is in are left out.

    Args:
        mutual: information of each fade, in bits per complex symbol.
        sent: strata.
        generator: of the choice within each.

    >>> chosen, shares = choose(torch.rand(1000), 10, Generator().manual_seed(0))
    >>> len(chosen), round(float(shares.sum()), 9)
    (10, 1.0)
    """
    n = len(mutual)
    order = mutual.argsort(stable=True)
    octave = mutual[order].double().clamp(_LEAST, _MOST).log2()
    place = (torch.arange(n, dtype=torch.float64) + 0.5) / n
    reach = octave[-1] - octave[0]
    if reach > 0:
        place = (place + (octave - octave[0]) / reach) / 2
    _, counts = (sent * place).floor().clamp(max=sent - 1).unique_consecutive(return_counts=True)
    within = (torch.rand(len(counts), generator=generator, dtype=torch.float64) * counts).floor().long()
    first = counts.cumsum(0) - counts
    return order[first + torch.minimum(within, counts - 1)], counts.double() / n


def draw(
    realize: Callable[[int, int], ChannelState],
    fades: Fades,
    sent: int,
    receivers: int,
    symbols: int,
    choice: Generator,
) -> tuple[ChannelState, Strata]:
    """Draw all fades, and the state of those that are sent.

    Args:
        realize: the state of so many transmissions of the block of that number, always the same.
        fades: how many to draw.
        sent: strata.
        receivers: of each transmission; each of them is a fade.
        symbols: of the payload.
        choice: of the fade that stands for a stratum.
    """
    first = realize(0, BLOCK)
    columns = max(first.gain.shape[-1], first.noise_variance.shape[-1])
    drawn = max(sent, fades.drawn if columns == 1 else min(fades.drawn, GAINS // columns))
    size = BLOCK if columns > 1 else _AT_ONCE
    parts = blocks(-(-drawn // receivers), size)
    mutual = torch.cat([information(realize(block, len(rows)), symbols).cpu() for block, rows in enumerate(parts)])
    chosen, shares = choose(mutual, sent, choice)
    picked, inverse = [], []
    for block in (chosen // (size * receivers)).unique().tolist():
        places = torch.nonzero(chosen // (size * receivers) == block).flatten()
        state = realize(block, len(parts[block]))
        picked.append(state[(chosen[places] % (size * receivers)).to(state.gain.device)])
        inverse.append(places)
    state = stacked(picked)
    return state[torch.cat(inverse).argsort().to(state.gain.device)], Strata(len(mutual), shares)


def stacked(states: list[ChannelState]) -> ChannelState:
    """Realizations of several states one after the other.

    >>> one = ChannelState(torch.ones(2, 1) + 0j, torch.ones(2, 1))
    >>> stacked([one, one]).gain.shape
    torch.Size([4, 1])
    """
    return replace(states[0], **{f.name: _stacked([getattr(s, f.name) for s in states]) for f in fields(states[0])})


def _stacked(values: list[Any]) -> Any:
    if isinstance(values[0], ChannelState):
        return stacked(values)
    return torch.cat(values) if isinstance(values[0], Tensor) else values[0]
