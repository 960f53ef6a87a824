"""Arguments of the wrong kind work as one expects, or are refused in a line; labelled batches are data."""

import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import airdeliver
from airdeliver import AnalogLink, deliver, evaluate
from airdeliver.normalisation import Normalisation, estimate_statistics
from channels import AWGN, ChannelState


def model() -> torch.nn.Module:
    linear = torch.nn.Linear(8, 3)
    with torch.no_grad():
        for parameter in linear.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)))
    return linear


INPUTS = torch.randn(40, 8, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(40) % 3
GIVEN = {"link": AnalogLink(), "channel": AWGN(), "snr_db": 5.0, "channel_uses": 2000, "realizations": 3}


@pytest.fixture(scope="module")
def delivery() -> airdeliver.Delivery:
    return deliver(model(), **GIVEN)


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        ({"snr_db": [0, 5, 10]}, "snr_db must be one number of dB, got [0, 5, 10]: deliver once for each SNR"),
        ({"snr_db": torch.zeros(3)}, "deliver once for each SNR"),
        ({"snr_db": None}, "snr_db must be one number of dB, got None"),
        ({"snr_db": "5"}, "snr_db must be one number of dB, got '5'"),
        ({"channel": "awgn"}, "channel must be an object of class Channel, got 'awgn'"),
        ({"channel": AWGN}, "got the class AWGN itself: give AWGN()"),
        ({"link": AnalogLink}, "got the class AnalogLink itself: give AnalogLink()"),
        ({"link": None}, "link must be an object of class Link, got None"),
        ({"channel_uses": "2000"}, "channel_uses must be a whole number, got '2000'"),
        ({"channel_uses": 2000.5}, "channel_uses must be a whole number, got 2000.5"),
        ({"realizations": 0}, "realizations must be at least 1, got 0"),
        ({"seed": 0.5}, "seed must be a whole number, got 0.5"),
        ({"calibration_inputs": "inputs.npy"}, "calibration_inputs must be a tensor, a tuple or a mapping of tensors"),
        ({"calibration_inputs": iter([INPUTS])}, "calibration_inputs must be batches in a list or a DataLoader"),
        ({"calibration_inputs": [None]}, "calibration_inputs[0] must be a tensor"),
    ],
)
def test_what_cannot_be_meant_is_refused(unchecked, wrong, line):
    with pytest.raises((TypeError, ValueError)) as told:
        deliver(model(), **{**GIVEN, **wrong})
    assert line in str(told.value)
    assert "\n" not in str(told.value)


def test_calibration_inputs_are_looked_at_where_nothing_needs_them(delivery, unchecked):
    for wrong in ("inputs.npy", 3, torch.nn.Linear, [], [None], INPUTS[:0], (INPUTS, INPUTS[:3])):
        with pytest.raises((TypeError, ValueError), match="calibration"):
            delivery.model(0, wrong)
        with pytest.raises((TypeError, ValueError), match="inputs"):
            estimate_statistics(model(), wrong)
    with pytest.raises(TypeError, match="calibration_inputs must be a whole number, got 'all'"):
        Normalisation("receiver", "all")
    for right in (INPUTS, INPUTS.numpy(), (INPUTS,), [INPUTS], {"input": INPUTS}, DataLoader(TensorDataset(INPUTS))):
        delivery.model(0, right)


def test_numbers_are_numbers_however_they_are_written(unchecked):
    plain = deliver(model(), **GIVEN)
    other = deliver(
        model(), AnalogLink(), AWGN(), np.float64(5), channel_uses=2e3, realizations=np.int64(3), seed=torch.tensor(0)
    )
    assert torch.equal(plain.groups[0].decoded.values, other.groups[0].decoded.values)


HALVES = [(INPUTS[:25], LABELS[:25]), (INPUTS[25:], LABELS[25:])]


@pytest.mark.parametrize(
    "given",
    [
        (DataLoader(TensorDataset(INPUTS, LABELS), 16),),
        (TensorDataset(INPUTS, LABELS),),
        (HALVES,),
        ([{"input": x, "labels": y} for x, y in HALVES],),
        ([x for x, _ in HALVES], LABELS),
        ([x for x, _ in HALVES], [y for _, y in HALVES]),
        (INPUTS.numpy(), LABELS.numpy()),
        (INPUTS, LABELS.tolist()),
        ({"input": INPUTS.numpy()}, LABELS),
    ],
    ids=["loader", "dataset", "pairs", "mappings", "batches", "both batches", "arrays", "list", "mapping"],
)
def test_data_of_every_kind_scores_the_same(delivery, given):
    assert torch.equal(evaluate(delivery, *given).scores, evaluate(delivery, INPUTS, LABELS).scores)


def test_data_that_cannot_be_meant_is_refused(delivery, unchecked):
    for wrong, line in (
        ((iter(HALVES),), "not an iterator, got list_iterator"),
        ((INPUTS,), "as many labels or targets"),
        (([torch.zeros(2, 8), torch.zeros(2, 7)], LABELS[:4]), "examples of one shape"),
        (([], LABELS), "there are no inputs"),
    ):
        with pytest.raises(ValueError, match=line):
            evaluate(delivery, *wrong)
    with pytest.raises(TypeError, match="delivery must be an object of class Delivery"):
        evaluate(model(), INPUTS, LABELS)
    with pytest.raises(ValueError, match="precision must be float32 or bfloat16"):
        evaluate(delivery, INPUTS, LABELS, precision="half")


def test_what_is_printed_is_short_and_what_is_written_is_json(delivery):
    report = evaluate(delivery, INPUTS, LABELS)
    assert repr(delivery) == "Delivery(3 realizations, 27 parameters, 270 channel uses, 100% usable)"
    assert all(len(repr(found)) < 120 for found in (delivery, delivery.groups[0], report))
    said = json.loads(json.dumps(report.to_dict()))
    assert said["accuracy"] == report.accuracy
    assert said["per_realization"] == report.per_realization.tolist()
    assert "scores" not in said


def test_the_version_is_that_of_the_package():
    assert airdeliver.__version__.count(".") == 2


@dataclass(frozen=True)
class Silent(AWGN):
    """A channel whose author forgot the noise."""

    def realize(self, realizations, n, snr_db, generator):
        state = super().realize(realizations, n, snr_db, generator)
        return ChannelState(state.gain, torch.zeros_like(state.noise_variance))


def test_a_channel_without_noise_is_refused():
    with pytest.raises(
        ValueError, match=r"Silent.realize gives a noise variance that is not above 0 at 5 dB, .* 0.316"
    ):
        deliver(model(), **{**GIVEN, "channel": Silent()})
    assert deliver(model(), **{**GIVEN, "snr_db": 300.0}).channel_uses_spent
