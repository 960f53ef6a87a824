"""Where a table comes from: everything that can differ between two runs of the same work."""

import json
import os
import platform
import shlex
import subprocess
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.configuration import Sweep
from experiments.failures import by_cause
from experiments.store import write_bytes

if TYPE_CHECKING:
    from experiments.engine import Outcome
    from experiments.planner import Cell
    from experiments.stage import Stage

PACKAGES = ("airdeliver", "torch", "numpy", "sionna", "hydra-core", "safetensors", "pandas", "pyarrow", "distributed")


def write(
    sweep: Sweep,
    arguments: list[str],
    started: float,
    counts: dict[str, int],
    failures: list[tuple["Stage", "Outcome"]],
    misfits: dict[str, list["Cell"]],
) -> None:
    """Write `provenance.json` beside the table.

    Raises:
        WriteError: the disk is full or the folder cannot be written to.
    """
    content: dict[str, Any] = {
        "command": shlex.join(["python", "-m", "experiments.sweep", *arguments]),
        "experiment": sweep.experiment,
        # The configuration says what differs from the defaults of the classes; their objects say all.
        "config": {**sweep.resolved, "schemes": {name: repr(scheme) for name, scheme in sweep.schemes.items()}},
        "seeds": list(sweep.seeds),
        "versions": {"python": platform.python_version(), **_versions()},
        "commit": _commit(),
        "machine": {
            "system": platform.platform(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "threads": sweep.threads,
            "device": sweep.device,
        },
        "started": _clock(started),
        "finished": _clock(time.time()),
        "seconds": round(time.time() - started, 1),
        "work": counts,
        "failures": _failures(failures),
        "cannot_fit": {reason: [cell.stage.label for cell in cells] for reason, cells in misfits.items()},
    }
    write_bytes(sweep.folder / "provenance.json", (json.dumps(content, indent=2) + "\n").encode())


def _failures(failures: list[tuple["Stage", "Outcome"]]) -> list[dict[str, Any]]:
    """One entry a cause: the first stage that failed by it with its traceback, and the labels of all of them."""
    return [
        {
            "stage": alike[0][0].label + (f" and {len(alike) - 1} more" if len(alike) > 1 else ""),
            "error": error,
            "details": alike[0][1].details,
            "stages": [stage.label for stage, _ in alike],
        }
        for error, alike in by_cause(failures).items()
    ]


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _versions() -> dict[str, str]:
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _commit() -> str | None:
    """The commit of this code, marked if files differ from it; None outside of a repository."""
    here = Path(__file__).parent
    try:
        command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
        result = subprocess.run(command, cwd=here, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return result.stdout.strip()
