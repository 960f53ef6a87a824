"""What code a result depends on."""

import sys
from collections.abc import Iterator
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


BIRDS = """
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
import random
from pond import Fish, deep
if TYPE_CHECKING:
    from swamp import Frog

LEGS = 2

def eats():
    return Fish()

@dataclass(frozen=True)
class Bird:
    legs: int = LEGS
    def feed(self) -> "Frog":
        return eats()

@lru_cache
def nest():
    from twig import Twig
    return Twig

class Wren(Bird):
    home = nest
class Owl(Bird):
    prey = deep
"""
OTHERS = {
    "pond": "class Fish:\n    pass\n\ndef deep():\n    return 3\n",
    "swamp": "class Frog:\n    pass\n",
    "twig": "class Twig:\n    pass\n",
}


@pytest.fixture
def birds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A file of one's own with several classes."""
    for name, text in {"birds": BIRDS, **OTHERS}.items():
        (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    source.forget()


def changes(folder: Path, root: str, old: str, new: str, file: str = "birds") -> bool:
    """Whether an edit changes the fingerprints of a class."""
    source.forget()
    before, path = source.fingerprints([root]), folder / f"{file}.py"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    source.forget()
    found = source.fingerprints([root]) != before
    path.write_text(text)
    return found


def test_another_class_in_the_same_file_does_not_count(birds: Path):
    assert not changes(birds, "birds.Wren", "prey = deep", "prey = None")
    assert changes(birds, "birds.Owl", "prey = deep", "prey = None")
    assert not changes(birds, "birds.Owl", "return Twig", "return 2 * Twig")
    assert not changes(birds, "birds.Owl", "class Twig", "class Twig:\n    x = 1\nclass Twigs", file="twig")


def test_what_a_class_reaches_counts(birds: Path):
    """Bases, functions and constants that they mention, what these mention, and imports within functions."""
    for old, new, file in (
        ("return Twig", "return 2 * Twig", "birds"),
        ("return eats()", "return 2 * eats()", "birds"),
        ("return Fish()", "return 2 * Fish()", "birds"),
        ("LEGS = 2", "LEGS = 3", "birds"),
        ("frozen=True", "frozen=False", "birds"),
        ("class Twig:\n", "class Twig:\n    x = 1\n", "twig"),
        ("class Fish:\n", "class Fish:\n    x = 1\n", "pond"),
    ):
        assert changes(birds, "birds.Wren", old, new, file), (old, file)


def test_imports_for_type_checkers_alone_do_not_count(birds: Path):
    assert "swamp" not in source.fingerprints(["birds"])
    assert set(source.fingerprints(["birds.Owl"])) == {"birds", "pond"}


def test_another_origin_of_a_name_counts_and_another_import_does_not(birds: Path):
    (birds / "lake.py").write_text((birds / "pond.py").read_text())
    assert changes(birds, "birds.Wren", "from pond import Fish, deep", "from lake import Fish, deep")
    assert not changes(birds, "birds.Wren", "import random", "import random, math")


@pytest.mark.parametrize(
    "effect",
    [
        "LISTED = []\ndef listed(kind):\n    LISTED.append(kind)\n    return kind\n@listed\n",
        "import atexit\n@atexit.register\n",
    ],
)
def test_a_definition_whose_decorator_may_have_an_effect_counts(birds: Path, effect: str):
    (birds / "birds.py").write_text(f"{BIRDS}\n{effect}class Heron:\n    beak = 1\n")
    assert changes(birds, "birds.Wren", "beak = 1", "beak = 2")


@pytest.mark.parametrize(
    "lookup",
    [
        "    def all(self):\n        return globals()\n",
        "    def all(self):\n        import sys\n        return vars(sys.modules[__name__])\n",
        "    def all(self):\n        return Wren.__subclasses__()\n",
        "    def __init_subclass__(cls):\n        LEGS.append(cls)\n",
        "    def all(self):\n        import birds\n        return birds\n",
    ],
)
def test_where_definitions_are_found_by_other_ways_than_names_all_count(birds: Path, lookup: str):
    (birds / "birds.py").write_text(BIRDS.replace("    home = nest\n", f"    home = nest\n{lookup}"))
    assert changes(birds, "birds.Wren", "prey = deep", "prey = None")


def test_subclasses_elsewhere_count_where_someone_asks_for_them(birds: Path):
    (birds / "pond.py").write_text(OTHERS["pond"] + "\ndef all(kind):\n    return kind.__subclasses__()\n")
    assert changes(birds, "birds.Wren", "prey = deep", "prey = None")


def test_a_module_that_is_used_as_an_object_counts_as_a_whole(birds: Path):
    (birds / "zoo.py").write_text("import pond\nclass Keeper:\n    feed = pond.Fish\n")
    assert changes(birds, "zoo.Keeper", "return 3", "return 4", file="pond")


def test_names_of_a_star_may_be_any(birds: Path):
    (birds / "zoo.py").write_text("from pond import *\nclass Keeper:\n    feed = Fish\n")
    assert changes(birds, "zoo.Keeper", "return 3", "return 4", file="pond")


def test_a_nested_class_is_part_of_the_outer_one(birds: Path):
    (birds / "zoo.py").write_text("class Keeper:\n    class Key:\n        teeth = 4\nclass Cage:\n    bars = 5\n")
    assert changes(birds, "zoo.Keeper.Key", "teeth = 4", "teeth = 5", file="zoo")
    assert not changes(birds, "zoo.Keeper.Key", "bars = 5", "bars = 6", file="zoo")


def test_training_does_not_depend_on_evaluation():
    training = source.fingerprints(["airdeliver.training.training", "airdeliver.models.cnn"])
    assert "airdeliver.training.fit" in training
    assert "airdeliver.payload.flattened" in training
    assert not {"airdeliver.evaluation", "airdeliver.delivery.arrived", "airdeliver.intervals"} & set(training)
    assert not {"airdeliver.delivery.sending", "airdeliver"} & set(training)


def test_a_cell_depends_on_evaluation_but_not_on_the_machinery():
    cell = set(source.fingerprints(["experiments.cell"]))
    assert {"experiments.cell", "airdeliver.evaluation", "airdeliver.delivery.arrived", "channels.base"} <= cell
    assert "airdeliver.delivery.sending" in cell
    assert not {"experiments.planner", "experiments.store.store", "experiments.table", "experiments.engine"} & cell
