"""Five kinds of Keras networks."""

import keras
import numpy as np
import torch
from keras import layers


def perceptron() -> keras.Model:
    """A sequence of dense layers with batch norm and dropout."""
    return keras.Sequential(
        [
            layers.Input((12,)),
            *(layers.Dense(16, activation="relu"), layers.BatchNormalization(), layers.Dropout(0.2)),
            layers.Dense(3),
        ]
    )


def residual() -> keras.Model:
    """A functional model with a shortcut."""
    inputs = layers.Input((12, 12, 3))
    x = layers.Conv2D(8, 3, padding="same")(inputs)
    y = layers.ReLU()(layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(x)))
    return keras.Model(inputs, layers.Dense(5)(layers.GlobalAveragePooling2D()(layers.Add()([x, y]))))


def mobile() -> keras.Model:
    """Depthwise and separable convolutions, two outputs."""
    inputs = layers.Input((12, 12, 3))
    x = layers.ReLU(6.0)(layers.DepthwiseConv2D(3, depth_multiplier=2)(inputs))
    x = layers.SeparableConv2D(8, 3, activation="relu")(x)
    pooled = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, [layers.Dense(5)(pooled), layers.Dense(1)(pooled)])


def recurrent() -> keras.Model:
    """Words, an LSTM both ways, a GRU."""
    return keras.Sequential(
        [
            layers.Input((9,), dtype="int32"),
            *(layers.Embedding(32, 6), layers.Bidirectional(layers.LSTM(5, return_sequences=True))),
            *(layers.GRU(6), layers.Dense(4)),
        ]
    )


def attentive() -> keras.Model:
    """Attention, layer norm, a perceptron beside it."""
    inputs = layers.Input((7, 8))
    x = layers.LayerNormalization()(inputs + layers.MultiHeadAttention(2, 4)(inputs, inputs))
    x = layers.LayerNormalization()(x + layers.Dense(8)(layers.Dense(16, activation="gelu")(x)))
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))


KERAS = {
    "Keras, perceptron": (perceptron, (12,)),
    "Keras, residual": (residual, (12, 12, 3)),
    "Keras, mobile": (mobile, (12, 12, 3)),
    "Keras, recurrent": (recurrent, (9,)),
    "Keras, attention": (attentive, (7, 8)),
}
"""How each is made, and the shape of one example; words where it is recurrent."""


def made(name: str) -> keras.Model:
    """The model with values that no constructor would give it."""
    keras.utils.set_random_seed(0)
    model, draws = KERAS[name][0](), np.random.default_rng(1)
    for variable in model.weights:
        value = np.array(variable)
        if np.issubdtype(value.dtype, np.floating):
            kick = 0.05 * draws.standard_normal(value.shape)
            variable.assign(value + (np.abs(kick) if "variance" in variable.path else kick))
    return model


def examples(name: str, n: int) -> np.ndarray:
    shape, draws = KERAS[name][1], np.random.default_rng(2)
    if name == "Keras, recurrent":
        return draws.integers(1, 32, (n, *shape)).astype("int32")
    return draws.standard_normal((n, *shape)).astype("float32")


def answers(model: keras.Model, inputs: np.ndarray) -> list[torch.Tensor]:
    said = model(inputs, training=False)
    return [torch.from_numpy(np.array(each)) for each in (said if isinstance(said, (list, tuple)) else [said])]
