"""Which files of code and data a sweep has read."""

import sys
from collections.abc import Iterator
from pathlib import Path

from airdeliver.data.loading import files_of
from experiments.configuration import Sweep
from experiments.planner import Plan
from experiments.store import modules
from experiments.store.key import described


def sources(sweep: Sweep, plan: Plan) -> Iterator[Path]:
    """Code of this project and of one's own, data, and files that pieces of the sweep were made of.

    Args:
        sweep: what it is about; its configuration files are no part of it, since the command is composed of them anew.
        plan: all of its cells.
    """
    named = {module for stage in plan.stages for module in stage.description["code"]}
    loaded = {name for name in list(sys.modules) if name.partition(".")[0] == "experiments" or modules.is_own(name)}
    yield from {file for module in named | loaded if (file := modules.file_of(module)) is not None}
    yield from files_of(sweep.dataset, sweep.dataset_path)
    yield from described
