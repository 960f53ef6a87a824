"""What a model takes: one tensor, several, some by name, or batches of these."""

import inspect
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from airdeliver.payload.tensors import as_tensors

Inputs = Any
"""Unlabelled inputs: a tensor, a tuple of tensors (one for each argument of the model), a mapping from argument to
tensor, or a list, a `DataLoader` or another iterable of batches that are one of these. The first axis of every tensor
counts examples."""


class ForwardError(ValueError):
    """A network that fails on the inputs that it is given; its own exception is the cause."""


def called(model: Any, inputs: Inputs) -> Any:
    """The model's output for one batch, given as it is.

    Raises:
        ForwardError: the network's own code fails; one line says how. Want of memory is passed on as it is.

    >>> called(lambda a, b: a + b, (1, 2)), called(lambda a, b: a - b, {"b": 1, "a": 2}), called(abs, -1)
    (3, 1, 1)
    """
    try:
        if isinstance(inputs, Mapping):
            return model(**inputs)
        return model(*inputs) if isinstance(inputs, (tuple, list)) else model(inputs)
    except (MemoryError, torch.OutOfMemoryError, ForwardError):
        raise
    except Exception as error:  # a stranger's code may raise anything
        raise ForwardError(_failing(model, inputs, error)) from error


def _failing(model: Any, inputs: Inputs, error: Exception) -> str:
    said = " ".join(str(error).split())[:200]
    return (
        f"{type(model).__name__} fails on {shapes(inputs)} ({type(error).__name__}: {said}): "
        "give inputs as its forward takes them"
    )


def shapes(inputs: Inputs) -> str:
    """Inputs in words, for messages.

    >>> shapes((torch.zeros(2, 3), torch.zeros(2, dtype=torch.int64))), shapes({"x": 1})
    ('float32 (2, 3), int64 (2,)', 'x: int')
    """
    if isinstance(inputs, Tensor):
        return f"{str(inputs.dtype).removeprefix('torch.')} {tuple(inputs.shape)}"
    if isinstance(inputs, Mapping):
        return ", ".join(f"{name}: {shapes(value)}" for name, value in inputs.items())
    if isinstance(inputs, (tuple, list)):
        return ", ".join(shapes(value) for value in inputs) or "nothing"
    return type(inputs).__name__


def batches(inputs: Inputs, most: int, model: Any = None) -> Iterator[Inputs]:
    """Batches of nearly equal size, none above `most` examples, as `called` takes them.

    What already comes in batches stays in them, but a batch of one example joins the one before it.

    Args:
        inputs: of any of the kinds.
        most: examples in one batch.
        model: that they are for; of batches with more tensors than it takes, the last (labels) are left out.

    Raises:
        ValueError: an iterable that was used up, tensors of unlike length, nothing at all.

    >>> [len(batch) for batch in batches(torch.zeros(10), 4)]
    [4, 3, 3]
    >>> [len(a) for a, b in batches((torch.zeros(10), torch.ones(10)), 5)]
    [5, 5]
    """
    if isinstance(check_inputs(inputs), (Tensor, np.ndarray, tuple, Mapping)):
        pieces = _parts(as_tensors(inputs), most)
    else:
        pieces = _joined(_unlabelled(batch, model) for batch in inputs)
    empty = True
    for piece in pieces:
        empty = False
        yield piece
    if empty:
        raise ValueError("there are no inputs: at least one batch of two examples is needed")


def check_inputs(inputs: Inputs, name: str = "inputs") -> Inputs:
    """The inputs as they are, if they are of a kind that models are given; checked even where nothing will need them.

    Args:
        inputs: of any of the kinds; those of a `DataLoader` are not looked at.
        name: of the argument, for messages.

    Raises:
        TypeError: another kind, a text, say, or the class in place of an object; arrays that hold no numbers.
        ValueError: an iterator, which would be used up, tensors of unlike length, no example at all.

    >>> check_inputs("images.npy", "calibration_inputs")
    Traceback (most recent call last):
    ...
    TypeError: calibration_inputs must be a tensor, a tuple or a mapping of tensors, or batches of these, got str
    """
    if isinstance(inputs, (Tensor, np.ndarray, tuple, Mapping)):
        _check_batch(inputs, name)
    elif isinstance(inputs, Iterator):
        raise ValueError(f"{name} must be batches in a list or a DataLoader, not an iterator: they are needed again")
    elif isinstance(inputs, list):
        if not inputs:
            raise ValueError(f"{name} must not be empty: there are no inputs; give at least one batch of two examples")
        for i, batch in enumerate(inputs):
            _check_batch(batch, f"{name}[{i}]")
    elif isinstance(inputs, (str, bytes, type)) or not isinstance(inputs, Iterable):
        raise _no_inputs(inputs, name)
    return inputs


def _check_batch(batch: Any, name: str) -> None:
    values = list(batch.values()) if isinstance(batch, Mapping) else batch
    values = values if isinstance(values, (tuple, list)) else [values]
    tensors = [as_tensors(value) for value in values]
    if not any(map(_has_rows, tensors)):
        raise _no_inputs(batch, name)
    lengths = {len(tensor) for tensor in tensors if _has_rows(tensor)}
    if len(lengths) > 1 or 0 in lengths:
        problem = "have as many examples each" if len(lengths) > 1 else "hold at least one example"
        raise ValueError(f"{name} must be tensors that {problem}, got {shapes(batch)}")


