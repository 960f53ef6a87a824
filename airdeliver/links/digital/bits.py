"""A digital baseline for any payload of bits: the most robust rate that fits, and how often all of it arrives."""

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Literal

import torch
from jaxtyping import Bool
from torch import Tensor

from airdeliver.arguments import an_object, decibel, whole
from airdeliver.arrival import arrival_interval
from airdeliver.compression.codec import Container
from airdeliver.links.digital.link import PHYSICAL_LAYERS
from airdeliver.links.digital.physical_layer import PhysicalLayer, information
from airdeliver.links.plan import BudgetError
from airdeliver.randomness import stream
from channels import Channel


@dataclass(frozen=True)
class BitsDelivered:
    """What became of a payload of bits.

    Args:
        arrived: of each realization whether every bit is right.
        share: of realizations that are.
        low: lower end of the 95 % interval of the share.
        high: its upper end.
        channel_uses: of one delivery, pilots included.
        efficiency: payload bits per complex symbol of the rate that was sent at.
        rows: the bytes received, of each realization; None where nothing is.
    """

    arrived: Bool[Tensor, "realizations"]
    share: float
    low: float
    high: float
    channel_uses: int
    efficiency: float
    rows: tuple[bytes | None, ...] = field(repr=False)


def deliver_bits(
    data: bytes,
    channel: Channel,
    snr_db: float,
    channel_uses: int,
    phy: Literal["full", "abstraction", "capacity"] | PhysicalLayer = "full",
    realizations: int = 16,
    seed: int = 0,
) -> BitsDelivered:
    """Send bytes over a channel, with 5G NR's codes or at capacity: what a scheme for other payloads is compared with.

    Both ends know how long the payload is and which rate is taken: the slowest whose symbols fit into the budget, since
    a payload that may not shrink has no better use for the rest. All bits arrive or the delivery has failed.

    Args:
        data: the payload, an image or a model file, say.
        channel: physics.
        snr_db: mean SNR per complex symbol, in dB.
        channel_uses: the budget, pilots included.
        phy: as `DigitalLink` has it: every bit through the chain, lost code blocks drawn, or error-free at capacity.
        realizations: independent deliveries.
        seed: of fading and noise.

    Raises:
        BudgetError: not even the fastest rate fits; names the minimum.
        TypeError: data that are no bytes, no channel.
        ValueError: no payload, or an argument out of range.

    >>> from channels import AWGN
    >>> found = deliver_bits(bytes(1000), AWGN(), 5.0, 6_000, "capacity", realizations=2)
    >>> found.share, found.channel_uses <= 6_000
    (1.0, True)
    """
    an_object(channel, Channel, "channel", "AWGN() or another channel")
    snr_db, realizations = decibel(snr_db, "snr_db"), whole(realizations, "realizations", 1)
    if not isinstance(data, bytes | bytearray | memoryview):
        raise TypeError(f"data must be bytes, got {type(data).__name__}")
    if not data:
        raise ValueError("data must have at least one byte, got none")
    layer = PHYSICAL_LAYERS[phy]() if isinstance(phy, str) else phy
    symbols, lengths = channel.symbols(whole(channel_uses, "channel_uses", 1)), (len(data),)
    # Symbols fall with the grade: the first that fits is the slowest.
    grade = bisect_left(range(layer.fastest + 1), -symbols, key=lambda grade: -layer.symbols(lengths, grade))
    if grade > layer.fastest:
        least = channel.uses(layer.symbols(lengths, layer.fastest))
        raise BudgetError(
            f"{len(data)} bytes need at least {least} channel uses, {channel_uses} are given: give more, or fewer bytes"
        )
    container = Container(data, lengths)
    sent = layer.symbols(lengths, grade)
    state = channel.realize(realizations, sent, snr_db, stream(seed, "fading"))
    carried = layer.carry(container, grade, channel, state, stream(seed, "noise"))
    arrived = torch.tensor([row == data for row in carried.rows])
    threshold = layer.threshold(grade)
    settled = information(state, sent) / (torch.nan if threshold is None else threshold)
    found = arrival_interval(arrived, settled)
    return BitsDelivered(
        arrived, found.mean, found.low, found.high, channel.uses(sent), 8 * len(data) / sent, tuple(carried.rows)
    )
