"""What every Keras network is put through: the same, but for pruning."""

import keras
import numpy as np
import pytest
import torch

from airdeliver import prune
from airdeliver.payload import architecture_of, load, payload_of
from tests.zoo.examination import LINK, Row, check_delivery, check_digital
from tests.zoo.keras_networks import KERAS, answers, examples, made

__all__ = ["KERAS", "examined_keras"]

REFUSED = "a Keras model: only torch modules lose channels"


def examined_keras(name: str) -> Row:
    """Put a Keras network through everything.

    Raises:
        AssertionError: something is not as it should be.
    """
    model, inputs = made(name), examples(name, 3)
    payload = payload_of(model)
    trained = [v for v in model.weights if np.issubdtype(np.array(v).dtype, np.floating)]
    assert payload.layout.size == sum(int(np.prod(v.shape)) for v in trained)
    blank = architecture_of(model)
    assert isinstance(blank, keras.Model)
    assert all(np.isnan(np.array(v)).all() for v in blank.weights if np.issubdtype(np.array(v).dtype, np.floating))
    load(blank, payload.layout, payload.values)
    for ours, theirs in zip(trained, [v for v in blank.weights if v.dtype == "float32"], strict=True):
        assert np.array_equal(np.array(ours), np.array(theirs))
    assert all(torch.equal(a, b) for a, b in zip(answers(model, inputs), answers(blank, inputs), strict=True))
    check_delivery(model, inputs, answers)
    check_digital(model)
    with pytest.raises(ValueError, match="no channels can be taken out"):
        prune(model, LINK, 100, torch.from_numpy(inputs))
    return Row(name, payload.layout.size, 0, "refused", "refused", REFUSED)
