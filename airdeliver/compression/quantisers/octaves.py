"""Octaves: rows of values, each over a power of two, so that no sum or square of them leaves what float32 holds."""

import torch
from jaxtyping import Float
from torch import Tensor

SMALLEST = 2.0**-126
"""Least step, float32's least normal number: one that training has driven to 0 or below stays a number that travels."""

_MOST = 126


@torch.no_grad()
def octaves_of(rows: Float[Tensor, "rows n"]) -> Float[Tensor, "rows 1"]:
    """The power of two at or below the largest magnitude of each row; 1 for rows of zeros.

    What is computed of `rows / octaves_of(rows)` and multiplied by it is, bit for bit, what is computed of the rows
    themselves where nothing overflows, and scales with them everywhere else.

    Args:
        rows: values, at least one in each row.

    >>> octaves_of(torch.tensor([[0.3, -0.7], [1e-34, 0.0], [0.0, 0.0]])).log2().flatten().tolist()
    [-1.0, -113.0, 0.0]
    """
    largest = rows.abs().amax(1, keepdim=True)
    exponent = torch.frexp(largest).exponent - 1
    return torch.where(largest > 0, torch.exp2(exponent.clamp(-_MOST, _MOST).to(rows)), 1.0)


def magnitude_of(rows: Float[Tensor, "rows n"]) -> Float[Tensor, "rows"]:
    """Mean magnitude of each row.

    >>> magnitude_of(torch.full((1, 1000), 2e38))
    tensor([2.0000e+38])
    """
    unit = octaves_of(rows)
    return (rows / unit).abs().mean(1) * unit[:, 0]


@torch.no_grad()
def moments_of(rows: Float[Tensor, "rows n"]) -> tuple[Float[Tensor, "rows 1"], Float[Tensor, "rows 1"]]:
    """Mean and standard deviation of each row."""
    unit = octaves_of(rows)
    each = rows / unit
    return each.mean(1, keepdim=True) * unit, each.std(1, keepdim=True, correction=0) * unit
