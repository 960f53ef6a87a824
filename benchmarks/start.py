"""How long a person waits before anything happens."""

import statistics
import subprocess
import sys
import tempfile
import time

from benchmarks.ratio import Ratio

REPETITIONS = 5


def measure() -> list[Ratio]:
    """Seconds of `--help`, of repeating a finished sweep of 12 cells, of an import."""
    helps = [_seconds(["-m", "experiments.sweep", "--help"]) for _ in range(REPETITIONS + 1)][1:]
    with tempfile.TemporaryDirectory() as folder:
        sweep = ["-m", "experiments.sweep", "experiment=demo", "scheme=[clean,noise]",
                 "snr_db=[0,10]", "seeds=[0,1,2]", "training.epochs=1", "fine_tuning.epochs=1",
                 "realizations=2", f"store={folder}/store", f"hydra.run.dir={folder}"]  # fmt: skip
        for _ in range(2):  # files that changed seconds before the first are trusted by the second
            _seconds(sweep)
        repeated = [_seconds(sweep) for _ in range(REPETITIONS)]
    imports = [_seconds(["-c", "import airdeliver"]) for _ in range(REPETITIONS)]
    return [
        _at_most(1.5, "start: seconds of --help", helps),
        _at_most(2.0, "start: seconds of a repeat", repeated),
        _at_most(2.5, "start: seconds of import airdeliver", imports),
    ]


def _at_most(bar: float, name: str, seconds: list[float]) -> Ratio:
    return Ratio(name, statistics.median(seconds), min(seconds), max(seconds), bar=bar, bar_is="at most")


def _seconds(arguments: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started
