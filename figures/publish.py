"""Publish a run's table with the project: `python -m figures.publish RUN_FOLDER`."""

import argparse
import json
import re
from pathlib import Path
from typing import Any

from figures.gallery import RESULTS, figures_of, table_for
from figures.table import TableError, read

PUBLISHED = Path(__file__).parent / "published"

PRIVATE = re.compile(r" (?:store|hydra\.run\.dir|dataset\.path)=\S+")
"""What in a command is true of one machine alone."""


def main(arguments: list[str] | None = None) -> None:
    """Write one CSV into `figures/published`; ends with one line if that cannot be.

    Args:
        arguments: of the command line.
    """
    parser = argparse.ArgumentParser(
        prog="python -m figures.publish",
        description="Write a run's table as a small CSV that says which command, seeds, versions and date made it.",
    )
    parser.add_argument("folder", type=Path, metavar="RUN_FOLDER", help="such as runs/snr")
    parser.add_argument("--name", metavar="NAME", help="default: the experiment's; the file is DATASET_NAME.csv")
    parser.add_argument("--out", type=Path, default=PUBLISHED, metavar="FOLDER", help="default: figures/published")
    options = parser.parse_args(arguments)
    try:
        print(write(options.folder, options.out, options.name))
    except (TableError, OSError) as error:
        raise SystemExit(" ".join(str(error).split())) from error


def write(run: Path, folder: Path, name: str | None = None) -> Path:
    """Write DATASET_NAME.csv: comments that say where it comes from, and what the experiment's figure draws.

    Args:
        run: with a table of results and its provenance.
        folder: where the CSV goes.
        name: None for the experiment's.

    Raises:
        TableError: the run has no table, or none that a figure draws, or no provenance.
        OSError: the folder cannot be written to.
    """
    results = read(run / RESULTS)
    experiment, dataset = str(results["experiment"].iloc[0]), str(results["dataset"].iloc[0])
    names = figures_of(experiment)
    if not names:
        raise TableError(f"no figure draws experiment {experiment}: only what can be drawn is published")
    table = table_for(names[0], run / RESULTS)
    header = "".join(f"# {line}\n" for line in _provenance(run / "provenance.json"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{Path(dataset).name}_{name or experiment}.csv"
    path.write_text(header + table.to_csv(index=False, float_format="%.5g"), encoding="utf-8")
    return path


def _provenance(file: Path) -> list[str]:
    if not file.is_file():
        raise TableError(f"there is no {file}: a table is published with what made it, run the sweep again")
    known: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    versions = ", ".join(f"{name} {version}" for name, version in known["versions"].items())
    machine = known["machine"]
    return [
        f"command: {PRIVATE.sub('', known['command'])}",
        f"seeds: {', '.join(map(str, known['seeds']))}",
        f"versions: {versions}",
        f"commit: {known['commit']}",
        f"date: {known['finished'][:10]}",
        f"machine: {machine['processor']}, {machine['cores']} cores, {machine['threads']} threads, {machine['device']}",
    ]


if __name__ == "__main__":
    main()
