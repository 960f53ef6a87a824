"""`python -m experiments.store list|explain|prune`: look into the store."""

import argparse
import sys
import time
from collections import defaultdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from experiments.override import expanded
from experiments.store.explain import nearest
from experiments.store.pruning import removable
from experiments.store.store import KINDS, Store, StoreError

DEFAULT = "runs/store"


def main(arguments: list[str] | None = None) -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(prog="python -m experiments.store", description="Look into the store.")
    commands = parser.add_subparsers(dest="command", required=True)
    listing = commands.add_parser("list", help="what is in it")
    _add_store(listing)
    explaining = commands.add_parser(
        "explain", help="why a sweep computes something again: give the sweep's own arguments"
    )
    explaining.add_argument("arguments", nargs="*", metavar="key=value")
    pruning = commands.add_parser("prune", help="throw away what is damaged, left over, or made by older code")
    _add_store(pruning)
    pruning.add_argument("--all", action="store_true", help="throw away everything")
    pruning.add_argument("--dry-run", action="store_true", help="only say what would go")
    chosen = parser.parse_args(sys.argv[1:] if arguments is None else arguments)
    try:
        if chosen.command == "list":
            show(_store(chosen))
        elif chosen.command == "prune":
            prune(_store(chosen), chosen.all, chosen.dry_run)
        else:
            explain(chosen.arguments)
    except (StoreError, OSError, ValueError) as error:
        raise SystemExit(" ".join(str(error).split())) from error


def _add_store(parser: argparse.ArgumentParser) -> None:
    """The store's folder, spelled as a sweep spells it or as an option."""
    parser.add_argument("arguments", nargs="*", metavar="store=FOLDER", help=f"{DEFAULT} unless it is given")
    parser.add_argument("--store", metavar="FOLDER", help=argparse.SUPPRESS)


def _store(chosen: argparse.Namespace) -> Store:
    """The store that was asked for; unlike a sweep, looking into one makes none.

    Raises:
        StoreError: there is no such store.
        ValueError: another argument than the store's.
    """
    folder = chosen.store or DEFAULT
    for argument in chosen.arguments:
        key, equals, value = argument.partition("=")
        if key != "store" or not equals or not value:
            raise ValueError(f"{chosen.command} takes store=FOLDER alone, got {argument!r}")
        folder = expanded(value)
    if not Path(folder).is_dir():
        raise StoreError(f"there is no store {folder}: give store=FOLDER, the one that the sweep was given")
    return Store(folder)


def show(store: Store) -> None:
    """Print a table of all entries."""
    table = Table("kind", "key", "what", "accuracy", "kB", "written")
    for kind in KINDS:
        for key in store.keys(kind):
            path = store.path(kind, key)
            size = sum(p.stat().st_size for p in (path, path.with_suffix(".safetensors")) if p.exists())
            written = time.strftime("%Y-%m-%d %H:%M", time.localtime(path.stat().st_mtime))
            entry = store.read(kind, key)
            if entry is None:
                continue
            accuracy = entry.record.get("accuracy", entry.record.get("validation_score"))
            shown = "" if accuracy is None else f"{100 * accuracy:.1f} %"
            table.add_row(kind, key[:12], entry.label, shown, f"{size / 1000:.0f}", written)
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def explain(arguments: list[str]) -> None:
    """Print why the unfinished stages of a sweep are not found in the store, equal reasons together."""
    from experiments.command_line import read
    from experiments.configuration import configure
    from experiments.fitting import divided
    from experiments.planner import plan

    sweep = configure(read(arguments))
    (planned, _), store = divided(plan(sweep)), Store(sweep.store)
    missing = planned.unfinished(store)
    if not missing:
        print(f"nothing would be computed: all {len(planned.cells)} cells are in {store.folder}")
        return
    reasons: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for stage in missing:
        found = nearest(store, stage.kind, stage.description)
        reasons[("the store has nothing like it",) if found is None else tuple(found[1])].append(stage.label)
    for lines, labels in reasons.items():
        print(labels[0] + (f" and {len(labels) - 1} more" if len(labels) > 1 else ""))
        for line in lines:
            print(f"  {line}")


def prune(store: Store, everything: bool, dry_run: bool) -> None:
    """Throw away, or only say, what may go."""
    total = 0
    for item in removable(store, everything):
        total += item.size
        print(f"{'would remove' if dry_run else 'removed'} {item.reason}")
        for path in () if dry_run else item.paths:
            path.unlink(missing_ok=True)
    print(f"{total / 1e6:.1f} MB {'could be' if dry_run else 'were'} freed in {store.folder}")


if __name__ == "__main__":
    main()
