"""Every number in the README's comparison follows from the published tables.

Tables are read from the page and computed again. Of sentences, the numbers are computed from the tables, put into the
words here, and looked for in the page.
"""

import re
from pathlib import Path

import pandas as pd
import pytest

from experiments.comparisons import paired
from figures.table import over_seeds, read

ROOT = Path(__file__).parents[2]
PUBLISHED = ROOT / "figures" / "published"
SNR = (-5, 0, 5, 10, 15, 20)


def published(name: str) -> pd.DataFrame:
    return read(PUBLISHED / f"cifar10_{name}.csv")


def page() -> str:
    """The README on one line."""
    return " ".join((ROOT / "README.md").read_text().split())


def rows(begin: str) -> dict[str, list[str]]:
    """The rows of the first table after a heading, by the name in their first cell."""
    text = (ROOT / "README.md").read_text().split(begin)[1]
    found = re.findall(r"^\| `(\w+)`[^|]*\|(.*)\|$", text.split("\n\n", 2)[1] + text, flags=re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in found}


def cells(table: pd.DataFrame, scheme: str) -> list[str]:
    """Mean in % and half of the interval at each SNR, over all seeds."""
    over = over_seeds(table).set_index(["scheme", "snr_db"])
    found = [over.loc[(scheme, level)] for level in SNR]
    return [f"{100 * r['accuracy']:.1f} ± {50 * (r['accuracy_high'] - r['accuracy_low']):.1f}" for r in found]


@pytest.mark.parametrize(
    ("begin", "name", "schemes"),
    [
        ("## What it measures", "snr", ["clean", "clean_frozen", "noise", "noise_frozen"]),
        (
            "### AirNet and the digital rival",
            "snr_analog_digital",
            ["airnet", "digital_adaptive", "digital_qat_adaptive", "digital_qat_fixed", "digital_qat_capacity"],
        ),
    ],
)
def test_tables_are_those_that_were_published(begin: str, name: str, schemes: list[str]):
    shown, table = rows(begin), published(name)
    assert {scheme: shown[scheme] for scheme in schemes} == {scheme: cells(table, scheme) for scheme in schemes}


def test_spectrum_and_separate_networks_are_those_that_were_published():
    means = published("spectrum").groupby(["scheme", "snr_db"])["accuracy"].mean()
    shown = rows("### AirNet and the digital rival")
    for scheme in ("spectrum", "spectrum_separate"):
        assert shown[scheme] == [f"{100 * means[scheme, level]:.1f}" for level in SNR]


def lead(scheme: str, other: str, level: int, table: str = "snr_analog_digital") -> str:
    """By how many points trained digital leads, seed by seed, with the interval of Student's t over them."""
    one, two = published(table), published("spectrum")
    met = [t[(t["scheme"] == s) & (t["snr_db"] == level)].sort_values("seed") for t, s in ((one, scheme), (two, other))]
    assert met[0]["seed"].tolist() == met[1]["seed"].tolist()
    _, mean, low, high = paired(*(table["accuracy"].tolist() for table in met))
    return f"{100 * mean:+.1f} [{100 * low:.1f}, {100 * high:.1f}]"


def test_senders_of_equal_knowledge_are_compared():
    leads = [lead("digital_qat_adaptive", "spectrum_separate", level) for level in SNR[2:]]
    assert f"{leads[0]}, {leads[1]}, {leads[2]} and {leads[3]} points at 5, 10, 15 and 20 dB" in page()


def test_networks_of_several_sizes_lead_over_separate_analog_ones():
    leads = [lead("digital_qat_adaptive*", "spectrum_separate", level, "digital_sizes") for level in SNR[:3]]
    assert f"{leads[0]}, {leads[1]} and {leads[2]} points at -5, 0 and 5 dB" in page()
    assert all(float(said.split("[")[1].split(",")[0]) > 0 for said in leads), "the first picture's caption says so"


def test_sentences_hold_the_numbers_of_their_tables():
    digital, spectrum = published("snr_analog_digital"), published("spectrum")
    own = digital[(digital["scheme"] == "digital_qat_adaptive") & (digital["snr_db"] == 0)]["accuracy"].sort_values()
    worst, middle, best = (f"{100 * value:.0f}" for value in own)
    analog = spectrum[(spectrum["scheme"] == "spectrum") & (spectrum["snr_db"] == 0)]["accuracy"].mean()
    text = page()
    assert f"in two seeds of three ({best} and {middle} against {100 * analog:.0f} %" in text
    assert f"{worst} % arrive" in text
    low = spectrum[(spectrum["scheme"] == "spectrum") & (spectrum["snr_db"] == -5)]["accuracy"].mean()
    limit = digital[(digital["scheme"] == "digital_qat_capacity") & (digital["snr_db"] == -5)]["accuracy"].mean()
    assert f"a spectrum delivers {100 * low:.0f} % at -5 dB" in text
    assert f"is at {100 * limit:.0f} %" in text
    as_it_is = over_seeds(published("snr")).set_index(["scheme", "snr_db"])["accuracy"]["clean", 5]
    sent = over_seeds(digital).set_index(["scheme", "snr_db"])["accuracy"]["digital_adaptive", 5]
    assert f"({100 * as_it_is:.1f}, in the first table, against {100 * sent:.1f} % at 5 dB)" in text


def test_numbers_that_no_table_gave_are_gone():
    text = page()
    assert not [number for number in ("71.7", "by 2 to 3 points", "0.12 bits") if number in text]
