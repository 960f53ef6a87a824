"""Worker processes on this machine."""

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from typing import Any

from experiments.engine.base import Engine, Outcome, one_line, perform
from experiments.stage import Stage
from experiments.store import Store

ATTEMPTS = 3
"""How often a stage is tried whose worker dies: it may be the one that exhausts the memory."""


@dataclass
class _Worker:
    process: Any
    connection: Connection
    stage: Stage | None = None


@dataclass
class Local(Engine):
    """Worker processes, each with one stage at a time; a lost worker's stage is done again by another.

    Args:
        workers: processes.

    Raises:
        ValueError: fewer than one worker.
    """

    workers: int = 2
    _store: Store | None = field(default=None, init=False)
    _pool: list[_Worker] = field(default_factory=list, init=False)
    _attempts: dict[str, int] = field(default_factory=dict, init=False)
    _refused: list[Outcome] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        if self.workers < 1:
            raise ValueError(f"workers must be at least 1, got {self.workers}")

    @property
    def slots(self) -> int:  # type: ignore[override]
        """One a worker."""
        return self.workers

    def open(self, store: Store) -> None:  # noqa: D102
        self._store = store

    def submit(self, stage: Stage) -> None:  # noqa: D102
        worker = next((w for w in self._pool if w.stage is None), None) or self._hire()
        worker.stage = stage
        try:
            worker.connection.send(stage)
        except (AttributeError, TypeError, ValueError, multiprocessing.ProcessError) as error:
            worker.stage = None
            reason = f"it cannot be sent to a worker process ({one_line(error)}): use engine=serial"
            self._refused.append(Outcome(stage.key, reason))
        except OSError:
            pass  # the worker has died; `wait` notices

    def wait(self) -> list[Outcome]:  # noqa: D102
        while True:
            outcomes, self._refused = self._refused, []
            busy = [worker for worker in self._pool if worker.stage is not None]
            if busy and not outcomes:
                ready = wait([worker.connection for worker in busy])
                for worker in busy:
                    if worker.connection in ready:
                        outcomes += self._receive(worker)
            if outcomes:
                return outcomes

    def _receive(self, worker: _Worker) -> list[Outcome]:
        """What a worker has to say; a dead one's stage goes to another."""
        stage, worker.stage = worker.stage, None
        assert stage is not None
        try:
            return [worker.connection.recv()]
        except (EOFError, OSError):
            self._pool.remove(worker)
            worker.process.join()
        self._attempts[stage.key] = self._attempts.get(stage.key, 0) + 1
        if self._attempts[stage.key] >= ATTEMPTS:
            return [Outcome(stage.key, f"its worker process died {ATTEMPTS} times (killed, or out of memory)")]
        self.submit(stage)
        return []

    def _hire(self) -> _Worker:
        assert self._store is not None
        # A fresh interpreter: a forked one would inherit thread pools that no longer run.
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_work, args=(theirs, str(self._store.folder)), daemon=True)
        process.start()
        theirs.close()
        worker = _Worker(process, ours)
        self._pool.append(worker)
        return worker

    def close(self) -> None:  # noqa: D102
        for worker in self._pool:
            worker.process.kill()
        for worker in self._pool:
            worker.process.join()
            worker.connection.close()
        self._pool.clear()


def _work(connection: Connection, folder: str) -> None:
    """A worker's life: stage after stage, until its parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal interrupts all; the parent decides
    threading.Thread(target=_die_with_parent, args=(os._exit,), daemon=True).start()
    store = Store(folder)
    while True:
        try:
            stage = connection.recv()
        except EOFError:
            return
        connection.send(perform(stage, store))


def _die_with_parent(leave: Callable[[int], Any]) -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    leave(1)
