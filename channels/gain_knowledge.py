"""What is known of how a channel's receiver comes to know the gain, for tables: columns that figures read."""

import math
from dataclasses import dataclass

from channels.base import Channel
from channels.impairments.imperfect_knowledge import ImperfectKnowledge
from channels.ofdm import OFDM

_USES = 10**6  # channel uses over which the share of pilots is told


@dataclass(frozen=True)
class GainKnowledge:
    """How a receiver knows the gain, and what that costs.

    Args:
        estimation_error: mean square error of the estimate relative to E|h|^2 = 1, where the channel is given one; 0
            where the receiver knows the gain; not a number where the error follows from pilots and SNR.
        pilot_share: share of the channel uses that are pilots.
        delay_spread: root-mean-square, in seconds; 0 where all symbols of a moment have one gain.
    """

    estimation_error: float
    pilot_share: float
    delay_spread: float


def gain_knowledge(channel: Channel) -> GainKnowledge:
    """What is known of a channel, wrappers taken off one by one.

    >>> from channels import Rayleigh
    >>> gain_knowledge(ImperfectKnowledge(Rayleigh(), error_variance=0.1))
    GainKnowledge(estimation_error=0.1, pilot_share=0.0, delay_spread=0.0)
    >>> gain_knowledge(OFDM(pilot_spacing_frequency=5, pilot_spacing_time=2, subcarriers=101, estimator="ls"))
    GainKnowledge(estimation_error=nan, pilot_share=0.104, delay_spread=1e-07)
    """
    share = round(1 - channel.symbols(_USES) / _USES, 4)
    error, spread, inner = 0.0, 0.0, channel
    while isinstance(inner, Channel):
        if isinstance(inner, ImperfectKnowledge):
            error = inner.error_variance + error * (1 - inner.error_variance)
        if isinstance(inner, OFDM):
            spread = inner.delay_spread
            error = error if inner.estimator == "perfect" else math.nan
        inner = getattr(inner, "channel", None)
    return GainKnowledge(error, share, spread)
