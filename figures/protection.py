"""What protection gains: schemes that favour sensitive segments, against the first scheme of the table."""

import pandas as pd
from matplotlib.figure import Figure

from figures import gains

EXPERIMENTS = ("protection",)


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean accuracy over seeds and gain over the first scheme, with 95 % intervals.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    return gains.gains(table, "protection")


def draw(table: pd.DataFrame) -> Figure:
    """Draw it.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    return gains.draw(data(table))
