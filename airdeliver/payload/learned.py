"""Which tensors of a torch module travel, in which order, and how each is read and written as real values."""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeGuard

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import is_traceable_wrapper_subclass

from airdeliver.payload.constants import is_constant, is_learned_integer, is_positive, words
from airdeliver.payload.layout import SMALLEST_VARIANCE
from airdeliver.payload.published import is_published, mark_of

STATISTICS = ("running_mean", "running_var")

Kind = Literal["plain", "complex", "integer", "float8"]

_TINY = 1e-30
"""What a variance is at least that nothing is added to before it is divided by."""

_FLOAT8 = tuple(getattr(torch, name) for name in dir(torch) if name.startswith("float8_"))


@dataclass(frozen=True, eq=False)
class Learned:
    """One tensor that travels.

    Args:
        name: dotted.
        tensor: as real values that share its memory (a last axis of 2 where it is complex), or the tensor itself where
            `kind` is not `plain`.
        shape: of the real values.
        kind: how it is read and written: `plain` tensors are copied from and to as they are.
        statistic: whether it is a batch norm's running mean or variance, which the receiver can estimate.
        floor: for what is never negative, such as a variance, its smallest value in logarithmic form; None for others.
    """

    name: str
    tensor: Tensor
    shape: tuple[int, ...]
    kind: Kind = "plain"
    statistic: bool = False
    floor: float | None = None

    def read(self) -> Tensor:
        """Its values, one after the other, in a dtype that float32 holds."""
        if self.kind == "complex":
            return torch.view_as_real(self.tensor.resolve_conj()).reshape(-1)
        return self.tensor.reshape(-1) if self.kind == "plain" else self.tensor.reshape(-1).float()

    def write(self, values: Tensor) -> None:
        """Set them; integers are rounded to what their type holds."""
        shaped = values.view(self.shape)
        if self.kind == "complex":
            shaped = torch.view_as_complex(shaped.contiguous().float())
        elif self.tensor.dtype == torch.bool:
            shaped = shaped > 0.5
        elif self.kind == "integer":
            limits = torch.iinfo(self.tensor.dtype)
            shaped = shaped.nan_to_num(0.0).double().round().clamp(limits.min, limits.max)
        self.tensor.copy_(shaped)


def learned(model: nn.Module) -> Iterator[Learned]:
    """The tensors that travel, in the order of the state dict; what several modules share once, under its first name.

    Raises:
        ValueError: a tensor that no payload can carry, by name.
    """
    seen: dict[int, Tensor] = {}
    # TorchScript makes its tensors anew at each look: they are held, or else their identities would be reused.
    modules = list(model.named_modules())
    marks = [(prefix, mark) for prefix, module in modules if (mark := mark_of(module)) is not None]
    for prefix, module in modules:
        tracking = is_tracking(module)
        for name, parameter in module._parameters.items():
            if parameter is None or id(parameter) in seen:
                continue
            seen[id(parameter)] = parameter
            if not is_published(join(prefix, name), marks):
                yield _parameter(join(prefix, name), parameter)
        for name, buffer in module._buffers.items():
            if buffer is None or id(buffer) in seen or name in non_persistent(module):
                continue
            seen[id(buffer)] = buffer
            if not is_published(join(prefix, name), marks) and _travels(module, join(prefix, name), buffer):
                statistic = tracking and name in STATISTICS
                yield _buffer(join(prefix, name), buffer, statistic, hasattr(module, "eps"))


def is_tracking(module: nn.Module) -> TypeGuard[_BatchNorm]:
    """Whether a module is a batch norm with running statistics."""
    return isinstance(module, _BatchNorm) and module.running_mean is not None and module.running_var is not None


def masks(model: nn.Module) -> list[tuple[str, Tensor]]:
    """The pruning masks of a model, with their dotted names: see `is_pruning_mask`."""
    return [
        (join(prefix, name), buffer)
        for prefix, module in model.named_modules()
        for name, buffer in module._buffers.items()
        if buffer is not None and name not in non_persistent(module) and is_pruning_mask(module, name, buffer)
    ]


def is_pruning_mask(module: nn.Module, name: str, buffer: Tensor) -> bool:
    """Whether a buffer says which weights of its module were pruned: zeros and ones in a parameter's shape."""
    if not words(name) & {"mask", "masks"} or buffer.is_meta:
        return False
    shapes = {parameter.shape for parameter in module._parameters.values() if parameter is not None}
    return buffer.shape in shapes and bool(((buffer == 0) | (buffer == 1)).all())


