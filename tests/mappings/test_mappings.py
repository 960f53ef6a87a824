"""The published mappings: what the page says is what was measured and computed, and none is above the optimum."""

import pytest

from tests.mappings.curves import COMPUTED, INPUTS, SEEDS, SNRS_DB, hybrid, learned, opta, repetition
from tests.mappings.table import MARK, PAGE, PICTURE, TITLES, read, rows


def test_the_page_says_what_the_points_say():
    points = read()
    assert PAGE.read_text().split(MARK)[1] == rows(points)
    assert [(p.inputs, p.snr_db) for p in points.itertuples()] == [(k, s) for k in INPUTS for s in SNRS_DB]
    assert (PICTURE / "mappings.png").exists()


@pytest.mark.parametrize("name", [name for name in COMPUTED if name != "spiral"])
def test_what_is_computed_is_what_is_published(name: str):
    for point in read().to_dict("records"):
        assert COMPUTED[name](int(point["inputs"]), point["snr_db"]) == pytest.approx(point[name], abs=0.006)


def test_closed_forms():
    """OPTA is 10 k log10(1 + SNR) dB; one input is its own optimum; scalar quantisers are 1.53 dB behind ideal ones."""
    assert opta(8, 0.0) == pytest.approx(24.08, abs=0.01)
    assert repetition(1, 7.0) == pytest.approx(opta(1, 7.0))
    assert opta(4, 15.0) - hybrid(4, 15.0) == pytest.approx(1.53, abs=0.02)


def test_nothing_is_above_the_optimum():
    points = read()
    for name in TITLES:
        assert (points[name] <= points["opta"] + 0.02).all(), name


def test_the_page_s_sentences():
    """Where the learned mapping is ahead of repetition and spiral, how far seeds are apart, what is left."""
    points, text = read().set_index(["inputs", "snr_db"]), " ".join(PAGE.read_text().split())
    ahead = points["learned"] - points[["repetition", "spiral"]].max(axis=1)
    low = {inputs: " and ".join(f"{ahead[inputs, snr_db]:.1f}" for snr_db in (0.0, 5.0)) for inputs in INPUTS}
    assert f"by {low[2]} dB with two inputs, {low[4]} dB with four, {low[8]} dB with eight" in text
    assert f"At -5 dB it gains {ahead[8, -5.0]:.1f} dB with eight inputs" in text
    assert max(ahead[2, -5.0], ahead[4, -5.0]) < 0.05
    assert all(ahead[inputs, snr_db] < 0 for inputs in INPUTS for snr_db in (10.0, 15.0))
    left = points["opta"] - points["repetition"]
    assert f"two inputs it is {left[2, -5.0]:.1f} dB from the optimum, with eight {left[8, -5.0]:.1f} dB" in text
    apart = (points["learned_0"] - points["learned_1"]).abs()
    assert f"differ by up to {apart.max():.1f} dB at 15 dB" in text
    assert apart.idxmax()[1] == 15.0
    assert apart[apart.index.get_level_values("snr_db") < 15].max() < 0.5
    best = points[["repetition", "spiral", "learned"]].max(axis=1)
    assert points["opta"][8, 0.0] - best[8, 0.0] > 10


@pytest.mark.slow
def test_a_new_training_finds_the_same():
    """Sums differ from processor to processor; a training that ends elsewhere is seen."""
    point = read().set_index(["inputs", "snr_db"]).loc[(2, 0.0)]
    assert learned(2, 0.0, SEEDS[0]) == pytest.approx(point["learned_0"], abs=0.15)
