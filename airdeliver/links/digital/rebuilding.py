"""What a receiver makes of the bytes of many realizations: values, and whether there are any."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from airdeliver.compression.codec import Codec, DecodeError
from airdeliver.links.arrivals import Arrivals
from airdeliver.payload import Layout

LARGE = 1 << 24
"""Values of all realizations together from which on they are made one by one."""

LONG = 1 << 21
"""Values of one realization from which on they are made when they are asked for, and not held beside the sender's."""


def rebuilt(
    rows: Sequence[bytes | None], layout: Layout, codec: Codec, device: torch.device
) -> tuple[Float[Tensor, "realizations n"] | Arrivals, Bool[Tensor, "realizations"]]:
    """Values of each realization, 0 where nothing can be read, and whether something can.

    Equal bytes are read once. Where the values of all realizations would be large, each is made when it is asked for,
    and the last one is held.

    Args:
        rows: bytes received in each realization; None where nothing is.
        layout: of the payload: published recipe.
        codec: that reads them.
        device: of the values.
    """
    reader = _Reader(layout, codec, device)
    if layout.size >= LONG or len(rows) * layout.size >= LARGE:
        legible = {data: data is not None and codec.legible(data, layout) for data in dict.fromkeys(rows)}

        def parts(row: int) -> Iterator[tuple[int, Tensor]]:
            values = reader.read(rows[row])
            yield 0, torch.zeros(layout.size, device=device) if values is None else values

        like = torch.zeros(0, device=device)
        return Arrivals(len(rows), layout.size, like, parts), torch.tensor([legible[data] for data in rows])
    known = {data: reader.read(data) for data in dict.fromkeys(rows)}
    arrived = torch.tensor([known[data] is not None for data in rows], dtype=torch.bool)
    if len(known) == 1:  # one copy for all
        first = known[rows[0]]
        return (torch.zeros(layout.size, device=device) if first is None else first).expand(len(rows), -1), arrived
    values = torch.zeros(len(rows), layout.size, device=device)
    for row, data in enumerate(rows):
        read = known[data]
        if read is not None:
            values[row] = read
    return values, arrived


class _Reader:
    """Reads containers, and holds what it has read last."""

    def __init__(self, layout: Layout, codec: Codec, device: torch.device) -> None:
        self.layout, self.codec, self.device = layout, codec, device
        self._last: tuple[bytes | None, Tensor | None] = (None, None)

    def read(self, data: bytes | None) -> Float[Tensor, "n"] | None:
        """Values; None of bytes that are no container of the layout."""
        if data != self._last[0]:
            self._last = (None, None)
            self._last = (data, self._read(data))
        return self._last[1]

    def _read(self, data: bytes | None) -> Tensor | None:
        try:
            return None if data is None else self.codec.values(data, self.layout).to(self.device)
        except DecodeError:
            return None
