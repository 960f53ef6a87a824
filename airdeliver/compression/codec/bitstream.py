"""Numbers as bits and bytes: the fields of the container's head."""


class DecodeError(ValueError):
    """Bytes that are no container, or not one of this payload."""


class BitWriter:
    """Collects fields, most significant bit first."""

    def __init__(self) -> None:
        self._bits: list[str] = []

    def write(self, value: int, width: int) -> None:
        """An unsigned field of fixed width."""
        self._bits.append(f"{value:0{width}b}")

    def write_gamma(self, value: int) -> None:
        """Elias's gamma code of a number from 0 on: 1 bit for 0, 3 for 1 and 2, 5 for 3 to 6."""
        binary = f"{value + 1:b}"
        self._bits.append("0" * (len(binary) - 1) + binary)

    def to_bytes(self) -> bytes:
        """All fields, filled up with zero bits."""
        bits = "".join(self._bits)
        bits += "0" * (-len(bits) % 8)
        return int(bits or "0", 2).to_bytes(len(bits) // 8, "big")


class BitReader:
    """Reads what a `BitWriter` wrote."""

    def __init__(self, data: bytes) -> None:
        self._bits = f"{int.from_bytes(data, 'big'):0{8 * len(data)}b}" if data else ""
        self._at = 0

    def read(self, width: int) -> int:
        """An unsigned field of fixed width.

        Raises:
            DecodeError: the bits have come to an end.
        """
        field = self._bits[self._at : self._at + width]
        if len(field) < width:
            raise DecodeError("the container's head ends within a field")
        self._at += width
        return int(field, 2)

    def read_gamma(self) -> int:
        """A number in Elias's gamma code.

        Raises:
            DecodeError: the bits have come to an end, or the number has more than 40 bits.
        """
        one = self._bits.find("1", self._at, self._at + 41)
        if one < 0:
            raise DecodeError("the container's head ends within a field")
        zeros, self._at = one - self._at, one
        return self.read(zeros + 1) - 1


def varint(value: int) -> bytes:
    """LEB128: seven bits a byte, least significant first, the highest bit set in all but the last.

    >>> varint(300).hex(), read_varint(varint(300), 0)
    ('ac02', (300, 2))
    """
    parts = bytearray()
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(parts) + bytes([value])


def read_varint(data: bytes, at: int) -> tuple[int, int]:
    """The number at a position, and the position after it.

    Raises:
        DecodeError: the bytes end within it, or it has more than 8 of them.
    """
    value = 0
    for i, byte in enumerate(data[at : at + 8]):
        value |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return value, at + i + 1
    raise DecodeError("the container ends within a number, or the number is too large")


def folded(value: int) -> int:
    """A number of either sign as one from 0 on: 0, 1, -1, 2, -2, ... are 0, 1, 2, 3, 4, ...

    >>> [folded(value) for value in (0, 1, -1, 2)], [unfolded(number) for number in range(4)]
    ([0, 1, 2, 3], [0, 1, -1, 2])
    """
    return 2 * abs(value) - (value > 0)


def unfolded(number: int) -> int:
    """The inverse of `folded`."""
    return number // 2 + 1 if number % 2 else -(number // 2)
