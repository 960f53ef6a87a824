"""Every built-in set can be learned by its model, in seconds, in plain torch."""

import pytest
import torch

from airdeliver.data import load_dataset
from airdeliver.models import CNN, MLP, ModelBuilder, Segmenter, Transformer
from airdeliver.task import task_of


def learned(name: str, builder: ModelBuilder, epochs: int, rate: float, batch: int = 64):
    """Mean score and extras on up to 500 validation examples, and the task."""
    task = task_of(load_dataset(name))
    data = task.dataset
    model = task.build(builder, torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(0)
    n = len(data.train)
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, epochs * (n // batch))
    for _ in range(epochs):
        for part in torch.randperm(n, generator=generator).split(batch)[: n // batch]:
            inputs, targets = data.augment(*data.train.take(part), generator)
            optimizer.zero_grad()
            task.loss(model(data.prepare(inputs)), targets).backward()
            optimizer.step()
            schedule.step()
    model.eval()
    inputs, targets = data.validation.take(torch.arange(min(500, len(data.validation))))
    with torch.no_grad():
        outputs = model(data.prepare(inputs))
    return float(task.score(outputs, targets).mean()), task.extras(task.tally(outputs, targets)), task


@pytest.mark.parametrize(
    ("name", "builder", "epochs", "rate", "least"),
    [
        ("digits", CNN(), 6, 0.01, 0.85),
        ("breast_cancer", MLP(), 20, 0.01, 0.9),
        ("diabetes", MLP(), 20, 0.01, 0.3),
        ("digits_and_ink", CNN(), 6, 0.01, 0.8),
    ],
)
def test_built_in_sets_are_learnable(name, builder, epochs, rate, least):
    score, _, task = learned(name, builder, epochs, rate)
    assert score > max(least, task.floor)


@pytest.mark.slow
def test_sentences_are_learnable():
    """Four libraries: chance is a quarter, with a standard deviation of 2 points over 500 sentences."""
    score, _, _ = learned("docstrings", Transformer(), 4, 0.005)
    assert score > 0.4


def test_two_tasks_are_both_learnt():
    _, extras, _ = learned("digits_and_ink", CNN(), 8, 0.01)
    assert extras["accuracy_digit"] > 0.85
    assert extras["r2_ink"] > 0.8


@pytest.mark.slow
def test_scenes_are_learnable():
    """Ink is told from the ground, and digits from one another; fewer steps than these only find the ground."""
    score, extras, task = learned("digit_scenes", Segmenter(), 8, 0.01)
    assert score > task.floor + 0.03
    assert extras["mean_iou"] > 0.3
