"""Draw figures: `python -m figures [NAME ...] [--results FILE] [--style paper|slides]`."""

import argparse
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import pandas as pd

from figures.drawing import STYLES
from figures.gallery import NAMES, drawing, figures_of
from figures.table import TableError, read

OUT = Path(__file__).parent / "out"


def main(arguments: list[str] | None = None) -> None:
    """Draw what is asked for; ends with one line if that cannot be.

    Args:
        arguments: of the command line.
    """
    parser = argparse.ArgumentParser(
        prog="python -m figures",
        description="Draw figures from tables of results, as PDF and PNG with their data beside them.",
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"{', '.join(NAMES)}; default: what there are tables for"
    )
    parser.add_argument("--results", type=Path, metavar="FILE", help="default: runs/EXPERIMENT/results.parquet")
    parser.add_argument("--style", choices=sorted(STYLES), default="paper")
    parser.add_argument("--out", type=Path, default=OUT, metavar="FOLDER", help="default: figures/out")
    options = parser.parse_args(arguments)
    try:
        for name, table in _wanted(options.names, options.results):
            for path in write(name, table, options.style, options.out):
                print(path)
    except (TableError, OSError) as error:
        raise SystemExit(" ".join(str(error).split())) from error


def write(name: str, table: pd.DataFrame, style: str, folder: Path) -> list[Path]:
    """Draw one figure into NAME.pdf, NAME.png and NAME.csv.

    Raises:
        TableError: the table lacks what the figure needs.
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    chosen = drawing(name)
    with matplotlib.rc_context(fname=STYLES[style]):
        figure = chosen.draw(table)
        paths = [folder / f"{name}.{ending}" for ending in ("pdf", "png", "csv")]
        figure.savefig(paths[0], metadata={"CreationDate": None})
        figure.savefig(paths[1])
    chosen.data(table).to_csv(paths[2], index=False, float_format="%.6g")
    return [path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path for path in paths]


def _wanted(names: list[str], results: Path | None) -> Iterator[tuple[str, pd.DataFrame]]:
    """Figures and their tables."""
    if results is not None:
        table = read(results)
        for name in names or _figures_of(table, results):
            yield name, table
        return
    there = [name for name in NAMES if _default(name).is_file()]
    if not names and not there:
        raise TableError(
            "there are no tables under runs/: run `python -m experiments.sweep` first, or give --results FILE"
        )
    for name in names or there:
        yield name, read(_default(name))


def _default(name: str) -> Path:
    """The first table that there is of the figure's experiments."""
    paths = [Path("runs") / experiment / "results.parquet" for experiment in drawing(name).EXPERIMENTS]
    return next((path for path in paths if path.is_file()), paths[0])


def _figures_of(table: pd.DataFrame, results: Path) -> list[str]:
    experiments = list(dict.fromkeys(table["experiment"])) if "experiment" in table else []
    names = [name for experiment in experiments for name in figures_of(experiment)]
    if not names:
        raise TableError(f"{results} does not say which figure it is for: name one of {', '.join(NAMES)}")
    return list(dict.fromkeys(names))


if __name__ == "__main__":
    main()
