"""The pages that show how to bring one's own, and how sweeps are run, do what they say."""

import os
import re
import shlex
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from experiments.store.__main__ import main as store
from experiments.sweep import main as sweep

DOCS = Path(__file__).parents[2] / "docs"
SMALL = ["snr_db=[10]", "realizations=2", "training.epochs=1", "fine_tuning.epochs=1", "test_images=40"]


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / f"{page}.md").read_text(), flags=re.DOTALL)


def commands(page: str) -> list[list[str]]:
    """The arguments of every command of a page."""
    lines = [line for block in blocks(page, "bash") for line in block.splitlines()]
    return [shlex.split(line.removeprefix("PYTHONPATH=. ").removeprefix("python -m ")) for line in lines]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The folder of somebody who follows a page."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("AIRDELIVER_CACHE", str(tmp_path / "cache"))
    yield tmp_path
    for name in ("my_model", "my_module", "my_scheme"):
        sys.modules.pop(name, None)


def run(arguments: list[str]) -> pd.DataFrame:
    """Run a command made small; what it wrote."""
    assert arguments[0] == "experiments.sweep"
    sweep([*arguments[1:], *SMALL, "hydra.run.dir=run"])
    return pd.read_parquet("run/results.parquet")


@pytest.mark.parametrize(("page", "name"), [("own_model", "my_model"), ("own_scheme", "my_scheme")])
def test_the_page_shows_the_file(page: str, name: str):
    assert blocks(page, "python")[0] == (DOCS / page / f"{name}.py").read_text()


def test_own_model(folder: Path, capsys):
    Path("my_model.py").write_text(blocks("own_model", "python")[0])
    known = {}
    exec(compile(blocks("own_model", "python")[1], "own_model.md", "exec"), known)
    assert "770 parameters" in capsys.readouterr().out
    known = {"trained": known["Small"](features=16)(1, 10), "images": torch.zeros(1, 1, 8, 8)}
    exec(compile(blocks("own_model", "python")[2], "own_model.md", "exec"), known)
    assert 2000 < known["delivery"].channel_uses_spent <= 2400
    (command,) = commands("own_model")
    assert set(run([*command, "scheme=[clean]"])["model"]) == {"Small"}


def test_own_data_set(folder: Path):
    for block in blocks("own_data_set", "python"):
        exec(compile(block, "own_data_set.md", "exec"), {})
    (command,) = commands("own_data_set")
    table = run([*command, "scheme=[clean]"])
    assert set(table["dataset"]) == {"brightness"}
    assert set(table["model"]) == {"vgg"}


def test_own_scheme(folder: Path):
    Path("my_scheme.py").write_text(blocks("own_scheme", "python")[0])
    for configuration in blocks("own_scheme", "yaml"):
        path, _, content = configuration.removeprefix("# ").partition("\n")
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(content)
    direct, kept, variants, chosen = commands("own_scheme")
    assert run(direct)["scheme"].tolist() == ["clean", "Sparse"]
    table = run(kept)
    assert table["scheme"].tolist() == ["clean", "sparse"]
    comparison = pd.read_parquet("run/comparisons.parquet")
    assert comparison["realizations"].tolist() == [2]
    table = run(variants)
    assert table["scheme"].tolist() == ["sparse", "sparse_half", "clean_forced"]
    assert table["title"].tolist() == ["Sparse", "A half of the weights", "Clean, zero-forcing receiver"]
    assert run(chosen)["scheme"].tolist() == ["clean", "sparse_half"]


def test_own_channel_network_and_scheme_in_one_command(folder: Path):
    """As the start page has it, with the classes of the three pages, and its figure."""
    from figures.__main__ import main as draw

    for page, name in (("own_channel", "my_module"), ("own_model", "my_model"), ("own_scheme", "my_scheme")):
        Path(f"{name}.py").write_text(blocks(page, "python")[0])
    (command,) = [found for found in commands("index") if "scheme._target_=my_scheme.Sparse" in found]
    table = run(command)
    assert table["scheme"].tolist() == ["clean", "Sparse"]
    assert set(table["channel"]) == {"TwoRay"}
    assert set(table["model"]) == {"Small"}
    (picture,) = [found for found in commands("index") if found[0] == "figures" and "--out" in found]
    draw([*picture[1:], "--results", "run/results.parquet"])
    assert Path("figures_of_mine/snr.pdf").is_file()


def test_commands_about_sweeps(folder: Path, capsys):
    plan, *looks, schemes, inline, adaptive, fades = commands("sweeps")
    sweep(plan[1:])
    assert "36 cells (0 in the store" in capsys.readouterr().out
    sweep(schemes[1:])
    assert "6 cells (0 in the store" in capsys.readouterr().out
    run(["experiments.sweep", "scheme=[clean]"])
    for look in looks:
        assert look[0] == "experiments.store"
        store(look[1:])
    assert "realizations" in capsys.readouterr().out
    sweep([*adaptive[1:], "--dry-run"])
    for planned in (inline, fades):
        sweep(planned[1:])
        assert "cells (0 in the store" in capsys.readouterr().out


BUILT = {"claims.md", "gallery.md"}
"""Pages that `make docs` writes."""


def test_pages_lead_somewhere():
    for page in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
            assert target in BUILT or os.path.exists(page.parent / target), (page.name, target)
