"""Whatever holds numbers, as tensors."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor


def as_tensors(value: Any) -> Any:
    """NumPy arrays, also within tuples, lists and mappings, as tensors; tensors without their graph.

    Raises:
        TypeError: arrays of anything but numbers.
        ValueError: arrays in which something is missing, tensors that are sparse or on the meta device.
    """
    if isinstance(value, np.ndarray):
        return _from_numpy(value)
    if isinstance(value, Tensor):
        if value.layout != torch.strided or value.is_meta:
            kind = "on the meta device" if value.is_meta else str(value.layout).removeprefix("torch.")
            raise ValueError(f"inputs and targets must be dense tensors with values, got one that is {kind}")
        return value.detach()
    if isinstance(value, Mapping):
        return {name: as_tensors(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(as_tensors(item) for item in value) if type(value) in (tuple, list) else value
    return value


def _from_numpy(array: np.ndarray) -> Tensor:
    """The same numbers; whatever byte order they have.

    Raises:
        TypeError: texts, objects, or other than numbers.
        ValueError: a masked array in which something is missing.
    """
    if array.dtype.kind not in "biufc" or array.dtype.itemsize > 16 or array.dtype == np.longdouble:
        raise TypeError(f"arrays must hold numbers, got {array.dtype} of shape {array.shape}: convert them before")
    if isinstance(array, np.ma.MaskedArray) and bool(np.ma.getmaskarray(array).any()):
        raise ValueError("arrays must be whole, got a masked one: fill in what is missing, or leave its rows out")
    return torch.from_numpy(np.ascontiguousarray(array, array.dtype.newbyteorder("=")))