def _no_inputs(value: Any, name: str) -> TypeError:
    got = f"the class {value.__name__} itself" if isinstance(value, type) else shapes(value)
    return TypeError(f"{name} must be a tensor, a tuple or a mapping of tensors, or batches of these, got {got}")


def fitting(model: nn.Module, inputs: Inputs) -> Inputs:
    """One batch with real numbers in the model's precision, where all of its parameters share one; integers stay.

    Parameters of eight bits are stored so and computed with in another precision: they say nothing.

    >>> fitting(nn.Linear(1, 1).half(), (torch.zeros(1), torch.zeros(1, dtype=torch.int64)))
    (tensor([0.], dtype=torch.float16), tensor([0]))
    """
    kinds = {p.dtype for p in model.parameters() if p.is_floating_point() and p.itemsize > 1}
    if len(kinds) != 1:
        return inputs
    (kind,) = kinds
    if isinstance(inputs, Mapping):
        return {name: _cast(value, kind) for name, value in inputs.items()}
    if isinstance(inputs, (tuple, list)):
        return tuple(_cast(value, kind) for value in inputs)
    return _cast(inputs, kind)


def _cast(value: Any, kind: torch.dtype) -> Any:
    return value.to(kind) if isinstance(value, Tensor) and value.is_floating_point() else value


def count(inputs: Inputs) -> int:
    """How many examples there are.

    >>> count(torch.zeros(3, 2)), count({"tokens": torch.zeros(5, 7)}), count([torch.zeros(2), torch.zeros(3)])
    (3, 5, 5)
    """
    if isinstance(inputs, (Tensor, tuple, Mapping)):
        return _length(inputs)
    return sum(_length(batch) for batch in inputs)


def broken_example(inputs: Inputs) -> int | None:
    """The first example of one batch that holds a NaN, or an infinity where the input is one tensor.

    Masks that are added hold minus infinity beside other inputs.

    >>> broken_example(torch.tensor([[1.0], [torch.inf]]))
    1
    >>> broken_example({"tokens": torch.zeros(2, 3), "mask": torch.full((2, 3), -torch.inf)}) is None
    True
    """
    parts = inputs.values() if isinstance(inputs, Mapping) else inputs if isinstance(inputs, tuple) else (inputs,)
    tensors = [part for part in parts if _has_rows(part)]
    broken = [~part.isfinite() if len(tensors) == 1 else part.isnan() for part in tensors]
    rows = torch.stack([each.reshape(len(each), -1).any(1) for each in broken]).any(0)
    return int(rows.nonzero()[0]) if bool(rows.any()) else None


def taken(inputs: Inputs, rows: slice | Tensor) -> Inputs:
    """Some examples of one batch.

    >>> taken((torch.arange(3), torch.arange(3) * 10), slice(1, 3))
    (tensor([1, 2]), tensor([10, 20]))
    """
    if isinstance(inputs, Mapping):
        return {name: value[rows] if _has_rows(value) else value for name, value in inputs.items()}
    if isinstance(inputs, (tuple, list)):
        return tuple(value[rows] if _has_rows(value) else value for value in inputs)
    return inputs[rows]


def _parts(inputs: Tensor | tuple[Any, ...] | Mapping[str, Any], most: int) -> Iterator[Inputs]:
    pieces = max(1, -(-_length(inputs) // most))
    if isinstance(inputs, Tensor):
        yield from inputs.tensor_split(pieces)
        return
    for rows in torch.arange(_length(inputs)).tensor_split(pieces):
        yield taken(inputs, slice(int(rows[0]), int(rows[-1]) + 1)) if len(rows) else inputs


def _joined(pieces: Iterator[Inputs]) -> Iterator[Inputs]:
    """The same, a batch of one example with the one before it."""
    held: Inputs = None
    for piece in pieces:
        if held is not None and _length(piece) == 1:
            held = _together(held, piece)
            continue
        if held is not None:
            yield held
        held = piece
    if held is not None:
        yield held


def _together(first: Inputs, second: Inputs) -> Inputs:
    if isinstance(first, Mapping):
        return {name: _together(value, second[name]) for name, value in first.items()}
    if isinstance(first, (tuple, list)):
        return tuple(_together(a, b) for a, b in zip(first, second, strict=True))
    return torch.cat([first, second]) if _has_rows(first) else first


def _unlabelled(batch: Inputs, model: Any) -> Inputs:
    if not isinstance(batch, (tuple, list)):
        return batch
    least, most = _arguments(model)
    batch = tuple(batch)
    labelled = len(batch) == least + 1 and isinstance(batch[-1], Tensor) and batch[-1].ndim == 1
    return batch[: least if labelled and not batch[-1].is_floating_point() else most]


def _arguments(model: Any) -> tuple[int, int]:
    """How many positional arguments a model needs, and how many it takes."""
    try:
        call = model.forward if isinstance(model, nn.Module) else model
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return 1, 1
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    needed = sum(p.default is p.empty for p in positional)
    return max(1, needed), 1 << 30 if any(p.kind is p.VAR_POSITIONAL for p in parameters) else len(positional)


def _length(inputs: Inputs) -> int:
    values = (
        inputs.values() if isinstance(inputs, Mapping) else inputs if isinstance(inputs, (tuple, list)) else [inputs]
    )
    lengths = {len(value) for value in values if _has_rows(value)}
    if len(lengths) != 1:
        raise ValueError(
            f"inputs must be tensors with as many examples each, got lengths {sorted(lengths) or 'of nothing'}"
        )
    return lengths.pop()


def _has_rows(value: Any) -> bool:
    return isinstance(value, Tensor) and value.ndim > 0
