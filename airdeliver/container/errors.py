"""What packing cost: the squared error of each tensor of a file, over its own sum of squares."""

import math
from collections.abc import Mapping

from torch import Tensor

from airdeliver.container.file import unpack

LOST = 0.9
"""Relative squared error from which on a tensor is called lost: nothing at all in its place has 1."""


def relative_errors(tensors: Mapping[str, Tensor], data: bytes) -> dict[str, float]:
    """Squared error of each quantised tensor over its sum of squares, the largest first.

    Args:
        tensors: that were packed, by name; whole numbers are left out, since they are kept as they are.
        data: the file's content, from `pack`.

    Returns:
        By name; 0 for a tensor of zeros that comes back as such, infinity for one that does not.

    Raises:
        DecodeError: no such file, or its beginning is damaged.
        ValueError: a tensor that the file does not have.

    >>> import torch
    >>> from airdeliver.container import pack
    >>> tensors = {"weight": torch.randn(64, 64, generator=torch.Generator().manual_seed(0)), "bias": torch.zeros(64)}
    >>> {name: round(error, 2) for name, error in relative_errors(tensors, pack(tensors, bits=2.0)).items()}
    {'weight': 0.1, 'bias': 0.0}
    """
    back = unpack(data)
    floating = {name: tensor for name, tensor in tensors.items() if tensor.is_floating_point()}
    absent = [name for name in floating if name not in back]
    if absent:
        raise ValueError(f"the file has no tensor {absent[0]!r}: give the tensors that were packed")
    found = {name: _relative(tensor, back[name]) for name, tensor in floating.items()}
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _relative(tensor: Tensor, back: Tensor) -> float:
    values = tensor.detach().cpu().double()
    largest = float(values.abs().max()) if values.numel() else 0.0
    error = float(((values - back.double()) / (largest or 1.0)).square().sum())
    if not largest:
        return math.inf if error else 0.0
    return error / float((values / largest).square().sum())
