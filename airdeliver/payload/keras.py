"""A Keras model seen as one vector: the same face as for torch modules. Importing this file imports Keras."""

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.payload.layout import SMALLEST_VARIANCE, Layout, Segment

STATISTICS = ("moving_mean", "moving_variance")


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
        self.variables = layout.matched(learned)

    def read(self) -> Float[Tensor, "n"]:
        """All values as a new float32 vector on the CPU."""
        parts = [torch.zeros(0)]
        for variable, segment in zip(self.variables, self.layout.segments, strict=True):
            part = torch.from_numpy(np.array(keras.ops.cast(variable, "float32"))).reshape(-1)
            parts.append(part.clamp(min=SMALLEST_VARIANCE).log() if segment.transform == "log" else part)
        return torch.cat(parts)

    def write(self, values: Float[Tensor, "n"]) -> None:
        """Set all values; a variable keeps its dtype."""
        parts = self.layout.split(values.detach().cpu().float())
        for variable, segment, part in zip(self.variables, self.layout.segments, parts, strict=True):
            received = part.exp() if segment.transform == "log" else part
            variable.assign(received.view(segment.shape).numpy())


def layout_of(model: keras.Model, statistics: bool | None = None) -> Layout:
    """The segments of a Keras model, named `position.variable`, `3.kernel`, in the order of `model.weights`.

    Positions stand in the names because Keras numbers its layers anew in every clone.
    """
    segments = []
    for name, variable, is_statistic in _learned(model):
        if is_statistic and statistics is False:
            continue
        logarithmic = bool(statistics) and is_statistic and name.endswith("moving_variance")
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
    twin = keras.models.clone_model(model)
    if not twin.built:
        twin.build(model.input_shape)
    return twin


def blank(model: keras.Model) -> keras.Model:
    """Make every learned value of a Keras model NaN, in place: see `airdeliver.payload.architecture_of`."""
    for _, variable, _ in _learned(model):
        variable.assign(np.full(variable.shape, np.nan, np.float32))
    return model


def _learned(model: keras.Model) -> Iterator[tuple[str, Any, bool]]:
    """Name, floating-point variable and whether it is a batch norm's moving statistic; shared variables once."""
    if not model.built:
        raise ValueError("the Keras model has no weights yet: build it, or call it once, before it is sent")
    statistics = {
        id(getattr(layer, name))
        for layer in model._flatten_layers()
        if isinstance(layer, keras.layers.BatchNormalization)
        for name in STATISTICS
    }
    for position, variable in enumerate(model.weights):
        name, dtype = f"{position}.{variable.name}", keras.backend.standardize_dtype(variable.dtype)
        if dtype == "float64":
            raise ValueError(f"{variable.path} is float64, payloads are float32: build the model in float32")
        if "float" in dtype:
            yield name, variable, id(variable) in statistics
        elif variable.trainable:
            raise ValueError(f"{variable.path} is {dtype}: only floating-point weights can be sent")
