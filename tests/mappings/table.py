"""The published table of mappings: measured points, the page's table and the picture."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from tests.mappings.curves import COMPUTED, INPUTS, SEEDS, SNRS_DB, learned

ROOT = Path(__file__).parents[2]
POINTS, PAGE, PICTURE = Path(__file__).with_name("points.csv"), ROOT / "docs/mappings.md", ROOT / "docs/pictures"
MARK = "<!-- written by python -m tests.mappings -->\n\n"
TITLES = {
    "repetition": "repetition",
    "spiral": "spiral",
    "learned": "learned",
    "hybrid": "index and remainder, index at capacity",
    "opta": "OPTA",
}


def measure() -> Iterator[dict[str, float]]:
    """A row for each number of inputs and SNR: dB of each mapping, of the learned one for each seed."""
    for inputs in INPUTS:
        for snr_db in SNRS_DB:
            row = {name: round(curve(inputs, snr_db), 2) for name, curve in COMPUTED.items()}
            trained = {f"learned_{seed}": round(learned(inputs, snr_db, seed), 2) for seed in SEEDS}
            yield {"inputs": inputs, "snr_db": snr_db, **row, **trained}


def read() -> pd.DataFrame:
    """The measured points, with the mean of the learned mapping's seeds."""
    found = pd.read_csv(POINTS)
    return found.assign(learned=found[[f"learned_{seed}" for seed in SEEDS]].mean(axis=1))


def rows(points: pd.DataFrame) -> str:
    """The page's table."""
    lines = [
        "| inputs a value | SNR in dB | " + " | ".join(TITLES.values()) + " |",
        "| ---: " * (2 + len(TITLES)) + "|",
    ]
    for point in points.to_dict("records"):
        cells = [f"{point[name]:.1f}" for name in TITLES]
        lines.append(f"| {point['inputs']:.0f} | {point['snr_db']:.0f} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def publish() -> None:
    """Write table and picture."""
    points, page = read(), PAGE.read_text()
    before = page[: page.index(MARK) + len(MARK)]
    PAGE.write_text(before + rows(points))
    _draw(points)


def _draw(points: pd.DataFrame) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.4), layout="constrained")
    panels = figure.subplots(1, len(INPUTS), sharey=True)
    styles = {"repetition": "o-", "spiral": "s-", "learned": "D-", "hybrid": "^--", "opta": "k-"}
    for panel, (inputs, part) in zip(panels, points.groupby("inputs"), strict=True):
        for name, style in styles.items():
            panel.plot(part["snr_db"], part[name], style, label=TITLES[name], markersize=4)
        panel.set_title(f"{inputs:.0f} real inputs a value", fontsize=10)
        panel.set_xlabel("SNR in dB")
        panel.set_ylim(0, 45)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("signal to distortion in dB")
    panels[0].legend(fontsize=7, loc="upper left")
    figure.savefig(PICTURE / "mappings.png", dpi=130)
