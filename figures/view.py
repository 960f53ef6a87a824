"""What somebody wants to see of a figure: some schemes, other ends of the axes of scores, shares or per cent."""

import difflib
import math
from typing import Any

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from figures.score import SCORE_AXIS
from figures.table import TableError

PER_CENT = " (%)"


class View:
    """Ends and units of every axis that shows a score.

    Args:
        ylim: `LOW,HIGH`, in the units of the table (shares from 0 to 1); None for the figure's own.
        percent: whether shares are said in per cent.

    Raises:
        TableError: ends that are no two numbers, the lower first.

    >>> View("0.5").ylim
    Traceback (most recent call last):
    ...
    figures.table.TableError: --ylim takes two numbers, the lower first, such as 0.5,1; got '0.5'
    """

    def __init__(self, ylim: str | None = None, percent: bool = True):
        self.percent = percent
        self.ylim: tuple[float, float] | None = None
        if ylim is not None:
            try:
                low, high = (float(part) for part in ylim.split(","))
            except ValueError:
                low = high = math.nan
            if not (math.isfinite(low) and low < high < math.inf):
                raise TableError(f"--ylim takes two numbers, the lower first, such as 0.5,1; got {ylim!r}")
            self.ylim = low, high

    def apply(self, figure: Figure) -> None:
        """Change what a figure shows accordingly."""
        for axes in figure.axes:
            for axis, limit in ((axes.xaxis, axes.set_xlim), (axes.yaxis, axes.set_ylim)):
                if axis.get_gid() != SCORE_AXIS:
                    continue
                if self.ylim is not None:
                    limit(*self.ylim)
                if not self.percent:
                    axis.set_major_formatter(ScalarFormatter())
                    axis.set_label_text(axis.get_label_text().removesuffix(PER_CENT))


def chosen(table: pd.DataFrame, schemes: str | None) -> pd.DataFrame:
    """The rows of some schemes, in the order in which they are named.

    Args:
        table: results.
        schemes: names, with commas between them; None for all.

    Raises:
        TableError: a name that the table does not have.

    >>> chosen(pd.DataFrame({"scheme": ["clean", "noise"]}), "nois")
    Traceback (most recent call last):
    ...
    figures.table.TableError: the table has no scheme 'nois', did you mean noise? There are clean, noise
    """
    if schemes is None:
        return table
    there = list(dict.fromkeys(table["scheme"]))
    names = [name.strip() for name in schemes.split(",")]
    for name in names:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=1)
            hint = f", did you mean {near[0]}?" if near else ":"
            raise TableError(f"the table has no scheme {name!r}{hint} There are {', '.join(there)}")
    rows: list[Any] = [table[table["scheme"] == name] for name in names]
    return pd.concat(rows, ignore_index=True)
