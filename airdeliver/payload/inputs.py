"""What a model takes: one tensor, several, some by name, or batches of these."""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, RandomSampler

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
        pieces = _parts(_as_tensors(inputs), most)
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
    tensors = [_as_tensors(value) for value in values]
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
        TypeError: arrays of anything but numbers, batches that are none.
        ValueError: an iterator, which can be gone through once alone; batches that do not belong together; tensors
            that are sparse or on the meta device; targets beside a `DataLoader` that shuffles.

    >>> labelled([(torch.zeros(2, 3), torch.tensor([0, 1])), (torch.zeros(1, 3), torch.tensor([1]))])[1]
    tensor([0, 1, 1])
    """
    inputs, targets = _as_tensors(inputs), _as_tensors(targets)
    if isinstance(targets, list):
        numbers = all(isinstance(t, int | float) for t in targets)
        targets = torch.as_tensor(targets) if numbers else _joint(targets)
    if inputs is None or isinstance(inputs, (Tensor, tuple, Mapping)):
        return inputs, targets
    if isinstance(inputs, Dataset):
        inputs = DataLoader(inputs, batch_size=256)
    if targets is not None and isinstance(inputs, DataLoader) and isinstance(inputs.sampler, RandomSampler):
        raise ValueError("a DataLoader that shuffles does not keep the order of the targets: leave shuffling out")
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
    joint = _joint(pieces)
    if not isinstance(joint, (Tensor, tuple, Mapping)):
        raise TypeError(f"batches must be tensors, tuples or mappings of them, got {type(joint).__name__}")
    return joint, targets


def _joint(pieces: Sequence[Any]) -> Any:
    """Batches as one."""
    if len({_form(piece) for piece in pieces}) > 1:
        raise ValueError(f"batches must have the same parts, got {shapes(pieces[0])} and others")
    first = pieces[0]
    if isinstance(first, Mapping):
        return {name: _joint([piece[name] for piece in pieces]) for name in first}
    if isinstance(first, (tuple, list)):
        return tuple(_joint(parts) for parts in zip(*pieces, strict=True))
    if not isinstance(first, Tensor):
        return first
    try:
        return torch.cat([piece if piece.ndim else piece[None] for piece in pieces])
    except RuntimeError as error:
        kinds = sorted({tuple(piece.shape[1:]) for piece in pieces})
        raise ValueError(f"batches must have examples of one shape, got {kinds}") from error


def _form(piece: Any) -> tuple[Any, ...]:
    """What batches must have in common to be joined."""
    if isinstance(piece, Mapping):
        return ("mapping", *sorted(map(str, piece)))
    if isinstance(piece, (tuple, list)):
        return "tuple", len(piece)
    return ("tensor",) if isinstance(piece, Tensor) else ("value", type(piece))


def _as_tensors(value: Any) -> Any:
    """NumPy arrays, also within tuples, lists and mappings, as tensors."""
    if isinstance(value, np.ndarray):
        return _from_numpy(value)
    if isinstance(value, Tensor):
        if value.layout != torch.strided or value.is_meta:
            kind = "on the meta device" if value.is_meta else str(value.layout).removeprefix("torch.")
            raise ValueError(f"inputs and targets must be dense tensors with values, got one that is {kind}")
        return value.detach()
    if isinstance(value, Mapping):
        return {name: _as_tensors(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return type(value)(_as_tensors(item) for item in value) if type(value) in (tuple, list) else value
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
