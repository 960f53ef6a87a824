"""Schemes take a network that was trained elsewhere, in place of the one that they would train."""

import pytest
import torch
from torch import Tensor, nn

from airdeliver import Execution, Problem, Trained, evaluate
from airdeliver.recipe import Recipe
from airdeliver.schemes import AirNet, AirNetSpectrum, Clean, packed
from channels import AWGN

SPECTRUM = AirNetSpectrum(
    design_snr_db=(0.0, 10.0), table_snr_db=(0.0, 10.0, 15.0), table_realizations=1, table_images=100
)


class Stranger(nn.Module):
    """A residual network with a name of its own for everything."""

    def __init__(self):
        super().__init__()
        self.begin, self.inner = nn.Conv2d(1, 12, 3, padding=1), nn.Conv2d(12, 12, 3, padding=1)
        self.norm, self.end = nn.BatchNorm2d(12), nn.Linear(12 * 16, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.begin(x).relu()
        x = nn.functional.max_pool2d(x + self.norm(self.inner(x)).relu(), 2)
        return self.end(x.flatten(1))


@pytest.fixture(scope="module")
def trained(task) -> nn.Module:
    """Trained as anybody would."""
    torch.manual_seed(0)
    model, (inputs, targets) = Stranger(), task.dataset.train.take(torch.arange(len(task.dataset.train)))
    inputs = task.dataset.prepare(inputs)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(inputs), targets).backward()
        optimizer.step()
    return model.eval()


def accuracy(package, scheme, task, snr_db: float, uses: int) -> float:
    delivery = scheme.send(package, AWGN(), snr_db, uses, "average", 2, 0)
    inputs, targets = task.dataset.test.take(torch.arange(len(task.dataset.test)))
    return evaluate(delivery, task.dataset.prepare(inputs), targets).accuracy


@pytest.mark.parametrize(
    ("scheme", "uses", "least"),
    [(Clean(), 6000, 0.9), (AirNet(teacher=None), 2500, 0.7), (SPECTRUM, 2500, 0.7)],
    ids=["clean", "airnet", "spectrum"],
)
def test_a_scheme_begins_with_it(scheme, uses: int, least: float, trained: nn.Module, task):
    """It arrives pruned to the budget and as good as a short training leaves it; no builder, and no training anew."""
    network = Trained.of(trained, task.dataset.prepare(task.dataset.test.take(torch.arange(2))[0]))
    recipe = Recipe(epochs=2, batch_size=64, learning_rate=0.02)
    package = packed(scheme, network, task, uses, recipe, Execution())
    assert accuracy(package, scheme, task, 15.0, uses) > least


def test_a_network_that_has_a_builder_is_refused(problem: Problem, clean, task):
    (network,) = clean.values()
    with pytest.raises(ValueError, match="has a builder"):
        packed(Clean(), network, task, 9000)


class Wide(nn.Module):
    """Answers with something else than one tensor of ten logits."""

    def __init__(self, answer):
        super().__init__()
        self.answer, self.head = answer, nn.Linear(64, 10)

    def forward(self, x: Tensor):
        return self.answer(self.head(x.flatten(1)))


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Wide(lambda x: x).half(), "networks are trained in float32, head.weight is torch.float16"),
        (Wide(lambda x: (x, x[:, :3])), "got 2 outputs, (2, 10), (2, 3): wrap it"),
        (Wide(lambda x: {"logits": x}), "got a mapping of logits: wrap it"),
        (Wide(lambda x: x[:, :3]), "(2, 3)"),
        (Wide(lambda x: x[:1]), "(1, 10)"),
        (nn.Sequential(nn.Flatten(), nn.Linear(63, 10)), "Sequential fails on float32 (2, 1, 8, 8)"),
    ],
)
def test_a_network_that_no_training_goes_on_with_is_one_line(model, words, task):
    network = Trained.of(model, torch.zeros(2, 1, 8, 8))
    with pytest.raises((ValueError, TypeError)) as told:
        packed(SPECTRUM, network, task, 2500, Recipe(epochs=1))
    assert words in str(told.value)
    assert "\n" not in str(told.value)
