"""What `make docs` draws before it builds the site: the gallery of published tables, and the pictures of concepts.

MkDocs calls `on_pre_build`; nothing that it makes is kept in the repository, so no picture is older than its table.
"""

from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.figure import Figure

from figures import fading, snr
from figures.__main__ import write
from figures.drawing import STYLES
from figures.gallery import figures_of
from figures.table import TableError, read

DOCS = Path(__file__).parent
PUBLISHED = DOCS.parent / "figures" / "published"
GENERATED = DOCS / "generated"


def on_pre_build(config: Any) -> None:
    """Draw what the pages show."""
    GENERATED.mkdir(exist_ok=True)
    for name, figure in concepts().items():
        _keep(GENERATED / f"{name}.png", figure)
    _keep(DOCS / "gallery.md", gallery())


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


def gallery() -> str:
    """The gallery's page: every figure of every published table, with the command that made the table."""
    sections = ["# Gallery", "", "Every figure of every published table, drawn when this page was built."]
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
