"""The digital plan: how fast, and how many bytes; what they mean the container says itself."""

from dataclasses import dataclass, field

from airdeliver.compression.quantisation import Quantised
from airdeliver.links.digital.bitstream import DecodeError, read_varint, varint
from airdeliver.links.digital.container import Container
from airdeliver.links.digital.physical_layer import PhysicalLayer
from airdeliver.links.plan import Plan
from airdeliver.payload import Layout


@dataclass(frozen=True, eq=False)
class DigitalPlan(Plan):
    """A container of so many bytes, sent at one grade of the physical layer.

    Args:
        physical: layer; published recipe.
        grade: how fast.
        protected: bytes that nothing can be rebuilt without, sent more robustly where the layer can.
        others: bytes of the rest.
        quantised: what is sent; known to the sender alone.
        container: its bytes; known to the sender alone.
    """

    physical: PhysicalLayer
    grade: int
    protected: int
    others: int
    quantised: Quantised | None = field(default=None, repr=False)
    container: Container | None = field(default=None, repr=False)

    @property
    def payload_symbols(self) -> int:  # noqa: D102
        return self.physical.symbols(self.protected, self.others, self.grade)

    def to_bytes(self) -> bytes:
        """The grade, and the numbers of bytes; their sum alone where the layer protects none of them."""
        lengths = (self.protected, self.others) if self.physical.protects else (self.protected + self.others,)
        return self.grade.to_bytes(self.physical.grade_bytes, "little") + b"".join(map(varint, lengths))

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
        if len(lengths) != (2 if physical.protects else 1):
            raise ValueError(f"malformed side information: {len(side_information)} bytes are no grade and lengths")
        protected, others = lengths if physical.protects else (0, *lengths)
        return cls(layout, side_information_rate, physical, grade, protected, others)
