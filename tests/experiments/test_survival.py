"""Sweeps that are interrupted, killed, or meet each other."""

import itertools
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
LONGER = ("training.epochs=12", "fine_tuning.epochs=6")


def same_table(one: Any, other: Any) -> None:
    pd.testing.assert_frame_equal(one.reproducible, other.reproducible, check_exact=True)


def wait_for(run: Any, process: "subprocess.Popen[str]", event: str, stage: str, times: int) -> None:
    """Until the journal has seen an event so many times."""
    deadline = time.monotonic() + 120
    while len(run.events(event, stage)) < times:
        assert process.poll() is None, process.communicate()[0]
        assert time.monotonic() < deadline
        time.sleep(0.005)


def kill(process: "subprocess.Popen[str]") -> None:
    """The whole group at once, as a power cut does."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@pytest.fixture(scope="module")
def longer(sweeps, tmp_path_factory):
    """An undisturbed sweep whose trainings have a few epochs."""
    return sweeps.here(tmp_path_factory.mktemp("longer"), *LONGER)


def test_killed_in_training_goes_on_from_the_last_epoch(sweeps, longer, tmp_path: Path):
    run = type(longer)(tmp_path)
    (tmp_path / "store").mkdir()
    process = sweeps.start(tmp_path, *LONGER)
    wait_for(run, process, "epoch", "training", 5)
    kill(process)
    sweeps.here(tmp_path, *LONGER)
    same_table(run, longer)
    assert max(event["epoch"] for event in run.events("resumed", "training")) >= 5
    assert len(run.events("epoch", "training")) == 12 + 6
    assert len(run.events("finished", "training")) == 2


def test_interrupted_sweep_says_so_and_leaves_no_worker(sweeps, longer, tmp_path: Path):
    """Ctrl-C reaches the whole group, workers included."""
    run = type(longer)(tmp_path)
    (tmp_path / "store").mkdir()
    process = sweeps.start(tmp_path, *LONGER, "engine=local", "engine.workers=1")
    wait_for(run, process, "epoch", "training", 2)
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted" in output
    assert "Traceback" not in output
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_two_sweeps_at_once_share_the_work(sweeps, longer, tmp_path: Path):
    run = type(longer)(tmp_path)
    processes = [sweeps.start(tmp_path, *LONGER) for _ in range(2)]
    for process in processes:
        output, _ = process.communicate(timeout=300)
        assert process.returncode == 0, output
    same_table(run, longer)
    assert set(finished(run).values()) == {1}


def finished(run: Any) -> Counter:
    """How often each piece of work was finished."""
    return Counter(event["key"] for stage in ("training", "cell") for event in run.events("finished", stage))


def test_clock_going_backwards_changes_nothing(sweeps, longer, tmp_path: Path, monkeypatch):
    clock = itertools.count(2_000_000_000, -1_000)
    monkeypatch.setattr(time, "time", lambda: float(next(clock)))
    same_table(sweeps.here(tmp_path, *LONGER), longer)


SERVER = """
import os, sys
from airdeliver.data import load_dataset
from experiments import running, sweep
load_dataset("digits")
for line in sys.stdin:
    child = os.fork()
    if child == 0:
        os.setsid()
        os.dup2(2, 1)
        sweep.main(line.split())
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""
"""Sweeps in processes that have done their imports: a kill then hits work, not imports."""


class Server:
    """Starts sweeps one after the other."""

    def __init__(self, log: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log.open("w"),
            text=True, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def run(self, arguments: list[str], kill_after: float | None = None) -> tuple[float, bool]:
        """Seconds that a sweep took, and whether it was killed."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(" ".join(arguments) + "\n")
        self.process.stdin.flush()
        child, started = int(self.process.stdout.readline()), time.monotonic()
        timer = threading.Timer(kill_after or 1e6, os.kill, (child, signal.SIGKILL))
        timer.start()
        status = int(self.process.stdout.readline())
        timer.cancel()
        assert os.WIFSIGNALED(status) or status == 0
        return time.monotonic() - started, os.WIFSIGNALED(status)


def interrupted(run: Any) -> str:
    """What a killed sweep was doing, by its journal."""
    events = list(run.store.journal.read())
    if events and events[-1]["event"] == "writing":
        return "writing"
    open_stages = {e["key"]: e["stage"] for e in events if e["event"] == "started"}
    for event in events:
        if event["event"] == "finished":
            open_stages.pop(event["key"], None)
    return next(iter(open_stages.values()), "nothing")


@pytest.mark.slow
def test_thirty_kills(undisturbed, tmp_path: Path):
    """Each at a moment drawn uniformly over the undisturbed duration, each followed by a resume.

    At least 8 hit a training, 8 an evaluation and 3 a write: more are tried until they do, 90 at most.
    """
    server = Server(tmp_path / "log")
    sweep = ["experiment=demo", "scheme=[clean,noise]", "snr_db=[0,2,4,6,8,10]", "training.epochs=15",
             "fine_tuning.epochs=15", "realizations=64"]  # fmt: skip
    calm = type(undisturbed)(tmp_path / "calm")
    server.run([*sweep, *calm.arguments])
    shutil.rmtree(calm.folder)
    duration, _ = server.run([*sweep, *calm.arguments])
    draw = random.Random(0)
    hit: Counter = Counter()
    for number in range(90):
        run = type(undisturbed)(tmp_path / str(number))
        _, killed = server.run([*sweep, *run.arguments], draw.uniform(0, duration))
        hit[interrupted(run) if killed else "missed"] += 1
        server.run([*sweep, *run.arguments])
        same_table(run, calm)
        assert max(finished(run).values()) == 1
        assert max(Counter(e["key"] for e in run.events("written", "cell")).values()) == 1
        if number >= 29 and hit["training"] >= 8 and hit["cell"] >= 8 and hit["writing"] >= 3:
            break
    server.process.stdin.close()
    assert hit["training"] >= 8, hit
    assert hit["cell"] >= 8, hit
    assert hit["writing"] >= 3, hit


@pytest.mark.slow
def test_dask_survives_the_loss_of_a_worker(sweeps, longer, tmp_path: Path):
    """Two workers on loopback, one of them killed in the middle of a training."""
    run = type(longer)(tmp_path)
    (tmp_path / "store").mkdir()
    process = sweeps.start(tmp_path, *LONGER, "engine=dask")
    wait_for(run, process, "epoch", "training", 3)
    os.kill(run.events("epoch", "training")[-1]["process"], signal.SIGKILL)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    same_table(run, longer)
    assert set(finished(run).values()) == {1}


@pytest.mark.slow
def test_local_survives_the_loss_of_a_worker(sweeps, longer, tmp_path: Path):
    run = type(longer)(tmp_path)
    (tmp_path / "store").mkdir()
    process = sweeps.start(tmp_path, *LONGER, "engine=local")
    wait_for(run, process, "epoch", "training", 3)
    os.kill(run.events("epoch", "training")[-1]["process"], signal.SIGKILL)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    same_table(run, longer)
