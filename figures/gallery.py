"""Which figures there are, and of which experiments they are."""

import difflib
from collections.abc import Callable
from importlib import import_module
from typing import Protocol, cast

import pandas as pd
from matplotlib.figure import Figure

from figures.table import TableError

NAMES = ("snr",)


class Drawing(Protocol):
    """A module that draws one figure.

    Attributes:
        EXPERIMENTS: whose tables it draws, the first one if none is given.
        data: what is drawn, from a table of results.
        draw: the figure, from a table of results.
    """

    EXPERIMENTS: tuple[str, ...]
    data: Callable[[pd.DataFrame], pd.DataFrame]
    draw: Callable[[pd.DataFrame], Figure]


def drawing(name: str) -> Drawing:
    """The module of a figure.

    Raises:
        TableError: there is none of that name.

    >>> drawing("snr").EXPERIMENTS[0]
    'snr'
    """
    if name not in NAMES:
        near = difflib.get_close_matches(name, NAMES, n=1, cutoff=0.5)
        hint = f", did you mean {near[0]}?" if near else ""
        raise TableError(f"unknown figure {name!r}{hint}; there are {', '.join(NAMES)}")
    return cast(Drawing, import_module(f"figures.{name}"))


def figures_of(experiment: str) -> list[str]:
    """The figures that draw the table of an experiment.

    >>> figures_of("demo")
    ['snr']
    """
    return [name for name in NAMES if experiment in drawing(name).EXPERIMENTS]
