"""The outer loop of link adaptation: back off when more is lost than was promised."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from jaxtyping import Int64
from scipy.special import bdtr
from torch import Generator, Tensor

from airdeliver.links.base import Knowledge
from airdeliver.links.digital.outlook import Outlook, outlooks
from airdeliver.links.digital.physical_layer import PhysicalLayer, Simulated
from channels import Channel, ChannelState


@dataclass(frozen=True)
class OuterLoop:
    """What earlier deliveries have taught a sender: by how many dB it expects too much of this channel.

    A sender is told whether what it sent was lost. It adapts to the SNR that it expects less a back-off, which starts
    at 0 and grows by a step as long as more of its deliveries are lost than chance explains, where as many may be lost
    as it expects itself or, if that is more, the target. The deliveries that taught it are not those that follow: they
    meet other fades and other noise, are at most so long, and are no part of what a delivery costs, as in a connection
    that has been there for a while.

    Args:
        target: error rate from which on the sender backs off.
        step_db: by which it does, each time, in dB.
        most_db: at most, in dB.
        deliveries: earlier ones at each back-off.
        symbols: of each, at most.

    Raises:
        ValueError: a target outside 0 to 1, a step or a number that is not positive.

    Source: K. I. Pedersen et al., Frequency domain scheduling for OFDMA with limited and noisy channel feedback, IEEE
    VTC 2007 (outer loop link adaptation by acknowledgements).
    """

    target: float = 0.1
    step_db: float = 0.5
    most_db: float = 12.0
    deliveries: int = 24
    symbols: int = 2048

    def __post_init__(self) -> None:
        if not 0 < self.target < 1:
            raise ValueError(f"the target error rate must lie between 0 and 1, got {self.target}")
        if not (self.step_db > 0 and self.most_db >= 0 and self.deliveries > 0 and self.symbols > 0):
            raise ValueError("step_db, deliveries and symbols must be above 0, most_db 0 or more")

    def back_off_db(
        self, physical: PhysicalLayer, knowledge: Knowledge, symbols: int, best: Callable[[Outlook, int], int]
    ) -> float:
        """The back-off in dB that a sender has arrived at.

        Args:
            physical: layer that sends.
            knowledge: what the sender knows, its channel and SNR among it.
            symbols: of the delivery that is to follow.
            best: the grade for an outlook and so many symbols.
        """
        if knowledge.channel is None or knowledge.snr_db is None or not isinstance(physical, Simulated):
            return 0.0
        channel, n = knowledge.channel, min(symbols, self.symbols)
        state = channel.realize(self.deliveries, n, knowledge.snr_db, Generator().manual_seed(2))
        known = replace(knowledge, state=None)
        if knowledge.state is not None:
            known = replace(known, state=channel.effective(state, Generator().manual_seed(3)))
        expected = outlooks(known, 0.0, n, physical.alphabets)
        back_off = 0.0
        while back_off < self.most_db:
            grades = torch.tensor([best(outlook.backed_off(back_off), n) for outlook in expected])
            promised = [
                float(physical.failure(grades[[i]], outlook.backed_off(back_off), n).mean())
                for i, outlook in enumerate(expected)
            ]
            lost = _lost(physical, grades, channel, state, n)
            allowed = max(self.target, sum(promised) / len(promised))
            if not _too_many(lost, self.deliveries, allowed):
                break
            back_off += self.step_db
        return back_off


def _too_many(lost: float, deliveries: int, allowed: float) -> bool:
    """Whether so many of them are lost that it happens once in a hundred times where a share `allowed` should be.

    >>> [_too_many(lost, 24, 0.1) for lost in (0.0, 6.0, 7.0, 24.0)]
    [False, False, True, True]
    """
    # Receivers of one transmission lose shares of it.
    return lost > 0 and bool(bdtr(math.ceil(lost) - 1, deliveries, allowed) >= 0.99)


def _lost(
    physical: Simulated, grades: Int64[Tensor, "#deliveries"], channel: Channel, state: ChannelState, n: int
) -> float:
    """How many deliveries are lost, a share of one where some of its receivers lose it."""
    rows = torch.arange(len(state.gain)).view(-1, channel.receivers)
    each = grades.expand(len(rows))
    total = 0.0
    for grade in each.unique().tolist():
        part = rows[each == grade].flatten()
        lost = physical.lost(grade, channel, state[part], n, Generator().manual_seed(4))
        total += float(lost.double().mean()) * len(part) / channel.receivers
    return total
