"""Model to payload and back, whatever library the model comes from."""

import importlib
from typing import Any

from jaxtyping import Float
from torch import Tensor, nn

from airdeliver.payload import flattened
from airdeliver.payload.layout import Layout, Payload

Model = Any
"""A `torch.nn.Module`, or a Keras model."""


def payload_of(model: Model, statistics: bool | None = None) -> Payload:
    """A model's learned values as one float32 vector, cloned and detached.

    All parameters and all persistent buffers that are no constants travel, in the order of the model's state dict; a
    tensor that several modules share (tied weights) travels once, under its first name. Complex64 tensors travel as
    pairs of reals (a last axis of 2), other dtypes as the float32 that they are, integer weights too. Constants (masks,
    index tables, position codes) and buffers that are not persistent are part of the published architecture: the
    receiver's model builder makes them. The rule is in docs/payload.md.

    Args:
        model: a `torch.nn.Module` or a Keras model.
        statistics: what becomes of the running mean and variance of batch norms. `None`: they travel raw, the round
            trip is bit-exact. `True`: they travel, the variance as its natural logarithm. `False`: they are left
            out, the receiver estimates them.

    Raises:
        ValueError: values that are not finite, float64 or integer parameters, lazy modules without a shape, something
            learned that is neither parameter nor buffer and would reach the receiver unsent, each by name.

    >>> payload = payload_of(nn.BatchNorm1d(3), statistics=True)
    >>> payload.layout.names, payload.layout.segments[3].transform
    (('weight', 'bias', 'running_mean', 'running_var'), 'log')
    """
    adapter = _adapter(model)
    adapter.refuse_unsent(model)
    layout = layout_of(model, statistics)
    return Payload(values_of(model, layout), layout)


def layout_of(model: Model, statistics: bool | None = None) -> Layout:
    """The segments that `payload_of` would send."""
    return _adapter(model).layout_of(model, statistics)


def values_of(model: Model, layout: Layout) -> Float[Tensor, "n"]:
    """The values of these segments as a new float32 vector; `Flattened` does it faster at every training step.

    Raises:
        ValueError: model and layout do not match.
    """
    return _adapter(model).Flattened(model, layout).read()


def write(model: Model, layout: Layout, values: Float[Tensor, "n"]) -> None:
    """Set these segments and nothing else; `Flattened` does it faster at every training step.

    Raises:
        ValueError: model and layout do not match.
    """
    _adapter(model).Flattened(model, layout).write(values)


def load(model: Model, layout: Layout, values: Float[Tensor, "n"]) -> Model:
    """Write received values into a model in place and return it.

    Nothing that was not sent survives: running statistics that the layout lacks become mean 0 and variance 1, and
    `num_batches_tracked` restarts at 0.

    Raises:
        ValueError: model and layout do not match, or the vector has another length.
    """
    return _adapter(model).load(model, layout, values)


def architecture_of(model: Model) -> Model:
    """A copy that knows the architecture alone: every learned value is NaN until `load` writes what was received.

    A torch module is copied, a Keras model cloned by `keras.models.clone_model`. Integer weights become 0, and
    activations that the model keeps NaN.

    Raises:
        ValueError: something learned that a copy would hold and a payload would not, by name.
    """
    return _adapter(model).architecture_of(model)


def is_keras(model: Model) -> bool:
    """Whether a model is Keras's, told without importing Keras."""
    if isinstance(model, nn.Module):
        return False
    return any(base.__module__.partition(".")[0] in ("keras", "tf_keras") for base in type(model).__mro__)


def _adapter(model: Model) -> Any:
    if isinstance(model, nn.Module):
        return flattened
    if is_keras(model):
        return importlib.import_module("airdeliver.payload.keras")
    raise TypeError(f"model must be a torch.nn.Module or a Keras model, got {type(model).__qualname__}")
