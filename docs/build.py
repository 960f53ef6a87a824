"""What `make docs` draws before it builds the site: the gallery of published tables, and the pictures of concepts.

MkDocs calls `on_pre_build`; nothing that it makes is kept in the repository, so no picture is older than its table.
Formulas of pages become MathML, which needs no script to be read, in `on_page_content`.
"""

import hashlib
import html
import os
import re
from pathlib import Path
from typing import Any

import matplotlib
from latex2mathml.converter import convert
from matplotlib.figure import Figure

from examples.__main__ import FOLDER as EXAMPLES
from examples.__main__ import SLOW, Ran, cells, names, notebook, page, run, write_pictures
from figures import fading, snr
from figures.__main__ import write
from figures.claims import GROUPS
from figures.claims.page import page as page_of_claims
from figures.drawing import STYLES
from figures.gallery import figures_of
from figures.table import TableError, read

DOCS = Path(__file__).parent
PUBLISHED = DOCS.parent / "figures" / "published"
GENERATED = DOCS / "generated"
FORMULA = re.compile(r'<(?P<tag>span|div) class="arithmatex">\\[(\[](?P<latex>.*?)\\[)\]]</(?P=tag)>', flags=re.DOTALL)
"""What the Markdown extension makes of `$...$` and `$$...$$`."""


def on_pre_build(config: Any) -> None:
    """Draw what the pages show."""
    GENERATED.mkdir(exist_ok=True)
    for name, figure in concepts().items():
        _keep(GENERATED / f"{name}.png", figure)
    examples()
    _keep(DOCS / "gallery.md", gallery())
    _keep(DOCS / "claims.md", claims())


def on_page_content(content: str, **_: Any) -> str:
    """A page whose formulas are MathML."""

    def formula(found: re.Match[str]) -> str:
        display = "inline" if found["tag"] == "span" else "block"
        return convert(" ".join(html.unescape(found["latex"]).split()), display=display)

    return FORMULA.sub(formula, content)


def concepts() -> dict[str, Figure]:
    """The pictures of concepts, by name: published tables, few schemes of each."""
    with matplotlib.rc_context(fname=STYLES["paper"]):
        digital: Any = read(PUBLISHED / "cifar10_snr_analog_digital.csv")
        digital = digital[digital["scheme"].isin(["digital_qat_adaptive", "digital_qat_fixed", "digital_qat_capacity"])]
        return {
            "knowledge": snr.draw(digital),
            "normalisation": snr.draw(read(PUBLISHED / "cifar10_snr.csv")),
            "intervals": fading.draw(read(PUBLISHED / "digits_fading.csv")),
        }


def examples() -> None:
    """A page, pictures and a notebook of each example, which is run for them; unless nothing has changed since.

    With EXAMPLES=quick in the environment those that train for long are shown as they are written, without pictures.
    """
    out = GENERATED / "examples"
    out.mkdir(exist_ok=True)
    (DOCS / "examples").mkdir(exist_ok=True)
    code = "".join(path.read_text(encoding="utf-8") for path in sorted((DOCS.parent / "airdeliver").rglob("*.py")))
    for name in names():
        text = (EXAMPLES / f"{name}.py").read_text(encoding="utf-8")
        digest = hashlib.sha256((code + text).encode()).hexdigest()
        mark, written = out / f"{name}.sha256", DOCS / "examples" / f"{name}.md"
        if written.is_file() and mark.is_file() and mark.read_text(encoding="utf-8") == digest:
            continue
        if name in SLOW and os.environ.get("EXAMPLES") == "quick":
            _keep(written, page([Ran(cell, "") for cell in cells(text)], [], name))
            _keep(out / f"{name}.ipynb", notebook(text))
            continue
        ran, pictures = run(name)
        paths = [f"../generated/examples/{path.name}" for path in write_pictures(name, pictures, out)]
        _keep(written, page(ran, paths, name))
        _keep(out / f"{name}.ipynb", notebook(text))
        _keep(mark, digest)


def gallery() -> str:
    """The gallery's page: the pictures of examples, and every figure of every published table with its command."""
    sections = ["# Gallery", "", "## Examples", ""]
    for name in names():
        if (GENERATED / "examples" / f"{name}.png").is_file():
            said = name.replace("_", " ")
            sections += [f"[![{said}](generated/examples/{name}.png){{ width=300 }}](examples/{name}.md)"]
    sections += ["", "Every figure of every published table, drawn when this page was built, follows."]
    for path in sorted(PUBLISHED.glob("*.csv")):
        pictures = _pictures(path)
        if pictures:
            said = [line[2:] for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("# ")]
            sections += ["", f"## {path.stem}", ""]
            sections += [
                f"![{picture.stem} of {path.stem}](generated/{path.stem}/{picture.name})" for picture in pictures
            ]
            sections += ["", '??? note "How it was made"', "", *[f"    - {line}" for line in said]]
    return "\n".join([*sections, ""])


def claims() -> str:
    """The page of claims; its pictures are those of the gallery."""

    def picture(name: str) -> str | None:
        drawn = sorted((GENERATED / name).glob("*.png"))
        experiment = str(read(PUBLISHED / f"{name}.csv")["experiment"].iloc[0])
        first = [path for path in drawn if path.stem == figures_of(experiment)[0]]
        return f"generated/{name}/{first[0].name}" if first else None

    return page_of_claims(GROUPS, picture)


def _pictures(path: Path) -> list[Path]:
    """The figures of one table, drawn; a table that a figure cannot show has none."""
    table = read(path)
    names = dict.fromkeys(name for experiment in set(table["experiment"]) for name in figures_of(str(experiment)))
    drawn = []
    for name in names:
        try:
            drawn.append(next(p for p in write(name, table, "paper", GENERATED / path.stem) if p.suffix == ".png"))
        except TableError:
            continue
    return drawn


def _keep(path: Path, content: Figure | str) -> None:
    if isinstance(content, str):
        path.write_text(content, encoding="utf-8")
    else:
        content.savefig(path)
