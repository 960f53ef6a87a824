"""The documentation site: its pages run, its reference has every public name; `make docs` builds it."""

import importlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [
    "index",
    "own_link_piece",
    "sessions",
    "updates",
    "what_there_is",
    "pieces",
    "zoo",
    *(f"concepts/{page.stem}" for page in sorted(DOCS.glob("concepts/*.md"))),
]
REFERENCE = {
    line for page in DOCS.glob("reference/*.md") for line in re.findall(r"^::: (\S+)", page.read_text(), re.MULTILINE)
}
PACKAGES = [
    "airdeliver", "airdeliver.architecture", "airdeliver.compression.codec", "airdeliver.compression.quantisers",
    "airdeliver.container", "airdeliver.data", "airdeliver.elastic", "airdeliver.links", "airdeliver.links.analog",
    "airdeliver.links.digital", "airdeliver.models", "airdeliver.payload", "airdeliver.schemes", "airdeliver.session",
    "airdeliver.spectrum", "airdeliver.task", "airdeliver.training", "airdeliver.training.methods",
    "airdeliver.updates", "airdeliver.zoo", "channels", "channels.impairments",
]  # fmt: skip


def module(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / f"{page}.md").read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("package", PACKAGES)
def test_the_reference_has_every_public_name(package: str):
    missing = [name for name in importlib.import_module(package).__all__ if f"{package}.{name}" not in REFERENCE]
    assert not missing, f"docs/reference/ lacks ::: {package}.{missing[0]}"


def test_what_the_reference_names_exists():
    for name in REFERENCE:
        package, _, own = name.rpartition(".")
        assert hasattr(importlib.import_module(package), own), name


@pytest.mark.parametrize("page", PAGES)
def test_examples_of_pages_run(page: str, following, capsys):
    for block in blocks(page, "python"):
        saved = re.search(r"from dataclasses import dataclass", block) and re.search(
            r"^class (\w+)", block, re.MULTILINE
        )
        if saved:
            following(**{{"Clipped": "my_receiver", "Alternating": "my_expansion"}[saved[1]]: block})
        else:
            exec(compile(block, f"{page}.md", "exec"), {"__name__": "page"})
    assert "False" not in capsys.readouterr().out


def test_own_receiver_in_a_sweep(following, capsys):
    import shlex

    from experiments.sweep import main as sweep

    following(my_receiver=next(block for block in blocks("own_link_piece", "python") if "class Clipped" in block))
    (command,) = blocks("own_link_piece", "bash")
    arguments = shlex.split(command.removeprefix("PYTHONPATH=. python -m experiments.sweep "))
    sweep([*arguments, "--dry-run"])
    assert "cells" in capsys.readouterr().out


def test_examples_stand_in_fences():
    fenced = module("reading").fenced
    assert fenced("Adds.\n\n>>> 1 + 1\n2\n\nSource: none.") == "Adds.\n\n```pycon\n>>> 1 + 1\n2\n```\n\nSource: none."


def test_formulas_are_mathml_but_in_examples():
    formulas = module("reading").formulas
    text = formulas("A $x^2$ and\n```pycon\n>>> '$y$'\n```")
    assert "<msup><mi>x</mi><mn>2</mn></msup>" in text
    assert "'$y$'" in text
    assert text.count("<math") == 1


def test_the_gallery_says_how_each_table_was_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    build = module("build")
    (published := tmp_path / "published").mkdir()
    (published / "digits_fading.csv").write_text((build.PUBLISHED / "digits_fading.csv").read_text())
    monkeypatch.setattr(build, "PUBLISHED", published)
    monkeypatch.setattr(build, "GENERATED", tmp_path)
    page = build.gallery()
    assert "![fading of digits_fading](generated/digits_fading/fading.png)" in page
    assert "command: python -m experiments.sweep" in page
    assert (tmp_path / "digits_fading" / "fading.png").is_file()


def test_formulas_of_pages_are_mathml():
    build = module("build")
    inline = '<p>at <span class="arithmatex">\\(a &lt; b\\)</span></p>'
    page = inline + '<div class="arithmatex">\\[\nx^2\n\\]</div><code>$5</code>'
    made = build.on_page_content(page)
    assert made.count("<math") == 2
    assert 'display="block"' in made
    assert "arithmatex" not in made
    assert made.endswith("<code>$5</code>")
