"""What a sweep would do, and how long it might take."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterable

from experiments.planner import Plan
from experiments.stage import Stage
from experiments.store import Store


def estimate(plan: Plan, missing: list[Stage], store: Store, slots: int, slowdown: float = 1.0) -> str:
    """The plan in a few lines: cells, trainings, what is there already, and an estimate of time.

    Args:
        plan: of the sweep.
        missing: what of it is not in the store.
        store: where finished work lies.
        slots: stages that are worked on at once.
        slowdown: time of bfloat16 over that of float32 on this machine, where the store knows float32 alone.
    """
    cells = {cell.stage.key for cell in plan.cells}
    trainings = [stage for stage in missing if stage.kind == "training"]
    left = len(missing) - len(trainings)
    lines = [
        f"{len(plan.cells)} cells ({len(cells) - left} in the store, {left} to evaluate)",
        f"{len(plan.trainings)} trainings ({len(trainings)} to do)",
        *(f"  {stage.label}: {stage.amount:g} epochs" for stage in trainings[:20]),
        *([f"  and {len(trainings) - 20} more"] if len(trainings) > 20 else []),
        _time(missing, store, slots, slowdown),
    ]
    return "\n".join(lines)


def _time(missing: list[Stage], store: Store, slots: int, slowdown: float) -> str:
    if not missing:
        return "time: nothing is left to do"
    rates = seconds_per_unit(store)
    for stage in missing:
        plain = stage.like.replace(", bfloat16,", ", float32,")
        if stage.like not in rates and plain in rates:
            rates[stage.like] = rates[plain] * slowdown
    unknown = Counter(stage.kind for stage in missing if stage.like not in rates)
    seconds = sum(rates.get(stage.like, 0.0) * stage.amount for stage in missing) / slots
    if not unknown:
        return f"time: about {_duration(seconds)}, from like work in the store"
    kinds = " and ".join(f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in sorted(unknown.items()))
    rest = f"; the rest takes about {_duration(seconds)}" if seconds else ""
    return (
        f"time: unknown, the store has seen no work like {kinds}{rest}. The sweep can be stopped and goes on where it "
        "stopped: ask again when the first is done"
    )


def seconds_per_unit(store: Store) -> dict[str, float]:
    """Median seconds an epoch, or a realization, of each like work that the journal has seen."""
    seen: dict[str, list[float]] = defaultdict(list)
    for event in _finished(store):
        if event.get("amount"):
            seen[str(event["like"])].append(float(event["seconds"]) / float(event["amount"]))
    return {like: statistics.median(values) for like, values in seen.items()}


def _finished(store: Store) -> Iterable[dict]:
    return (event for event in store.journal.read() if event.get("event") == "finished" and "like" in event)


def _duration(seconds: float) -> str:
    """
    >>> _duration(50), _duration(300), _duration(9000)
    ('50 s', '5 min', '2.5 h')
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
