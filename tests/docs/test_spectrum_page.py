"""The page on spectra does what it says, from the sweep to a member in a file of its own, made small."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from safetensors.torch import load_file

from experiments.spectrum import main as spectrum
from experiments.sweep import main as sweep
from figures.__main__ import main as draw

PAGE = (Path(__file__).parents[2] / "docs" / "spectrum.md").read_text(encoding="utf-8")
LINES = "".join(re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL)).splitlines()
(SCRIPT,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
SMALL = [
    "scheme=[spectrum,spectrum_member_1]", "snr_db=[10]", "realizations=2", "test_images=40", "training.epochs=1",
    "fine_tuning.epochs=1", "scheme.spectrum.table_realizations=1", "scheme.spectrum.table_images=50",
    "scheme.spectrum.link.protection=equal", "scheme.spectrum_member_1.link.protection=equal",
]  # fmt: skip


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    monkeypatch.chdir(tmp_path)
    train, figure, uncertain, write, show, cut = (shlex.split(line.removeprefix("python -m ")) for line in LINES)
    with pytest.raises(SystemExit, match="has not been trained"):
        spectrum([*write[1:], *SMALL])
    sweep([*train[1:], *SMALL])
    table = pd.read_parquet("runs/spectrum/results.parquet")
    assert table["scheme"].tolist() == ["spectrum*", "spectrum_member_1*"]
    # Both hold the largest member, and statistics for four.
    assert (table["parameters_stored"] > table["parameters_sent"].max()).all()
    assert table["parameters_stored"].nunique() == table["train_seconds"].nunique() == 1
    assert (table["parameters_stored"] > 3 * table["parameters_sent"][1]).all()
    draw([*figure[1:], "--results", "runs/spectrum/results.parquet", "--out", "out"])
    assert (tmp_path / "out" / "spectrum.png").is_file()
    sweep([*uncertain[1:], "--dry-run"])
    spectrum([*write[1:], *SMALL])
    capsys.readouterr()
    spectrum(show[1:])
    shown = capsys.readouterr().out
    assert "Repetition, 8 inputs" in shown
    assert "7.5 to 15" in shown
    spectrum(cut[1:])
    assert capsys.readouterr().out.strip() == "model.safetensors"
    assert sum(t.numel() for t in load_file("model.safetensors").values() if t.is_floating_point()) < 6_000
    exec(compile(SCRIPT, "spectrum.md", "exec"), {})
    assert capsys.readouterr().out.endswith("True\n")


def test_halves_of_a_command_are_refused(tmp_path: Path):
    with pytest.raises(SystemExit, match="belong together"):
        spectrum(["spectrum.safetensors", "--cut", "1"])
    with pytest.raises(SystemExit, match="there is no file"):
        spectrum([str(tmp_path / "none.safetensors")])
