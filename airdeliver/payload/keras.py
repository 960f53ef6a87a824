"""A Keras model seen as one vector: the same face as for torch modules. Importing this file imports Keras."""

import types
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.payload.constants import is_constant, is_positive
from airdeliver.payload.layout import SMALLEST_VARIANCE, Layout, Segment, logarithm
from airdeliver.payload.published import copy_mark, is_published, mark_of
from airdeliver.payload.reach import MANY, closed_over, numbers

STATISTICS = ("moving_mean", "moving_variance")

INTEGERS = ("int8", "uint8", "int16", "int4", "uint4")
"""Types of quantised weights; seeds and counters are wider."""


class Flattened:
    """A Keras model's variables under a layout: `airdeliver.payload.Flattened` for Keras.

    Args:
        model: a built Keras model; its variables are read and written in place.
        layout: of this model, or of a clone.

    Raises:
        ValueError: model and layout do not match.
    """

    def __init__(self, model: keras.Model, layout: Layout):
        self.layout = layout
        learned = {name: (variable, is_statistic) for name, variable, is_statistic in _learned(model)}
        self.model, self.variables = model, layout.matched(learned)

    def read(self) -> Float[Tensor, "n"]:
        """All values as a new float32 vector on the CPU."""
        parts = [torch.zeros(0)]
        for variable, segment in zip(self.variables, self.layout.segments, strict=True):
            part = torch.from_numpy(np.array(keras.ops.cast(variable, "float32"))).reshape(-1)
            parts.append(logarithm(part, segment.name, SMALLEST_VARIANCE) if segment.transform == "log" else part)
        return torch.cat(parts)

    def write(self, values: Float[Tensor, "n"]) -> None:
        """Set all values; a variable keeps its dtype, integers are rounded to what it holds."""
        parts = self.layout.split(values.detach().cpu().float())
        for variable, segment, part in zip(self.variables, self.layout.segments, parts, strict=True):
            received = part.exp() if segment.transform == "log" else part
            _assign(variable, received.view(segment.shape).numpy())
        _finalise(self.model)


def layout_of(model: keras.Model, statistics: bool | None = None) -> Layout:
    """The segments of a Keras model, named `position.variable`, `3.kernel`, in the order of `model.weights`.

    Positions stand in the names because Keras numbers its layers anew in every clone.
    """
    segments = []
    for name, variable, is_statistic in _learned(model):
        if is_statistic and statistics is False:
            continue
        logarithmic = statistics is not None and _is_positive(name, variable)
        segments.append(Segment(name, tuple(variable.shape), "log" if logarithmic else "identity"))
    return Layout(tuple(segments))


def load(model: keras.Model, layout: Layout, values: Float[Tensor, "n"]) -> keras.Model:
    """Write received values into a Keras model: see `airdeliver.payload.load`."""
    Flattened(model, layout).write(values)
    sent = frozenset(layout.names)
    for name, variable, is_statistic in _learned(model):
        if is_statistic and name not in sent:
            fresh = 1.0 if name.endswith("moving_variance") else 0.0
            variable.assign(np.full(variable.shape, fresh, np.float32))
    return model


def clone(model: keras.Model) -> keras.Model:
    """A model of the same architecture with weights of its own; seeds and integer variables are made anew.

    Raises:
        ValueError: a subclassed model whose `get_config` does not describe it.
    """
    try:
        twin = keras.models.clone_model(model)
        if not twin.built:
            twin.build(model.input_shape)
    except Exception as error:  # A stranger's `get_config` and constructor may fail in any way.
        raise ValueError(
            f"the Keras model {type(model).__name__} cannot be built from its get_config(), as a receiver would: add "
            f"get_config and from_config to it, or use a functional model ({_first_line(error)})"
        ) from None
    ours, theirs = ([tuple(v.shape) for v in each.weights] for each in (model, twin))
    if ours != theirs:
        raise ValueError(
            f"the Keras model {type(model).__name__} built from its get_config() has {len(theirs)} weights of other "
            f"shapes than its {len(ours)}: get_config must describe every layer"
        )
    copy_mark(model, twin)
    return twin


def architecture_of(model: keras.Model) -> keras.Model:
    """A clone without learned values: see `airdeliver.payload.architecture_of`."""
    twin = clone(model)
    _refuse_attributes(model, twin)
    unsent = {name for name, _, _ in _learned(twin)}
    for position, (source, variable) in enumerate(zip(model.weights, twin.weights, strict=True)):
        if f"{position}.{variable.name}" not in unsent:
            # Seeds and counters are the clone's own; what is published is known to the receiver.
            if "float" in _dtype(variable) or _dtype(variable) in INTEGERS:
                variable.assign(source)
        elif "float" in _dtype(variable):
            variable.assign(np.full(variable.shape, np.nan, np.float32))
        else:
            variable.assign(np.zeros(variable.shape, np.int8))
    _finalise(twin)
    return twin


