"""Peak memory of a piece of work, measured in a process of its own."""

import multiprocessing
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any


def in_fresh_process(work: Callable[..., Any], *arguments: Any) -> Any:
    """What `work(*arguments)` returns in a process that has done nothing else."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as fresh:
        return fresh.submit(work, *arguments).result()


def resident_bytes() -> int:
    """Memory that this process holds."""
    return _status("VmRSS")


def most_resident_bytes() -> int:
    """The most memory that this process ever held."""
    return _status("VmHWM")


def forget_most_resident() -> None:
    """Begin anew with the most memory that this process ever held: at what it holds now."""
    Path("/proc/self/clear_refs").write_text("5")


def _status(field: str) -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == field:
            return int(value.split()[0]) * 1024
    raise OSError(f"no {field} in /proc/self/status: memory is measured on Linux only")
