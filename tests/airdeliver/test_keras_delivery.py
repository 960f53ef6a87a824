"""A Keras model on TensorFlow travels through the same face, in every normalisation mode."""

import numpy as np
import pytest
import torch

from airdeliver import AnalogLink, deliver, evaluate
from airdeliver.normalisation import estimate_statistics
from channels import AWGN
from tests.later import Later

keras = Later("keras")


@pytest.fixture(scope="module")
def trained(task) -> "keras.Model":
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.layers.Input((8, 8, 1)),
            keras.layers.Conv2D(16, 3, use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.1),
            keras.layers.Dense(10),
        ]
    )
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(prepared(task, task.dataset.train), task.dataset.train.labels.numpy(), epochs=8, verbose=0)
    return model


def prepared(task, split) -> np.ndarray:
    return task.dataset.prepare(split.images).permute(0, 2, 3, 1).contiguous().numpy()


def accuracy(model, images, labels) -> float:
    return float((np.array(model(images, training=False)).argmax(1) == labels).mean())


@pytest.mark.parametrize("kind", ["frozen", "sender", "receiver"])
def test_weights_out_over_the_channel_back_in_and_evaluated_with_keras(task, trained, kind):
    images, labels = prepared(task, task.dataset.test), task.dataset.test.labels
    inputs = torch.from_numpy(images)
    delivery = deliver(
        trained, AnalogLink(protection="size"), AWGN(), 25.0, 30_000, 2, normalisation=kind, calibration_inputs=inputs
    )
    report = evaluate(delivery, inputs, labels)
    assert report.accuracy > accuracy(trained, images, labels.numpy()) - 0.1 > 0.7
    if kind == "receiver":
        assert report.calibration_inputs == len(images)
        with pytest.raises(ValueError, match="needs calibration inputs"):
            delivery.model(0)
    at_receiver = delivery.model(0, inputs)
    assert isinstance(at_receiver, keras.Model)
    assert accuracy(at_receiver, images, labels.numpy()) == pytest.approx(float(report.per_realization[0]), abs=0.01)


def test_estimated_statistics_are_those_of_the_inputs(task, trained):
    twin = keras.models.clone_model(trained)
    twin.set_weights(trained.get_weights())
    images = prepared(task, task.dataset.validation)
    estimate_statistics(twin, torch.from_numpy(images))
    entering = np.array(twin.layers[0](images))
    norm = twin.layers[1]
    assert np.allclose(np.array(norm.moving_mean), entering.mean((0, 1, 2)), atol=1e-4)
    assert np.allclose(np.array(norm.moving_variance), entering.var((0, 1, 2)), rtol=1e-3)


def two_inputs():
    first, second = keras.Input((4,), name="first"), keras.Input((4,), name="second")
    joined = keras.layers.Dense(3)(keras.layers.Concatenate()([first, second]))
    return keras.Model([first, second], joined)


def two_outputs():
    inputs = keras.Input((4,))
    return keras.Model(inputs, {"logits": keras.layers.Dense(3)(inputs), "other": keras.layers.Dense(2)(inputs)})


def in_bfloat16():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, dtype="mixed_bfloat16")])


@pytest.mark.parametrize("build", [two_inputs, two_outputs, in_bfloat16])
def test_several_inputs_and_outputs_and_mixed_precision_are_scored(build):
    """100 dB: nearly every input keeps the class that the sender gives it."""
    keras.utils.set_random_seed(0)
    model, inputs = build(), torch.randn(64, 4, generator=torch.Generator().manual_seed(0))
    given = (inputs, inputs.flip(0)) if build is two_inputs else inputs
    called = model([inputs.numpy(), inputs.flip(0).numpy()] if build is two_inputs else inputs.numpy())
    logits = called["logits"] if isinstance(called, dict) else called
    labels = torch.from_numpy(np.array(logits).astype(np.float32)).argmax(1)
    delivery = deliver(model, AnalogLink(), AWGN(), 100.0, 2000, 2, normalisation="frozen")
    assert evaluate(delivery, given, labels).accuracy > 0.95
    if build is two_inputs:
        named = {"first": inputs, "second": inputs.flip(0)}
        assert evaluate(delivery, named, labels).accuracy > 0.95
