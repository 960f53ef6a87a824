"""Energy of arithmetic and memory: what one inference takes on a chip of 45 nm."""

from dataclasses import dataclass

FLOAT_BITS = 32
"""Operands of so many bits are binary32; smaller ones are integers."""


@dataclass(frozen=True)
class Energy:
    r"""Joules of multiplications, additions and traffic between memory and arithmetic, by operand width.

    A multiply-accumulate of binary32 takes a multiplication and an addition of binary32, and so it does where one
    operand is: its other one is converted. A weight of 1 bit needs no multiplication: it adds or subtracts. Integers of
    $b_w$ and $b_a$ bits multiply in $0.2\,b_w b_a / 64$ pJ, which is *extrapolated* from 8 bits by the area of an array
    multiplier, and are added up in 32 bits. Every weight is read once from external memory, every activation of a layer
    is read and written once in a memory of 8 kB on the chip. Figures of one process and one voltage: for comparisons
    between networks, not for a battery.

    Args:
        float_add: pJ of a binary32 addition.
        float_multiply: pJ of a binary32 multiplication.
        integer_add: pJ of an addition of 32-bit integers.
        byte_multiply: pJ of a multiplication of 8-bit integers.
        on_chip: pJ of 64 bits read or written in the memory of 8 kB.
        external: pJ of 32 bits read from external memory.

    Raises:
        ValueError: an energy below 0.

    Source: 45 nm at 0.9 V, M. Horowitz, Computing's energy problem, ISSCC 2014, as table 3 of PMC8934428 repeats it
    (binary32, 32-bit integers, 8 kB memory); 8-bit multiplication and external memory are the same talk's as commonly
    quoted, and were not read there.

    >>> round(Energy().multiply_accumulate(32, 32), 3), round(Energy().multiply_accumulate(4, 8), 3)
    (4.6, 0.2)
    """

    float_add: float = 0.9
    float_multiply: float = 3.7
    integer_add: float = 0.1
    byte_multiply: float = 0.2
    on_chip: float = 10.0
    external: float = 640.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value >= 0:
                raise ValueError(f"{name} must be an energy in pJ, 0 or more, got {value}")

    def multiply_accumulate(self, weight_bits: int, activation_bits: int) -> float:
        """Energy in pJ of one multiply-accumulate.

        Args:
            weight_bits: of a weight, 32 for binary32.
            activation_bits: of an activation.
        """
        if max(weight_bits, activation_bits) >= FLOAT_BITS:
            return self.float_add + (0.0 if weight_bits == 1 else self.float_multiply)
        multiply = 0.0 if weight_bits == 1 else self.byte_multiply * weight_bits * activation_bits / 64
        return self.integer_add + multiply

    def traffic(self, weight_bits: float, activation_bits: float) -> float:
        """Energy in pJ of moving what one inference needs.

        Args:
            weight_bits: of all weights together.
            activation_bits: of all inputs and outputs of layers together.
        """
        return self.external * weight_bits / 32 + self.on_chip * activation_bits / 64
