"""Which figures there are, and of which tables they are drawn."""

import difflib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import pandas as pd
from matplotlib.figure import Figure

from figures.table import TableError, read

NAMES = (
    "snr", "bandwidth", "bits_per_parameter", "mismatch", "fading", "channels", "estimation", "expansion",
    "protection", "ablation", "spectrum", "elastic", "segmentation", "resolutions", "winner", "latency", "city",
    "compact", "quantisers", "planes", "pareto", "tasks", "split", "session", "update",
)  # fmt: skip

RESULTS = "results.parquet"


class Drawing(Protocol):
    """A module that draws one figure.

    It may have `TABLE`, the name of a file beside the table of results that it draws instead.

    Attributes:
        EXPERIMENTS: whose tables it draws.
        data: what is drawn, from a table.
        draw: the figure, from the same table.
    """

    EXPERIMENTS: tuple[str, ...]
    data: Callable[..., pd.DataFrame]
    draw: Callable[..., Figure]


def drawing(name: str) -> Drawing:
    """The module of a figure.

    Raises:
        TableError: there is none of that name.

    >>> drawing("sn")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    figures.table.TableError: unknown figure 'sn', did you mean snr? There are snr, bandwidth, bits_per_parameter, \
mismatch, ...
    """
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.5)
        hint = f", did you mean {near[0]}?" if near else ":"
        raise TableError(f"unknown figure {name!r}{hint} There are {', '.join(NAMES)}")
    return cast(Drawing, import_module(f"figures.{name}"))


def figures_of(experiment: str) -> list[str]:
    """The figures that draw the table of an experiment.

    >>> figures_of("bandwidth")
    ['bandwidth', 'bits_per_parameter', 'winner', 'latency']
    """
    return [name for name in NAMES if experiment in drawing(name).EXPERIMENTS]


def table_for(name: str, results: Path) -> pd.DataFrame:
    """The table that a figure draws: the given one, or the file beside it that the figure says.

    Raises:
        TableError: there is no such figure or file, or it is no table.
    """
    beside = getattr(drawing(name), "TABLE", results.name)
    return read(results.with_name(beside) if results.name == RESULTS else results)


def results_of(name: str, runs: Path = Path("runs")) -> Path:
    """The first table of results that there is of the figure's experiments.

    Raises:
        TableError: there is no such figure.
    """
    paths = [runs / experiment / RESULTS for experiment in drawing(name).EXPERIMENTS]
    return next((path for path in paths if path.is_file()), paths[0])
