"""What is tried, and how often: 10,000 trials in all."""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import arguments, command_lines, data_sets, models, recordings
from tests.fuzz.trial import Case, fault_of


@dataclass(frozen=True)
class Kind:
    """A kind of trials.

    Args:
        case: makes the trial of a number; its files go into the folder.
        trials: of a whole run.
        slice: trials of `make test`.
    """

    case: Callable[[int, Path], Case]
    trials: int
    slice: int


KINDS = {
    "models": Kind(models.case, 2400, 12),
    "secrets": Kind(models.secret, 400, 42),
    "pruning": Kind(models.pruned, 300, 6),
    "deliver": Kind(arguments.delivered, 1400, 20),
    "evaluate": Kind(arguments.evaluated, 1400, 40),
    "recordings": Kind(recordings.case, 1800, 40),
    "data sets": Kind(data_sets.case, 600, 4),
    "data arguments": Kind(data_sets.asked, 600, 20),
    "command lines": Kind(command_lines.case, 1100, 2),
}


def faults(kind: str, numbers: range) -> Iterator[tuple[int, str]]:
    """What is found in these trials of one kind."""
    with tempfile.TemporaryDirectory() as folder:
        for number in numbers:
            found = fault_of(KINDS[kind].case(number, Path(folder)))
            if found is not None:
                yield number, found
