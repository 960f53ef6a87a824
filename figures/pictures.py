"""The README's pictures, drawn again from the published tables: `python -m figures.pictures`."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib
import pandas as pd
from matplotlib.figure import Figure

from figures.drawing import STYLES
from figures.gallery import drawing
from figures.publish import PUBLISHED
from figures.table import read
from figures.view import chosen

OUT = Path(__file__).parents[1] / "docs" / "pictures"

TABLES = "Source"
"""Entry of a PNG's metadata: which tables it was drawn from, and a hash of these."""


@dataclass(frozen=True)
class Picture:
    """What one picture shows.

    Args:
        figure: that draws it.
        tables: published, drawn together.
        schemes: of them, separated by commas; None for all.
        width: of a panel, times that of the style.
        titles: of schemes, where those of their tables do not tell them apart.
    """

    figure: str
    tables: tuple[str, ...]
    schemes: str | None = None
    width: float = 1.0
    titles: dict[str, str] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The names of its tables, and a hash of what they hold."""
        content = b"".join((PUBLISHED / f"{name}.csv").read_bytes() for name in self.tables)
        return f"{', '.join(self.tables)}: {hashlib.sha256(content).hexdigest()[:16]}"

    def table(self) -> pd.DataFrame:
        """Its tables as one; they share no condition."""
        table = pd.concat([read(PUBLISHED / f"{name}.csv") for name in self.tables], ignore_index=True)
        title = [self.titles.get(scheme, own) for scheme, own in zip(table["scheme"], table["title"], strict=True)]
        return chosen(table.assign(title=title), self.schemes)

    def draw(self) -> Figure:
        """The picture, in the style of slides."""
        with matplotlib.rc_context(fname=STYLES["slides"]):
            width, height = matplotlib.rcParams["figure.figsize"]
            matplotlib.rcParams["figure.figsize"] = (self.width * width, height)
            return drawing(self.figure).draw(self.table())


PICTURES = {
    "cifar10_main": Picture(
        "snr",
        ("cifar10_snr_analog_digital", "cifar10_spectrum", "cifar10_digital_sizes"),
        "spectrum,spectrum_separate,airnet,digital_adaptive,digital_qat_adaptive,digital_qat_adaptive*,digital_qat_capacity*",
        width=1.7,
        titles={
            "digital_qat_adaptive": "Digital QAT, one size",
            "digital_qat_adaptive*": "Digital QAT, several sizes",
            "digital_qat_capacity*": "Rate at capacity, several sizes",
        },
    ),
    "cifar10_snr": Picture("snr", ("cifar10_snr",)),
    "cifar10_bits_per_parameter": Picture("bits_per_parameter", ("cifar10_bits_per_parameter",)),
    "digits_channels": Picture("channels", ("digits_channels",)),
}
"""By the name of the file."""


def main() -> None:
    """Draw all of them into docs/pictures."""
    OUT.mkdir(parents=True, exist_ok=True)
    for name, picture in PICTURES.items():
        path = OUT / f"{name}.png"
        picture.draw().savefig(path, dpi=150, metadata={TABLES: picture.source, "Software": "airdeliver"})
        print(path)


if __name__ == "__main__":
    main()
