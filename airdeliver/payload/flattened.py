"""A torch module seen as one vector: which of its tensors travel, and how they are read and written."""

from collections.abc import Iterator
from typing import TypeGuard

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy

from airdeliver.payload.layout import SMALLEST_VARIANCE, Layout, Segment

STATISTICS = ("running_mean", "running_var")


class Flattened:
    """A model's tensors under a layout, found once, so that reading and writing them is cheap at every step.

    The tensors are held by reference: after `model.to(device)` or anything else that replaces them, make a new one.

    Args:
        model: its tensors are read and written in place.
        layout: of this model, from `layout_of`.

    Raises:
        ValueError: model and layout do not match, naming the first tensor that differs.

    >>> model = nn.Linear(2, 1)
    >>> flattened = Flattened(model, layout_of(model))
    >>> flattened.write(torch.tensor([1.0, 2.0, 3.0]))
    >>> model.bias.item(), flattened.read()
    (3.0, tensor([1., 2., 3.]))
    """

    def __init__(self, model: nn.Module, layout: Layout):
        self.layout = layout
        learned = {name: (tensor, is_statistic) for name, tensor, is_statistic in _learned(model)}
        self.tensors = layout.matched(learned)
        self._logarithmic = [i for i, s in enumerate(layout.segments) if s.transform == "log"]

    @torch.no_grad()
    def read(self) -> Float[Tensor, "n"]:
        """All values as a new float32 vector on the model's device."""
        if not self.tensors:
            return torch.zeros(0)
        parts = [tensor.reshape(-1) for tensor in self.tensors]
        for i in self._logarithmic:
            parts[i] = parts[i].float().clamp(min=SMALLEST_VARIANCE).log()
        return torch.cat(parts).float()

    @torch.no_grad()
    def write(self, values: Float[Tensor, "n"]) -> None:
        """Set all values; a tensor keeps its dtype, device and memory format."""
        parts = self.layout.split(values.detach())
        for i in self._logarithmic:
            parts[i] = parts[i].exp()
        shaped = [part.view(tensor.shape) for part, tensor in zip(parts, self.tensors, strict=True)]
        if self.tensors:
            torch._foreach_copy_(self.tensors, shaped)


def layout_of(model: nn.Module, statistics: bool | None = None) -> Layout:
    """The segments of a torch module: see `airdeliver.payload.payload_of`."""
    segments = []
    for name, tensor, is_statistic in _learned(model):
        if is_statistic and statistics is False:
            continue
        logarithmic = bool(statistics) and is_statistic and name.endswith("running_var")
        segments.append(Segment(name, tuple(tensor.shape), "log" if logarithmic else "identity"))
    return Layout(tuple(segments))


@torch.no_grad()
def load(model: nn.Module, layout: Layout, values: Float[Tensor, "n"]) -> nn.Module:
    """Write received values into a torch module: see `airdeliver.payload.load`."""
    Flattened(model, layout).write(values)
    for prefix, module in model.named_modules():
        if is_tracking(module):
            _reset_unsent(module, prefix, frozenset(layout.names))
    return model


@torch.no_grad()
def blank(model: nn.Module) -> nn.Module:
    """Make every learned value of a torch module NaN, in place: see `airdeliver.payload.architecture_of`."""
    for _, tensor, _ in _learned(model):
        tensor.fill_(torch.nan)
    return model


def is_tracking(module: nn.Module) -> TypeGuard[_BatchNorm]:
    """Whether a module is a batch norm with running statistics."""
    return isinstance(module, _BatchNorm) and module.running_mean is not None and module.running_var is not None


def _reset_unsent(batch_norm: _BatchNorm, prefix: str, sent: frozenset[str]) -> None:
    for name, fresh in zip(STATISTICS, (0.0, 1.0), strict=True):
        if _join(prefix, name) not in sent:
            getattr(batch_norm, name).fill_(fresh)
    if batch_norm.num_batches_tracked is not None:
        batch_norm.num_batches_tracked.zero_()


def _learned(model: nn.Module) -> Iterator[tuple[str, Tensor, bool]]:
    """Name, float tensor and whether it is a batch norm's running statistic, in the order of the state dict."""
    seen: set[int] = set()
    for prefix, module in model.named_modules():
        tracking = is_tracking(module)
        for name, parameter in module._parameters.items():
            if parameter is not None and id(parameter) not in seen:
                seen.add(id(parameter))
                yield _join(prefix, name), _real(_join(prefix, name), parameter, True), False
        for name, buffer in module._buffers.items():
            rebuilt = name in module._non_persistent_buffers_set
            if buffer is None or rebuilt or id(buffer) in seen or not _is_float(buffer):
                continue
            seen.add(id(buffer))
            yield _join(prefix, name), _real(_join(prefix, name), buffer, False), tracking and name in STATISTICS


def _real(name: str, tensor: Tensor, is_parameter: bool) -> Tensor:
    """The tensor as real values that share its memory; refuses what one float32 vector cannot carry."""
    if is_lazy(tensor):
        raise ValueError(f"{name} has no shape yet: run the lazy model once on an input before it is sent")
    if tensor.dtype in (torch.float64, torch.complex128):
        raise ValueError(f"{name} is {_dtype(tensor)}, payloads are float32: call model.float() before it is sent")
    if is_parameter and not _is_float(tensor):
        raise ValueError(
            f"{name} is a parameter of dtype {_dtype(tensor)}: only floating-point parameters can be sent; "
            "register it as a buffer if it is part of the architecture"
        )
    detached = tensor.detach()
    return torch.view_as_real(detached) if detached.is_complex() else detached


def _is_float(tensor: Tensor) -> bool:
    return tensor.is_floating_point() or tensor.is_complex()


def _dtype(tensor: Tensor) -> str:
    return str(tensor.dtype).removeprefix("torch.")


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name
