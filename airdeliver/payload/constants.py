"""Which buffers are constants of the published architecture, and which are learned: by name, type and pattern.

The rule looks at nothing that training changes, so that a receiver which has the architecture alone comes to the same
result as the sender; it is written down for people in docs/payload.md.
"""

import re

import torch
from torch import Tensor

_PLAIN = (torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128)

LEARNED = frozenset(
    [
        "weight",
        "weights",
        "qweight",
        "code",
        "codes",
        "codebook",
        "packed",
        "quantized",
        "quantised",
        "centroid",
        "centroids",
        "cluster",
        "clusters",
        "assignment",
        "assignments",
        "learned",
        "trained",
        "ema",
    ]
)
"""Words of a buffer's name that say that it is learned, whatever else stands in the name."""

CONSTANT = frozenset(
    [
        "mask",
        "masks",
        "causal",
        "index",
        "indices",
        "idx",
        "id",
        "ids",
        "position",
        "positions",
        "positional",
        "pos",
        "pe",
        "freq",
        "freqs",
        "rope",
        "rotary",
        "sin",
        "cos",
        "sinusoid",
        "sinusoidal",
        "alibi",
        "coord",
        "coords",
        "grid",
        "anchor",
        "anchors",
        "window",
        "betas",
        "sigmas",
        "timesteps",
        "cumprod",
        "posterior",
    ]
)
"""Words that say that it follows from the architecture: masks, index tables, position codes, noise schedules."""

POSITIVE = frozenset(
    ["var", "variance", "variances", "std", "stds", "stddev", "stdev", "sigma", "rms", "sq", "square", "squared"]
)
"""Words of quantities that are never negative: variances, and what is divided by like one."""

_LARGE = 1e3
"""What an additive mask takes away at least."""

_RECURRENCE = 8
"""Entries from which on a rule that generates a sequence can be told from chance."""


def words(name: str) -> frozenset[str]:
    """The words of a tensor's own name, in lower case.

    >>> sorted(words("encoder.relativePosition_index2"))
    ['index', 'position', 'relative']
    """
    last = name.rpartition(".")[2]
    return frozenset(word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", last))


def is_constant(name: str, tensor: Tensor) -> bool:
    """Whether a floating-point or complex buffer is a constant of the architecture.

    Args:
        name: dotted.
        tensor: its values. Where they are not known (NaN in the receiver's blank copy), the name alone counts: a
            blank copy keeps its constants, so that both sides agree.

    >>> is_constant("attn_mask", torch.zeros(3, 3)), is_constant("prototypes", torch.rand(3, 3))
    (True, False)
    >>> is_constant("table", torch.sin(torch.arange(64.0)))
    True
    """
    said = words(name)
    if said & LEARNED:
        return False
    return bool(said & CONSTANT) or follows_a_rule(tensor)


def is_learned_integer(name: str, tensor: Tensor) -> bool:
    """Whether an integer or boolean buffer holds learned values.

    Narrow integers are quantised weights unless their name says otherwise; wide ones are counters and index tables,
    and booleans masks, unless their name says that they are weights or their zero points.
    """
    said = words(name)
    if said & LEARNED or {"zero", "point"} <= said:
        return True
    narrow = tensor.dtype in (torch.int8, torch.uint8, torch.int16)
    return narrow and tensor.numel() > 1 and not said & CONSTANT


def is_positive(name: str) -> bool:
    """Whether a buffer's name says that it is a variance, or another quantity that is never negative.

    >>> is_positive("running_var"), is_positive("log_var"), is_positive("variable")
    (True, False, False)
    """
    said = words(name)
    return bool(said & POSITIVE) and "log" not in said


def follows_a_rule(tensor: Tensor) -> bool:
    """Whether values are a mask or a sequence that a constructor computes, which no training arrives at.

    Masks are what has two values, 0 and one of at least 1000 or infinity, or fills exactly a triangle. Sequences obey
    x[t + 1] + x[t - 1] = c x[t] along one axis: lines, sines and geometric series, without being constant.
    """
    if tensor.is_meta or tensor.numel() < 2 or tensor.dtype not in _PLAIN or tensor.layout != torch.strided:
        return False
    values = tensor.detach()
    if values.is_complex():
        return all(follows_a_rule(part) for part in (values.real, values.imag))
    values = values.double().squeeze()
    if bool(values.isnan().any()):
        return False
    return _is_mask(values) or _is_sequence(values)


def _is_mask(values: Tensor) -> bool:
    first = values.flatten()[0]
    other = values != first
    if not bool(other.any()):
        return False
    second = values[other][0]
    if not bool((values[other] == second).all()):
        return False
    if bool((first == 0) | (second == 0)) and max(abs(float(first)), abs(float(second))) >= _LARGE:
        return True
    return values.ndim >= 2 and min(values.shape[-2:]) > 2 and _is_triangle(values != values.flatten()[-1])


def _is_triangle(pattern: Tensor) -> bool:
    """Whether the last two axes are the same upper or lower triangle throughout, at whatever diagonal."""
    matrix = pattern.reshape(-1, *pattern.shape[-2:])
    alike = bool((matrix == matrix[0]).all()) and bool((matrix[0, 1:, 1:] == matrix[0, :-1, :-1]).all())
    steps = torch.cat([matrix[0, :, 0].flip(0), matrix[0, 0, 1:]]).int().diff()
    return alike and bool((steps.min() * steps.max() == 0) & (steps != 0).any())


def _is_sequence(values: Tensor) -> bool:
    if not bool(values.isfinite().all()) or not values.numel():
        return False
    axes = (values.movedim(axis, 0) for axis in range(values.ndim))
    return any(_recurs(moved.reshape(len(moved), -1)) for moved in axes)


def _recurs(columns: Tensor) -> bool:
    """Whether each column obeys the recurrence with a factor of its own, and not all of them are constant."""
    if len(columns) < _RECURRENCE or bool((columns == columns[0]).all()):
        return False
    middle, outer = columns[1:-1], columns[2:] + columns[:-2]
    factor = (middle * outer).sum(0) / middle.square().sum(0).clamp(min=1e-300)
    off = (outer - factor * middle).abs().amax(0)
    return bool((off <= 2e-3 * columns.abs().amax(0)).all())
