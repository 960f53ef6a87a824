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
