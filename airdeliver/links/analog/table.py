"""The plan as a table that people read."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass


@dataclass(frozen=True)
class Row:
    """What one segment gets.

    Args:
        segment: its name.
        parameters: its values.
        sensitivity: loss per unit of noise variance on all its values; None if it is not known.
        uses_per_parameter: channel uses of a value, 1/2 for one real channel input; 0 if it travels as side
            information.
        power: mean square of its channel inputs; the mean over all of them is 1.
        expected_noise: error variance per value, in the values' own unit; None at the receiver.
    """

    segment: str
    parameters: int
    sensitivity: float | None
    uses_per_parameter: float
    power: float
    expected_noise: float | None


HEADINGS = ("segment", "parameters", "sensitivity", "uses per parameter", "power", "expected noise")


def render(rows: Sequence[Row]) -> str:
    """The table as text, one line a segment.

    >>> print(render([Row("conv.weight", 216, 12.5, 0.75, 1.0, 0.0012)]))
    segment      parameters  sensitivity  uses per parameter  power  expected noise
    conv.weight         216         12.5               0.750  1.000          0.0012
    """
    cells = [HEADINGS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(HEADINGS))]
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:]))]).rstrip()
        for line in cells
    )


def _cells(row: Row) -> tuple[str, ...]:
    name, parameters, sensitivity, uses, power, noise = astuple(row)
    told = ["" if number is None else f"{number:.3g}" for number in (sensitivity, noise)]
    return (name, f"{parameters:,}", told[0], f"{uses:.3f}", f"{power:.3f}", told[1])
