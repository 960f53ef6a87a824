"""Tables of the pages, computed from published ones: `python -m figures.pages` writes them, a test compares.

A table of a page is what a comment before it says, so that no number of it is typed:

```
<!-- published: digits_elastic
where: {channel: awgn}
columns: {40 dB: {snr_db: 40}, 5 dB: {snr_db: 5}}
rows:
  slimmable: [slimmable_0, slimmable_3]
  trained by itself: separate_3
cell: interval
-->

```

`rows` name schemes, several of which share a cell, or a scheme and which of its rows (`{scheme: chase, snr_db: 5}`);
`columns` say which rows of the published table a cell is of. A cell is `interval` (mean over seeds and half of its 95 %
interval), `ends` (and both ends of it), `mean`, or the name of another column, for all columns or for one
(`{uses: {cell: channel_uses_spent, digits: 0}}`, `times` a factor); scores are in %.
"""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from figures.table import CONDITIONS, TableError, over_seeds, read

ROOT = Path(__file__).parents[1]
PUBLISHED = ROOT / "figures" / "published"
MARKED = re.compile(r"(?P<mark><!-- published: (?P<name>\w+)\n(?P<spec>(?:.*\n)*?)-->\n\n)(?P<table>(?:\|.*\n)*)")
SCORES = ("interval", "ends", "mean")


def main(arguments: list[str] | None = None) -> None:
    """Write the tables of pages anew; ends with one line if one cannot be.

    Args:
        arguments: of the command line.
    """
    parser = argparse.ArgumentParser(
        prog="python -m figures.pages", description="Compute the marked tables of pages from published ones."
    )
    parser.add_argument("pages", type=Path, nargs="*", metavar="PAGE", help="default: README.md and docs/**/*.md")
    options = parser.parse_args(arguments)
    try:
        for page in options.pages or pages():
            text = page.read_text(encoding="utf-8")
            if (written := rendered(text)) != text:
                page.write_text(written, encoding="utf-8")
                print(page)
    except (TableError, OSError, yaml.YAMLError) as error:
        raise SystemExit(" ".join(str(error).split())) from error


def pages() -> list[Path]:
    """Pages that may have such tables."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def rendered(text: str) -> str:
    """A page with its marked tables as the published ones have them.

    Raises:
        TableError: a table, scheme or column that is not there, or a cell that is several rows.
    """
    return MARKED.sub(lambda found: found["mark"] + _table(found["name"], yaml.safe_load(found["spec"])), text)


def _table(name: str, spec: Mapping[str, Any]) -> str:
    columns = spec["columns"]
    also = [asked["cell"] for asked in columns.values() if asked.get("cell", "mean") not in SCORES]
    if spec.get("cell", "interval") not in SCORES:
        also.append(spec["cell"])
    table = read(PUBLISHED / f"{name}.csv")
    also = [column for column in dict.fromkeys(also) if column not in CONDITIONS]
    lacking = [column for column in also if column not in table]
    if lacking:
        raise TableError(f"{name} has no column {lacking[0]}")
    known = over_seeds(_where(table, spec.get("where", {})), also=tuple(also))
    shown = {
        title: [_cell(name, known, schemes, {**_defaults(spec), **own, **asked}) for asked in columns.values()]
        for title, (schemes, own) in ((title, _row(said)) for title, said in spec["rows"].items())
    }
    lines = [["", *columns], ["---"] * (len(columns) + 1), *([title, *cells] for title, cells in shown.items())]
    return "".join("| " + " | ".join(line).strip() + " |\n" for line in lines)


def _row(said: str | list[str] | Mapping[str, Any]) -> tuple[str | list[str], Mapping[str, Any]]:
    """The schemes of a row, and what else is asked of it."""
    if not isinstance(said, Mapping):
        return said, {}
    return said["scheme"], {key: value for key, value in said.items() if key != "scheme"}


def _defaults(spec: Mapping[str, Any]) -> dict[str, Any]:
    return {"cell": spec.get("cell", "interval"), "digits": spec.get("digits", 1), "times": spec.get("times", 1)}


def _cell(name: str, known: pd.DataFrame, schemes: str | list[str], asked: Mapping[str, Any]) -> str:
    """One cell: what is asked of each scheme, one after the other."""
    kind, digits, times = (asked[key] for key in ("cell", "digits", "times"))
    rows = _where(known, {key: value for key, value in asked.items() if key not in ("cell", "digits", "times")})
    said = []
    for scheme in [schemes] if isinstance(schemes, str) else schemes:
        found = rows[rows["scheme"] == scheme]
        if found.empty:
            said.append("–")
            continue
        if len(found) > 1:
            raise TableError(f"{name} has {len(found)} rows of {scheme} for a cell: say more in `columns` or `where`")
        said.append(_said(found.iloc[0], kind, digits, float(times)))
    if set(said) == {"–"} and not set([schemes] if isinstance(schemes, str) else schemes) & set(known["scheme"]):
        raise TableError(f"{name} has no scheme {schemes}")
    return ", ".join(said)


def _said(row: Any, kind: str, digits: int, times: float) -> str:
    mean, low, high = (100 * row[name] for name in ("accuracy", "accuracy_low", "accuracy_high"))
    if kind == "interval":
        return f"{mean:.{digits}f} ± {(high - low) / 2:.{digits}f}"
    if kind == "ends":
        return f"{mean:.{digits}f} [{low:.{digits}f}, {high:.{digits}f}]"
    return f"{mean:.{digits}f}" if kind == "mean" else f"{times * row[kind]:,.{digits}f}"


def _where(table: pd.DataFrame, wanted: Mapping[str, Any]) -> Any:
    for column, value in wanted.items():
        if column not in table:
            raise TableError(f"the published table has no column {column}")
        table = table[table[column] == value]  # type: ignore[assignment]
    return table


if __name__ == "__main__":
    main()
