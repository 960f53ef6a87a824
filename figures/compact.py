"""What compact networks deliver, over channel uses and values that are not 0."""

import pandas as pd
from matplotlib.figure import Figure

from figures import pareto

EXPERIMENTS = ("compact",)

COSTS = ("channel_uses_spent", "nonzeros")


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: see `figures.pareto.data`."""
    return pareto.data(table, COSTS, "compact")


def draw(table: pd.DataFrame) -> Figure:
    """Draw it, a column of panels for each cost: see `figures.pareto.draw`."""
    return pareto.draw(table, COSTS, "compact")
