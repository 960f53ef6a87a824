"""Accuracy of outputs of every shape: the right number, or one line that names shapes."""

import pytest
import torch

from airdeliver.task import Accuracy
from airdeliver.task.answers import answers


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_is_the_share_of_most_likely_classes():
    outputs, labels = torch.randn(200, 5, generator=seeded(0)), torch.arange(200) % 5
    assert torch.equal(Accuracy(5).score(outputs, labels), (outputs.argmax(-1) == labels).float())


@pytest.mark.parametrize("shape", [(50, 1), (50,)])
def test_one_logit_is_that_of_class_1(shape):
    """Not the argmax over one, which is always class 0."""
    logits = torch.randn(50, generator=seeded(1))
    assert Accuracy(2).score(logits.view(shape), (logits > 0).long()).mean() == 1
    assert Accuracy(2).score(logits.view(shape), (logits <= 0).long()).mean() == 0


def test_labels_with_an_axis_of_one_are_labels():
    outputs, labels = torch.randn(20, 3, generator=seeded(2)), torch.arange(20) % 3
    assert torch.equal(Accuracy(3).score(outputs, labels[:, None]), Accuracy(3).score(outputs, labels))


def test_maps_score_their_share_of_pixels():
    outputs, labels = torch.randn(6, 4, 8, 8, generator=seeded(3)), torch.randint(4, (6, 8, 8), generator=seeded(4))
    expected = (outputs.argmax(1) == labels).float().mean((1, 2))
    assert torch.allclose(Accuracy(4).score(outputs, labels), expected)


def test_unlabelled_pixels_do_not_count():
    outputs, labels = torch.zeros(2, 2, 1, 4), torch.tensor([[[0, 0, 1, 255]], [[255] * 4]])
    score = Accuracy(2, 0.25, unlabelled=255).score(outputs, labels)
    assert score.tolist() == pytest.approx([2 / 3, 0.25])


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_outputs_that_are_not_finite_score_the_floor(value):
    outputs = torch.eye(4)
    outputs[2, 0] = value
    assert Accuracy(4).score(outputs, torch.arange(4)).tolist() == [1, 1, 0.25, 1]


@pytest.mark.parametrize(
    ("outputs", "labels", "message"),
    [
        (torch.zeros(4, 3), torch.zeros(5, dtype=torch.int64), r"outputs \(4, 3\) and labels \(5,\)"),
        (torch.zeros(4, 3, 8), torch.zeros(4, dtype=torch.int64), r"outputs \(4, 3, 8\) and labels \(4,\)"),
        (torch.zeros(4, 2), torch.zeros(4, dtype=torch.int64), "a logit of each of the 3 classes, got outputs"),
        (torch.zeros(4, 3), torch.tensor([0, 1, 2, 3]), "labels must be from 0 to 2, got 0 to 3"),
        (torch.zeros(4, 3), -torch.ones(4, dtype=torch.int64), "labels must be from 0 to 2, got -1 to -1"),
        (torch.zeros(4, 3), torch.zeros(4), "labels must be whole numbers, got torch.float32"),
    ],
)
def test_what_does_not_belong_together_is_refused_in_one_line(outputs, labels, message):
    with pytest.raises(ValueError, match=message) as error:
        Accuracy(3).score(outputs, labels)
    assert "\n" not in str(error.value)


def test_answers_are_found_in_what_networks_return():
    class Output:
        logits = torch.ones(2, 3)

    tensor = torch.ones(2, 3)
    for outputs in (tensor, Output(), {"logits": tensor, "hidden": tensor}, {"out": tensor, "loss": 0.5}):
        assert torch.equal(answers(outputs), tensor)
    assert answers(tensor.bfloat16()).dtype == torch.float32
    assert answers(torch.ones(2, dtype=torch.int64)).dtype == torch.int64


@pytest.mark.parametrize(
    ("outputs", "found"),
    [
        ((torch.ones(2), torch.ones(3)), r"2 outputs, \(2,\), \(3,\)"),
        ({"a": torch.ones(1), "b": torch.ones(1)}, "a mapping of a, b"),
        (None, "got NoneType"),
    ],
)
def test_answers_that_are_none_are_refused_by_what_was_found(outputs, found):
    with pytest.raises(TypeError, match=found):
        answers(outputs)
