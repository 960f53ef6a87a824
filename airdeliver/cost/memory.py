"""Activation memory: what an inference holds at once, beside the weights."""

import weakref
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class _Live(TorchDispatchMode):
    """Counts the bytes of all storages that operations make, for as long as they live."""

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        # As torch would, by an import of its compiler, which takes longer than the inference.
        return False

    def __init__(self) -> None:
        super().__init__()
        self.bytes, self.peak = 0, 0
        self.known: dict[int, weakref.ref] = {}

    def add(self, tensor: Tensor) -> None:
        """Count the storage of a tensor, once."""
        storage = tensor.untyped_storage()
        if id(storage) not in self.known:
            size = storage.nbytes()
            self.known[id(storage)] = weakref.ref(storage, self._freed(id(storage), size))
            self.bytes += size
            self.peak = max(self.peak, self.bytes)

    def hold(self, tensor: Tensor) -> None:
        """Never count the storage of a tensor."""
        storage = tensor.untyped_storage()
        self.known[id(storage)] = weakref.ref(storage)

    def _freed(self, key: int, size: int) -> Callable[[Any], None]:
        def forget(_: Any) -> None:
            self.known.pop(key, None)
            self.bytes -= size

        return forget

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self.add(leaf)
        return result


@torch.no_grad()
def peak_activation_bytes(model: nn.Module, example: Tensor) -> int:
    """Most bytes that the input and all that is computed from it take at once, in one inference of this model's code.

    What an operation makes lives until the last reference to it is gone; in-place operations make nothing. Weights and
    buffers are not counted, nor what an operation needs only inside itself.

    Args:
        model: left in evaluation mode.
        example: one prepared input, a batch of one.

    >>> model = nn.Sequential(nn.Linear(8, 100), nn.ReLU(), nn.Linear(100, 2))
    >>> peak_activation_bytes(model, torch.zeros(1, 8))  # the input, the hidden layer before and after its ReLU
    832
    """
    example = example.to(next(model.parameters(), example).device).clone()
    with _Live() as live:
        held = [*model.parameters(), *model.buffers()]
        for tensor in held:
            live.hold(tensor)
        live.add(example)
        model.eval()(example)
    return live.peak
