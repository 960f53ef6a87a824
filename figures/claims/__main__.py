"""Reproduce claims: `python -m figures.claims [NAME ...] [--dataset digits] [--published] [--out FOLDER]`."""

import argparse
import difflib
from pathlib import Path

import pandas as pd

from figures.__main__ import IS_CLONE, OUT, write
from figures.claims import CLAIMS, Claim
from figures.claims.tables import published
from figures.gallery import figures_of
from figures.table import TableError, read

STARRED = (
    "  (*: with settings that the command which made the table changed; published tables begin with that command)\n"
)
"""Said below a verdict that names such a scheme."""


def main(arguments: list[str] | None = None) -> None:
    """Run what is missing, draw the figure, print the verdict of each claim.

    Args:
        arguments: of the command line.
    """
    options = _parser().parse_args(arguments)
    names = list(CLAIMS) if options.names in ([], ["all"]) else options.names
    for name in names:
        if name not in CLAIMS:
            near = difflib.get_close_matches(name, CLAIMS, n=1)
            hint = f", did you mean {near[0]}?" if near else ":"
            raise SystemExit(f"unknown claim {name!r}{hint} There are {', '.join(CLAIMS)}")
    refused = []
    for name in names:
        claim = CLAIMS[name]
        try:
            table = published(claim, options.dataset) if options.published else _run(claim, options)
            figure = figures_of(claim.experiment_on(options.dataset))[0]
            picture = write(figure, table, "paper", (options.out or OUT / "claims") / name)[1]
            verdict = str(claim.judgement.verdict(table))
            print(f"{name}: {claim.says}\n  {verdict}\n{STARRED * ('*' in verdict)}  {picture}")
        except (TableError, OSError) as error:
            refused.append(f"{name}: {' '.join(str(error).split())}")
    if refused:
        raise SystemExit("\n".join(refused))


def _run(claim: Claim, options: argparse.Namespace) -> pd.DataFrame:
    from experiments.sweep import main as sweep

    folder = options.runs / f"claim_{claim.experiment_on(options.dataset)}_{options.dataset}"
    sweep([*claim.command(options.dataset), *options.overrides, f"hydra.run.dir={folder}"])
    return read(folder / "results.parquet")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m figures.claims",
        description="Reproduce claims: runs what is missing, draws the figure, prints the verdict with its interval.",
        epilog=f"Claims: {', '.join(CLAIMS)}, or all.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--dataset", default="digits", help="default: digits; cifar10 takes hours on two cores")
    parser.add_argument("--published", action="store_true", help="judge the published table and run nothing")
    parser.add_argument("--runs", type=Path, default=Path("runs"), metavar="FOLDER", help="default: runs")
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="of the pictures, a folder for each claim; default: "
                        f"{'figures/out' if IS_CLONE else OUT}/claims")  # fmt: skip
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE",
                        help="further arguments of the sweep, such as dataset.path=FOLDER")  # fmt: skip
    return parser


if __name__ == "__main__":
    main()
