"""A cluster rehearsed on one machine: tasks that sleep stand for GPU work, all else is what a sweep runs."""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from statistics import median

from airdeliver import Execution
from airdeliver.data import load_dataset
from airdeliver.models import CNN
from airdeliver.recipe import Recipe
from benchmarks.ratio import Ratio
from experiments.engine import Dask, Engine, run_graph
from experiments.stage import DatasetSource, ProblemSource, Stage
from experiments.store import Entry, Store
from experiments.store.key import digest

WORKERS = (1, 2, 4, 8)
SLEEP_S, ROUNDS = 0.5, 12  # rounds: tasks of a worker
EMPTY, PIECES = 200, 5  # tasks without any work, for the rates
MANY = 1000
FILES = ("open", "os.mkdir", "os.rename", "os.remove")
"""What Python tells of when it happens, and a file system's server answers."""

_NUMBERS = count()
"""Never the same twice: no task finds its result in the store."""


@dataclass(frozen=True, eq=False)
class Sleep(Stage):
    """A task that needs a worker for a known time and no processor."""

    seconds: float

    kind = "cell"
    timed = "evaluate_seconds"

    def compute(self, store: Store) -> Entry:  # noqa: D102
        started = time.perf_counter()
        time.sleep(self.seconds)
        return self.entry({self.timed: time.perf_counter() - started, "process": os.getpid()})


def measure() -> list[Ratio]:
    """Overhead of a task and idle workers on 1, 2, 4 and 8 workers; what bounds a cluster of a thousand."""
    with tempfile.TemporaryDirectory() as folder:
        store, problem = Store(Path(folder)), _problem()
        ratios: list[Ratio] = []
        for workers in WORKERS:
            with _Opened(Dask(workers=workers), store) as engine:
                _warm(engine, store, problem, workers)
                ratios += _rehearsed(engine, store, problem, workers)
                if workers == 2:
                    ratios += _rates(engine, store, problem)
        return [*ratios, *_stored(store, problem)]


class _Opened:
    """An engine for the length of a block."""

    def __init__(self, engine: Engine, store: Store) -> None:
        self.engine, self.store = engine, store

    def __enter__(self) -> Engine:
        self.engine.open(self.store)
        return self.engine

    def __exit__(self, *_: object) -> None:
        self.engine.close()


def _problem() -> ProblemSource:
    """As large as that of a cell: it travels with every task."""
    dataset = DatasetSource("digits", None, load_dataset("digits").fingerprint)
    return ProblemSource(dataset, CNN(), Recipe(epochs=3), Recipe(epochs=1), Execution(threads=1))


def _tasks(problem: ProblemSource, tasks: int, seconds: float) -> list[Stage]:
    stages: list[Stage] = []
    for _ in range(tasks):
        description = {"sleep": next(_NUMBERS), "seconds": seconds}
        stages.append(Sleep(digest(description), description, "a task that sleeps", problem, (), "sleep", 1.0, seconds))
    return stages


def _warm(engine: Engine, store: Store, problem: ProblemSource, workers: int) -> None:
    """Small tasks until every worker has done one, and so has its imports."""
    processes: set[int] = set()
    while len(processes) < workers:
        tasks = _tasks(problem, 4 * workers, 0.05)
        run_graph(engine, store, tasks)
        entries = [store.read(task.kind, task.key) for task in tasks]
        processes |= {entry.record["process"] for entry in entries if entry is not None}


def _rehearsed(engine: Engine, store: Store, problem: ProblemSource, workers: int) -> list[Ratio]:
    """What so many workers lose between and after their tasks."""
    tasks = ROUNDS * workers
    started = time.perf_counter()
    run_graph(engine, store, _tasks(problem, tasks, SLEEP_S))
    held = workers * (time.perf_counter() - started)
    idle = held - tasks * SLEEP_S
    return [
        _single(f"cluster: {workers} workers, milliseconds a task beyond its sleep", 1e3 * idle / tasks),
        _single(f"cluster: {workers} workers, share of their time idle, %", 100 * idle / held),
    ]


def _rates(engine: Engine, store: Store, problem: ProblemSource) -> list[Ratio]:
    """Of this process, which is the scheduler and the sweep: processor time a task, and tasks a second at most."""
    spent = _pieces(lambda: run_graph(engine, store, _tasks(problem, EMPTY, 0.0)), time.process_time)
    milliseconds = [1e3 * each / EMPTY for each in spent]
    name = f"cluster: seconds that a task must last so that {MANY:,} workers stay busy"
    return [
        _several("cluster: milliseconds of the processor a task, scheduler and sweep", milliseconds),
        _several("cluster: tasks a second at most, scheduler and sweep", [1e3 / each for each in milliseconds]),
        _several(name, [MANY * each / 1e3 for each in milliseconds]),
    ]


def _stored(store: Store, problem: ProblemSource) -> list[Ratio]:
    """What a task takes a worker beyond its work: locking, four events, one entry on disk."""
    calls = [0]

    def count_calls(event: str, arguments: tuple[object, ...]) -> None:
        calls[0] += event in FILES

    def work() -> None:
        for task in _tasks(problem, EMPTY, 0.0):
            task.run(store)

    spent = [1e3 * each / EMPTY for each in _pieces(work, time.perf_counter)]
    sys.addaudithook(count_calls)
    work()
    return [
        _several("cluster: milliseconds a task in the store, this file system", spent),
        _single("cluster: files opened, made, renamed or removed a task", calls[0] / EMPTY),
    ]


def _pieces(work: Callable[[], object], clock: Callable[[], float]) -> list[float]:
    spent: list[float] = []
    for _ in range(PIECES):
        started = clock()
        work()
        spent.append(clock() - started)
    return spent


def _several(name: str, values: list[float]) -> Ratio:
    return Ratio(name, median(values), min(values), max(values))


def _single(name: str, value: float) -> Ratio:
    return Ratio(name, value, value, value)
