"""Arguments of `evaluate`, `deliver` and `load_dataset` that no library may be handed: one line each."""

import math

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from airdeliver import AnalogLink, Delivery, deliver, evaluate
from airdeliver.data import DataError, load_dataset
from channels import AWGN

pytestmark = pytest.mark.usefixtures("unchecked")

INPUTS, LABELS = torch.randn(8, 4), torch.arange(8) % 3


@pytest.fixture(scope="module")
def delivery() -> Delivery:
    return deliver(nn.Linear(4, 3), AnalogLink(), AWGN(), 10.0, 2000, realizations=3)


@pytest.mark.parametrize("chance", [math.nan, -math.inf, 2.5, "0.1", [0.1], 10**30])
def test_chance_is_a_score(delivery, chance):
    with pytest.raises((TypeError, ValueError), match="chance must be"):
        evaluate(delivery, INPUTS, LABELS, chance=chance)


def test_chance_may_be_a_whole_number(delivery):
    lost = deliver(nn.Linear(4, 3), AnalogLink(), AWGN(), -40.0, 2000, realizations=3)
    assert evaluate(lost, INPUTS, LABELS, chance=0).accuracy == 0.0
    assert evaluate(delivery, INPUTS, LABELS, chance=0).accuracy == evaluate(delivery, INPUTS, LABELS).accuracy


@pytest.mark.parametrize("each", ["5", 2.5, [3], 0, 9, math.nan])
def test_examples_of_each_are_counted(delivery, each):
    with pytest.raises((TypeError, ValueError), match="images_each must be"):
        evaluate(delivery, INPUTS, LABELS, images_each=each)


@pytest.mark.parametrize(
    ("inputs", "words"),
    [
        (np.array(["a"] * 8), "arrays must hold numbers"),
        (np.array([None] * 8, object), "arrays must hold numbers"),
        (np.ma.masked_array(np.zeros((8, 4)), np.eye(8, 4)), "fill in what is missing"),
        (INPUTS.to_sparse(), "dense tensors with values"),
        (INPUTS.to("meta"), "on the meta device"),
        ([1, 2], "batches must be tensors"),
        ([INPUTS[:4], (INPUTS[4:],)], "the same parts"),
    ],
)
def test_inputs_are_numbers(delivery, inputs, words):
    with pytest.raises((TypeError, ValueError), match=words):
        evaluate(delivery, inputs, LABELS)


def test_bytes_in_another_order_are_the_same_numbers(delivery):
    swapped = INPUTS.numpy().astype(">f4")
    assert evaluate(delivery, swapped, LABELS).accuracy == evaluate(delivery, INPUTS, LABELS).accuracy


def test_a_loader_that_shuffles_does_not_meet_other_labels(delivery):
    loader = DataLoader(TensorDataset(INPUTS, LABELS), 4, shuffle=True)
    with pytest.raises(ValueError, match="shuffles"):
        evaluate(delivery, loader, LABELS)
    assert evaluate(delivery, loader).accuracy == evaluate(delivery, INPUTS, LABELS).accuracy


@pytest.mark.parametrize("value", [None, "good", 1j, torch.zeros(0), 1e30, [torch.zeros(2), "a"]])
def test_a_metric_gives_numbers(delivery, value):
    with pytest.raises((TypeError, ValueError), match="metric"):
        evaluate(delivery, metric=lambda model: value)


def test_a_metric_with_a_value_for_each_example_has_both_intervals(delivery):
    each = evaluate(delivery, metric=lambda model: (model(INPUTS).argmax(1) == LABELS).float())
    assert each.high - each.low > each.channel_high - each.channel_low
    mean = evaluate(delivery, metric=lambda model: (model(INPUTS).argmax(1) == LABELS).float().mean())
    assert (mean.low, mean.high) == (mean.channel_low, mean.channel_high)
    assert mean.accuracy == pytest.approx(each.accuracy)


def test_the_mean_lies_within_its_interval():
    class Broken(nn.Linear):
        def forward(self, x):
            return super().forward(x) * torch.nan

    delivery = deliver(Broken(4, 3), AnalogLink(), AWGN(), 10.0, 2000, realizations=3)
    report = evaluate(delivery, INPUTS, LABELS)
    assert report.low <= report.accuracy <= report.high
    assert report.finite == 0.0


def test_numbers_that_nothing_could_hold_are_refused_before_any_work():
    given = (nn.Linear(4, 3), AnalogLink(), AWGN(), 10.0)
    with pytest.raises(ValueError, match="realizations must be at most 1,000,000"):
        deliver(*given, 2000, realizations=10**30)
    with pytest.raises(ValueError, match="channel_uses must be at most"):
        deliver(*given, 1e308)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": 3}, "name must be a text"),
        ({"name": "mine", "path": "a\0b"}, "dataset.path must be a path"),
        ({"name": "mine", "path": "x" * 300}, "dataset.path"),
        ({"name": "mine", "path": []}, "dataset.path must be a path"),
        ({"name": "mine", "path": "~nobody9/set"}, "dataset.path cannot be a path"),
        ({"name": "mine", "path": ".", "size": "8"}, "size must be a whole number"),
        ({"name": "mine", "path": ".", "size": 10**30}, "size must be at most"),
        ({"name": "digits", "size": 16}, "digits comes as it is"),
        ({"name": "mine", "path": ".", "cache": 3}, "cache must be a path"),
    ],
)
def test_a_data_set_is_asked_for_in_words(given, words):
    with pytest.raises((DataError, TypeError, ValueError), match=words):
        load_dataset(**given)


def sent_by(network: nn.Module) -> Delivery:
    return deliver(network, AnalogLink(), AWGN(), 60.0, 100_000, realizations=2)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_inputs_that_are_not_finite_are_not_taken_for_a_broken_delivery(delivery, value):
    inputs = INPUTS.clone()
    inputs[7, 2] = value
    with pytest.raises(ValueError, match="inputs must be finite, example 7 is not, and neither are the outputs"):
        evaluate(delivery, inputs, LABELS)

    class Cleared(nn.Linear):
        def forward(self, x):
            return super().forward(x.nan_to_num(0, 0, 0))

    assert evaluate(sent_by(Cleared(4, 3)), inputs, LABELS).finite == 1.0


def test_labels_that_are_truths_need_two_classes(delivery):
    for outputs in (1, 2):
        assert evaluate(sent_by(nn.Linear(4, outputs)), INPUTS, LABELS == 0).metric == "accuracy"
    with pytest.raises(ValueError, match="labels must be the numbers of 3 classes, got true and false"):
        evaluate(delivery, INPUTS, LABELS == 0)


@pytest.mark.parametrize(
    ("n", "labels", "words"),
    [
        (0, torch.zeros(0, dtype=torch.int64), "there is no example"),
        (3, torch.eye(3, dtype=torch.int64), r"labels.argmax\(1\) makes numbers of one-hot labels"),
        (3, ["cat", "dog", "cat"], "got 3 and str: targets are numbers in a tensor, an array or a list"),
        (3, None, "got 3 and none"),
    ],
)
def test_labels_that_cannot_be_scored_are_told_in_words(delivery, n, labels, words):
    with pytest.raises(ValueError, match=words):
        evaluate(delivery, INPUTS[:n], labels)