def refuse_unsent(model: keras.Model) -> None:
    """Refuse what a clone would take along and a payload would not carry: what a `Lambda` layer's function holds.

    Raises:
        ValueError: the first such thing by name, and what to do about it.
    """
    for layer in model._flatten_layers():
        function = getattr(layer, "function", None) if isinstance(layer, keras.layers.Lambda) else None
        if not isinstance(function, types.FunctionType):
            continue
        for value, name, _ in closed_over(function):
            learned = isinstance(value, (keras.layers.Layer, keras.Variable)) or _is_array(value)
            if learned and not (isinstance(value, keras.layers.Layer) and not value.weights):
                raise ValueError(
                    f"{layer.name}{name} is held by the function of a Lambda layer, so that it would not be sent: make "
                    "it a layer of the model"
                )


def _refuse_attributes(model: keras.Model, twin: keras.Model) -> None:
    """Refuse arrays of a stranger's layers that are no weights and that constructing does not make again.

    A clone is made from configurations: what it holds as well is published, what it holds otherwise would be lost.
    """
    for ours, theirs in zip(model._flatten_layers(), twin._flatten_layers(), strict=True):
        if type(ours).__module__.partition(".")[0] == "keras":
            continue
        told = {name: np.ravel(held) for name, value in _config(ours).items() if (held := numbers(value)) is not None}
        for name, held in told.items():
            if len(held) > MANY and held.dtype.kind == "f" and not is_constant(name, torch.from_numpy(held).float()):
                raise ValueError(
                    f"{ours.name}.{name} is a list of {len(held)} numbers in the layer's configuration, so that it "
                    "would not be sent: make it a weight by add_weight()"
                )
        for name, value in vars(ours).items():
            if not _holds_floats(value):
                continue
            if not np.array_equal(np.asarray(value), np.asarray(getattr(theirs, name, np.nan)), equal_nan=True):
                raise ValueError(
                    f"{ours.name}.{name} is an array of {np.size(value)} values that is no weight, so that it would "
                    "not be sent, and constructing the layer makes another: make it a weight by add_weight()"
                )


def _config(layer: keras.layers.Layer) -> dict[str, Any]:
    try:
        return dict(layer.get_config())
    except Exception:  # a stranger's code may raise anything; building the clone says so
        return {}


def _holds_floats(value: Any) -> bool:
    array = isinstance(value, np.ndarray) or (keras.ops.is_tensor(value) and not isinstance(value, keras.KerasTensor))
    return array and np.size(value) > 1 and "float" in str(value.dtype)


def _is_array(value: Any) -> bool:
    size = np.size(value) if isinstance(value, np.ndarray) or keras.ops.is_tensor(value) else 0
    return size > MANY


def _learned(model: keras.Model) -> Iterator[tuple[str, Any, bool]]:
    """Name, learned variable and whether it is a batch norm's moving statistic; shared variables once."""
    if not model.built:
        raise ValueError("the Keras model has no weights yet: build it, or call it once, before it is sent")
    statistics = {
        id(getattr(layer, name))
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
        for name in STATISTICS
    }
    mark = mark_of(model)
    marks = [] if mark is None else [("", mark)]
    for position, variable in enumerate(model.weights):
        name, dtype = f"{position}.{variable.name}", _dtype(variable)
        if is_published(name, marks):
            continue
        if dtype == "float64":
            raise ValueError(f"{variable.path} is float64, payloads are float32: build the model in float32")
        if "float" in dtype or (dtype in INTEGERS and np.prod(variable.shape) > 1):
            yield name, variable, id(variable) in statistics
        elif variable.trainable:
            raise ValueError(f"{variable.path} is {dtype}: only floating-point weights can be sent")


def _is_positive(name: str, variable: Any) -> bool:
    return not variable.trainable and "float" in _dtype(variable) and is_positive(name)


def _assign(variable: Any, values: np.ndarray) -> None:
    if _dtype(variable) in INTEGERS:
        low, high = (
            (-8, 7) if _dtype(variable) == "int4" else (0, 15) if _dtype(variable) == "uint4" else _limits(variable)
        )
        values = np.nan_to_num(values).round().clip(low, high)
    variable.assign(values.astype(_dtype(variable)) if _dtype(variable) in ("int8", "uint8", "int16") else values)


def _limits(variable: Any) -> tuple[int, int]:
    limits = np.iinfo(_dtype(variable))
    return int(limits.min), int(limits.max)


def _finalise(model: keras.Model) -> None:
    """Let layers that keep a copy of their variables (`Normalization`) look at them again."""
    for layer in model._flatten_layers():
        if isinstance(layer, keras.layers.Normalization) and layer.built and layer.input_mean is None:
            layer.finalize_state()


def _dtype(variable: Any) -> str:
    return keras.backend.standardize_dtype(variable.dtype)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
