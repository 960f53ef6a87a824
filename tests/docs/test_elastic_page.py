"""The page on elastic networks does what it says: its script runs, its sweeps are planned."""

import re
import shlex
from pathlib import Path

import pytest

from experiments.sweep import main as sweep

PAGE = (Path(__file__).parents[2] / "docs" / "elastic.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def test_the_script_says_what_its_comment_says(capsys):
    (script,) = blocks("python")
    exec(compile(script, "elastic.md", "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out.split() == [script.strip().rsplit("# ", 1)[-1]]


SWEEPS = [line for block in blocks("console") for line in block.splitlines() if "experiments.sweep" in line]


@pytest.mark.parametrize("command", SWEEPS)
def test_its_sweeps_can_be_run(command, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    _, _, _, *arguments = shlex.split(command)
    monkeypatch.setattr("sys.argv", ["sweep", *arguments, "--dry-run"])
    sweep()
    assert "cells" in capsys.readouterr().out
