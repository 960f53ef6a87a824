"""Sweeps that are interrupted, killed, or meet each other."""

import itertools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
EPOCHS = 6, 2
LONGER = (f"training.epochs={EPOCHS[0]}", f"fine_tuning.epochs={EPOCHS[1]}")
SERVER = """
import contextlib, io, json, os, signal, sys, tempfile
from airdeliver.data import load_dataset
from experiments import running, sweep
load_dataset("digits")
with contextlib.redirect_stdout(io.StringIO()), tempfile.TemporaryDirectory() as folder:
    sweep.main([*sys.argv[1:], "--dry-run", f"store={folder}", f"hydra.run.dir={folder}/run"])
for line in sys.stdin:
    asked = json.loads(line)
    if "wait" in asked:
        print(os.waitstatus_to_exitcode(os.waitpid(asked["wait"], 0)[1]), flush=True)
        continue
    child = os.fork()
    if child == 0:
        os.setsid()
        # Whoever started the tests in the background may have made all its children deaf to Ctrl-C.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        log = os.open(asked["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        try:
            sweep.main(asked["start"])
        except SystemExit as ended:
            os._exit(ended.code if isinstance(ended.code, int) else 1)
        os._exit(0)
    print(child, flush=True)
"""
"""Forks sweeps that have planned one already: quick to start, and a kill hits work, not imports."""


