"""A sweep from its configuration to its table."""

import io
import time
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType

from airdeliver.data import DataError
from experiments import conforming, earlier, finished, fitting, provenance, table, writing
from experiments.command_line import Command, ConfigurationError
from experiments.configuration import Sweep, configure
from experiments.engine import Outcome, run_graph
from experiments.estimate import estimate
from experiments.failures import report
from experiments.machine import cores, notes, slowdown
from experiments.planner import Plan, plan
from experiments.progress import Progress
from experiments.requirements import refuse_what_is_lacking
from experiments.sources import sources
from experiments.store import Store, StoreError, WriteError, write_bytes
from experiments.store.parsed import parsed_files

if TYPE_CHECKING:
    from experiments.stage import Stage

INTERRUPTED = 130


@contextmanager
def _not_in_silence() -> Iterator[None]:
    """A piece of one's own that calls `sys.exit` where nobody expects it ends the sweep with a line that says so."""
    try:
        yield
    except ConfigurationError:
        raise
    except SystemExit as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        raise ConfigurationError(
            f"{last.filename}, line {last.lineno}, ends the program ({type(error).__name__}: {error.code}): a piece of "
            "one's own raises an error of one line instead"
        ) from error


@_not_in_silence()
def run(command: Command, arguments: list[str], began: float) -> int:
    """Plan, do what is missing, write the table.

    Args:
        command: what was asked for.
        arguments: the command line, for provenance and for messages.
        began: seconds since the epoch, before any file of code or data was read.

    Returns:
        The exit code: 0, 1 if a cell failed or none fits its budget, 130 after Ctrl-C.

    Raises:
        ConfigurationError: one line, for what cannot be done at all.
    """
    console = Console()
    if not console.is_terminal:
        console = Console(width=160)
    started = time.time()
    try:
        sweep = configure(command)
        store = Store(sweep.store)
        parsed_files.remember(store.folder)
        whole = plan(sweep)
        parsed_files.keep()
        planned, misfits = fitting.divided(whole)
        refuse_what_is_lacking(planned)
        if sweep.conformance:
            conforming.examine(sweep, whole, store)
        missing = planned.unfinished(store)
        factor = slowdown(missing, sweep.precision, sweep.device)
        if command.dry_run:
            console.print(estimate(planned, missing, store, _at_once(sweep), factor), highlight=False)
            _say(console, fitting.lines(misfits, len(whole.cells)))
        if command.dry_run or missing:
            _say(console, (f"note: {line}" for line in notes(factor, sweep.threads, _workers_here(sweep))))
        if command.dry_run:
            return 0
        earlier.ready(sweep.folder)
        (sweep.folder / finished.FILE).unlink(missing_ok=True)
        failures, counts = _work(sweep, planned, store, console)
        failures, misfits = fitting.met(planned, failures, misfits)
        done = planned.finished(store)
        results = table.of(sweep.experiment, done, sweep.conformance)
        kept, written = writing.tables(sweep, done, results, misfits)
        if written:
            provenance.write(sweep, arguments, started, counts, failures, misfits)
    except (DataError, StoreError, WriteError, ValueError, OSError) as error:
        raise ConfigurationError(" ".join(str(error).split())) from error
    except KeyboardInterrupt:
        console.print("\ninterrupted: finished work is kept, the same command goes on from here")
        return INTERRUPTED
    lines = list(report(failures, planned, arguments, str(sweep.folder)))
    said: list[RenderableType] = []
    if len(results):
        said += [table.heading(results), table.summary(results, fitting.of(sweep.experiment, misfits))]
        if len(set(results["seed"])) == 2:
            lines.append("note: two seeds tell little of others, their mean has a wide interval: give three or more")
        lines.append(f"results: {sweep.folder / 'results.parquet'} ({len(results)} rows)")
    lines = [*fitting.lines(misfits, len(whole.cells)), *lines]
    _show(console, said, [*([kept] if kept else []), *lines])
    if failures or not len(results):
        return 1
    text = Console(width=console.width, file=io.StringIO(), force_terminal=False)
    _show(text, [_all_there(planned, store), *said], lines)
    _remember(command, text.file.getvalue(), sweep, whole, store, began)  # type: ignore[attr-defined]
    return 0


def _remember(command: Command, text: str, sweep: Sweep, whole: Plan, store: Store, began: float) -> None:
    """Leave in the run folder by what the same sweep is told to be finished."""
    cells = [path for cell in whole.cells if (path := store.path("cell", cell.stage.key)).exists()]
    tables = [path for name in earlier.FILES if (path := sweep.folder / name).exists()]
    content = finished.content_of(command, text, sources(sweep, whole), [*cells, *tables], began)
    path = sweep.folder / finished.FILE
    if content is None:
        path.unlink(missing_ok=True)
    else:
        with suppress(WriteError):
            write_bytes(path, content)


def _show(console: Console, said: Iterable[RenderableType], lines: Iterable[str]) -> None:
    for item in said:
        console.print(item, highlight=False)
    _say(console, lines)


def _all_there(planned: Plan, store: Store) -> str:
    return f"{len(planned.cells)} cells: all of them are in {store.folder}"


def _say(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _workers_here(sweep: Sweep) -> int:
    """Tasks at once that share this machine; 1 where another does the work."""
    elsewhere = any(getattr(sweep.engine, name, None) is not None for name in ("scheduler", "cluster"))
    return 1 if elsewhere else getattr(sweep.engine, "workers", 1)


def _at_once(sweep: Sweep) -> int:
    """Tasks that are worked on at once, without those that would wait for a core of this machine."""
    workers = _workers_here(sweep)
    return sweep.engine.slots if workers == 1 else max(1, min(workers, cores() // sweep.threads))


def _work(
    sweep: Sweep, planned: Plan, store: Store, console: Console
) -> tuple[list[tuple["Stage", Outcome]], dict[str, int]]:
    stages = planned.unfinished(store)
    counts = {"cells": len(planned.cells), "trainings": len(planned.trainings), "computed": len(stages)}
    if not stages:
        if planned.cells:
            console.print(_all_there(planned, store), highlight=False)
        return [], counts
    engine = sweep.engine
    try:
        engine.open(store)
        with Progress(planned, stages, store, console) as progress:
            return run_graph(engine, store, stages, progress.started, progress.ended), counts
    finally:
        engine.close()
