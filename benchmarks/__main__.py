"""`python -m benchmarks [NAME ...] [--json]`: every module here with a function `measure() -> list[Ratio]`."""

import argparse
import difflib
import importlib
import json
import pkgutil
import sys
import traceback
from pathlib import Path

_NOT_BENCHMARKS = {"__main__", "fresh", "ratio"}


def names() -> list[str]:
    """The benchmarks that exist."""
    return sorted(
        module.name
        for module in pkgutil.iter_modules([str(Path(__file__).parent)])
        if module.name not in _NOT_BENCHMARKS
    )


def main(arguments: list[str] | None = None) -> None:
    """Run the benchmarks asked for, or all; exit with 1 if a bar is missed or a benchmark fails."""
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
    wanted = options.names or names()
    # All of them: the first that misses must not keep the others from running.
    met = [_run(name, as_json=options.json) for name in wanted]
    sys.exit(0 if all(met) else 1)


def _run(name: str, as_json: bool) -> bool:
    """Print the ratios of one benchmark; whether all bars are met. One that fails says so and loses no other's."""
    try:
        ratios = importlib.import_module(f"benchmarks.{name}").measure()
    except Exception as error:  # whatever goes wrong in one, the others are still to run
        traceback.print_exc()
        cause = f"{type(error).__name__}: {error}".splitlines()[0]
        print(json.dumps({"name": name, "error": cause, "met": False}) if as_json else f"{name} FAILED: {cause}")
        return False
    for ratio in ratios:
        print(ratio.to_json() if as_json else ratio, flush=True)
    return all(ratio.met for ratio in ratios)


if __name__ == "__main__":
    main()
