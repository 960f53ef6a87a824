"""What the person sees while a sweep runs."""

import threading
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from experiments.engine import Outcome
from experiments.planner import Plan
from experiments.stage import Stage
from experiments.store import Store

SECONDS = 0.5
"""Between two looks into the journal."""


class Progress:
    """A bar for the cells and one for each running training, whose epochs come from the store's journal.

    Without a terminal, a line for each training and for each tenth of the cells.

    Args:
        plan: of the sweep.
        stages: what is left to do.
        store: whose journal is followed.
        console: where it is shown.
    """

    def __init__(self, plan: Plan, stages: list[Stage], store: Store, console: Console) -> None:
        self.console, self.store = console, store
        self.cells = len({cell.stage.key for cell in plan.cells})
        self.done = self.cells - sum(stage.kind == "cell" for stage in stages)
        self.position = self.store.journal.follow(0)[1]
        self.bars = Bars(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            TimeRemainingColumn(), console=console, disable=not console.is_terminal,
        )  # fmt: skip
        self.total = self.bars.add_task("cells", total=self.cells, completed=self.done)
        self.running: dict[str, TaskID] = {}
        self.causes: set[str] = set()
        self.finished = threading.Event()
        self.watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "Progress":
        self.bars.start()
        self.watcher.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finished.set()
        self.watcher.join()
        self.bars.stop()

    def started(self, stage: Stage) -> None:
        """A stage is handed to the engine."""
        if stage.kind == "training":
            self.running[stage.key] = self.bars.add_task(stage.label, total=stage.amount)
            self._say(f"{stage.label}: {stage.amount:g} epochs")

    def ended(self, stage: Stage, outcome: Outcome) -> None:
        """A stage has ended."""
        if outcome.error and outcome.because is None and outcome.error not in self.causes:
            # Each cause once; how many stages it stopped is told at the end.
            self.causes.add(outcome.error)
            what = "does not fit" if outcome.misfit else "failed"
            line = f"{what}: {stage.label}: {outcome.error}"
            self.console.print(line, markup=False, highlight=False, soft_wrap=True)
        if stage.kind == "training":
            if stage.key in self.running:
                self.bars.remove_task(self.running.pop(stage.key))
            return
        self.done += 1
        self.bars.update(self.total, completed=self.done)
        if self.done * 10 // self.cells > (self.done - 1) * 10 // self.cells:
            self._say(f"{self.done} of {self.cells} cells")

    def _say(self, line: str) -> None:
        if not self.console.is_terminal:
            self.console.print(line, markup=False, highlight=False)

    def _watch(self) -> None:
        while not self.finished.wait(SECONDS):
            events, self.position = self.store.journal.follow(self.position)
            for event in events:
                bar = self.running.get(event.get("key", ""))
                if bar is not None and event.get("event") in ("epoch", "resumed"):
                    self.bars.update(bar, completed=event.get("epoch"))
