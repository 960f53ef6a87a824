"""A network of 138 million parameters, delivered once over slow Rayleigh fading: time and memory."""

from dataclasses import dataclass, replace

import torch
from torch import Generator, nn

from airdeliver.architecture import Architecture
from airdeliver.delivery import Delivery, send
from airdeliver.links import AnalogLink
from airdeliver.normalisation import Normalisation
from airdeliver.package import Choice, Package
from airdeliver.payload import Layout, Payload, Segment
from benchmarks.fresh import in_fresh_process, most_resident_bytes, resident_bytes
from benchmarks.ratio import Ratio, speed_ratio
from channels import Rayleigh

SNR_DB = 10.0
VGG16 = (
    *((3, 64), (64, 64), (64, 128), (128, 128), (128, 256), (256, 256), (256, 256), (256, 512)),
    *((512, 512),) * 5,
)
"""Channels in and out of its convolutions of 3 x 3."""
DENSE = ((25_088, 4096), (4096, 4096), (4096, 1000))


def measure() -> list[Ratio]:
    """From the payload's values to those that arrived; TS 22.261's model download of VGG16 for ImageNet.

    One thread on both sides: the generator of the noise knows only one.
    """
    return [in_fresh_process(_time), in_fresh_process(_memory)]


def _payload() -> Payload:
    sizes = [n for a, b in VGG16 for n in (9 * a * b, b)] + [n for a, b in DENSE for n in (a * b, b)]
    layout = Layout(tuple(Segment(str(i), (n,)) for i, n in enumerate(sizes)))
    return Payload(torch.randn(layout.size, generator=Generator().manual_seed(0)), layout)


@dataclass(frozen=True)
class _Described(Architecture):
    """Nothing but segments: what is measured here ends with the values that arrived."""

    segments: Layout

    def receive(self, description: bytes) -> nn.Module:
        """A network without values."""
        return nn.Identity()

    def layout(self, description: bytes, statistics: bool | None) -> Layout:
        """The segments."""
        return self.segments


def _deliver(payload: Payload) -> Delivery:
    choice = Choice(_Described(payload.layout), nn.Identity(), payload, AnalogLink())
    package = Package((choice,), Normalisation("frozen"))
    return send(package, Rayleigh(), SNR_DB, payload.layout.size, "average", realizations=1, seed=0)


def _time() -> Ratio:
    torch.set_num_threads(1)
    payload, generator = _payload(), Generator().manual_seed(1)
    symbols = payload.layout.size // 2
    ratio = speed_ratio(
        "scale: delivery's time / torch.randn",
        lambda: _deliver(payload),
        lambda: torch.randn((1, symbols), dtype=torch.complex64, generator=generator),
    )
    # A ratio of speeds r is one of times 1 / r: the bar is on the time.
    return replace(ratio, value=1 / ratio.value, low=1 / ratio.high, high=1 / ratio.low, bar=2.0, bar_is="at most")


def _memory() -> Ratio:
    """Peak over the size of the payload; the payload itself is counted."""
    before = resident_bytes()
    payload = _payload()
    delivery = _deliver(payload)
    assert delivery.groups[0].decoded.values.shape == (1, 138_357_544)
    value = (most_resident_bytes() - before) / (payload.values.numel() * payload.values.itemsize)
    return Ratio("scale: peak memory / payload", value, value, value, 3.0, "at most")
