"""What a sweep says that this machine cannot do well, and how its estimate takes it into account."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from experiments import machine, running


def test_probe_is_quick_and_a_processor_without_bfloat16_is_slower_at_it():
    """oneDNN is told that the processor ends at AVX2, which knows no bfloat16."""
    script = "import time; from experiments.machine import bfloat16_factor as f; s = time.process_time(); print(f()); "
    script += "print(time.process_time() - s)"
    line = [sys.executable, "-c", script]
    environment = {**os.environ, "ONEDNN_MAX_CPU_ISA": "AVX2", "OMP_NUM_THREADS": "1"}
    root = Path(__file__).parents[2]
    ended = subprocess.run(line, capture_output=True, text=True, check=True, env=environment, cwd=root)
    factor, seconds = map(float, ended.stdout.split())
    assert factor > machine.SLOW
    assert seconds < 5


def test_cores_are_a_containers_share(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: range(16))
    monkeypatch.setattr(machine, "QUOTA", tmp_path / "cpu.max")
    assert machine.cores() == 16
    for text, expected in (("max 100000\n", 16), ("150000 100000\n", 2), ("3200000 100000\n", 16)):
        machine.QUOTA.write_text(text)
        assert machine.cores() == expected


def test_slow_bfloat16_is_said_and_estimated(sweeps, finished, monkeypatch: pytest.MonkeyPatch, capsys):
    """The store knows epochs in float32 alone: those in bfloat16 are taken for 40 times as long."""

    def said(*arguments: str) -> tuple[str, float]:
        sweeps.here(finished.folder, "--dry-run", "seeds=[1]", "training.epochs=20000", *arguments)
        output = capsys.readouterr().out
        number, unit = re.search(r"about ([\d.]+) (s|min|h)", output).groups()
        return output, float(number) * {"s": 1, "min": 60, "h": 3600}[unit]

    mixed = ("training.precision=bfloat16", "fine_tuning.precision=bfloat16")
    monkeypatch.setattr(machine, "bfloat16_factor", lambda: 40.0)
    output, slow = said(*mixed)
    assert "bfloat16 takes 40.0 times as long" in output
    output, plain = said()
    assert "bfloat16" not in output
    monkeypatch.setattr(machine, "bfloat16_factor", lambda: 0.8)
    output, quick = said(*mixed)
    assert "bfloat16" not in output
    assert quick == plain
    assert slow == pytest.approx(40 * plain, rel=0.1)


def test_more_threads_than_cores_are_said(sweeps, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    for module in (machine, running):
        monkeypatch.setattr(module, "cores", lambda: 4)
    for arguments, expected in (
        (["threads=8"], "threads=8 on 4 cores"),
        (["threads=2", "engine=local", "engine.workers=3"], "3 tasks of 2 threads on 4 cores"),
        (["threads=2", "engine=local", "engine.workers=2"], None),
    ):
        sweeps.here(tmp_path, "--dry-run", *arguments)
        output = capsys.readouterr().out
        assert expected is None or expected in output
        assert ("note:" in output) == (expected is not None)
