"""A state dict that lost its versions, loaded all the same."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn


def load_tensors(model: nn.Module, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Load tensors by name, strictly, as written by this version of every module.

    A state dict carries the versions of the modules that wrote it (`_metadata`). A plain mapping, as it comes out of a
    file or a store, has none, and modules that ask for theirs refuse it or take it for an old one.

    Args:
        model: changed in place.
        tensors: all that its state dict has.

    Returns:
        The model.

    Raises:
        RuntimeError: names or shapes that differ, from `load_state_dict`.

    >>> model = load_tensors(nn.Linear(1, 1, bias=False), {"weight": Tensor([[2.0]])})
    >>> model.weight.item()
    2.0
    """
    state: Any = OrderedDict(tensors)
    state._metadata = getattr(tensors, "_metadata", None) or getattr(model.state_dict(), "_metadata", None)
    model.load_state_dict(state)
    return model
