"""What code a result depends on."""

import sys
from pathlib import Path

import pytest

from experiments.store import source


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of one's own whose `__init__` re-exports from three modules."""
    folder = tmp_path / "aviary"
    folder.mkdir()
    (folder / "__init__.py").write_text("from aviary.robin import Robin\nfrom .wren import Wren as Small\n")
    (folder / "robin.py").write_text("import math\nimport torch\n\nclass Robin:\n    legs = 2\n")
    (folder / "wren.py").write_text("class Wren:\n    def fly(self):\n        from aviary import wing\n")
    (folder / "wing.py").write_text("span = 3\n")
    (tmp_path / "cage.py").write_text("from aviary import Robin\n")
    (tmp_path / "nest.py").write_text("from aviary import Small\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in [m for m in sys.modules if m.partition(".")[0] in ("aviary", "cage", "nest")]:
        del sys.modules[name]
    source.forget()


def test_follows_imports_to_the_module_that_defines_a_name(package: Path):
    assert list(source.fingerprints(["cage"])) == ["aviary.robin", "cage"]


def test_follows_imports_within_functions_and_renamed_ones(package: Path):
    assert list(source.fingerprints(["nest"])) == ["aviary.wing", "aviary.wren", "nest"]


def edited(package: Path, text: str) -> bool:
    """Whether the fingerprints change with the text of a module."""
    before = source.fingerprints(["cage"])
    (package / "aviary" / "robin.py").write_text(text)
    source.forget()
    return source.fingerprints(["cage"]) != before


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        ('"""Birds."""\nimport math\nimport torch\n# legs\nclass Robin:\n    """Red."""\n\n    legs = (2)\n', False),
        ("import math\nimport torch\n\nclass Robin:\n    legs = 3\n", True),
        ('import math\nimport torch\n\nclass Robin:\n    legs = 2\n    name = """Red."""\n', True),
    ],
)
def test_comments_docstrings_and_formatting_do_not_count(package: Path, text: str, changes: bool):
    assert edited(package, text) == changes


def test_training_does_not_depend_on_evaluation():
    training = source.fingerprints(["airdeliver.training.training", "airdeliver.models.cnn"])
    assert "airdeliver.training.fit" in training
    assert "airdeliver.payload.flattened" in training
    assert not {"airdeliver.evaluation", "airdeliver.delivery", "airdeliver.intervals", "airdeliver"} & set(training)


def test_a_cell_depends_on_evaluation_but_not_on_the_machinery():
    cell = set(source.fingerprints(["experiments.cell"]))
    assert {"experiments.cell", "airdeliver.evaluation", "airdeliver.delivery", "channels.base"} <= cell
    assert not {"experiments.planner", "experiments.store.store", "experiments.table", "experiments.engine"} & cell
