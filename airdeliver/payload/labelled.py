"""Inputs and their targets, from batches, data sets and arrays that hold both."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, RandomSampler

from airdeliver.payload.inputs import Inputs, shapes
from airdeliver.payload.tensors import as_tensors

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
    inputs, targets = as_tensors(inputs), as_tensors(targets)
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
    pieces = [as_tensors(batch) for batch in inputs]
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
