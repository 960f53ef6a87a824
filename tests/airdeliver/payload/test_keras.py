"""A Keras model on TensorFlow: weights out, sent, back in, evaluated with Keras."""

import numpy as np
import pytest
import torch

from airdeliver import AnalogLink, prune
from airdeliver.normalisation import estimate_statistics
from airdeliver.payload import architecture_of, is_keras, layout_of, load, payload_of, published, write
from tests.later import Later

keras = Later("keras")
own = Later("tests.airdeliver.payload.own_keras")


def network():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(8, 3, use_bias=False)(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.ReLU()(x)
    x = keras.layers.Dropout(0.2)(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    dense = keras.layers.Dense(8)
    return keras.Model(inputs, keras.layers.Dense(10)(dense(dense(x))))


@pytest.fixture
def model():
    model, random = network(), np.random.default_rng(0)
    for variable in model.weights:
        variable.assign(np.abs(random.normal(size=variable.shape)) + 0.1)
    return model


def inputs(n=16):
    return np.random.default_rng(1).random((n, 8, 8, 1), np.float32)


def test_backend_is_tensorflow(model):
    assert keras.backend.backend() == "tensorflow"
    assert is_keras(model)


def test_lossless_round_trip_is_bit_exact(model):
    payload = payload_of(model)
    received = load(architecture_of(model), payload.layout, payload.values)
    assert received is not model
    for mine, theirs in zip(model.weights, received.weights, strict=True):
        assert np.array_equal(np.array(mine), np.array(theirs))
    assert np.array_equal(model.predict(inputs(), verbose=0), received.predict(inputs(), verbose=0))


def test_shared_layer_and_seeds(model):
    """Kernel and four batch-norm tensors, the shared layer once; the dropout's seed does not travel."""
    assert payload_of(model).layout.size == 72 + 4 * 8 + (64 + 8) + (80 + 10)


def test_received_with_little_noise_evaluates_alike(model):
    payload = payload_of(model, statistics=True)
    assert [s.name for s in payload.layout.segments if s.transform == "log"] == ["4.moving_variance"]
    noise = 1e-4 * torch.randn(payload.layout.size, generator=torch.Generator().manual_seed(0))
    received = load(architecture_of(model), payload.layout, payload.values + noise)
    received.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    labels = model.predict(inputs(64), verbose=0).argmax(-1)
    _, accuracy = received.evaluate(inputs(64), labels, verbose=0)
    assert accuracy > 0.9


def test_unsent_statistics_do_not_survive(model):
    payload = payload_of(model, statistics=False)
    assert payload.layout.size == payload_of(model).layout.size - 16
    load(model, payload.layout, payload.values)
    norm = next(layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization))
    assert (np.array(norm.moving_mean) == 0).all()
    assert (np.array(norm.moving_variance) == 1).all()


def test_network_built_anew_takes_the_payload(model):
    """Keras numbers layers anew in every process and every clone: names do not depend on it."""
    payload = payload_of(model)
    other = network()
    write(other, payload.layout, payload.values)
    assert np.array_equal(model.predict(inputs(), verbose=0), other.predict(inputs(), verbose=0))


def test_sequential_without_input_is_cloned():
    model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dense(2)])
    with pytest.raises(ValueError, match="has no weights yet"):
        layout_of(model)
    model(np.zeros((1, 4), np.float32))
    payload = payload_of(model)
    received = load(architecture_of(model), payload.layout, payload.values)
    x = np.ones((2, 4), np.float32)
    assert np.array_equal(np.array(received(x)), np.array(model(x)))


def test_half_precision_travels():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, dtype="bfloat16")])
    payload = payload_of(model)
    received = load(architecture_of(model), payload.layout, payload.values)
    assert np.array_equal(np.array(received.weights[0], np.float32), np.array(model.weights[0], np.float32))


def test_what_cannot_travel_is_refused(model):
    with pytest.raises(ValueError, match="is float64, payloads are float32"):
        payload_of(keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, dtype="float64")]))
    model.layers[1].kernel.assign(np.full((3, 3, 1, 8), np.nan))
    with pytest.raises(ValueError, match=r"^weights of 0\.kernel are not finite"):
        payload_of(model)


def test_load_refuses_another_model(model):
    payload = payload_of(model)
    with pytest.raises(ValueError, match="in the model and"):
        load(keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)]), payload.layout, payload.values)


def features(n: int = 64) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(n, 16)).astype(np.float32) * 5 + 3


