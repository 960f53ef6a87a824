"""What quantisers deliver, over the bits of the container and bit operations."""

import pandas as pd
from matplotlib.figure import Figure

from figures import pareto

EXPERIMENTS = ("quantisers",)

COSTS = ("container_bits", "bit_operations")


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: see `figures.pareto.data`."""
    return pareto.data(table, COSTS, "quantisers")


def draw(table: pd.DataFrame) -> Figure:
    """Draw it, a column of panels for each cost: see `figures.pareto.draw`."""
    return pareto.draw(table, COSTS, "quantisers")
