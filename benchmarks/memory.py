"""Memory and time that large networks take to be delivered, over both links, with what once turned pieces off."""

import time
from collections.abc import Mapping
from typing import Any

import torch
from torch import Generator, nn

from airdeliver import AnalogLink, DigitalLink, deliver
from airdeliver.compression.quantisers import large
from airdeliver.links import Link
from airdeliver.links.analog import pieces
from airdeliver.links.base import Knowledge
from airdeliver.links.digital import fitting, full, rebuilding
from airdeliver.payload import Layout, Payload, Segment
from benchmarks.fresh import forget_most_resident, in_fresh_process, most_resident_bytes, resident_bytes
from benchmarks.ratio import Ratio
from channels import AWGN, Rayleigh

VOCABULARY, WIDTH, LAYERS, HEADS = 30_522, 768, 12, 12
"""Of BERT-base."""

BILLION = 1_000_000_000
PART = 1 << 24
"""Values of a segment of the payload of a billion."""

IN_PIECES = (pieces, large, fitting, full, rebuilding)
"""Modules that say from how many values on a payload goes piece by piece."""

ANALOG: Mapping[str, tuple[dict[str, Any], bool]] = {
    "every segment varies": ({}, False),
    "constant norms": ({}, True),
    "protection by size": ({"protection": "size"}, True),
}
"""Arguments of the link, and whether norms and biases are as they are initialised."""


def measure() -> list[Ratio]:
    """BERT-base over the analog link, 4 and 16 million values over the digital one, a billion in bfloat16."""
    plain, *others = (in_fresh_process(_analog, name) for name in ANALOG)
    rows = [_bounded(f"memory: {name}, peak / payload", m, 3.0) for name, (m, _) in zip(ANALOG, (plain, *others))]
    for name, (_, seconds) in zip(list(ANALOG)[1:], others, strict=True):
        rows.append(_bounded(f"memory: {name}, time / every segment varies", seconds / plain[1], 3.0))
    several, _ = in_fresh_process(_analog, "every segment varies", 8)
    rows.append(_bounded("memory: 8 realizations, peak / payload", several, 3.0))
    for side in (1000, 2000):
        peak, _ = in_fresh_process(digital, side)
        rows.append(_bounded(f"memory: digital, {4 * side**2 // 10**6} million values, peak / payload", peak, 3.0))
    for name, link, side in (("analog", AnalogLink(), 2100), ("digital", DigitalLink("capacity"), 1000)):
        seconds = in_fresh_process(in_pieces_and_whole, link, side)
        title = f"memory: {name}, {4 * side**2 / 1e6:.0f} million values, processor time in pieces / whole"
        rows.append(_bounded(title, seconds[0] / seconds[1], 3.0))
    return [*rows, *in_fresh_process(_billion)]


def _bounded(name: str, value: float, bar: float) -> Ratio:
    return Ratio(name, value, value, value, bar, "at most")


class Bert(nn.Module):
    """Parameters of BERT-base's shapes; nothing is computed with them.

    Args:
        constant: whether norms and biases are as they are initialised, 1 and 0.
    """

    def __init__(self, constant: bool):
        super().__init__()
        self.words, self.positions = nn.Embedding(VOCABULARY, WIDTH), nn.Embedding(512, WIDTH)
        self.norm = nn.LayerNorm(WIDTH)
        self.layers = nn.ModuleList(nn.TransformerEncoderLayer(WIDTH, HEADS, 4 * WIDTH) for _ in range(LAYERS))
        for parameter in self.parameters():
            if parameter.ndim == 1 and not constant:
                nn.init.normal_(parameter, 0.0, 0.1)


def _analog(name: str, realizations: int = 1) -> tuple[float, float]:
    arguments, constant = ANALOG[name]
    return _delivered(Bert(constant).eval(), AnalogLink(**arguments), realizations)


def digital(side: int, link: DigitalLink | None = None, before: int | None = None) -> tuple[float, float]:
    """Memory and time of four linear layers over a digital link.

    Args:
        side: inputs and outputs of each layer.
        link: the Shannon limit's if None.
        before: side of a network that is delivered first, so that what is imported and tried out once is not counted.
    """
    link = DigitalLink("capacity") if link is None else link
    if before is not None:
        _delivered(_square(before), link, 1)
        forget_most_resident()
    return _delivered(_square(side), link, 1)


def in_pieces_and_whole(link: Link, side: int) -> tuple[float, float]:
    """Seconds of processor time, the less of two, of a delivery in pieces and of the same one made whole.

    Args:
        link: that sends it.
        side: inputs and outputs of each of four linear layers, enough for pieces.
    """
    model, usual = _square(side), {module: module.LARGE for module in IN_PIECES}
    values = sum(parameter.numel() for parameter in model.parameters())

    def seconds(in_pieces: bool) -> float:
        for module, least in usual.items():
            module.LARGE = least if in_pieces else BILLION  # type: ignore[attr-defined]
        started = time.process_time()
        delivery = deliver(model, link, AWGN(), snr_db=10.0, channel_uses=values, realizations=1)
        assert len(delivery.groups[0].decoded.values[0]) == values
        return time.process_time() - started

    seconds(True)  # what is done once is not counted
    return min(seconds(True), seconds(True)), min(seconds(False), seconds(False))


def _square(side: int) -> nn.Module:
    return nn.Sequential(*(nn.Linear(side, side) for _ in range(4))).eval()


def _delivered(model: nn.Module, link: Link, realizations: int) -> tuple[float, float]:
    """Peak beyond the sender's own model over the payload in float32, and seconds until every realization was there."""
    values = sum(parameter.numel() for parameter in model.parameters())
    before, started = resident_bytes(), time.perf_counter()
    delivery = deliver(model, link, AWGN(), snr_db=15.0, channel_uses=values, realizations=realizations)
    for row in range(realizations):
        assert delivery.groups[0].decoded.values[row].shape[-1] >= values
    return (most_resident_bytes() - before) / (4 * values), time.perf_counter() - started


def _billion() -> list[Ratio]:
    """A payload of a billion values, planned and sent once, of which every piece is looked at and let go."""
    torch.set_num_threads(1)
    sizes = [PART] * (BILLION // PART) + [BILLION % PART]
    layout = Layout(tuple(Segment(str(i), (n,)) for i, n in enumerate(sizes)))
    before, generator = resident_bytes(), Generator().manual_seed(0)
    values = torch.empty(layout.size, dtype=torch.bfloat16)
    for part in values.split(pieces.PIECE):
        part.copy_(torch.randn(len(part), generator=generator))
    started, link = time.perf_counter(), AnalogLink()
    plan = link.plan(Payload(values, layout), layout.size, Knowledge())
    state = Rayleigh().realize(1, plan.payload_symbols, 10.0, generator)
    sending = pieces.sending_of(link, link.estimate, values, plan, layout, state, generator)
    arrived = 0
    for where, part in sending.pieces(0):
        assert bool((part - values[where]).isfinite().all())
        arrived += len(part)
    assert arrived == BILLION
    seconds = time.perf_counter() - started
    peak = (most_resident_bytes() - before) / (values.numel() * values.itemsize)
    each = 1e9 * seconds / BILLION
    per_value = Ratio("memory: a billion values in bfloat16, nanoseconds a value", each, each, each)
    return [_bounded("memory: a billion values in bfloat16, peak / payload", peak, 1.3), per_value]
