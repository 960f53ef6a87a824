"""What each segment got of the channel: `python -m experiments.plans RUN_FOLDER`."""

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.comparisons import CONDITIONS
from experiments.result import segments

if TYPE_CHECKING:
    import pandas as pd

    from experiments.planner import Cell

FILE = "plans.parquet"

ROW = ("segment", "parameters", "sensitivity", "uses_per_parameter", "power", "expected_noise")
"""Of the plan's table: see `airdeliver.links.analog.table.Row`."""

COLUMNS = ("experiment", "scheme", *CONDITIONS, *ROW)


def of(experiment: str, finished: "Iterable[tuple[Cell, Mapping[str, Any]]]") -> "pd.DataFrame":
    """One row for each segment of finished cells: the plan of the first delivery of each.

    Args:
        experiment: its name.
        finished: cells and their records.
    """
    import pandas as pd

    rows = [
        (experiment, cell.scheme, *(getattr(cell, name) for name in CONDITIONS), *(row.get(name) for name in ROW))
        for cell, record in finished
        for row in segments(record)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype({"sensitivity": float, "expected_noise": float})


def main(arguments: list[str] | None = None) -> None:
    """Print the plans of a run.

    Args:
        arguments: of the command line.
    """
    parser = argparse.ArgumentParser(
        prog="python -m experiments.plans",
        description="Print what each segment of a network got of the channel, delivery by delivery.",
    )
    parser.add_argument("folder", type=Path, metavar="RUN_FOLDER", help="such as runs/demo")
    parser.add_argument("--scheme", help="this one alone, such as airnet")
    parser.add_argument("--snr-db", type=float, help="this SNR alone, in dB")
    given = parser.parse_args(arguments)
    path = given.folder / FILE
    if not path.is_file():
        raise SystemExit(f"there is no {path}: give the folder of a sweep, such as runs/demo")
    import pandas as pd

    plans: Any = pd.read_parquet(path)
    for name, value in (("scheme", given.scheme), ("snr_db", given.snr_db)):
        if value is not None and value not in set(plans[name]):
            known = ", ".join(str(other) for other in sorted(set(plans[name])))
            raise SystemExit(f"{path} has no plan with {name} {value}: it has {known}")
        plans = plans if value is None else plans[plans[name] == value]
    show(plans)


def show(plans: Any) -> None:
    """Print a table for every delivery.

    Args:
        plans: rows of such a table.
    """
    from rich.console import Console
    from rich.table import Table

    console = Console(width=None if sys.stdout.isatty() else 140)
    for conditions, group in plans.groupby(["scheme", *CONDITIONS], sort=False, dropna=False):
        told = zip(("scheme", *CONDITIONS), conditions, strict=True)  # type: ignore[arg-type]
        shown = Table(title=", ".join(f"{name.replace('_', ' ')} {value}" for name, value in told))
        for name in ROW:
            shown.add_column(name.replace("_", " "), justify="left" if name == "segment" else "right", no_wrap=True)
        for row in group[list(ROW)].to_dict("records"):
            numbers = ("" if value != value else f"{value:.3g}" for value in list(row.values())[2:])
            shown.add_row(row["segment"], f"{row['parameters']:,}", *numbers)
        console.print(shown)


if __name__ == "__main__":
    main()
