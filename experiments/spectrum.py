"""`python -m experiments.spectrum FILE`: look into a spectrum, write one from a finished sweep, cut a member out."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from airdeliver.spectrum import SpectrumPackage


def main(arguments: list[str] | None = None) -> None:
    """Print a spectrum as a table; ends with one line if that cannot be.

    Args:
        arguments: of the command line.
    """
    options = _parser().parse_args(arguments)
    if (options.cut is None) != (options.out is None):
        raise SystemExit("--cut MEMBER and --out FILE belong together: give both")
    from airdeliver.spectrum import load, save, save_member

    try:
        if options.sweep is not None:
            save(packed(options.sweep), options.file)
        package = load(options.file, options.trust)
        if options.out is None:
            show(package)
        else:
            print(save_member(package, options.cut, options.out))
    except (ValueError, OSError) as error:
        raise SystemExit(" ".join(str(error).split())) from error


def packed(arguments: Sequence[str]) -> "SpectrumPackage":
    """The first spectrum of a sweep whose trainings are finished.

    Args:
        arguments: of the sweep.

    Raises:
        ValueError: the sweep has no spectrum, or it has not been trained yet.
    """
    from airdeliver.schemes import AirNetSpectrum
    from airdeliver.spectrum import SpectrumPackage
    from airdeliver.training.training import threads
    from experiments.command_line import read
    from experiments.configuration import configure
    from experiments.planner import plan
    from experiments.stage import StoredTrainings, closure
    from experiments.store import Store

    sweep = configure(read(list(arguments)))
    for stage in (cell.stage for cell in plan(sweep).cells):
        if not isinstance(stage.scheme, AirNetSpectrum) or stage.scheme.member is not None:
            continue
        store, problem = Store(sweep.store), stage.problem.load()
        if not all(store.has("training", key) for key in stage.needs):
            raise ValueError("this spectrum has not been trained: run `python -m experiments.sweep` first")
        symbols = stage.channel.symbols(stage.channel_uses)
        trainings = closure(stage.scheme.trainings(problem, symbols))
        trained = StoredTrainings(store, dict(zip(trainings, stage.needs, strict=True)))
        with threads(problem.execution.threads):
            package = stage.scheme.pack(problem, trained, symbols)
        assert isinstance(package, SpectrumPackage)
        return package
    raise ValueError("no scheme of this sweep is a spectrum: add scheme=[spectrum]")


def show(package: "SpectrumPackage") -> None:
    """Print a table of the members."""
    from airdeliver.spectrum import summaries

    table = Table("member", "parameters", "MACs", "uses", "expansion", "SNR (dB)", "validation accuracy")
    for row in summaries(package):
        table.add_row(
            str(row.index),
            f"{row.parameters:,}",
            _short(row.multiply_accumulates),
            f"{row.channel_uses:,}",
            f"{row.expansion}, {row.inputs} inputs" if row.inputs > 1 else "none",
            f"{row.snr_db[0]:g} to {row.snr_db[1]:g}",
            f"{100 * row.accuracy:.1f} % at {sum(row.snr_db) / 2:g} dB",
        )
    Console(width=None if sys.stdout.isatty() else 120).print(table)


def _short(count: int) -> str:
    """A large number, for people.

    >>> _short(450_000), _short(6_791_948)
    ('0.45 million', '6.79 million')
    """
    return f"{count / 1e6:.3g} million"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m experiments.spectrum",
        description="Print the members of a spectrum, or cut one of them out into a plain model file.",
    )
    parser.add_argument("file", type=Path, metavar="FILE", help="a spectrum, such as spectrum.safetensors")
    parser.add_argument("--cut", type=int, metavar="MEMBER", help="write this member, by its number")
    parser.add_argument("--out", type=Path, metavar="MODEL", help="where to, such as model.safetensors")
    parser.add_argument("--trust", nargs="*", default=[], metavar="PACKAGE", help="whose classes FILE may name too")
    parser.add_argument(
        "--from", dest="sweep", nargs="+", metavar="key=value", help="first write FILE: the sweep's own arguments"
    )
    return parser


if __name__ == "__main__":
    main()
