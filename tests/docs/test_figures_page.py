"""The page on figures does what it says."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from experiments.command_line import choices_of
from experiments.sweep import main as sweep
from figures import publish, report
from figures.__main__ import main as draw
from figures.gallery import NAMES, drawing

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
SCRIPTS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
LINES = "".join(re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL)).splitlines()


def commands(program: str) -> list[list[str]]:
    """The arguments of each command of a program."""
    lines = [line.removeprefix(f"python -m {program} ") for line in LINES if line.startswith(f"python -m {program} ")]
    return [shlex.split(line) for line in lines]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with the published tables and nothing else."""
    shutil.copytree(ROOT / "figures" / "published", tmp_path / "figures" / "published")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_figure_and_its_experiment_is_on_the_page():
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| (`experiment=.*`) \|$", PAGE, flags=re.MULTILINE))
    assert sorted(rows) == sorted(NAMES)
    for name, experiments in rows.items():
        assert set(re.findall(r"experiment=(\w+)", experiments)) == set(drawing(name).EXPERIMENTS)


def test_the_sweeps_can_be_planned(capsys):
    for command in commands("experiments.sweep"):
        sweep([*command, "--dry-run"])
        assert "cells (0 in the store" in capsys.readouterr().out
        assert command[0].removeprefix("experiment=") in choices_of("experiment")


def test_the_published_table_is_drawn(folder):
    published, *own = commands("figures")
    draw([*published, "--out", "out"])
    assert {file.name for file in (folder / "out").iterdir()} == {"snr.pdf", "snr.png", "snr.csv"}
    for command in own:
        with pytest.raises(SystemExit, match=r"there is no table runs/\w+/results.parquet"):
            draw([*command, "--out", "out"])


def test_the_script_draws(folder):
    for script in SCRIPTS:
        exec(compile(script, "figures.md", "exec"), {})
    assert (folder / "mine.png").stat().st_size > 10_000


@pytest.mark.parametrize("module", [report, publish], ids=lambda module: module.__name__)
def test_report_and_publishing_read_the_run_that_the_page_names(module):
    (arguments,) = commands(module.__name__)
    with pytest.raises(SystemExit, match=r"there is no table runs/demo/results\.parquet"):
        module.main(arguments)


def test_make_runs_every_experiment_that_a_figure_draws():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (listed,) = re.findall(r"^EXPERIMENTS := (.*)$", makefile, flags=re.MULTILINE)
    drawn = {drawing(name).EXPERIMENTS[-1] for name in NAMES} & set(choices_of("experiment"))
    assert set(listed.split()) == drawn
