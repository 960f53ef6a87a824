"""The full chain and its abstraction beside each other, over the SNRs round the waterfall of every shipped channel."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from airdeliver.links import DigitalLink, Knowledge
from airdeliver.links.digital import FixedGrade
from airdeliver.payload import Layout, Payload, Segment
from channels import AWGN, Channel, Multicast, Rayleigh

SYMBOLS = 600

CHANNELS: dict[str, Channel] = {
    "AWGN": AWGN(),
    "Rayleigh": Rayleigh(),
    "Rayleigh, a gain a symbol": Rayleigh(coherence=1),
    "Rayleigh, a gain in 64 symbols": Rayleigh(coherence=64),
    "multicast over Rayleigh": Multicast(Rayleigh(), receivers=4),
}
"""Each way in which the gains of a channel that is its state may change; of other families of fading, other ones of the
same kinds are drawn. On all other channels the abstraction is the full chain."""

DESIGNS_DB = (0.0, 12.0)
"""SNRs in dB that the sent grades are for, in AWGN: QPSK of rate 0.4 or so, and 16-QAM."""


@dataclass(frozen=True)
class Arrived:
    """Of many deliveries: the share of which something usable arrived, and of which all did."""

    usable: float
    whole: float
    count: int


@dataclass(frozen=True)
class Point:
    """Both depths at one SNR."""

    channel: str
    design_db: float
    snr_db: float
    full: Arrived
    abstraction: Arrived


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def payload(n: int = SYMBOLS) -> Payload:
    layout = Layout((Segment("a.weight", (n,)),))
    return Payload(torch.randn(n, generator=seeded(0)), layout)


def deliver_all(phy: str, channel: Channel, snr_db: float, design_db: float, count: int, seed: int = 0) -> Arrived:
    """One plan, made for an AWGN channel of the design SNR, over many realizations; others for another seed."""
    source, link = payload(), DigitalLink(phy, adaptation=FixedGrade(design_db))  # pyright: ignore[reportArgumentType]
    plan = link.plan(source, channel.symbols(SYMBOLS), Knowledge())
    # Whole transmissions.
    rows = count // channel.receivers
    state = channel.realize(rows, channel.symbols(SYMBOLS), snr_db, seeded(2 * seed + 1))
    decoded = link.send(source.values, plan, source.layout, channel, state, seeded(2 * seed + 2))
    assert plan.levels is not None
    assert isinstance(decoded.values, torch.Tensor)
    whole = (decoded.values == plan.levels.values()).all(-1) & decoded.usable
    return Arrived(float(decoded.usable.float().mean()), float(whole.float().mean()), len(decoded.usable))


def snrs(channel: Channel, design_db: float, count: int) -> list[float]:
    """Six SNRs on each side of the waterfall, a decibel apart, and up to eight in it, as the abstraction has it."""
    low, high, at = None, None, design_db - 8.0
    while high is None and at <= design_db + 30:
        whole = deliver_all("abstraction", channel, at, design_db, count).whole
        low = at if whole <= 0.02 else low
        high = at if whole >= 0.98 else None
        at += 1.0
    low = design_db - 8.0 if low is None else low
    high = design_db + 14.0 if high is None else high  # hardware may never let all arrive
    step = max(0.25, (high - low) / 8)
    inside = [low + step * k for k in range(1, math.ceil((high - low) / step))]
    return [low - 5 + k for k in range(6)] + inside + [high + k for k in range(6)]


def points(name: str, design_db: float, count: int = 100) -> Iterator[Point]:
    """Both depths over the SNRs of a channel."""
    channel = CHANNELS[name]
    # Each SNR has draws of its own: with the same noise at all of them chance would look like a shift.
    for number, snr_db in enumerate(snrs(channel, design_db, count // 2), 1):
        where = channel, snr_db, design_db, count, number
        full, abstraction = (deliver_all(phy, *where) for phy in ("full", "abstraction"))
        yield Point(name, design_db, snr_db, full, abstraction)
