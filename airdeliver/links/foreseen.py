"""What a sender foresees of a channel that it knows by its statistics: what receivers will see, and at which SNR."""

from dataclasses import dataclass

import torch
from jaxtyping import Float64
from torch import Generator, Tensor

from airdeliver.links.base import Knowledge
from airdeliver.links.memory import Memory
from channels import Channel, ChannelState
from channels.noise import complex_normal

_DRAWS, _COLUMNS = 256, 1024
_FINEST_DB = 120.0
_LOST_DB = Memory[float]()


@dataclass(frozen=True, eq=False)
class Foreseen:
    """Realizations of a channel's law.

    Args:
        state: what the channel is.
        seen: what its receivers see of it, hardware and the error of their estimates included; no other gain and
            noise than the state's where they know all of it and nothing is distorted.
    """

    state: ChannelState
    seen: ChannelState


def foreseen(channel: Channel, snr_db: float, count: int, symbols: int, generator: Generator) -> Foreseen:
    """So many realizations, as a sender imagines them.

    Args:
        channel: physics.
        snr_db: mean SNR in dB.
        count: of realizations.
        symbols: of a delivery, of which the first 1,024 are imagined.
        generator: of fading, probes and estimates.
    """
    n = min(max(symbols, 1), _COLUMNS)
    state = channel.realize(count, n, snr_db, generator)
    row = state[slice(0, channel.receivers)]
    if channel.effective(row, Generator(row.gain.device).manual_seed(0)) is row:
        return Foreseen(state, state)
    probe = complex_normal((count, n), generator)
    probe /= probe.abs().square().mean(-1, keepdim=True).sqrt() * (1 + 1e-6)
    return Foreseen(state, channel.effective(state, generator, probe))


def planned_snr_db(knowledge: Knowledge, symbols: int) -> float | None:
    """The SNR in dB that a sender of real values plans with: the mean SNR, less what receivers suffer beside noise.

    Amplifier, oscillator, converter, interference and the error of an estimate cost as many dB as the error of a value
    grows by that is sent once, 1 / (1 + SNR), over the same realizations. Where a receiver knows all of the channel and
    nothing is distorted, it is the mean SNR exactly; None where that is not known.

    Args:
        knowledge: what the sender knows.
        symbols: of a delivery.

    >>> from channels import AWGN
    >>> from channels.impairments import Quantiser
    >>> planned_snr_db(Knowledge("average", 20.0, AWGN()), 1000)
    20.0
    >>> round(planned_snr_db(Knowledge("average", 20.0, Quantiser(AWGN(), bits=3)), 1000))
    13
    """
    if knowledge.channel is None or knowledge.snr_db is None:
        return knowledge.snr_db
    channel, snr_db, n = knowledge.channel, float(knowledge.snr_db), min(symbols, _COLUMNS)
    lost = _LOST_DB.answer((channel, snr_db, n), lambda: _lost_db(channel, snr_db, n))
    return min(snr_db, _FINEST_DB) - lost if lost else snr_db


def _lost_db(channel: Channel, snr_db: float, symbols: int) -> float:
    draws = foreseen(channel, snr_db, _DRAWS, symbols, Generator().manual_seed(0))
    return 0.0 if draws.seen is draws.state else float(_equivalent_db(draws.state) - _equivalent_db(draws.seen))


def _equivalent_db(state: ChannelState) -> Float64[Tensor, ""]:
    """SNR in dB of the flat channel on which values sent once have the same mean error."""
    snr = state.gain.abs().square().double() / state.noise_variance
    error = (1 / (1 + snr.nan_to_num(nan=0.0))).mean().clamp(min=10 ** (-_FINEST_DB / 10), max=1 - 1e-9)
    return 10 * torch.log10(1 / error - 1)
