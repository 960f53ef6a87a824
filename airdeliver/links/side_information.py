"""How fast side information is sent by a sender that goes by what it knows of the channel."""

from typing import Literal

import torch
from jaxtyping import Float64
from torch import Generator, Tensor

from airdeliver.links.base import Knowledge, memoryless, mutual_information
from channels import ChannelState

Pace = Literal["fixed", "known"]
"""At the link's own rate, or at the fastest that what the sender knows allows."""

RATES = (0.5, 1.0, 2.0, 4.0)
"""Bits per channel use for channels that carry them; a receiver tries all of them."""

SLOWER = (0.03125, 0.0625, 0.125, 0.25)
"""Those for channels that would lose a link's own rate more often than not, as far as they are below it."""

TARGET = 0.01
"""Most of the transmissions whose side information may be lost, where only the channel's statistics are known."""

MARGIN_DB, ESTIMATED_MARGIN_DB = 1.5, 3.0
"""What a block as short as side information needs more than its rate says, and with an estimate of the channel."""

_DRAWS, _COLUMNS = 1024, 4096


def rates(knowledge: Knowledge, symbols: int, own: float = 0.25) -> Float64[Tensor, "#transmissions"] | None:
    """Bits per channel use for each transmission that the sender can tell apart; 0 for the link's own rate.

    The fastest of `RATES` that arrives with the margin: for `instantaneous` over the realization that the sender is
    told, at each of its receivers; for `average` in all but `TARGET` of the transmissions that it has to expect, its
    receivers' estimates and impairments included. None without knowledge, or where only the link's own rate does. Where
    every second of them would lose the link's own rate, one of `SLOWER`: from -7 dB down in AWGN for 1/4 bit.

    Args:
        knowledge: what the sender knows of the channel.
        symbols: of a delivery.
        own: bits per channel use of the link: see `Link.own_rate`.

    >>> from channels import AWGN
    >>> [float(rates(Knowledge("average", snr, AWGN()), 100)[0]) for snr in (0.0, 10.0, 20.0)]
    [0.5, 2.0, 4.0]
    >>> float(rates(Knowledge("average", -10.0, AWGN()), 100)[0])
    0.0625
    """
    if knowledge.channel is None or knowledge.snr_db is None:
        return None
    channel, receivers = knowledge.channel, knowledge.channel.receivers
    if knowledge.state is not None:
        exact = memoryless(channel, knowledge.state)
        heard, typical = (_carried(knowledge.state, x) for x in (MARGIN_DB if exact else ESTIMATED_MARGIN_DB, 0.0))
        least, typical = (x.unflatten(0, (-1, receivers)).amin(-1) for x in (heard, typical))
    else:
        n = min(symbols, _COLUMNS)
        one = channel.realize(1, n, knowledge.snr_db, Generator().manual_seed(0))
        draws = _DRAWS if one.gain.shape[-1] == 1 else _DRAWS // 8
        state = channel.realize(draws, n, knowledge.snr_db, Generator().manual_seed(0))
        seen = channel.effective(state, Generator().manual_seed(1))
        least, typical = _carried(seen, MARGIN_DB).quantile(TARGET).view(1), _carried(seen, 0.0).median().view(1)
    found = _at_most(least, (0.0, *RATES))
    slower = tuple(rate for rate in (*SLOWER, *RATES) if rate < own)
    found = torch.where(typical < own, _at_most(least, (0.0, *slower)), found)
    return None if bool((found == 0).all()) else found


def _at_most(least: Float64[Tensor, "n"], rates: tuple[float, ...]) -> Float64[Tensor, "n"]:
    """The greatest of some rates, in rising order, that is not above each number."""
    grid = torch.tensor(rates, dtype=torch.float64)
    return grid[torch.searchsorted(grid, least.contiguous(), right=True) - 1]


def _carried(state: ChannelState, margin_db: float) -> Float64[Tensor, "rows"]:
    """Mutual information in bits per symbol, at so many dB less."""
    louder = ChannelState(state.gain, state.noise_variance * 10 ** (margin_db / 10))
    return mutual_information(louder).double().cpu()
