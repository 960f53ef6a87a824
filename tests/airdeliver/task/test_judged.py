"""A score or a task of one's own: what it answers is a number that can be, or one line says what is wrong."""

from dataclasses import dataclass, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from airdeliver import AnalogLink, Problem, deliver, evaluate
from airdeliver.data import load_dataset
from airdeliver.data.dataset import Split
from airdeliver.models import CNN
from airdeliver.recipe import Recipe
from airdeliver.task import Accuracy, Classification, Explained
from airdeliver.task.judged import judged
from airdeliver.training import Training
from channels import AWGN

CLASSES = 4


@pytest.fixture(scope="module")
def delivery():
    torch.manual_seed(0)
    return deliver(nn.Linear(8, CLASSES), AnalogLink(), AWGN(), 20.0, 1000, realizations=2)


@pytest.fixture(scope="module")
def examples():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(150, 8, generator=generator), torch.randint(0, CLASSES, (150,), generator=generator)


def own(**members):
    """A score with methods of its own; constants become properties."""
    made = {name: m if callable(m) else property(lambda self, m=m: m) for name, m in members.items()}
    return type("Own", (Accuracy,), made)(CLASSES)


def right(outputs, targets):
    return Accuracy(CLASSES).score(outputs, targets)


WRONG = [
    (own(score=lambda self, o, t: torch.where(t == 3, torch.nan, right(o, t))), "finite for every example"),
    (own(score=lambda self, o, t: right(o, t) + torch.inf), "infinite for 128 of 128"),
    (own(score=lambda self, o, t: 100 * right(o, t)), "from 0 to 1 for every example, got 0 to 100"),
    (own(score=lambda self, o, t: right(o, t) - 1), "from 0 to 1 for every example, got -1 to"),
    (own(score=lambda self, o, t: right(o, t).mean()), "for each of 128 examples, got torch.float32 of shape ()"),
    (own(score=lambda self, o, t: right(o, t)[:-1]), "for each of 128 examples, got torch.float32 of shape (127,)"),
    (own(score=lambda self, o, t: right(o, t)[:, None]), "got torch.float32 of shape (128, 1)"),
    (own(score=lambda self, o, t: right(o, t) + 1j), "got torch.complex64"),
    (own(score=lambda self, o, t: right(o, t).numpy()), "got ndarray"),
    (own(score=lambda self, o, t: 1 / 0), "score of Own fails (ZeroDivisionError: division by zero)"),
    (own(floor=2.0), "floor is 2.0, which is not within the bounds 0 to 1"),
    (own(floor=None), "floor is None"),
    (own(floor=float("nan")), "floor is nan"),
    (own(floor_of=lambda self, o: 7.0), "floor_of of Own must be a number from 0 to 1, got 7"),
    (own(bounds=(1.0, 0.0)), "bounds must be least and greatest"),
    (own(bounds=None), "bounds must be two numbers"),
    (own(metric=""), "metric must be a name"),
    (own(tally=lambda self, o, t: float(o.sum())), "tally of Own must give a vector"),
    (own(tally=lambda self, o, t: o.sum(1)), "tally of Own must be as long"),
    (own(extras=lambda self, t: None), "extras of Own must be numbers by name"),
    (own(extras=lambda self, t: {"best": "cat"}), "extras of Own must be numbers by name"),
]


@pytest.mark.parametrize(("score", "words"), WRONG, ids=[words for _, words in WRONG])
def test_wrong_answers_are_one_line(delivery, examples, score, words):
    with pytest.raises(ValueError, match="Own") as told:
        evaluate(delivery, *examples, task=score)
    assert words in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("kind", [torch.bool, torch.int64, torch.float64, torch.float16])
def test_scores_of_any_real_kind_are_taken(delivery, examples, kind):
    score = own(score=lambda self, o, t: right(o, t).to(kind))
    assert evaluate(delivery, *examples, task=score).accuracy == evaluate(delivery, *examples).accuracy


@settings(max_examples=30, deadline=None)
@given(st.lists(st.sampled_from([0.0, 1.0, float("nan"), float("inf")]), min_size=1, max_size=20))
def test_outputs_that_are_not_finite_score_the_floor_whatever_a_score_says(values):
    """`argmax` of NaN is a class, which is right for some."""
    naive = own(score=lambda self, o, t: (o.argmax(1) == t).float())
    column = torch.tensor(values)
    outputs = torch.zeros(len(values), CLASSES)
    outputs[:, 1] = column
    found, floor = judged(naive, outputs, torch.ones(len(values), dtype=torch.int64))
    assert floor == 1 / CLASSES
    assert torch.equal(found, torch.where(column.isfinite(), (column == 1).float(), floor))


def task_with(loss):
    """Classification of few digits, with a loss of one's own."""
    kind = dataclass(frozen=True, eq=False)(type("Mine", (Classification,), {"loss": loss}))
    digits = load_dataset("digits")
    few = Split(*digits.train.take(torch.arange(64)))
    return kind(replace(digits, train=few, validation=few))


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (lambda self, o, t, s=0.0: nn.functional.cross_entropy(o, t, reduction="none"), "of shape (64,)"),
        (lambda self, o, t, s=0.0: o.sum().item(), "got float"),
        (lambda self, o, t, s=0.0: o.detach().sum(), "has no gradient"),
        (lambda self, o, t, s=0.0: o.sum() + 1j, "got torch.complex64"),
        (lambda self, o, t, s=0.0: o[:, 99].sum(), "loss of Mine fails (IndexError"),
        (lambda self, o, t, s=0.0: o.sum() * torch.nan, "diverged"),
    ],
)
def test_a_loss_that_is_none_ends_the_training_in_one_line(loss, words):
    task = task_with(loss)
    problem = Problem(task, CNN(), Recipe(epochs=1, batch_size=64))
    with pytest.raises(ValueError, match="loss") as told:
        Training.clean(problem).run(task, {})
    assert words in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("number", [torch.nan, torch.inf])
def test_targets_that_nobody_knows_are_told(number):
    """An answer that is infinitely far off counts as the floor; a target that is not there had counted as one too."""
    outputs, targets = torch.zeros(4, 2), torch.zeros(4, 2)
    targets[1, 0] = number
    with pytest.raises(ValueError, match="NaN or infinite for 1 of 4"):
        Explained().score(outputs, targets)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_data_set_needs_examples_to_train_and_choose_by(split):
    digits = load_dataset("digits")
    none = Split(*digits.train.take(torch.zeros(0, dtype=torch.int64)))
    with pytest.raises(ValueError, match=r"has no (training|validation) examples"):
        replace(digits, **{split: none})
