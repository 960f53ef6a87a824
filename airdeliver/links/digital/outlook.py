"""What a sender has to expect of a transmission: what its receiver will see, as far as the sender can know."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from airdeliver.links.base import Knowledge
from airdeliver.links.digital.reception import GAUSSIAN, effective_db, receptions, transparent
from airdeliver.links.memory import Memory
from channels import AWGN, Channel, ChannelState

FEW, MANY, TOGETHER = 64, 2048, 1 << 21
"""Realizations that a sender imagines when it knows a channel's statistics: fewer where they have a gain per symbol, so
that they have no more symbols together than the last number says."""

LONGEST = 1 << 16
"""Symbols of those realizations, at most."""

LIKELY = 16
"""What a sender expects a receiver to see who looks like this one: so many SNRs, equally likely."""

_STATISTICS = Memory["Statistics"]()


@dataclass(frozen=True, eq=False)
class Outlook:
    """Realizations that are as likely as each other, as receivers of each constellation will see them.

    Args:
        states: by bits per symbol, 0 for Gaussian symbols; rows are realizations x receivers.
        receivers: rows of one transmission.
    """

    states: Mapping[int, ChannelState]
    receivers: int = 1

    @classmethod
    def of(cls, state: ChannelState, alphabets: Sequence[int], receivers: int = 1) -> "Outlook":
        """One that is the same whatever is sent."""
        return cls(dict.fromkeys(alphabets, state), receivers)

    @property
    def rows(self) -> int:
        """Realizations x receivers."""
        return len(next(iter(self.states.values())).gain)

    def backed_off(self, decibel: float) -> "Outlook":
        """With so many dB more noise."""
        if decibel == 0:
            return self
        louder = 10 ** (decibel / 10)
        states = {a: replace(s, noise_variance=s.noise_variance * louder) for a, s in self.states.items()}
        return replace(self, states=states)


@dataclass(frozen=True, eq=False)
class Statistics:
    """What a sender knows of a channel and an SNR before it knows the realization.

    Args:
        seen: what receivers see, over realizations.
        estimated_db: effective SNR in dB of what senders are told of the same realizations, one for each row; None
            where a sender that is told is told what the receiver sees.
        better_db: by how many dB the effective SNR that receivers then see is above that, by bits per symbol.
    """

    seen: Outlook
    estimated_db: Float[Tensor, "rows"] | None = None
    better_db: Mapping[int, Float[Tensor, "rows"]] | None = None

    def given(self, estimate: ChannelState) -> Outlook:
        """What a receiver will see for whom the sender was told an estimate: what those saw who looked most like it."""
        alphabets, receivers = tuple(self.seen.states), self.seen.receivers
        if self.estimated_db is None or self.better_db is None:
            return Outlook.of(estimate, alphabets, receivers)
        distance = (self.estimated_db - effective_db(estimate, GAUSSIAN).unsqueeze(-1)).abs()
        nearest = distance.argsort(dim=-1)[:, : max(2 * LIKELY, self.seen.rows // 16)]
        shares = (torch.arange(LIKELY, dtype=torch.float64) + 0.5) / LIKELY
        states = {}
        for alphabet in alphabets:
            likely = self.better_db[alphabet][nearest].quantile(shares, dim=-1)  # (LIKELY, rows)
            variance = estimate.noise_variance.unsqueeze(0) / (10 ** (likely / 10)).unsqueeze(-1).to(estimate.gain.real)
            gain = estimate.gain.unsqueeze(0).expand(LIKELY, -1, -1)
            states[alphabet] = ChannelState(gain.flatten(0, 1), variance.flatten(0, 1))
        return Outlook(states, receivers)


def statistics(channel: Channel, snr_db: float, symbols: int, alphabets: Sequence[int], told: bool) -> Statistics:
    """What a sender expects of a channel, always the same for the same channel, SNR and symbols.

    Args:
        channel: physics, estimator included.
        snr_db: mean SNR in dB.
        symbols: of a delivery; of longer ones than 65,536 the first. Rounded up by less than a tenth, so that the
            networks that a sender may choose from, whose side information leaves them unlike room, share an answer.
        alphabets: bits per symbol of the constellations that may be sent, 0 for Gaussian symbols.
        told: whether senders are told an estimate of each realization.
    """
    symbols = _alike(min(symbols, LONGEST))
    asked = (channel, snr_db, symbols, tuple(alphabets), told)
    return _STATISTICS.answer(asked, lambda: _statistics(channel, snr_db, symbols, alphabets, told))


def _alike(symbols: int) -> int:
    """The next eighth of an octave, at most the longest.

    >>> _alike(8100), _alike(8192), _alike(65_536)
    (8192, 8192, 65536)
    """
    return min(LONGEST, math.ceil(2 ** (math.ceil(8 * math.log2(max(symbols, 1)) - 1e-9) / 8)))


def _statistics(channel: Channel, snr_db: float, symbols: int, alphabets: Sequence[int], told: bool) -> Statistics:
    generator = Generator().manual_seed(0)
    state = channel.realize(1, symbols, snr_db, generator)
    one = state.gain.shape[-1] == state.noise_variance.shape[-1] == 1
    draws = MANY if one else min(MANY, max(FEW, TOGETHER // symbols))
    if not isinstance(channel, AWGN):
        state = channel.realize(draws, symbols, snr_db, generator)
    if transparent(channel, state):
        return Statistics(Outlook.of(state, alphabets, channel.receivers))
    generator = Generator().manual_seed(1)
    seen = receptions(channel, state, alphabets, symbols, generator)
    outlook = Outlook(seen, channel.receivers)
    if not told:
        return Statistics(outlook)
    estimate = channel.effective(state, generator)
    better = {a: effective_db(seen[a], a) - effective_db(estimate, a) for a in alphabets}
    return Statistics(outlook, effective_db(estimate, GAUSSIAN), better)


def outlooks(knowledge: Knowledge, design_snr_db: float, symbols: int, alphabets: Sequence[int]) -> list[Outlook]:
    """What a sender has to expect, for each transmission that it can tell apart; one for all if it cannot.

    Args:
        knowledge: what it knows. Without knowledge, it assumes an AWGN channel.
        design_snr_db: mean SNR in dB of that channel.
        symbols: of a delivery.
        alphabets: bits per symbol of the constellations that may be sent, 0 for Gaussian symbols.
    """
    channel: Channel = knowledge.channel or AWGN()
    snr_db = design_snr_db if knowledge.snr_db is None else knowledge.snr_db
    if knowledge.state is None:
        return [statistics(channel, snr_db, symbols, alphabets, told=False).seen]
    known = statistics(channel, snr_db, symbols, alphabets, told=True)
    rows = torch.arange(len(knowledge.state.gain)).view(-1, channel.receivers)
    return [known.given(knowledge.state[part]) for part in rows]
