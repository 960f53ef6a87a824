"""What arrives in each of many realizations of a large delivery, made when it is asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int64
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Arrivals:
    """Rows of received values, `(realizations, n)`, none of which is held.

    A row is made anew, and is the same, each time that it is asked for: whoever goes through them one by one needs
    memory for one. In what it can do it is like a tensor of these rows.

    Args:
        realizations: number of rows.
        n: values of each.
        like: of the dtype and on the device of the values.
        parts: makes a row piece by piece: the place of its first value and the values, in rising order.

    >>> rows = Arrivals(2, 3, torch.zeros(0), lambda row: iter([(0, torch.full((3,), row + 0.5))]))
    >>> rows.shape, rows[1]
    (torch.Size([2, 3]), tensor([1.5000, 1.5000, 1.5000]))
    """

    realizations: int
    n: int
    like: Tensor
    parts: Callable[[int], Iterator[tuple[int, Tensor]]]

    @property
    def shape(self) -> torch.Size:
        """Realizations and values."""
        return torch.Size((self.realizations, self.n))

    @property
    def dtype(self) -> torch.dtype:
        """Of the values."""
        return self.like.dtype

    @property
    def device(self) -> torch.device:
        """Of the values."""
        return self.like.device

    def __len__(self) -> int:
        return self.realizations

    def of(self, rows: Int64[Tensor, "rows"]) -> "Arrivals":
        """The same of some realizations alone."""
        numbers = rows.tolist()
        return Arrivals(len(numbers), self.n, self.like, lambda row: self.pieces(numbers[row]))

    def __getitem__(self, row: int | Tensor) -> Float[Tensor, "n"]:
        """One row.

        Raises:
            IndexError: there is no such realization.
        """
        values = self.like.new_empty(self.n)
        for start, part in self.pieces(int(row)):
            if len(part) == self.n:
                return part.to(self.dtype)
            values[start : start + len(part)] = part
        return values

    def pieces(self, row: int) -> Iterator[tuple[int, Tensor]]:
        """One row piece by piece, in rising order: the place of each piece's first value, and its values.

        Raises:
            IndexError: there is no such realization.
        """
        if not -self.realizations <= row < self.realizations:
            raise IndexError(f"there are realizations 0 to {self.realizations - 1}, not {row}")
        return self.parts(row % self.realizations)


def held(values: Float[Tensor, "realizations n"] | Arrivals) -> Float[Tensor, "realizations n"]:
    """All rows as one tensor, for whoever looks at several at once."""
    return torch.stack([values[row] for row in range(len(values))]) if isinstance(values, Arrivals) else values
