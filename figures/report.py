"""One self-contained page about a run: `python -m figures.report RUN_FOLDER`."""

import argparse
import io
import json
import os
from html import escape
from pathlib import Path
from typing import Any

import matplotlib
import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from figures.drawing import STYLES
from figures.gallery import RESULTS, drawing, figures_of, table_for
from figures.hover import Point, command_for, with_points
from figures.table import TWO_SEEDS, TableError, described, read

MOST_ROWS = 500
"""Rows of one table on the page."""

ZOOM = 1.6
"""Of figures that are made for paper."""

DELIVERIES = "deliveries.parquet"


def main(arguments: list[str] | None = None) -> None:
    """Write `report.html` into a run folder; ends with one line if that cannot be.

    Args:
        arguments: of the command line.
    """
    parser = argparse.ArgumentParser(
        prog="python -m figures.report",
        description="Write one self-contained page about a run: figures, tables, and where they come from.",
    )
    parser.add_argument("folder", type=Path, metavar="RUN_FOLDER", help="such as runs/demo")
    folder = parser.parse_args(arguments).folder
    try:
        print(write(folder))
    except (TableError, OSError) as error:
        raise SystemExit(" ".join(str(error).split())) from error


def write(folder: Path) -> Path:
    """Write the page, whole or not at all.

    Raises:
        TableError: the folder has no table of results, or a file in it cannot be read.
        OSError: the folder cannot be written to.
    """
    path, partial = folder / "report.html", folder / ".report.html.partial"
    try:
        partial.write_text(page(folder), encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def page(folder: Path) -> str:
    """The page as HTML that needs no other file and no network.

    Args:
        folder: with `results.parquet`; `provenance.json` and further tables if they are there.

    Raises:
        TableError: the folder has no table of results, or a file in it cannot be read.
    """
    results = read(folder / RESULTS)
    experiment = str(results["experiment"].iloc[0]) if "experiment" in results else folder.name
    provenance = _provenance(folder / "provenance.json")
    pictures, refusals = _pictures(experiment, folder / RESULTS, provenance.get("command"))
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("report.html.jinja").render(
        title=experiment,
        lead=_lead(results),
        failures=provenance.pop("failures", []),
        pictures=pictures,
        refusals=refusals,
        tables=[_table(file) for file in _tables(folder)],
        configuration=json.dumps(provenance.pop("config", None), indent=2),
        provenance={name.replace("_", " "): _said(value) for name, value in provenance.items()},
    )


def _lead(results: pd.DataFrame) -> str:
    """What the numbers of the page are."""
    columns = (described(results)[name] for name in ("metric", "score_low", "score_high"))
    told = (f"{metric}, between {low:g} and {high:g}" for metric, low, high in dict.fromkeys(zip(*columns)))
    return (
        f"{len(results)} cells: the columns accuracy hold that of the network which the receiver rebuilt "
        f"({'; '.join(told)}), with its 95 % interval over channel realizations and test images."
        + (f" In figures, {TWO_SEEDS}." if len(set(results["seed"])) == 2 else "")
    )


def _pictures(experiment: str, results: Path, command: str | None) -> tuple[list[dict[str, Any]], list[str]]:
    """Figures of an experiment as SVG whose points tell what they are, and a line for each that cannot be drawn.

    The figure is `snr` for an experiment that has none.
    """

    def told(point: Point) -> str:
        return f"{point.says}\n{command_for(point, command)}"

    pictures, refusals = [], []
    for name in figures_of(experiment) or ["snr"]:
        try:
            with matplotlib.rc_context(fname=STYLES["paper"]), matplotlib.rc_context({"svg.hashsalt": name}):
                figure = drawing(name).draw(table_for(name, results))
                content = io.StringIO()
                figure.savefig(content, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        except TableError as error:
            refusals.append(str(error))
            continue
        caption = str(drawing(name).__doc__).splitlines()[0]
        svg = with_points(content.getvalue(), figure, told)
        svg = svg[svg.index("<svg ") :].replace("<svg ", f'<svg role="img" aria-label="{escape(caption)}" ', 1)
        pictures.append({"svg": svg, "caption": caption, "pixels": round(ZOOM * 96 * figure.get_figwidth())})
    return pictures, refusals


def _tables(folder: Path) -> list[Path]:
    """The results, and all other tables of the run but the single deliveries."""
    others = sorted(p for p in folder.iterdir() if p.suffix in (".parquet", ".csv"))
    return [folder / RESULTS, *(p for p in others if p.name not in (RESULTS, DELIVERIES))]


def _table(file: Path) -> dict[str, Any]:
    table = read(file)
    same = [name for name in table if len(table) > 1 and len({_cell(value) for value in table[name]}) == 1]
    same_values = {str(name): _cell(table[name].iloc[0]) for name in same}
    table = table.drop(columns=same)
    shown = table.head(MOST_ROWS)
    return {
        "title": file.stem,
        "file": file.name,
        "same": _said({name.replace("_", " "): value for name, value in same_values.items() if value}),
        "columns": [{"name": c, "text": not pd.api.types.is_numeric_dtype(table[c])} for c in table.columns],
        "rows": [[_cell(value) for value in row] for row in shown.itertuples(index=False)],
        "left_out": len(table) - len(shown),
    }


def _cell(value: Any) -> str:
    """A value as text that sorts as a number if it is one.

    >>> _cell(0.123456789), _cell(float("nan")), _cell(60000), _cell("clean")
    ('0.1235', '', '60000', 'clean')
    """
    if isinstance(value, float):
        return "" if pd.isna(value) else f"{value:.4g}" if abs(value) < 10_000 else f"{value:.0f}"
    return str(value)


def _provenance(file: Path) -> dict[str, Any]:
    """What is written beside the table; empty if nothing is.

    Raises:
        TableError: it is no JSON object.
    """
    if not file.is_file():
        return {}
    try:
        return dict(json.loads(file.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise TableError(f"{file} is no JSON object: {error}") from error


def _said(value: Any) -> str:
    """A value of the provenance in one line.

    >>> _said({"python": "3.11", "torch": "2.6"}), _said([0, 1]), _said(None)
    ('python 3.11, torch 2.6', '0, 1', 'not known')
    """
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in value.items())
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return "not known" if value is None else str(value)


if __name__ == "__main__":
    main()
