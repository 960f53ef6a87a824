"""What is lost counts as no more than the answers of what arrived show, whatever the score knew of the classes."""

import pytest
import torch
from torch import nn

from airdeliver import AnalogLink, deliver, evaluate
from airdeliver.task import Accuracy
from channels import AWGN, Rayleigh

INPUTS, LABELS = torch.randn(30, 4, generator=torch.Generator().manual_seed(0)), torch.arange(30) % 3


def test_the_floor_of_answers_goes_by_their_logits_unless_chance_is_given():
    assert Accuracy(3).floor_of(torch.zeros(5, 10)) == pytest.approx(0.1)
    assert Accuracy(3).floor_of(torch.zeros(5, 3)) == pytest.approx(1 / 3)
    assert Accuracy(3, chance=0.25).floor_of(torch.zeros(5, 10)) == 0.25


@pytest.mark.parametrize("task", [None, Accuracy(3)], ids=["labels alone", "accuracy"])
def test_lost_and_broken_deliveries_count_alike(task):
    delivery = deliver(nn.Linear(4, 10), AnalogLink(side_information_rate=1.0), Rayleigh(), 0.0, 10_000, 16)
    lost = ~delivery.usable_realizations
    assert 0 < int(lost.sum()) < 16
    report = evaluate(delivery, INPUTS, LABELS, task=task)
    assert torch.as_tensor(report.per_realization)[lost].tolist() == pytest.approx([0.1] * int(lost.sum()))


def test_where_nothing_arrives_the_labels_are_all_that_is_known():
    lost = deliver(nn.Linear(4, 10), AnalogLink(side_information_rate=1.0), AWGN(), -20.0, 10_000, 2)
    assert lost.usable == 0
    assert evaluate(lost, INPUTS, LABELS).accuracy == pytest.approx(1 / 3)
