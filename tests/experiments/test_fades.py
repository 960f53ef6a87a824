"""Sweeps over many fades."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from airdeliver import Fades
from experiments.monte_carlo import Realizations


def test_a_sweep_weighs_deliveries_by_the_fades_that_they_stand_for(sweeps: Any, tmp_path: Path):
    """The mean of the table is that of the deliveries by their shares, and schemes are compared over the same fades."""
    run = sweeps.here(
        tmp_path,
        "scheme=[clean,noise]",
        "channel=[rayleigh]",
        "snr_db=[10]",
        "realizations={fades: 256, sent: 6, exact: 8}",
    )
    deliveries = pd.read_parquet(run.folder / "deliveries.parquet")
    (row, other) = run.table.to_dict("records")
    own = deliveries[deliveries["scheme"] == row["scheme"]]
    assert row["fades"] == 256
    assert row["realizations"] == len(own) <= 6
    assert math.isclose(float(own["share"].sum()), 1)
    assert math.isclose(float((own["share"] * own["accuracy"]).sum()), row["accuracy"], abs_tol=1e-6)
    (pair,) = pd.read_parquet(run.folder / "comparisons.parquet").to_dict("records")
    assert math.isclose(pair["difference"], other["accuracy"] - row["accuracy"], abs_tol=1e-6)
    assert pair["difference_low"] < pair["difference"] < pair["difference_high"]


def test_looks_are_for_independent_deliveries():
    with pytest.raises(ValueError, match=r"realizations\.until is for independent deliveries"):
        Realizations(16, 32, until=0.01, fades=Fades())
