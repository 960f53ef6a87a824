"""`python -m examples [NAME ...]`: run examples, keep their pictures; `--notebooks FOLDER` writes them as notebooks."""

import argparse
import contextlib
import io
import json
import re
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
SLOW = {
    "cost_and_pareto",
    "deliver_my_model",
    "fading_and_outage",
    "layered_multicast",
    "my_channel",
    "my_scheme",
    "ray_traced_street",
    "segmentation",
    "text",
}
"""Those that train for half a minute or longer."""

MARK = re.compile(r"^# %%( \[markdown\])?.*$", re.MULTILINE)


@dataclass(frozen=True)
class Cell:
    """A piece of a script.

    Args:
        text: Markdown without its `#`, or code.
        code: which of the two.
        line: of the script, at which it begins, from 0.
    """

    text: str
    code: bool
    line: int


@dataclass(frozen=True)
class Ran:
    """A cell and what it printed."""

    cell: Cell
    printed: str


def names() -> list[str]:
    """Of all examples."""
    return sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


def cells(text: str) -> list[Cell]:
    """The cells of a script in percent format.

    >>> [cell.text for cell in cells("# %% [markdown]\\n# # Title\\n\\n# %%\\nx = 1\\n")]
    ['# Title', 'x = 1']
    """
    marks = list(MARK.finditer(text))
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    found = []
    for mark, end in zip(marks, ends):
        body, line = text[mark.end() : end], text[: mark.end()].count("\n")
        if mark[1]:
            body = "\n".join(line.removeprefix("#").removeprefix(" ") for line in body.strip().splitlines())
        found.append(Cell(body.strip("\n"), not mark[1], line))
    return found


def run(name: str) -> tuple[list[Ran], list[Any]]:
    """Run an example in this process, cell by cell.

    Returns:
        Its cells with what they printed, and its pictures, matplotlib figures in the order in which they were made.
    """
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    from figures.drawing import STYLES

    path, known, ran = FOLDER / f"{name}.py", {"__name__": f"examples.{name}"}, []
    looks: Any = {"figure.constrained_layout.use": True}
    with matplotlib.rc_context(looks, fname=STYLES["slides"]), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*non-interactive.*")
        plt.close("all")
        for cell in cells(path.read_text(encoding="utf-8")):
            printed = io.StringIO()
            if cell.code:
                with contextlib.redirect_stdout(printed):
                    exec(compile("\n" * cell.line + cell.text, str(path), "exec"), known)
            ran.append(Ran(cell, printed.getvalue()))
        pictures = [plt.figure(number) for number in plt.get_fignums()]
        own = known.get("figure")
        if not pictures and own is not None:
            pictures = [own]
        plt.close("all")
    return ran, pictures


def page(ran: Sequence[Ran], pictures: Sequence[str], name: str) -> str:
    """An example as Markdown: text, code, what it printed, pictures, and where the script is.

    Args:
        ran: its cells.
        pictures: paths, relative to the page.
        name: of the example.
    """
    parts = []
    for each in ran:
        parts.append(f"```python\n{each.cell.text}\n```" if each.cell.code else each.cell.text)
        if each.printed:
            parts.append(f"```text\n{each.printed.rstrip()}\n```")
    parts += [f"![{name.replace('_', ' ')}]({picture})" for picture in pictures]
    parts.append(f"The script: `examples/{name}.py`; [as a notebook](../generated/examples/{name}.ipynb).")
    return "\n\n".join(parts) + "\n"


def notebook(text: str) -> str:
    """A script as a Jupyter notebook (nbformat 4.5), without outputs."""
    kinds = [
        {"cell_type": "code", "execution_count": None, "outputs": []} if cell.code else {"cell_type": "markdown"}
        for cell in cells(text)
    ]
    made = [
        {"id": f"cell-{number}", "metadata": {}, "source": cell.text.splitlines(keepends=True), **kind}
        for number, (cell, kind) in enumerate(zip(cells(text), kinds))
    ]
    spec = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": made, "metadata": spec, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def keep(name: str, folder: Path) -> list[Path]:
    """Run an example and write its pictures, NAME.png, NAME_1.png, ..."""
    ran, pictures = run(name)
    print("".join(each.printed for each in ran), end="")
    return write_pictures(name, pictures, folder)


def write_pictures(name: str, pictures: Sequence[Any], folder: Path) -> list[Path]:
    """The pictures of an example as PNG files of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}{f'_{number}' if number else ''}.png" for number in range(len(pictures))]
    for path, picture in zip(paths, pictures):
        picture.savefig(path, dpi=110)
    return paths


def main(arguments: list[str] | None = None) -> None:
    """Run examples, or write notebooks; ends with one line if there is no such example.

    Args:
        arguments: of the command line.
    """
    parser = argparse.ArgumentParser(prog="python -m examples", description="Run examples and keep their pictures.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"default: all of {', '.join(names())}")
    parser.add_argument("--out", type=Path, default=Path("runs/examples"), metavar="FOLDER", help="where pictures go")
    parser.add_argument("--notebooks", type=Path, metavar="FOLDER", help="write notebooks there, and run nothing")
    options = parser.parse_args(arguments)
    for name in options.names or names():
        if name not in names():
            raise SystemExit(f"there is no example {name!r}: there are {', '.join(names())}")
        if options.notebooks:
            options.notebooks.mkdir(parents=True, exist_ok=True)
            path = options.notebooks / f"{name}.ipynb"
            path.write_text(notebook((FOLDER / f"{name}.py").read_text(encoding="utf-8")), encoding="utf-8")
            print(path)
            continue
        try:
            paths = keep(name, options.out)
        except ImportError as error:
            raise SystemExit(f"example {name}: {error}") from error
        for path in paths:
            print(path)


if __name__ == "__main__":
    main()
