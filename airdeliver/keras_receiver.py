"""What sender and receiver do with a Keras model beyond its values. Importing this file imports Keras."""

from collections.abc import Iterable, Mapping
from typing import Any

import keras
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.payload import Layout, load
from airdeliver.payload.inputs import Inputs, batches, count


def batch_norms(model: keras.Model) -> list[Any]:
    """The batch norms of a Keras model, in the order of its layers."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]


def estimate_statistics(model: keras.Model, inputs: Inputs) -> keras.Model:
    """Replace the moving statistics of every batch norm by those of `inputs`; there is no labels argument.

    One pass over all inputs together, layer by layer: each batch norm takes the statistics of what enters it before it
    is applied, so that each sees what those before it make of these inputs, also inside nested and subclassed models.
    Dropout stays off. A layer that is called several times keeps the mean of its calls' statistics.

    Args:
        model: changed in place.
        inputs: of any kind that `airdeliver.normalisation.estimate_statistics` takes.

    Raises:
        ValueError: no inputs.
    """
    layers = batch_norms(model)
    if not layers:
        return model
    met: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
    for layer in layers:
        _watch(layer, met.setdefault(id(layer), []))
    try:
        for batch in batches(inputs, max(1, count(inputs)), model):
            keras_called(model, batch)
    finally:
        for layer in layers:
            del layer.call
    for layer in layers:
        _assign(layer, met[id(layer)])
    return model


def _watch(layer: Any, met: list[tuple[np.ndarray, np.ndarray]]) -> None:
    """Let a batch norm take the statistics of what enters it."""
    call = layer.call

    def watched(inputs: Any, *args: Any, **keywords: Any) -> Any:
        entering = np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(inputs, "float32")))
        others = tuple(axis for axis in range(entering.ndim) if axis != layer.axis % entering.ndim)
        met.append((entering.mean(others), entering.var(others)))
        _assign(layer, met[-1:])
        return call(inputs, *args, **keywords)

    object.__setattr__(layer, "call", watched)


def _assign(layer: Any, met: list[tuple[np.ndarray, np.ndarray]]) -> None:
    if met:
        layer.moving_mean.assign(np.mean([mean for mean, _ in met], axis=0))
        layer.moving_variance.assign(np.mean([variance for _, variance in met], axis=0))


def keras_called(model: keras.Model, inputs: Inputs) -> Any:
    """The model's output for one batch of tensors, in evaluation mode."""
    if isinstance(inputs, Mapping):
        return model({name: value.cpu().numpy() for name, value in inputs.items()}, training=False)
    if isinstance(inputs, (tuple, list)) and len(inputs) != 1:
        return model([value.cpu().numpy() for value in inputs], training=False)
    single = inputs[0] if isinstance(inputs, (tuple, list)) else inputs
    return model(single.cpu().numpy(), training=False)


def _as_tensors(outputs: Any) -> Any:
    """Outputs as tensors, alone or several; what NumPy has no numbers for (bfloat16) in float32."""
    if isinstance(outputs, Mapping):
        return {name: _as_tensors(value) for name, value in outputs.items()}
    if isinstance(outputs, (tuple, list)):
        return tuple(_as_tensors(value) for value in outputs)
    array = np.array(outputs)
    return torch.from_numpy(array if array.dtype.kind in "biufc" else array.astype(np.float32))


def average_statistics(model: keras.Model, arrivals: Iterable[None], inputs: Inputs) -> keras.Model:
    """Moving statistics averaged over several arrivals of the same network: see `airdeliver.normalisation`."""
    layers, means, variances = batch_norms(model), [], []
    for _ in arrivals:
        estimate_statistics(model, inputs)
        means.append([np.asarray(layer.moving_mean) for layer in layers])
        variances.append([np.asarray(layer.moving_variance) for layer in layers])
    for i, layer in enumerate(layers):
        layer.moving_mean.assign(np.mean([m[i] for m in means], axis=0))
        layer.moving_variance.assign(np.mean([v[i] for v in variances], axis=0))
    return model


class KerasReceiver:
    """One Keras architecture that is filled with one received payload after the other.

    Args:
        model: of the architecture.
        layout: of the payload.
    """

    def __init__(self, model: keras.Model, layout: Layout) -> None:
        self.model, self.layout = model, layout

    def rebuild(self, values: Float[Tensor, "n"], calibration: Inputs = None) -> "KerasReceiver":
        """The network that these values make; batch norm re-estimated from inputs, if there are any."""
        load(self.model, self.layout, values)
        if calibration is not None:
            estimate_statistics(self.model, calibration)
        return self

    def __call__(self, *inputs: Tensor, **named: Tensor) -> Any:
        """Outputs for prepared inputs, in the axes that the Keras model expects; inputs by name where it names them."""
        return _as_tensors(keras_called(self.model, named or inputs))
