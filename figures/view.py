"""What somebody wants to see of a figure: some schemes, other ends of axes of scores, per cent or not, words below."""

import difflib
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter
from numpy.typing import NDArray

from figures.drawing import BELOW
from figures.score import SCORE_AXIS
from figures.table import TableError

PER_CENT = " (%)"

NO_POINT = ("None", None, "", " ", "_", "|")
"""Markers of lines that have none, and of the ends of intervals."""

MOST_SHARE = 1.5
"""Above it, an end of an axis of shares is meant in per cent."""


class View:
    """Ends and units of every axis that shows a score, and whether words stand below the figure.

    Args:
        ylim: `LOW,HIGH`, in the units of the table (shares from 0 to 1), or, where shares are shown, in per cent; None
            for the figure's own.
        percent: whether shares are said in per cent.
        caption: whether what all of a figure shares stands below it; papers say that in the caption.

    Raises:
        TableError: ends that are no two numbers, the lower first.

    >>> View("0.5").ylim
    Traceback (most recent call last):
    ...
    figures.table.TableError: --ylim takes two numbers, the lower first, such as 0.5,1; got '0.5'
    """

    def __init__(self, ylim: str | None = None, percent: bool = True, caption: bool = True):
        self.percent = percent
        self.caption = caption
        self.ylim: tuple[float, float] | None = None
        if ylim is not None:
            try:
                low, high = (float(part) for part in ylim.split(","))
            except ValueError:
                low = high = math.nan
            if not (math.isfinite(low) and low < high < math.inf):
                raise TableError(f"--ylim takes two numbers, the lower first, such as 0.5,1; got {ylim!r}")
            self.ylim = low, high

    def apply(self, figure: Figure) -> int:
        """Change what a figure shows accordingly; how many points and intervals the ends hide or cut."""
        hidden = 0
        for words in [] if self.caption else figure.findobj(_is_below):
            words.set_visible(False)
            words.set_in_layout(False)
        for axes in figure.axes:
            for axis, limit in ((axes.xaxis, axes.set_xlim), (axes.yaxis, axes.set_ylim)):
                if axis.get_gid() != SCORE_AXIS:
                    continue
                if self.ylim is not None:
                    low, high = self._ends(axis)
                    limit(low, high)
                    hidden += sum(int(((p < low) | (p > high)).sum()) for p in _points(axes, axis is axes.xaxis))
                    hidden += sum(_is_cut(bar, low, high) for bar in _intervals(axes, axis is axes.xaxis))
                if not self.percent:
                    axis.set_major_formatter(ScalarFormatter())
                    axis.set_label_text(axis.get_label_text().removesuffix(PER_CENT))
        return hidden

    def _ends(self, axis: Axis) -> tuple[float, float]:
        """In the units of the table: no share is above 1, so that 60,85 are per cent."""
        assert self.ylim is not None
        low, high = self.ylim
        in_per_cent = high > MOST_SHARE and axis.get_label_text().endswith(PER_CENT)
        return (low / 100, high / 100) if in_per_cent else (low, high)


def _is_below(artist: Artist) -> bool:
    return artist.get_gid() == BELOW


def _points(axes: Axes, along: bool) -> Iterator[NDArray[np.float64]]:
    """Places along one axis of everything that is drawn with a marker."""
    for line in axes.lines:
        if line.get_marker() not in NO_POINT:
            yield np.asarray(line.get_xdata() if along else line.get_ydata(), dtype=np.float64)


def _intervals(axes: Axes, along: bool) -> Iterator[NDArray[np.float64]]:
    """Both ends of every interval that is drawn along one axis."""
    for container in axes.containers:
        bars = container[2] if isinstance(container, ErrorbarContainer) else ()
        for segment in (segment for bar in bars for segment in bar.get_segments()):
            ends = np.asarray(segment)[:, 0 if along else 1]
            if ends[0] != ends[-1]:
                yield ends


def _is_cut(ends: NDArray[np.float64], low: float, high: float) -> bool:
    """Whether an end of an axis hides a part of an interval, but not all of it."""
    return bool(ends.min() < low < ends.max() or ends.min() < high < ends.max())


def chosen(table: pd.DataFrame, schemes: str | None) -> pd.DataFrame:
    """The rows of some schemes; the first that is named comes first.

    Args:
        table: results.
        schemes: names, with commas between them; None for all.

    Raises:
        TableError: a name that the table does not have.

    >>> chosen(pd.DataFrame({"scheme": ["clean", "noise"]}), "nois")
    Traceback (most recent call last):
    ...
    figures.table.TableError: the table has no scheme 'nois', did you mean noise? There are clean, noise
    >>> chosen(pd.DataFrame({"scheme": ["clean"], "title": ["Clean training"]}), "Clean training")
    Traceback (most recent call last):
    ...
    figures.table.TableError: the table has no scheme 'Clean training', that is the title of clean. There are clean
    """
    if schemes is None:
        return table
    there = list(dict.fromkeys(table["scheme"]))
    names = [name.strip() for name in schemes.split(",")]
    for name in names:
        if name not in there:
            near = difflib.get_close_matches(name, there, n=1)
            titled = table["scheme"][table["title"] == name] if "title" in table else near[:0]
            hint = f", did you mean {near[0]}?" if near else "."
            if len(titled):
                hint = f", that is the title of {next(iter(titled))}."
            raise TableError(f"the table has no scheme {name!r}{hint} There are {', '.join(there)}")
    rows: list[Any] = [table[table["scheme"] == name] for name in names]
    return pd.concat(rows, ignore_index=True)
