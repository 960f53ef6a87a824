"""Figures: pictures from result tables; `sweep` makes a table and its picture in one call."""

from figures.notebook import Swept, sweep

__all__ = ["Swept", "sweep"]
