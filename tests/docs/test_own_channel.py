"""The tutorial on a channel of one's own does what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas
import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "own_channel.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
COMMAND = re.findall(r"```bash\nPYTHONPATH=. python (.*?)\n```", PAGE)


def test_the_page_shows_the_file():
    assert BLOCKS[0] == (DOCS / "own_channel" / "my_module.py").read_text()


@pytest.fixture
def own_folder(tmp_path, monkeypatch):
    """A folder outside the package, with the file in it."""
    (tmp_path / "my_module.py").write_text(BLOCKS[0])
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    sys.modules.pop("my_module", None)


def test_the_script_runs(own_folder, capsys):
    names: dict[str, object] = {}
    for block in BLOCKS[1:]:
        exec(compile(block, "own_channel.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "torch.Size([16, 1000])" in printed
    assert "outage at 2 bits per symbol: 0." in printed
    assert "torch.Size([10, 64])" in printed


def test_the_sweep_runs(own_folder):
    """The page's command, made small."""
    small = ["scheme=[clean]", "snr_db=[10]", "realizations=2", "training.epochs=1", "engine=serial"]
    places = [f"store={own_folder / 'store'}", f"hydra.run.dir={own_folder / 'run'}"]
    subprocess.run(
        [sys.executable, *COMMAND[0].split(), *small, *places],
        cwd=own_folder,
        env=os.environ | {"PYTHONPATH": "."},
        check=True,
        capture_output=True,
        timeout=300,
    )
    table = pandas.read_parquet(own_folder / "run" / "results.parquet")
    assert table["channel"].tolist() == ["TwoRay"]


def test_the_fault_that_the_page_shows_is_the_fault_that_is_told(own_folder):
    from dataclasses import replace

    from my_module import TwoRay  # type: ignore[import-not-found]

    from channels.conformance import ConformanceError, check

    class Forgetful(TwoRay):
        def realize(self, realizations, n, snr_db, generator):
            state = super().realize(realizations, n, snr_db, generator)
            return replace(state, gain=state.gain * (1 + self.reflection**2) ** 0.5)

    with pytest.raises(ConformanceError) as caught:
        check(Forgetful())
    assert caught.value.faults[0].startswith("E|h|^2 is 1.8")