class Server:
    """Sweeps in processes of their own."""

    def __init__(self, run: Any, arguments: list[str]) -> None:
        self.run_of, self.arguments = type(run), arguments
        self.process = subprocess.Popen(
            [sys.executable, "-c", SERVER, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, cwd=ROOT, env={**os.environ, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip

    def ask(self, **question: Any) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def start(self, folder: Path, *arguments: str) -> int:
        """The process of a sweep, which leads a group of its own."""
        folder.mkdir(exist_ok=True)
        (folder / "store").mkdir(exist_ok=True)
        line = [*self.arguments, *arguments, *self.run_of(folder).arguments]
        return self.ask(start=line, log=str(folder / "log"))

    def wait(self, process: int) -> int:
        """Its exit code; minus the signal that killed it."""
        return self.ask(wait=process)

    def sweep(self, folder: Path, *arguments: str, kill_after: float = 1e6) -> tuple[Any, float, bool]:
        """A whole sweep: the run, its seconds, and whether it was killed; nothing else may go wrong."""
        started = time.monotonic()
        process = self.start(folder, *arguments)
        timer = threading.Timer(kill_after, os.killpg, (process, signal.SIGKILL))
        timer.start()
        code = self.wait(process)
        timer.cancel()
        assert code in (0, -signal.SIGKILL), (folder / "log").read_text()
        return self.run_of(folder), time.monotonic() - started, code != 0


@pytest.fixture(scope="module")
def server(undisturbed, small) -> Iterator[Server]:
    server = Server(undisturbed, list(small))
    yield server
    server.process.communicate()


@pytest.fixture(scope="module")
def longer(server, tmp_path_factory):
    """An undisturbed sweep whose trainings have a few epochs."""
    return server.sweep(tmp_path_factory.mktemp("longer"), *LONGER)[0]


def same_table(one: Any, other: Any) -> None:
    pd.testing.assert_frame_equal(one.reproducible, other.reproducible, check_exact=True)


def wait_for(run: Any, event: str, stage: str, times: int) -> dict[str, Any]:
    """The last of so many events in the journal."""
    deadline = time.monotonic() + 120
    while len(run.events(event, stage)) < times:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return run.events(event, stage)[-1]


def finished(run: Any) -> Counter:
    """How often each piece of work was finished."""
    return Counter(event["key"] for stage in ("training", "cell") for event in run.events("finished", stage))


def test_killed_in_training_goes_on_from_the_last_epoch(server, longer, tmp_path: Path):
    run = server.run_of(tmp_path)
    process = server.start(tmp_path, *LONGER)
    wait_for(run, "epoch", "training", 3)
    os.killpg(process, signal.SIGKILL)
    assert server.wait(process) == -signal.SIGKILL
    server.sweep(tmp_path, *LONGER)
    same_table(run, longer)
    assert run.events("resumed", "training")[0]["epoch"] >= 3
    # One may be written but not yet noted.
    assert len(run.events("epoch", "training")) in (sum(EPOCHS), sum(EPOCHS) + 1)
    assert len(run.events("finished", "training")) == 2


def test_interrupted_sweep_says_so(server, longer, tmp_path: Path):
    process = server.start(tmp_path, *LONGER)
    wait_for(server.run_of(tmp_path), "epoch", "training", 2)
    os.killpg(process, signal.SIGINT)
    assert server.wait(process) == 130
    output = (tmp_path / "log").read_text()
    assert "interrupted: finished work is kept" in output
    assert "Traceback" not in output


def test_two_sweeps_at_once_share_the_work(server, longer, tmp_path: Path):
    processes = [server.start(tmp_path, *LONGER) for _ in range(2)]
    assert [server.wait(process) for process in processes] == [0, 0], (tmp_path / "log").read_text()
    run = server.run_of(tmp_path)
    same_table(run, longer)
    assert set(finished(run).values()) == {1}


def test_clock_going_backwards_changes_nothing(sweeps, undisturbed, tmp_path: Path, monkeypatch):
    clock = itertools.count(2_000_000_000, -1_000)
    monkeypatch.setattr(time, "time", lambda: float(next(clock)))
    same_table(sweeps.here(tmp_path), undisturbed)


def interrupted(run: Any) -> str:
    """What a killed sweep was doing, by its journal."""
    events = list(run.store.journal.read())
    if events and events[-1]["event"] == "writing":
        return "writing"
    open_stages = {event["key"]: event["stage"] for event in events if event["event"] == "started"}
    for event in events:
        if event["event"] == "finished":
            open_stages.pop(event["key"], None)
    return next(iter(open_stages.values()), "nothing")


@pytest.mark.slow
def test_thirty_kills(server, tmp_path: Path):
    """Each at a moment drawn uniformly over the undisturbed duration, each followed by a resume.

    At least 8 hit a training, 8 an evaluation and 3 a write: more are tried until they do, 90 at most.
    """
    arguments = ("snr_db=[0,2,4,6,8,10]", "training.epochs=10", "fine_tuning.epochs=10", "realizations=16",
                 "test_images=200")  # fmt: skip
    server.sweep(tmp_path / "warm", *arguments)
    calm, duration, _ = server.sweep(tmp_path / "calm", *arguments)
    draw, hit = random.Random(0), Counter()
    for number in range(90):
        run, _, killed = server.sweep(tmp_path / str(number), *arguments, kill_after=draw.uniform(0, duration))
        hit[interrupted(run) if killed else "missed"] += 1
        server.sweep(run.folder, *arguments)
        same_table(run, calm)
        assert max(finished(run).values()) == 1
        assert max(Counter(event["key"] for event in run.events("written", "cell")).values()) == 1
        shutil.rmtree(run.folder)
        if number >= 29 and hit["training"] >= 8 and hit["cell"] >= 8 and hit["writing"] >= 3:
            break
    else:
        pytest.fail(f"the kills hit too little: {dict(hit)}")


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["local", "dask"])
def test_survives_the_loss_of_a_worker(server, longer, tmp_path: Path, engine: str):
    """Two worker processes on this machine, one of them killed in the middle of a training."""
    process = server.start(tmp_path, *LONGER, f"engine={engine}")
    run = server.run_of(tmp_path)
    os.kill(wait_for(run, "epoch", "training", 3)["process"], signal.SIGKILL)
    assert server.wait(process) == 0, (tmp_path / "log").read_text()
    same_table(run, longer)
    assert set(finished(run).values()) == {1}
    assert run.events("resumed", "training")


@pytest.mark.slow
def test_interrupted_sweep_leaves_no_worker(server, longer, tmp_path: Path):
    """Ctrl-C reaches the whole group, workers included."""
    process = server.start(tmp_path, *LONGER, "engine=local")
    wait_for(server.run_of(tmp_path), "epoch", "training", 2)
    os.killpg(process, signal.SIGINT)
    assert server.wait(process) == 130, (tmp_path / "log").read_text()
    assert "Traceback" not in (tmp_path / "log").read_text()
    deadline = time.monotonic() + 20
    while lives(process):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def lives(group: int) -> bool:
    """Whether a process group has a process left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True
