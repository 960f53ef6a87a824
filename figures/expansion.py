"""What expansion gains: schemes that send values more than once, against the first scheme of the table."""

import pandas as pd
from matplotlib.figure import Figure

from figures import gains

EXPERIMENTS = ("expansion",)


def data(table: pd.DataFrame) -> pd.DataFrame:
    """What is drawn: mean accuracy over seeds and gain over the first scheme, with 95 % intervals.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    return gains.gains(table, "expansion")


def draw(table: pd.DataFrame) -> Figure:
    """Draw it.

    Raises:
        TableError: a column is missing, or there are no rows.
    """
    return gains.draw(data(table))
