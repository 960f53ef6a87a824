"""The digital plan: how fast, and how many bytes; what they mean the container says itself."""

from dataclasses import dataclass, field

from airdeliver.compression.codec import Container, DecodeError, Levels
from airdeliver.compression.codec.bitstream import read_varint, varint
from airdeliver.links.digital.physical_layer import PhysicalLayer
from airdeliver.links.plan import Plan
from airdeliver.payload import Layout


@dataclass(frozen=True, eq=False)
class DigitalPlan(Plan):
    """A container of so many bytes, sent at one grade of the physical layer.

    Args:
        physical: layer; published recipe.
        grade: how fast.
        lengths: bytes of each group of packets, the head with the first, without which nothing can be rebuilt; where
            the layer can, that one is sent more robustly. One number where it cannot.
        levels: what is sent; known to the sender alone. None of a large payload too: see `DigitalLink.levels`.
        container: its bytes; known to the sender alone.
    """

    physical: PhysicalLayer
    grade: int
    lengths: tuple[int, ...]
    levels: Levels | None = field(default=None, repr=False)
    container: Container | None = field(default=None, repr=False)

    @property
    def payload_symbols(self) -> int:  # noqa: D102
        return self.physical.symbols(self.lengths, self.grade)

    def to_bytes(self) -> bytes:
        """The grade, and the number of bytes of each group."""
        return self.grade.to_bytes(self.physical.grade_bytes, "little") + b"".join(map(varint, self.lengths))

    @classmethod
    def from_bytes(
        cls, side_information: bytes, layout: Layout, side_information_rate: float, physical: PhysicalLayer
    ) -> "DigitalPlan":
        """The inverse of `to_bytes`.

        Raises:
            ValueError: bytes of the wrong length.
        """
        at, lengths = physical.grade_bytes, []
        grade = int.from_bytes(side_information[:at], "little")
        try:
            while at < len(side_information):
                length, at = read_varint(side_information, at)
                lengths.append(length)
        except DecodeError:
            lengths = []
        if not lengths or (len(lengths) > 1 and not physical.protects):
            raise ValueError(f"malformed side information: {len(side_information)} bytes are no grade and lengths")
        return cls(layout, side_information_rate, physical, grade, tuple(lengths))