def description(model: nn.Module) -> bytes:
    """What the receiver must be told before it knows the segments: pruning masks, a compressed bit a weight."""
    bits = [mask.detach().reshape(-1) != 0 for _, mask in masks(model)]
    if not bits:
        return b""
    return zlib.compress(np.packbits(torch.cat([bit.cpu() for bit in bits]).numpy()).tobytes(), 9)


def non_persistent(module: nn.Module) -> frozenset[str]:
    """Names of the buffers that are not part of a module's state dict."""
    return frozenset(getattr(module, "_non_persistent_buffers_set", ()))


def join(prefix: str, name: str) -> str:
    """A dotted name."""
    return f"{prefix}.{name}" if prefix else name


def short(dtype: torch.dtype | torch.layout) -> str:
    """The name of a dtype or of a memory layout."""
    return str(dtype).removeprefix("torch.")


def is_float(tensor: Tensor) -> bool:
    """Whether a tensor holds real or complex numbers."""
    return tensor.is_floating_point() or tensor.is_complex()


def unexpanded(tensor: Tensor) -> Tensor:
    """The part of an expanded tensor that has memory of its own: the rest repeats it."""
    if tensor.layout != torch.strided:
        return tensor
    for axis, (length, stride) in enumerate(zip(tensor.shape, tensor.stride(), strict=True)):
        if length > 1 and stride == 0:
            tensor = tensor.narrow(axis, 0, 1)
    return tensor


def _travels(module: nn.Module, name: str, buffer: Tensor) -> bool:
    """Whether a persistent buffer is sent."""
    if type(module).__module__.startswith("torch.ao.") and not is_float(buffer):
        return is_learned_integer(name, buffer)
    if isinstance(module, nn.modules.batchnorm._NormBase) and name.rpartition(".")[2] in STATISTICS:
        return True
    if is_pruning_mask(module, name, buffer):
        return False
    if is_float(buffer):
        return not is_constant(name, buffer)
    return buffer.is_quantized or is_learned_integer(name, buffer)


def _parameter(name: str, parameter: Tensor) -> Learned:
    _check(name, parameter)
    if not is_float(parameter):
        raise ValueError(
            f"{name} is a parameter of dtype {short(parameter.dtype)}: only floating-point parameters can be sent; "
            "register it as a buffer if it is part of the architecture"
        )
    return _real(name, parameter, False, None)


def _buffer(name: str, buffer: Tensor, statistic: bool, has_eps: bool) -> Learned:
    _check(name, buffer)
    if not is_float(buffer):
        if buffer.dtype not in _NARROW:
            raise ValueError(
                f"{name} is a buffer of learned {short(buffer.dtype)} values: noise would destroy packed integers; "
                "unpack them to int8 or dequantise them before they are sent, or mark them as published"
            )
        plain = buffer.detach()
        return Learned(name, plain, tuple(plain.shape), "integer")
    floor = None
    if is_positive(name) and not buffer.is_complex():
        floor = SMALLEST_VARIANCE if has_eps else _TINY
    return _real(name, buffer, statistic, floor)


_NARROW = (torch.bool, torch.int8, torch.uint8, torch.int16, torch.int32)


def _real(name: str, tensor: Tensor, statistic: bool, floor: float | None) -> Learned:
    detached = unexpanded(tensor.detach())
    if detached.is_complex():
        if detached.is_conj():
            return Learned(name, detached, (*detached.shape, 2), "complex", statistic, floor)
        detached = torch.view_as_real(detached)
    kind = "float8" if detached.dtype in _FLOAT8 else "plain"
    return Learned(name, detached, tuple(detached.shape), kind, statistic, floor)


def _check(name: str, tensor: Tensor) -> None:
    """Refuse what one float32 vector cannot carry."""
    if is_lazy(tensor):
        raise ValueError(f"{name} has no shape yet: run the lazy model once on an input before it is sent")
    if is_traceable_wrapper_subclass(tensor) or tensor.is_quantized or tensor.layout != torch.strided:
        kind = short(tensor.dtype) if tensor.is_quantized else type(tensor).__name__
        kind = kind if tensor.layout == torch.strided else short(tensor.layout)
        raise ValueError(f"{name} is {kind}, not a plain tensor: make it dense and dequantise it before it is sent")
    if tensor.dtype in (torch.float64, torch.complex128):
        raise ValueError(f"{name} is {short(tensor.dtype)}, payloads are float32: call model.float() before it is sent")
