"""What a sweep costs beyond the evaluation of its cells."""

import contextlib
import io
import statistics
import tempfile
import time
from itertools import count
from pathlib import Path

import pyarrow.parquet as parquet

from benchmarks.ratio import Ratio
from experiments.sweep import main

FEW, MANY = 4, 44
REPETITIONS = 5

_SNR_DB = (number / 1000 for number in count())
"""Never the same twice: every cell is one that no sweep has had before."""


def measure() -> list[Ratio]:
    """Milliseconds that one cell more takes beyond delivering and evaluating it.

    Cells of the digits, one after the other in this process, the network already trained: looking up, storing with
    everything on disk, progress and tables.
    """
    with tempfile.TemporaryDirectory() as folder:
        _beyond_evaluation(Path(folder), FEW)
        overheads = [
            1000 * (_beyond_evaluation(Path(folder), MANY) - _beyond_evaluation(Path(folder), FEW)) / (MANY - FEW)
            for _ in range(REPETITIONS)
        ]
    name = "sweep: milliseconds a cell beyond its evaluation"
    return [Ratio(name, statistics.median(overheads), min(overheads), max(overheads), bar=20, bar_is="at most")]


def _beyond_evaluation(folder: Path, cells: int) -> float:
    """Seconds of a sweep of new cells, without those of their evaluations."""
    snr_db = ",".join(str(next(_SNR_DB)) for _ in range(cells))
    arguments = [
        "experiment=demo", "scheme=[clean]", "training.epochs=1", "realizations=4", f"snr_db=[{snr_db}]",
        f"store={folder / 'store'}", f"hydra.run.dir={folder}",
    ]  # fmt: skip
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        main(arguments)
    seconds = time.perf_counter() - started
    return seconds - sum(parquet.read_table(folder / "results.parquet")["evaluate_seconds"].to_pylist())
