"""The published points, what they add up to for each channel, and the page that shows it."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.depths.grid import CHANNELS, DESIGNS_DB, Arrived, Point

POINTS = Path(__file__).parent / "points.csv"
PAGE = Path(__file__).parents[2] / "docs" / "abstraction.md"
BEGIN = "<!-- written by python -m tests.depths -->\n"

_HEAD = ("channel", "design_db", "snr_db", "count", "full_usable", "full_whole", "usable", "whole")


@dataclass(frozen=True)
class Residual:
    """By how much the abstraction misses the full chain on one channel at one grade.

    Args:
        channel: name.
        design_db: SNR that the grade is for.
        points: SNRs that were compared.
        missed: of the two shares at each of them, those outside of the 99 % interval of their difference.
        worst: greatest difference of a share, abstraction less full.
        worst_db: SNR in dB at which.
        shift_db: by how many dB the abstraction's waterfall is above (late) or below (early) the full chain's: the area
            between the two curves of whole deliveries.
        shift_error_db: standard error of it.
    """

    channel: str
    design_db: float
    points: int
    missed: int
    worst: float
    worst_db: float
    shift_db: float
    shift_error_db: float


def apart(a: float, b: float, count: int) -> bool:
    """Whether two shares lie outside of the 99 % interval of their difference, Agresti and Caffo's."""
    a, b = ((share * count + 1) / (count + 2) for share in (a, b))
    return abs(a - b) > 2.576 * math.sqrt((a * (1 - a) + b * (1 - b)) / (count + 2))


def residual(points: Sequence[Point]) -> Residual:
    """Of all points of one channel and grade."""
    points = sorted(points, key=lambda p: p.snr_db)
    pairs = [(p, a, b) for p in points for a, b in zip(_shares(p.abstraction), _shares(p.full), strict=True)]
    worst, _, worst_db = max((abs(a - b), a - b, p.snr_db) for p, a, b in pairs)
    signed = next(a - b for p, a, b in pairs if abs(a - b) == worst and p.snr_db == worst_db)
    steps = [_step(points, i) for i in range(len(points))]
    shift = sum(step * (p.full.whole - p.abstraction.whole) for step, p in zip(steps, points, strict=True))
    variance = sum(
        step**2 * (_variance(p.full) + _variance(p.abstraction)) for step, p in zip(steps, points, strict=True)
    )
    missed = sum(apart(a, b, p.full.count) for p, a, b in pairs)
    one = points[0]
    return Residual(one.channel, one.design_db, len(points), missed, signed, worst_db, shift, math.sqrt(variance))


def _shares(arrived: Arrived) -> tuple[float, float]:
    return arrived.usable, arrived.whole


def _variance(arrived: Arrived) -> float:
    share = (arrived.whole * arrived.count + 1) / (arrived.count + 2)
    return share * (1 - share) / arrived.count


def _step(points: Sequence[Point], i: int) -> float:
    """Of the trapezoidal rule, in dB."""
    left, right = points[max(i - 1, 0)].snr_db, points[min(i + 1, len(points) - 1)].snr_db
    return (right - left) / 2


def read() -> list[Point]:
    """The points that are there."""
    if not POINTS.exists():
        return []
    with POINTS.open(newline="", encoding="utf-8") as file:
        return [
            Point(
                row["channel"],
                float(row["design_db"]),
                float(row["snr_db"]),
                Arrived(float(row["full_usable"]), float(row["full_whole"]), int(row["count"])),
                Arrived(float(row["usable"]), float(row["whole"]), int(row["count"])),
            )
            for row in csv.DictReader(file)
        ]


def write(found: Sequence[Point]) -> None:
    """Put points in the place of those of the same channels and grades."""
    replaced = {(p.channel, p.design_db) for p in found}
    kept = [p for p in read() if p.channel in CHANNELS and (p.channel, p.design_db) not in replaced]
    order = list(CHANNELS)
    every = sorted([*kept, *found], key=lambda p: (order.index(p.channel), p.design_db, p.snr_db))
    with POINTS.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(_HEAD)
        for p in every:
            shares = (*_shares(p.full), *_shares(p.abstraction))
            rows.writerow([p.channel, p.design_db, p.snr_db, p.full.count, *(f"{share:.4f}" for share in shares)])


def residuals() -> list[Residual]:
    """Of every channel and grade that there are points of, in the order of the channels."""
    every = read()
    groups = [[p for p in every if (p.channel, p.design_db) == (c, d)] for c in CHANNELS for d in DESIGNS_DB]
    return [residual(group) for group in groups if group]


def line(row: Residual) -> str:
    """A row of the page's table."""
    grade = {0.0: "QPSK", 12.0: "16-QAM"}[row.design_db]
    return (
        f"| {row.channel} | {grade} | {row.points} | {row.missed} of {2 * row.points} | "
        f"{row.worst:+.2f} at {row.worst_db:g} dB | {row.shift_db:+.2f} ± {1.96 * row.shift_error_db:.2f} |"
    )


def publish() -> None:
    """Write the table into the page, if there is one."""
    if not PAGE.exists():
        return
    before = PAGE.read_text(encoding="utf-8").split(BEGIN)[0]
    PAGE.write_text(before + BEGIN + table(), encoding="utf-8")


def table() -> str:
    """The page's table."""
    head = (
        "\n| channel | symbols | SNRs | apart | greatest difference | shift in dB |\n"
        "| --- | --- | ---: | ---: | ---: | ---: |\n"
    )
    return head + "".join(f"{line(row)}\n" for row in residuals())
