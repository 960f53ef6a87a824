"""What sender and receiver do with a Keras model beyond its values. Importing this file imports Keras."""

from collections.abc import Iterable
from typing import Any

import keras
import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.payload import Layout, load


def batch_norms(model: keras.Model) -> list[Any]:
    """The batch norms of a Keras model, in the order of its layers."""
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]


def estimate_statistics(model: keras.Model, inputs: Float[Tensor, "n ..."]) -> keras.Model:
    """Replace the moving statistics of every batch norm by those of `inputs`; there is no labels argument.

    Layer by layer, so that each sees what the batch norms before it make of these inputs, all of them together;
    dropout stays off.

    Raises:
        ValueError: a subclassed model, whose layers cannot be reached one by one.
    """
    for layer in batch_norms(model):
        try:
            before = keras.Model(model.inputs, layer.input)
        except (AttributeError, ValueError, TypeError):
            raise ValueError(
                "batch norm of a subclassed Keras model cannot be re-estimated: use a functional or sequential model, "
                "or normalisation 'frozen'"
            ) from None
        entering = np.asarray(before(inputs.cpu().numpy(), training=False))
        others = tuple(axis for axis in range(entering.ndim) if axis != layer.axis % entering.ndim)
        layer.moving_mean.assign(entering.mean(others))
        layer.moving_variance.assign(entering.var(others))
    return model


def average_statistics(model: keras.Model, arrivals: Iterable[None], inputs: Float[Tensor, "n ..."]) -> keras.Model:
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
        calibration: inputs to re-estimate batch norm from; None if its statistics arrive.
    """

    def __init__(self, model: keras.Model, layout: Layout, calibration: Tensor | None) -> None:
        self.model, self.layout = model, layout
        self.calibration = calibration if batch_norms(model) else None

    def rebuild(self, values: Float[Tensor, "n"]) -> "KerasReceiver":
        """The network that these values make."""
        load(self.model, self.layout, values)
        if self.calibration is not None:
            estimate_statistics(self.model, self.calibration)
        return self

    def __call__(self, images: Float[Tensor, "n ..."]) -> Float[Tensor, "n classes"]:
        """Logits of prepared inputs, in the axes that the Keras model expects."""
        return torch.from_numpy(np.array(self.model(images.cpu().numpy(), training=False)))
