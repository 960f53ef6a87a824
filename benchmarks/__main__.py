"""`python -m benchmarks [NAME ...] [--json]`: every module here with a function `measure() -> list[Ratio]`."""

import argparse
import difflib
import importlib
import pkgutil
import sys
from pathlib import Path

_NOT_BENCHMARKS = {"__main__", "ratio"}


def names() -> list[str]:
    """The benchmarks that exist."""
    return sorted(
        module.name
        for module in pkgutil.iter_modules([str(Path(__file__).parent)])
        if module.name not in _NOT_BENCHMARKS
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the benchmarks asked for, or all; exit with 1 if a bar is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Prints speed ratios of one run.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"one of {', '.join(names())}; all by default")
    parser.add_argument("--json", action="store_true", help="JSON lines instead of a table")
    options = parser.parse_args(arguments)
    for name in options.names:
        if name not in names():
            near = difflib.get_close_matches(name, names(), n=1)
            raise SystemExit(
                f"no benchmark {name}" + (f": did you mean {near[0]}?" if near else f": {', '.join(names())}")
            )
    missed = False
    for name in options.names or names():
        for ratio in importlib.import_module(f"benchmarks.{name}").measure():
            print(ratio.to_json() if options.json else ratio, flush=True)
            missed |= not ratio.met
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
