"""A sweep of which nothing has changed since it ended is not planned again."""

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from omegaconf import OmegaConf

from experiments import finished, running
from experiments.command_line import Command, read
from tests.experiments.conftest import SMALL, Run


def _asked(folder: Path, *arguments: str) -> Command:
    return read([*SMALL, *arguments, f"store={folder / 'store'}", f"hydra.run.dir={folder}"])


@pytest.fixture
def kept(tmp_path: Path) -> SimpleNamespace:
    """A sweep that has ended: a file that it read, one that it wrote, and what it said."""
    source, result = tmp_path / "mine.py", tmp_path / "results.parquet"
    source.write_text("GAIN = 1\n")
    result.write_bytes(b"PAR1")
    later = time.time() + 10  # the file had settled when the sweep began
    content = finished.content_of(_asked(tmp_path), "12 cells\n", [source], [result], later)
    assert content is not None
    (tmp_path / finished.FILE).write_bytes(content)
    return SimpleNamespace(folder=tmp_path, source=source, result=result)


def test_the_same_sweep_says_the_same_without_being_planned(sweeps, tmp_path: Path, capsys, monkeypatch):
    sweeps.here(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.glob("*.parquet")}
    first = capsys.readouterr().out
    monkeypatch.setattr(running, "plan", lambda _: pytest.fail("planned again"))
    sweeps.here(tmp_path)
    again = capsys.readouterr().out
    assert again.startswith(f"4 cells: all of them are in {tmp_path / 'store'}")
    assert again.split("\n")[1:] == first[first.index("delivered accuracy") :].split("\n")
    assert {path: path.read_bytes() for path in tmp_path.glob("*.parquet")} == before


def test_nothing_heavy_is_imported_for_it(sweeps, tmp_path: Path):
    """Of all that a sweep imports, torch and pandas take longest."""
    sweeps.here(tmp_path)
    arguments = [*SMALL, *Run(tmp_path).arguments]
    script = (
        "import sys; from experiments.command_line import read; from experiments.finished import said_before; "
        "sys.path[:] = sys.argv[1].split('|'); command = read(sys.argv[2:]); told = said_before(command); "
        "print(bool(told), *sorted({'torch', 'pandas', 'numpy', 'rich'} & set(sys.modules)))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script, "|".join(sys.path), *arguments], capture_output=True, text=True, check=True
    )
    assert ran.stdout.split() == ["True"], ran.stderr


def test_a_finished_sweep_is_known_again(kept):
    assert finished.said_before(_asked(kept.folder)) == "12 cells\n"


@pytest.mark.parametrize("changed", ["source", "result"])
@pytest.mark.parametrize("how", ["written", "gone"])
def test_what_was_read_or_written_has_changed(kept, changed: str, how: str):
    path = getattr(kept, changed)
    path.unlink() if how == "gone" else path.write_bytes(b"GAIN = 2\n")
    assert finished.said_before(_asked(kept.folder)) is None


@pytest.mark.parametrize(
    "argument", ["snr_db=[0]", "scheme.clean.link.receiver=mmse", "test_images=61", "engine=local", "seeds=[1]"]
)
def test_another_command_is_planned(kept, argument: str):
    assert finished.said_before(_asked(kept.folder, argument)) is None


def test_names_may_lead_elsewhere(kept, monkeypatch):
    """A module of one's own, or a folder given as a relative path."""
    monkeypatch.syspath_prepend(str(kept.folder))
    assert finished.said_before(_asked(kept.folder)) is None


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b'{"asked": 1}'])
def test_what_cannot_be_read_counts_as_nothing(kept, content: bytes):
    (kept.folder / finished.FILE).write_bytes(content)
    assert finished.said_before(_asked(kept.folder)) is None


def test_files_that_change_while_a_sweep_runs_are_not_trusted(tmp_path: Path):
    """What the sweep has read is not what lies there now."""
    source = tmp_path / "mine.py"
    source.write_text("GAIN = 1\n")
    command: Any = SimpleNamespace(
        config=OmegaConf.create({}), experiment="demo", choices={}, overrides=(), folder=tmp_path
    )
    assert finished.content_of(command, "", [source], [], time.time() - 60) is None
    assert finished.content_of(command, "", [tmp_path / "none.py"], [], time.time()) is None


def test_a_failed_sweep_is_not_remembered(sweeps, tmp_path: Path):
    with pytest.raises(SystemExit):
        sweeps.here(tmp_path, "scheme=[noise]", "channel_uses=[100]")
    assert not (tmp_path / finished.FILE).exists()
