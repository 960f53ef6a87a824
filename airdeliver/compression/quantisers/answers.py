"""What a quantiser answers, looked at once where it is asked: one of a user's own need not check itself."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.asked import PieceError, asked
from airdeliver.compression.codec.levels import Levels
from airdeliver.compression.quantisers.base import Quantiser, State
from airdeliver.payload import Layout, Payload

FINEST, FURTHEST = 2.0**-116, 2.0**126
"""What a segment's largest value may be: a container's steps end at 2^-128, twelve binary digits below, and ranges of
three standard deviations at 2^128."""


def levels_of(
    quantiser: Quantiser,
    payload: Payload,
    state: State | None,
    size: Callable[[Levels], float],
    most: float = 1.0,
    near: Levels | None = None,
) -> Levels:
    """The levels that `Quantiser.fit` answers with, which a codec can carry.

    Args:
        quantiser: that is asked.
        payload: values, and their sensitivity if it is known.
        state: that the network was trained with; None for one that suits the values.
        size: of levels, in whatever unit.
        most: that it may be.
        near: an earlier answer for nearly the same size, if there is one.

    Raises:
        ValueError: what the quantiser itself refuses; levels that no container carries, see `Levels.faults`; a segment
            whose largest value is out of range. One line says which quantiser.
    """
    _check_range(quantiser, payload.values, payload.layout)
    with asked(quantiser, "fit"):
        found = quantiser.fit(payload, state, size, most, near)
    _check_levels(quantiser, found, payload.layout)
    return found


def state_of(quantiser: Quantiser, values: Float[Tensor, "n"], layout: Layout) -> State:
    """What `Quantiser.init` begins with.

    Raises:
        ValueError: no state, or a segment whose largest value is out of range; one line says which quantiser.
    """
    _check_range(quantiser, values, layout)
    with asked(quantiser, "init"):
        found = quantiser.init(values, layout)
    if not isinstance(found, State):
        raise PieceError(f"init of {type(quantiser).__name__} must give a State, got {type(found).__name__}")
    return found


def reconstructed(quantiser: Quantiser, values: Float[Tensor, "n"], layout: Layout, state: State) -> Float[Tensor, "n"]:
    """The values as `Quantiser.quantise` has a receiver reconstruct them.

    Raises:
        ValueError: not a finite number for each value, of the values' dtype; no gradient where the values have one. One
            line says which quantiser.
    """
    with asked(quantiser, "quantise"):
        found = quantiser.quantise(values, layout, state)
    name = type(quantiser).__name__
    if not isinstance(found, Tensor) or found.shape != values.shape or found.dtype != values.dtype:
        got = f"{found.dtype} of shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
        raise PieceError(f"quantise of {name} must give {values.dtype} of shape {tuple(values.shape)}, got {got}")
    if not bool(found.detach().isfinite().all()):
        broken = int((~found.detach().isfinite()).sum())
        raise PieceError(f"quantise of {name} gives {broken} of {len(values)} values that are not finite")
    if values.requires_grad and torch.is_grad_enabled() and not found.requires_grad:
        raise PieceError(f"quantise of {name} has no gradient: no training goes through it")
    return found


def rate_of(quantiser: Quantiser, values: Float[Tensor, "n"], layout: Layout, state: State) -> Float[Tensor, ""]:
    """Bits a value, as `Quantiser.rate` has them.

    Raises:
        ValueError: not one finite number, 0 or more; one line says which quantiser.
    """
    with asked(quantiser, "rate"):
        found = quantiser.rate(values, layout, state)
    if (
        not isinstance(found, Tensor)
        or found.ndim
        or not found.is_floating_point()
        or not 0 <= float(found) < torch.inf
    ):
        got = found.tolist() if isinstance(found, Tensor) and found.numel() == 1 else f"{found!r:.60}"
        raise PieceError(
            f"rate of {type(quantiser).__name__} must be a tensor of one finite number of bits a value, 0 or more, got "
            f"{got}"
        )
    return found


def levels_now(quantiser: Quantiser, values: Float[Tensor, "n"], layout: Layout, state: State) -> Levels:
    """What `Quantiser.levels` answers with; raises as `levels_of` does."""
    _check_range(quantiser, values, layout)
    with asked(quantiser, "levels"):
        found = quantiser.levels(values, layout, state)
    _check_levels(quantiser, found, layout)
    return found


def _check_range(quantiser: Quantiser, values: Float[Tensor, "n"], layout: Layout) -> None:
    for name, part in zip(layout.names, layout.split(values.detach()), strict=True):
        if not part.numel():
            continue
        largest = max(abs(float(end)) for end in part.aminmax())
        if 0 < largest < FINEST or FURTHEST < largest < torch.inf:
            small = largest < FINEST
            do = "multiply them by a power of two, set them to 0, or send them over an analog link"
            raise PieceError(
                f"{name} has {'no value above' if small else 'values of up to'} {largest:.1g}: "
                f"{type(quantiser).__name__} tells values apart where the largest of a segment is 1e-35 to 8e37: "
                f"{do if small else 'divide them by a power of two'}"
            )


def _check_levels(quantiser: Quantiser, found: object, layout: Layout) -> None:
    name = type(quantiser).__name__
    if not isinstance(found, Levels):
        raise PieceError(f"{name} must make Levels, got {type(found).__name__}")
    fault = next(found.faults(layout), None)
    if fault is not None:
        raise PieceError(f"levels of {name} {fault}")
