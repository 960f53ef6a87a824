"""The scheme on the page of schemes that sends signs: within the budget, better than chance, from trained state."""

import re
import shlex
from pathlib import Path
from types import ModuleType

import pytest
import torch

from airdeliver import AnalogLink, DigitalLink, Problem, evaluate
from airdeliver.compression.quantisers import Signs
from airdeliver.data import load_dataset
from airdeliver.models import CNN
from airdeliver.payload import values_of
from airdeliver.task import Classification
from airdeliver.training import Recipe, Trained, Training
from channels import AWGN
from tests.docs.test_pages import blocks, run

FILE = Path(__file__).parents[2] / "docs" / "own_scheme" / "signs.py"
USES = 9000


@pytest.fixture
def folder(following) -> Path:
    return following(signs=blocks("own_scheme", "python")[2])


@pytest.fixture
def signs(folder: Path) -> ModuleType:
    import signs  # type: ignore[import-not-found]

    return signs


def test_the_page_shows_the_file():
    assert blocks("own_scheme", "python")[2] == FILE.read_text()


def test_its_delivery(signs):
    """Signs arrive, one magnitude a large segment, and so does most of the accuracy; chance is a tenth."""
    problem = Problem(
        Classification(load_dataset("digits")),
        CNN(),
        Recipe(epochs=3, batch_size=64, learning_rate=0.05),
        Recipe(epochs=4, batch_size=64, learning_rate=0.05),
    )
    scheme, trained = signs.SignsAndOneScale(DigitalLink("capacity", quantiser=Signs())), dict[Training, Trained]()
    (training,) = scheme.trainings(problem, USES)
    for each in (*training.needs, training):
        trained[each] = each.run(problem.task, trained)
    package = scheme.pack(problem, trained, USES)
    assert package.choices[0].link.state is not None
    delivery = scheme.send(package, AWGN(), 10.0, USES, "average", 2, 0)
    assert delivery.usable == 1
    assert delivery.channel_uses_spent <= USES
    assert delivery.power <= 1 + 1e-5
    layout = package.choices[0].payload.layout
    parts = dict(zip(layout.names, layout.split(values_of(delivery.model(0), layout)), strict=True))
    assert {name for name, part in parts.items() if len(part.abs().unique()) == 1} == {"3.weight", "7.weight"}
    test = problem.task.dataset.test
    inputs, targets = test.take(torch.arange(len(test)))
    assert evaluate(delivery, problem.task.dataset.prepare(inputs), targets).low > 0.4


def test_what_it_says_of_itself(signs):
    about = signs.SignsAndOneScale().about()
    assert (about.title, about.side, about.preparation) == ("Signs and one scale", "digital", "trained for the link")


@pytest.mark.parametrize("link", [AnalogLink(), DigitalLink()], ids=["analog", "another quantiser"])
def test_a_link_without_signs_is_refused(link, signs, unchecked):
    with pytest.raises(ValueError, match="DigitalLink with the quantiser Signs"):
        signs.SignsAndOneScale(link)


def test_the_sweep_runs(folder: Path):
    (block,) = [block for block in blocks("own_scheme", "console") if "signs." in block]
    (command,) = re.findall(r"^PYTHONPATH=\. python -m (.*)$", block, flags=re.MULTILINE)
    table = run(shlex.split(command))
    assert table["scheme"].tolist() == ["clean", "SignsAndOneScale"]
    assert table["usable"].tolist() == [1.0, 1.0]
