"""Measures the published mappings, trains the learned ones, writes table and picture: `python -m tests.mappings`."""

import pandas as pd

from tests.mappings.table import POINTS, measure, publish

if __name__ == "__main__":
    found: list[dict[str, float]] = []
    for row in measure():
        found.append(row)
        pd.DataFrame(found).to_csv(POINTS, index=False)
    publish()
