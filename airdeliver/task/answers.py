"""What a network answers, as one tensor, whatever it is wrapped in."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def answers(outputs: Any) -> Tensor:
    """The outputs of a network as one tensor; floating point as float32.

    A tensor is what it is; of an object or a mapping the `logits` are taken, of a mapping with a single tensor that
    tensor.

    Args:
        outputs: whatever a network returned.

    Raises:
        TypeError: no tensor can be found in them, in one line that says what was found.

    >>> answers({"logits": torch.ones(2, 3, dtype=torch.bfloat16)}).dtype
    torch.float32
    """
    found = outputs
    if isinstance(outputs, Mapping):
        tensors = [value for value in outputs.values() if isinstance(value, Tensor)]
        found = outputs["logits"] if "logits" in outputs else tensors[0] if len(tensors) == 1 else outputs
    elif not isinstance(outputs, Tensor):
        found = getattr(outputs, "logits", outputs)
    if isinstance(found, Tensor) and found.layout == torch.strided and found.ndim and not found.is_complex():
        return found.float() if found.is_floating_point() or found.dtype == torch.bool else found
    raise TypeError(
        f"a network must answer with a dense tensor of real numbers, one row an example, or with logits, got "
        f"{described(outputs)}: wrap it in a module that returns the tensor to score"
    )


def described(outputs: Any) -> str:
    """What a network returned, in words.

    >>> described((torch.zeros(2, 3), 1))
    '2 outputs, (2, 3), int'
    """
    if isinstance(outputs, Mapping):
        return f"a mapping of {', '.join(map(str, outputs))}"
    if isinstance(outputs, Tensor):
        kind = f"{outputs.dtype}, {outputs.layout}".replace("torch.", "")
        return f"a tensor of shape {tuple(outputs.shape)}, {kind}"
    if isinstance(outputs, tuple | list):
        shapes = (str(tuple(part.shape)) if isinstance(part, Tensor) else type(part).__name__ for part in outputs)
        return f"{len(outputs)} outputs, {', '.join(shapes)}"
    return type(outputs).__name__


def finite_rows(outputs: Tensor) -> Tensor:
    """Which examples have nothing but finite outputs, shape (n,)."""
    return outputs.isfinite().flatten(1).all(1) if outputs.ndim > 1 else outputs.isfinite()


def floored(scores: Tensor, outputs: Tensor, floor: float) -> Tensor:
    """Scores, but `floor` where an example's outputs are not finite.

    >>> floored(torch.ones(2), torch.tensor([[0.0, 1.0], [0.0, float("nan")]]), 0.5).tolist()
    [1.0, 0.5]
    """
    return torch.where(finite_rows(outputs), scores, floor)
