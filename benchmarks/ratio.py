"""Two pieces of work timed in turns in one process: their ratio says more than either time."""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Ratio:
    """One measured ratio and the bar that it should meet.

    Args:
        name: what is compared with what, as `benchmarks/README.md` explains it.
        value: median over pairs.
        low, high: smallest and largest of the pairs.
        bar: what it should be; `None` if nothing is promised.
        bar_is: whether the bar is a lower or an upper one.
        ours_seconds, baseline_seconds: medians, for a ratio of speeds.
    """

    name: str
    value: float
    low: float
    high: float
    bar: float | None = None
    bar_is: Literal["at least", "at most"] = "at least"
    ours_seconds: float | None = None
    baseline_seconds: float | None = None

    @property
    def met(self) -> bool:
        """Whether the median meets the bar; True without one."""
        if self.bar is None:
            return True
        return self.value >= self.bar if self.bar_is == "at least" else self.value <= self.bar

    def to_json(self) -> str:
        """One JSON line."""
        return json.dumps(asdict(self) | {"met": self.met})

    def __str__(self) -> str:
        bar = "" if self.bar is None else f"  {self.bar_is} {self.bar:g}: {'met' if self.met else 'MISSED'}"
        times = ""
        if self.ours_seconds is not None and self.baseline_seconds is not None:
            times = f"  {self.ours_seconds:.3g} s against {self.baseline_seconds:.3g} s"
        return f"{self.name:<60} {self.value:8.2f}  [{self.low:.2f}, {self.high:.2f}]{bar}{times}"


def speed_ratio(
    name: str,
    ours: Callable[[], object],
    baseline: Callable[[], object],
    *,
    bar: float | None = None,
    pairs: int = 5,
) -> Ratio:
    """How many times as fast as `baseline` `ours` is: baseline's time over ours, median of pairs after a warm-up.

    The two run in turns, and who goes first changes from pair to pair, so that what else the machine does falls on
    both.

    Args:
        name: of the ratio.
        ours, baseline: the same work, done in full when they return.
        bar: what the ratio should at least be.
        pairs: timed pairs, at least 5.

    Raises:
        ValueError: fewer than 5 pairs.
    """
    if pairs < 5:
        raise ValueError(f"a median needs at least 5 pairs, got {pairs}")
    ours()
    baseline()
    times: list[tuple[float, float]] = []
    for pair in range(pairs):
        if pair % 2:
            second = _seconds(baseline)
            first = _seconds(ours)
        else:
            first = _seconds(ours)
            second = _seconds(baseline)
        times.append((first, second))
    ratios = [second / first for first, second in times]
    return Ratio(
        name,
        statistics.median(ratios),
        min(ratios),
        max(ratios),
        bar,
        ours_seconds=statistics.median(first for first, _ in times),
        baseline_seconds=statistics.median(second for _, second in times),
    )


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    result = work()
    elapsed = time.perf_counter() - start
    # Freeing what came back is nobody's work.
    del result
    return elapsed
