"""Every delivery by itself."""

import math

import pandas as pd


def test_mean_over_deliveries_is_the_accuracy_of_the_table(undisturbed):
    deliveries = pd.read_parquet(undisturbed.folder / "deliveries.parquet")
    means = deliveries.groupby(["scheme", "snr_db"])["accuracy"].agg(["mean", "count"])
    for row in undisturbed.table.to_dict("records"):
        mean, count = means.loc[(row["scheme"], row["snr_db"])]
        assert count == row["realizations"]
        assert math.isclose(mean, row["accuracy"], abs_tol=1e-6)


def test_times_stand_under_their_names(undisturbed):
    """Records come back from the store with their keys sorted."""
    deliveries = pd.read_parquet(undisturbed.folder / "deliveries.parquet")
    means = deliveries.groupby(["scheme", "snr_db"])[["uses_to_end", "milliseconds_to_first"]].mean()
    for row in undisturbed.table.to_dict("records"):
        told = means.loc[(row["scheme"], row["snr_db"])]
        assert math.isclose(told["uses_to_end"], row["uses_to_end"], rel_tol=1e-6)
        assert math.isclose(told["milliseconds_to_first"], row["milliseconds_to_first"], rel_tol=1e-6)