def through(model):
    payload = payload_of(model)
    return load(architecture_of(model), payload.layout, payload.values)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_int8_kernels_travel_and_are_rounded():
    model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(32), keras.layers.Dense(5)])
    model.quantize("int8")
    payload, x = payload_of(model), features()
    assert payload.layout.size == 32 * 16 + 32 * 2 + 5 * 32 + 5 * 2
    assert not any(np.array(w).any() for w in architecture_of(model).weights if "int8" in str(w.dtype))
    assert np.array_equal(np.array(through(model)(x)), np.array(model(x)))
    far = load(architecture_of(model), payload.layout, payload.values + 1e4)
    assert max(int(np.array(w).max()) for w in far.weights if "int8" in str(w.dtype)) == 127


def test_normalization_computes_with_what_arrived():
    norm = keras.layers.Normalization()
    norm.adapt(features())
    model = keras.Sequential([keras.Input((16,)), norm, keras.layers.Dense(5)])
    x = features()
    assert np.array_equal(np.array(through(model)(x)), np.array(model(x)))
    assert np.isnan(np.array(architecture_of(model)(x))).all()
    layout = layout_of(model, statistics=False)
    assert [s.name for s in layout.segments if s.transform == "log"] == ["1.variance"]


def test_batch_norm_in_a_nested_model_is_estimated_as_in_a_flat_one():
    keras.utils.set_random_seed(0)
    layers = [
        keras.layers.Dense(16),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(8),
        keras.layers.BatchNormalization(),
    ]
    encoder = keras.Sequential([keras.Input((16,)), *layers])
    entry = keras.Input((16,))
    model = keras.Model(entry, keras.layers.Dense(5)(encoder(entry)))
    x = features()
    estimate_statistics(model, torch.from_numpy(x))
    for last in (1, 3):
        entering = np.array(keras.Sequential([keras.Input((16,)), *layers[:last]])(x))
        assert np.allclose(np.array(layers[last].moving_mean), entering.mean(0), atol=1e-4)
        assert np.allclose(np.array(layers[last].moving_variance), entering.var(0), rtol=1e-3)
    batches = [torch.from_numpy(x[:32]), torch.from_numpy(x[32:])]
    estimate_statistics(model, batches)
    assert np.allclose(np.array(layers[1].moving_mean), np.array(layers[0](x)).mean(0), atol=1e-4)


def test_what_a_receiver_cannot_build_is_refused_in_a_line():
    model = own.Undescribed(4)
    model(np.zeros((1, 16), np.float32))
    with pytest.raises(ValueError, match="Undescribed cannot be built from its get_config") as error:
        architecture_of(model)
    assert "\n" not in str(error.value)


def test_what_a_lambda_holds_is_refused():
    table = features(16)
    model = keras.Sequential([keras.Input((16,)), keras.layers.Dense(16), keras.layers.Lambda(lambda x: x @ table)])
    with pytest.raises(ValueError, match=":table is held by the function of a Lambda layer"):
        payload_of(model)


def test_published_variables_are_left_out_and_known():
    model = published(keras.Sequential([keras.Input((16,)), keras.layers.Dense(4), keras.layers.Dense(2)]), "0.kernel")
    assert layout_of(model).names == ("1.bias", "2.kernel", "3.bias")
    x = features()
    assert np.array_equal(np.array(through(model)(x)), np.array(model(x)))


@pytest.mark.usefixtures("unchecked")
def test_pruning_says_what_to_do():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    with pytest.raises(
        ValueError, match=r"no channels can be taken out: give a narrower Keras model, or .* torch module"
    ):
        prune(model, AnalogLink(), 1000, torch.zeros(1, 4))


def tabled(layer):
    inputs = keras.Input((8,))
    return keras.Model(inputs, keras.layers.Dense(3)(layer(inputs)))


def test_a_table_that_is_no_weight_is_refused_where_it_would_be_lost_or_free():
    with pytest.raises(ValueError, match=r"table\.table is an array of 32 values that is no weight"):
        architecture_of(tabled(own.Table()))
    learned = np.random.default_rng(0).normal(size=(8, 4)).astype(np.float32)
    with pytest.raises(ValueError, match=r"configured\.table is a list of 32 numbers in the layer's configuration"):
        architecture_of(tabled(own.Configured(learned)))
    assert np.array_equal(architecture_of(tabled(positions := own.Positions())).layers[1].table, positions.table)
