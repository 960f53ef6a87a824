"""What failed, why, and the command that tries it again."""

import shlex
from collections.abc import Iterable, Iterator

from experiments.choices import choices_of
from experiments.configuration import MARK
from experiments.engine import Outcome
from experiments.planner import Cell, Plan
from experiments.stage import Stage

SHOWN = 10
"""Different causes that are printed."""

PROGRAM = ["python", "-m", "experiments.sweep"]


def report(failures: list[tuple[Stage, Outcome]], plan: Plan, arguments: list[str], folder: str) -> Iterator[str]:
    """Lines for a person: each cause, what failed by it, and the command line of the first such stage.

    Args:
        failures: stages and how they ended.
        plan: of the sweep.
        arguments: its command line.
        folder: of the run.
    """
    if not failures:
        return
    causes = by_cause((stage, outcome) for stage, outcome in failures if outcome.because is None)
    arrived = {cell.stage.key for cell in plan.cells} - {stage.key for stage, _ in failures}
    rest = "the others are in the table" if arrived else "the table is empty"
    yield f"{len(failures)} of the sweep's cells and trainings failed; {rest}"
    for error, alike in list(causes.items())[:SHOWN]:
        stage = alike[0][0]
        kept = sum(other.because in {s.key for s, _ in alike} for _, other in failures)
        more = f" and {len(alike) - 1} more" if len(alike) > 1 else ""
        yield f"  {stage.label}{more}: {error}" + (f" ({kept} need it)" if kept else "")
        yield f"    {command(stage, plan, arguments, folder)}"
    if len(causes) > SHOWN:
        yield f"  and {len(causes) - SHOWN} causes more: provenance.json has all of them"


def by_cause(failures: Iterable[tuple[Stage, Outcome]]) -> dict[str | None, list[tuple[Stage, Outcome]]]:
    """Failed stages of one error together, in the order in which errors were met first."""
    causes: dict[str | None, list[tuple[Stage, Outcome]]] = {}
    for stage, outcome in failures:
        causes.setdefault(outcome.error, []).append((stage, outcome))
    return causes


def command(stage: Stage, plan: Plan, arguments: list[str], folder: str) -> str:
    """The command line that does one stage again: of a training, by way of the first cell that needs it."""
    cell = next(c for c in plan.cells if stage.key in (c.stage.key, *c.stage.needs))
    return shlex.join([*PROGRAM, *only(cell, arguments), f"hydra.run.dir={folder}/again"])


def only(cell: Cell, arguments: list[str]) -> list[str]:
    """The arguments of a sweep narrowed to one cell; a group whose member is no choice of its own stays as it is."""
    scheme, channel = cell.scheme.removesuffix(MARK), cell.channel.removesuffix(MARK)
    wanted = {
        "scheme": f"scheme=[{scheme}]",
        "channel": f"channel=[{channel}]",
        "knowledge": f"knowledge=[{cell.knowledge}]",
        "snr_db": f"snr_db=[{cell.snr_db:g}]",
        "channel_uses": f"channel_uses=[{cell.channel_uses}]",
        "seeds": f"seeds=[{cell.seed}]",
    }
    for group, name in (("scheme", scheme), ("channel", channel)):
        if name not in choices_of(group):
            del wanted[group]
    replaced = (*wanted, "hydra.run.dir")
    return [a for a in arguments if a.partition("=")[0] not in replaced] + list(wanted.values())
