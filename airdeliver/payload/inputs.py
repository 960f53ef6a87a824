"""What a model takes: one tensor, several, some by name, or batches of these."""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

Inputs = Any
"""Unlabelled inputs: a tensor, a tuple of tensors (one for each argument of the model), a mapping from argument to
tensor, or a list, a `DataLoader` or another iterable of batches that are one of these. The first axis of every tensor
counts examples."""


def called(model: Any, inputs: Inputs) -> Any:
    """The model's output for one batch, given as it is.

    >>> called(lambda a, b: a + b, (1, 2)), called(lambda a, b: a - b, {"b": 1, "a": 2}), called(abs, -1)
    (3, 1, 1)
    """
    if isinstance(inputs, Mapping):
        return model(**inputs)
    return model(*inputs) if isinstance(inputs, (tuple, list)) else model(inputs)


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
    if isinstance(inputs, (Tensor, tuple, Mapping)):
        pieces = _parts(inputs, most)
    elif isinstance(inputs, Iterable) and not isinstance(inputs, (str, bytes)):
        if isinstance(inputs, Iterator):
            raise ValueError(
                "batches must be a list or a DataLoader, not an iterator: they are gone through more than once"
            )
        pieces = _joined(_unlabelled(batch, model) for batch in inputs)
    else:
        raise ValueError(
            "inputs must be a tensor, a tuple or a mapping of tensors, or batches of these, "
            f"got {type(inputs).__name__}"
        )
    empty = True
    for piece in pieces:
        empty = False
        yield piece
    if empty:
        raise ValueError("there are no inputs: at least one batch of two examples is needed")


def fitting(model: nn.Module, inputs: Inputs) -> Inputs:
    """One batch with real numbers in the model's precision, where all of its parameters share one; integers stay.

    >>> fitting(nn.Linear(1, 1).half(), (torch.zeros(1), torch.zeros(1, dtype=torch.int64)))
    (tensor([0.], dtype=torch.float16), tensor([0]))
    """
    kinds = {parameter.dtype for parameter in model.parameters() if parameter.is_floating_point()}
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


LABELS = ("labels", "label", "targets", "target")
"""Names under which a batch that is a mapping holds its targets."""


def labelled(inputs: Inputs, targets: Any = None) -> tuple[Inputs, Any]:
    """Inputs as one batch, and their targets: whatever holds both is taken apart.

    Args:
        inputs: of any kind that models take; without targets, a `DataLoader`, a list of batches or a `Dataset` whose
            examples hold their target last, or, in mappings, under a name of `LABELS`. NumPy arrays become tensors.
        targets: of all examples, in order; None where the batches hold them, or there are none.

    Raises:
        ValueError: an iterator, which can be gone through once alone; batches that do not belong together.

    >>> labelled([(torch.zeros(2, 3), torch.tensor([0, 1])), (torch.zeros(1, 3), torch.tensor([1]))])[1]
    tensor([0, 1, 1])
    """
    inputs, targets = _as_tensors(inputs), _as_tensors(targets)
    if isinstance(targets, list):
        targets = torch.as_tensor(targets) if all(isinstance(t, int | float) for t in targets) else _joint(targets)
    if inputs is None or isinstance(inputs, (Tensor, tuple, Mapping)):
        return inputs, targets
    if isinstance(inputs, Dataset):
        inputs = DataLoader(inputs, batch_size=256)
    if isinstance(inputs, Iterator) or not isinstance(inputs, Iterable) or isinstance(inputs, (str, bytes)):
        raise ValueError(
            "inputs must be tensors, arrays, batches of them, a Dataset or a DataLoader, not an iterator, "
            f"got {type(inputs).__name__}"
        )
    pieces = [_as_tensors(batch) for batch in inputs]
    if not pieces:
        raise ValueError("there are no inputs: at least one batch is needed")
    if targets is None and all(isinstance(piece, (tuple, list)) and len(piece) > 1 for piece in pieces):
        targets = _joint([piece[-1] for piece in pieces])
        pieces = [piece[0] if len(piece) == 2 else tuple(piece[:-1]) for piece in pieces]
    elif targets is None and all(isinstance(piece, Mapping) for piece in pieces):
        name = next((name for name in LABELS if name in pieces[0]), None)
        if name is not None:
            targets = _joint([piece[name] for piece in pieces])
            pieces = [{key: value for key, value in piece.items() if key != name} for piece in pieces]
    return _joint(pieces), targets


def _joint(pieces: Sequence[Any]) -> Any:
    """Batches as one."""
    first = pieces[0]
    if isinstance(first, Mapping):
        return {name: _joint([piece[name] for piece in pieces]) for name in first}
    if isinstance(first, (tuple, list)):
        return tuple(_joint(parts) for parts in zip(*pieces, strict=True))
    try:
        return torch.cat(list(pieces)) if _has_rows(first) else first
    except RuntimeError as error:
        shapes = sorted({tuple(piece.shape[1:]) for piece in pieces})
        raise ValueError(f"batches must have examples of one shape, got {shapes}") from error


def _as_tensors(value: Any) -> Any:
    """NumPy arrays, also within tuples, lists and mappings, as tensors."""
    if isinstance(value, np.ndarray):
        return torch.from_numpy(np.ascontiguousarray(value))
    if isinstance(value, Mapping):
        return {name: _as_tensors(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(_as_tensors(item) for item in value) if type(value) in (tuple, list) else value
    return value


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
