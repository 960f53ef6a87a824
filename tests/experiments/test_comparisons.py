"""Scheme against scheme."""

import math

import pandas as pd
import torch

from experiments.comparisons import paired


def test_interval_covers_the_true_difference():
    """95 % of 2,000 intervals, within 4 standard errors; channel effects that both meet do not widen it."""
    generator = torch.Generator().manual_seed(0)
    repetitions, count, difference = 2_000, 12, 0.01
    shared = torch.randn(repetitions, count, generator=generator, dtype=torch.float64)
    own = 0.02 * torch.randn(2, repetitions, count, generator=generator, dtype=torch.float64)
    covered, width = 0, 0.0
    for one, other in zip(shared + difference + own[0], shared + own[1]):
        _, _, low, high = paired(one.tolist(), other.tolist())
        covered += low <= difference <= high
        width += (high - low) / repetitions
    assert abs(covered / repetitions - 0.95) < 4 * math.sqrt(0.95 * 0.05 / repetitions)
    assert width < 0.05


def test_one_pair_says_nothing_of_the_interval():
    assert paired([0.5], [0.25]) == (1, 0.25, -math.inf, math.inf)


def test_table_of_a_sweep_pairs_all_schemes(undisturbed):
    table = pd.read_parquet(undisturbed.folder / "comparisons.parquet")
    assert list(zip(table["scheme"], table["against"], table["snr_db"])) == [
        ("noise", "clean", 0),
        ("noise", "clean", 10),
    ]
    accuracy = undisturbed.table.set_index(["scheme", "snr_db"])["accuracy"]
    for row in table.to_dict("records"):
        expected = accuracy[row["scheme"], row["snr_db"]] - accuracy[row["against"], row["snr_db"]]
        assert math.isclose(row["difference"], expected, abs_tol=1e-6)
