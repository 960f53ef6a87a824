"""The contract of an engine, and the one loop that takes a graph of stages through it."""

import multiprocessing
import threading
import traceback
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airdeliver.budget import BudgetError
from experiments.store import Store, StoreError

if TYPE_CHECKING:
    from experiments.stage import Stage


@dataclass(frozen=True)
class Outcome:
    """How one stage ended.

    Args:
        key: of the stage.
        error: one line, or None if its result is in the store.
        details: the traceback, where there is one.
        fatal: whether nothing else can succeed either (the disk is full, say).
        misfit: whether what was to be sent does not fit its budget: a hole in the table, no fault.
        because: key of the stage whose failure kept this one from being tried.
    """

    key: str
    error: str | None = None
    details: str = ""
    fatal: bool = False
    misfit: bool = False
    because: str | None = None


class Engine(ABC):
    """Does stages, as many at once as it has slots. Results lie in the store; only outcomes come back."""

    slots: int = 1
    """Stages that it works on at once."""

    @abstractmethod
    def open(self, store: Store) -> None:
        """Get ready to work for a store."""

    @abstractmethod
    def submit(self, stage: "Stage") -> None:
        """Take a stage whose needs are finished."""

    @abstractmethod
    def wait(self) -> list[Outcome]:
        """Block until at least one submitted stage has ended."""

    @abstractmethod
    def close(self) -> None:
        """Stop at once; what was being worked on is lost but for its checkpoints."""


def perform(stage: "Stage", store: Store) -> Outcome:
    """Do a stage, wherever this is called; nothing but the user's interrupt escapes.

    Workers leave that to their parent: what interrupts in one of them is a piece of the user's own.
    """
    try:
        stage.run(store)
    except StoreError as error:
        return Outcome(stage.key, str(error), fatal=True)
    except BudgetError as error:
        store.journal.write("misfit", stage=stage.kind, key=stage.key, error=one_line(error))
        return Outcome(stage.key, one_line(error), misfit=True)
    except BaseException as error:  # a failing cell must not stop the others, whatever it raises, or calls sys.exit
        if isinstance(error, KeyboardInterrupt) and not _elsewhere():
            raise
        store.journal.write("failed", stage=stage.kind, key=stage.key, error=one_line(error))
        return Outcome(stage.key, one_line(error), traceback.format_exc())
    return Outcome(stage.key)


def _elsewhere() -> bool:
    """Whether this is another process or thread than the one that a terminal interrupts."""
    return multiprocessing.parent_process() is not None or threading.current_thread() is not threading.main_thread()


def one_line(error: BaseException) -> str:
    """An exception as one line: the library's own messages as they are, others with their kind."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ValueError) and text else f"{type(error).__name__}: {text}"


def run_graph(
    engine: Engine,
    store: Store,
    stages: Iterable["Stage"],
    started: Callable[["Stage"], None] = lambda stage: None,
    ended: Callable[["Stage", Outcome], None] = lambda stage, outcome: None,
) -> list[tuple["Stage", Outcome]]:
    """Do all stages, each after those that it needs; a failing one stops only those that need it.

    Args:
        engine: open.
        store: where finished work lies.
        stages: unfinished ones; a need that is not among them is finished.
        started: called when a stage is handed to the engine.
        ended: called when it has ended.

    Returns:
        The stages that failed, with their outcomes.

    Raises:
        StoreError: the store fails, so that nothing else can succeed.
    """
    graph = _Graph(stages)
    failures: list[tuple[Stage, Outcome]] = []
    running = 0
    while graph.ready or running:
        while graph.ready and running < engine.slots:
            stage = graph.ready.popleft()
            started(stage)
            engine.submit(stage)
            running += 1
        for outcome in engine.wait():
            running -= 1
            if outcome.fatal:
                raise StoreError(outcome.error)
            for stage, result in graph.settle(outcome):
                ended(stage, result)
                failures += [(stage, result)] if result.error else []
    return failures


class _Graph:
    """Which stages wait for which."""

    def __init__(self, stages: Iterable["Stage"]) -> None:
        self.stages = {stage.key: stage for stage in stages}
        self.missing = {key: {n for n in stage.needs if n in self.stages} for key, stage in self.stages.items()}
        self.dependents: dict[str, list[str]] = {}
        for key, needs in self.missing.items():
            for need in needs:
                self.dependents.setdefault(need, []).append(key)
        self.ready = deque(self.stages[key] for key, needs in self.missing.items() if not needs)
        self.settled: set[str] = set()

    def settle(self, outcome: Outcome) -> list[tuple["Stage", Outcome]]:
        """Note how a stage ended: the stages that are settled by it, itself and those that can no longer be done."""
        stage = self.stages[outcome.key]
        ended = [(stage, outcome)]
        self.settled.add(outcome.key)
        for key in self.dependents.get(outcome.key, []):
            if outcome.error is None:
                self.missing[key].discard(outcome.key)
                if not self.missing[key]:
                    self.ready.append(self.stages[key])
            elif key not in self.settled:
                ended += self.settle(self._kept_back(key, stage, outcome))
        return ended

    def _kept_back(self, key: str, stage: "Stage", outcome: Outcome) -> Outcome:
        """How a stage ends that needs one which failed."""
        told = outcome.because or outcome.misfit
        error = outcome.error if told else f"{stage.label} failed: {outcome.error}"
        return Outcome(key, error, misfit=outcome.misfit, because=outcome.because or stage.key)
