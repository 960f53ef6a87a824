"""Draw figures: `python -m figures [NAME ...] [--results FILE] [--style paper|slides]`."""

import argparse
import math
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd

from airdeliver.cost.carrier import Carrier
from figures.drawing import STYLES, of_width
from figures.gallery import NAMES, drawing, figures_of, results_of, table_for
from figures.pareto import COSTS
from figures.table import TableError, read
from figures.view import View, chosen

IS_CLONE = (Path(__file__).parents[1] / "pyproject.toml").is_file()

NARROWEST, WIDEST = 2, 30
"""Inches that a figure may be wide."""

OUT = Path(__file__).parent / "out" if IS_CLONE else Path("runs") / "figures"
"""Where figures go: an installed package is no place for them."""


def main(arguments: list[str] | None = None) -> None:
    """Draw what is asked for; ends with one line for each figure that cannot be drawn.

    Args:
        arguments: of the command line.
    """
    options = _parser().parse_args(arguments)
    refused = []
    try:
        view = View(options.ylim, options.percent, options.caption)
        carrier = Carrier(options.bandwidth_mhz, options.numerology)
        wanted = _wanted(options.names, options.results)
    except ValueError as error:
        raise SystemExit(str(error)) from error
    for name, results in wanted:
        try:
            extra = {"latency": {"carrier": carrier}, "pareto": {"costs": options.costs}}.get(name, {})
            table = chosen(table_for(name, results), options.schemes)
            for path in write(name, table, options.style, options.out, view, options.width, **extra):
                print(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
        except (TableError, OSError) as error:
            refused.append(" ".join(str(error).split()))
    if refused:
        raise SystemExit("\n".join(refused))


def write(
    name: str,
    table: pd.DataFrame,
    style: str,
    folder: Path,
    view: View | None = None,
    width: float | None = None,
    **extra: Any,
) -> list[Path]:
    """Draw one figure into NAME.pdf, NAME.png and NAME.csv.

    Args:
        name: of the figure.
        table: that it draws.
        style: paper or slides.
        folder: made if it is not there.
        view: of axes that show scores; None for what the figure chose.
        width: of the whole figure, in inches; None for the style's.
        extra: what this figure takes besides a table.

    Raises:
        TableError: the table lacks what the figure needs.
        OSError: the folder cannot be written to.
    """
    module = drawing(name)
    paths = [folder / f"{name}.{ending}" for ending in ("pdf", "png", "csv")]
    with matplotlib.rc_context(fname=STYLES[style]), of_width(width):
        figure = module.draw(table, **extra)
        view = View() if view is None else view
        hidden = view.apply(figure)
        if hidden and view.ylim is not None:
            print(f"{name}: {hidden} points and intervals reach beyond {view.ylim[0]:g},{view.ylim[1]:g}")
        if not view.caption and figure.get_supxlabel():
            print(f"{name}, for the caption: {' '.join(figure.get_supxlabel().split())}")
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise type(error)(f"--out {folder} cannot be made a folder ({error.strerror}): give another") from error
        figure.savefig(paths[0], metadata={"CreationDate": None})
        figure.savefig(paths[1])
    module.data(table, **extra).to_csv(paths[2], index=False, float_format="%.6g")
    return paths


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m figures",
        description="Draw figures from tables of results: a PDF and a PNG, with the data drawn as CSV beside them.",
        epilog=f"Figures: {', '.join(NAMES)}. Without a name: those of the table's experiment, or, without a table, "
        "all whose experiments have been run.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--results", type=Path, metavar="FILE", help="default: runs/EXPERIMENT/results.parquet")
    parser.add_argument("--style", choices=sorted(STYLES), default="paper", help="default: paper")
    parser.add_argument(
        "--out", type=Path, default=OUT, metavar="FOLDER", help=f"default: {'figures/out' if IS_CLONE else OUT}"
    )
    parser.add_argument(
        "--costs", nargs="+", default=COSTS, metavar="COLUMN", help=f"of pareto, default: {' '.join(COSTS)}"
    )
    parser.add_argument(
        "--width",
        type=_inches,
        metavar="INCHES",
        help="of the whole figure, such as 3.5 for one column of a paper, panels one below the other, or 7 for two; "
        "default: one column, two for several panels",
    )
    parser.add_argument("--schemes", metavar="A,B", help="draw these alone; default: all")
    parser.add_argument(
        "--ylim", metavar="LOW,HIGH", help="ends of axes that show scores, such as 0.5,1 or 50,100 in per cent"
    )
    parser.add_argument("--percent", action=argparse.BooleanOptionalAction, default=True, help="say shares in per cent")
    parser.add_argument(
        "--caption",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="write below a figure, in small grey lines, what all of it shares; otherwise these are printed",
    )
    parser.add_argument("--bandwidth-mhz", type=float, default=20, metavar="MHZ", help="of latency, default: 20")
    parser.add_argument("--numerology", type=int, default=1, metavar="N", help="of latency, 0 to 3, default: 1")
    return parser


def _inches(text: str) -> float:
    try:
        width = float(text)
    except ValueError:
        width = math.nan
    if not NARROWEST <= width <= WIDEST:
        raise argparse.ArgumentTypeError(f"a width in inches between {NARROWEST} and {WIDEST}, got {text!r}")
    return width


def _wanted(names: list[str], results: Path | None) -> list[tuple[str, Path]]:
    """Figures and the tables of results that they are of."""
    if results is not None:
        return [(name, results) for name in names or _figures_of(results)]
    if names:
        return [(name, results_of(name)) for name in names]
    there = [(name, results_of(name)) for name in NAMES if results_of(name).is_file()]
    if not there:
        raise TableError("there are no tables under runs/: run `python -m experiments.sweep`, or give --results FILE")
    return there


def _figures_of(results: Path) -> list[str]:
    table = read(results)
    experiments = dict.fromkeys(table["experiment"]) if "experiment" in table else {}
    names = dict.fromkeys(name for experiment in experiments for name in figures_of(str(experiment)))
    if not names:
        raise TableError(f"{results} does not say which figure it is for: name one of {', '.join(NAMES)}")
    # Nobody wins alone; asked for by name, the figure says so.
    sides = set(table["side"]) if "side" in table else {""}
    alone = len(set(table["scheme"])) < 2 or (len(sides) < 2 and sides != {""})
    digital = "digital" in sides
    return [name for name in names if not (alone and name == "winner") and (digital or name != "bits_per_parameter")]


if __name__ == "__main__":
    main()
