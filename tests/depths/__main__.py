"""Measures the published residuals: `python -m tests.depths [CHANNEL ...]`, piece by piece; what is there is kept."""

import sys

from tests.depths.grid import CHANNELS, DESIGNS_DB, points
from tests.depths.table import publish, write


def main(names: list[str]) -> None:
    for name in names or CHANNELS:
        for design_db in DESIGNS_DB:
            found = list(points(name, design_db))
            write(found)
            sys.stdout.write(f"{name}, {design_db:g} dB: {len(found)} SNRs\n")
            sys.stdout.flush()
    publish()


if __name__ == "__main__":
    main(sys.argv[1:])
