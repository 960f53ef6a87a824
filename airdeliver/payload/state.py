"""A state dict that lost its versions, loaded all the same."""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from airdeliver.payload.learned import unexpanded


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
    repeating = _repeating(model, state)
    for own, name in repeating:
        own.copy_(state[name][tuple(slice(0, n) for n in own.shape)])
        del state[name]
    missing = model.load_state_dict(state, strict=not repeating).missing_keys
    if set(missing) != {name for _, name in repeating}:
        model.load_state_dict(state)
    return model


def _repeating(model: nn.Module, state: Mapping[str, Any]) -> list[tuple[Tensor, str]]:
    """What an expanded tensor repeats, and its name: torch writes into no tensor whose values share memory."""
    found = ((name, tensor) for name, tensor in model.state_dict().items() if isinstance(tensor, Tensor))
    parts = [(unexpanded(tensor), tensor, name) for name, tensor in found]
    return [
        (own, name)
        for own, tensor, name in parts
        if own.shape != tensor.shape and name in state and state[name].shape == tensor.shape
    ]
