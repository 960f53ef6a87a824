"""Tables of results as sweeps write them, made up."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest


def made_up(
    schemes: tuple[str, ...] = ("clean", "noise"),
    channels: tuple[str, ...] = ("awgn",),
    knowledge: tuple[str, ...] = ("average",),
    channel_uses: tuple[int, ...] = (8_000,),
    snr_db: tuple[float, ...] = (-5.0, 0.0, 5.0, 10.0, 15.0, 20.0),
    seeds: tuple[int, ...] = (0,),
    experiment: str = "snr",
) -> pd.DataFrame:
    """A plausible table: later schemes need less SNR, more bandwidth helps."""
    axes = {"scheme": schemes, "channel": channels, "knowledge": knowledge, "channel_uses": channel_uses,
            "seed": seeds, "snr_db": snr_db}  # fmt: skip
    table = pd.MultiIndex.from_product(list(axes.values()), names=list(axes)).to_frame(index=False)
    number = table["scheme"].map({scheme: i for i, scheme in enumerate(schemes)})
    of_channel = table["channel"].map({channel: i for i, channel in enumerate(channels)})
    gain = 3 * number - 2 * of_channel + 10 * np.log10(table["channel_uses"] / 8_000) - 0.3 * number**2
    noise = np.random.default_rng(0).normal(0, 0.005, len(table))
    accuracy = (0.1 + (0.88 - 0.02 * number) / (1 + np.exp(-(table["snr_db"] + gain - 6) / 2)) + noise).clip(0, 1)
    half = 0.01 + 0.15 * accuracy * (1 - accuracy)
    return table.assign(
        experiment=experiment, dataset="digits", model="cnn", realizations=16, usable=1.0, power=1.0,
        channel_uses_spent=table["channel_uses"] - 100, accuracy=accuracy, accuracy_std=half,
        accuracy_low=accuracy - half, accuracy_high=accuracy + half,
        accuracy_channel_low=accuracy - half / 2, accuracy_channel_high=accuracy + half / 2,
        parameters_sent=14_458.0 - 1_000 * number, train_seconds=10.0 + 3 * number, evaluate_seconds=0.5,
        train_snr_db_low=np.where(number == 0, np.nan, 5.0 * number), train_snr_db_high=5.0 * number,
    )  # fmt: skip


def of_deliveries(table: pd.DataFrame, realizations: int = 64) -> pd.DataFrame:
    """One row a delivery, each faded by its own gain."""
    gain = 10 * np.log10(np.random.default_rng(0).exponential(size=realizations))
    rows = table.loc[table.index.repeat(realizations)].reset_index(drop=True)
    rows = rows.assign(realization=np.tile(np.arange(realizations), len(table)))
    accuracy = 0.1 + 0.88 / (1 + np.exp(-(rows["snr_db"] + np.tile(gain, len(table)) - 5) / 2))
    return rows.assign(accuracy=accuracy)


@pytest.fixture(scope="session")
def results() -> Callable[..., pd.DataFrame]:
    """Makes a table of results up."""
    return made_up


@pytest.fixture(scope="session")
def deliveries() -> Callable[..., pd.DataFrame]:
    """Makes a table of deliveries up."""
    return of_deliveries
