"""Files of quantised weights: a layout, so that the file stands alone, and the container that `DigitalLink` sends."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from airdeliver.compression.codec import DecodeError, Levels, RangeCoded
from airdeliver.compression.codec.bitstream import read_varint, varint
from airdeliver.compression.codec.crc32c import checksum
from airdeliver.compression.codec.head import read_head
from airdeliver.compression.quantisers import Quantiser, RateDistortion
from airdeliver.compression.quantisers.answers import levels_of
from airdeliver.payload import Layout, Payload, Segment

MAGIC = b"ADF\x01"
"""Begins every file: the format's name and its version."""


@dataclass(frozen=True)
class Inspection:
    """What a file says of itself, and how much of it is intact.

    Args:
        version: of the container.
        tensors: names and shapes of the quantised tensors.
        values: in them.
        exact: names of the tensors that are kept as they were (whole numbers).
        bytes: of the file.
        layout_bytes: of these, what names and shapes take.
        packets: of the container.
        intact: of these, those whose checksum holds.
        bits_per_value: of the container alone.
        reconstructions: what the levels of each band stand for.
        missing: names of the tensors of which values were in packets that are lost, and how many values.
    """

    version: int
    tensors: tuple[tuple[str, tuple[int, ...]], ...]
    values: int
    exact: tuple[str, ...]
    bytes: int
    layout_bytes: int
    packets: int
    intact: int
    bits_per_value: float
    reconstructions: tuple[str, ...]
    missing: tuple[tuple[str, int], ...] = ()


def pack(
    tensors: Mapping[str, Tensor],
    bits: float,
    quantiser: Quantiser | None = None,
    packet_bytes: int = 1024,
    contexts: bool = False,
) -> bytes:
    """Weights as a file of at most so many bits a value, about: the finest levels whose container is not larger.

    Args:
        tensors: by name, such as a state dict; floating ones are quantised, whole numbers kept as they are.
        bits: of each value, everything of the container included.
        quantiser: None for the one of `DigitalLink`.
        packet_bytes: of each packet, which has a checksum of its own: what a damaged file loses.
        contexts: whether neighbours tell how probable a level is: see `RangeCoded`.

    Raises:
        ValueError: no floating tensor, values that are not finite, bits that are not positive.

    >>> generator = torch.Generator().manual_seed(0)
    >>> data = pack({"weight": torch.randn(64, 64, generator=generator)}, bits=3.0)
    >>> 8 * len(data) < 3.2 * 64 * 64, unpack(data)["weight"].shape
    (True, torch.Size([64, 64]))
    """
    if not bits > 0:
        raise ValueError(f"bits must be above 0, got {bits}")
    floating = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
    if not floating:
        raise ValueError("there is no floating tensor to quantise: give weights, such as a state dict")
    broken = [name for name, tensor in floating.items() if not bool(tensor.isfinite().all())]
    if broken:
        raise ValueError(f"{broken[0]} has values that are not finite: they cannot be quantised")
    layout = Layout(tuple(Segment(name, tuple(tensor.shape)) for name, tensor in floating.items()))
    values = torch.cat([tensor.detach().cpu().float().flatten() for tensor in floating.values()])
    codec = RangeCoded(contexts)

    def size(levels: Levels) -> float:
        return 8 * sum(codec.estimate(levels, packet_bytes)) / len(values)

    fitted = levels_of(quantiser or RateDistortion(), Payload(values, layout), None, size, bits)
    exact = {name: _exact(tensor) for name, tensor in tensors.items() if name not in floating}
    about = {"segments": [[s.name, list(s.shape)] for s in layout.segments], "exact": exact}
    if exact:  # names and shapes are in the checksum of the container's head
        about["checksum"] = _checksum(exact)
    told = json.dumps(about, separators=(",", ":")).encode()
    return MAGIC + varint(len(told)) + told + codec.pack(fitted, packet_bytes).data


def unpack(data: bytes) -> dict[str, Tensor]:
    """The tensors of a file, float32; what was in damaged packets is what the sender said is least harmful.

    That is the mean of a layer, or 0; `inspect` tells which tensors are `missing`, wholly or in part.

    Args:
        data: a file's content, from `pack`; the end may be missing.

    Raises:
        DecodeError: no such file, or its beginning is damaged.
    """
    layout, exact, container, _ = _opened(data)
    values = RangeCoded().unpack(container, layout).values
    parts = values.split([segment.size for segment in layout.segments])
    tensors = {s.name: part.view(s.shape).clone() for s, part in zip(layout.segments, parts, strict=True)}
    for name, (kind, shape, numbers) in exact.items():
        tensors[name] = torch.tensor(numbers, dtype=getattr(torch, kind)).view(shape)
    return tensors


def inspect(data: bytes) -> Inspection:
    """What a file says of itself.

    Raises:
        DecodeError: no such file, or its beginning is damaged.
    """
    layout, exact, container, first = _opened(data)
    head, start = read_head(container, layout)
    arrived = RangeCoded().unpack(container, layout).arrived
    packets = sum(head.counts)
    slots = head.slots(start, len(container))
    lost = (int((~part).sum()) for part in arrived.split([segment.size for segment in layout.segments]))
    return Inspection(
        version=head.version,
        tensors=tuple((segment.name, segment.shape) for segment in layout.segments),
        values=layout.size,
        exact=tuple(exact),
        bytes=len(data),
        layout_bytes=first,
        packets=packets,
        intact=_intact(container, slots) if bool(arrived.any()) else 0,
        bits_per_value=8 * len(container) / layout.size,
        reconstructions=tuple(type(each).__name__ for each in head.reconstructions),
        missing=tuple((name, count) for name, count in zip(layout.names, lost, strict=True) if count),
    )


def _intact(container: bytes, slots: list[tuple[int, int, int]]) -> int:
    return sum(checksum(container[first : end - 4]) == container[end - 4 : end] for first, end, _ in slots)


def _opened(data: bytes) -> tuple[Layout, dict, bytes, int]:
    """Layout, tensors that are kept as they were, container, and where that begins."""
    if not data.startswith(MAGIC):
        raise DecodeError(f"no container file: it begins with {data[:4]!r}, expected {MAGIC!r}")
    length, at = read_varint(data, len(MAGIC))
    try:
        about = json.loads(data[at : at + length])
        segments = tuple(Segment(str(name), tuple(shape)) for name, shape in about["segments"])
        layout, exact = Layout(segments), dict(about["exact"])
    except (ValueError, KeyError, TypeError) as error:
        raise DecodeError("names and shapes at the beginning of the file are damaged") from error
    if about.get("checksum", _checksum(exact)) != _checksum(exact):
        raise DecodeError("the whole numbers at the beginning of the file are damaged: their checksum fails")
    return layout, exact, data[at + length :], at + length


def _checksum(exact: dict) -> str:
    return checksum(json.dumps(exact, separators=(",", ":")).encode()).hex()


def _exact(tensor: Tensor) -> list:
    return [str(tensor.dtype).removeprefix("torch."), list(tensor.shape), tensor.flatten().tolist()]
