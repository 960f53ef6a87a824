"""Figure split: the cheapest split network that is as good, and after how many inferences it is no longer cheaper."""

import math

import pytest

from figures import split


@pytest.fixture
def table(results):
    """A whole network, a split one that is as good, a cheaper one that is not."""
    made = results(("whole", "as_good", "worse"), snr_db=(10.0,), channel_uses=(8_000,))
    return made.assign(
        title=made["scheme"],
        side=["analog", "split", "split"],
        accuracy=[0.95, 0.94, 0.80],
        accuracy_low=[0.94, 0.93, 0.79],
        accuracy_high=[0.96, 0.95, 0.81],
        floor=0.1,
        channel_uses_spent=[8_000, 2_000, 1_000],
        uses_per_inference=[0.0, 30.0, 10.0],
        uses_per_inference_served=[0.0, 32.0, 10.0],
        inference_joules=[4e-6, 1e-6, 1e-6],
    )


def test_the_cheapest_that_is_as_good_is_compared(table):
    (row,) = split.data(table).to_dict("records")
    assert (row["whole"], row["split"], row["each"]) == ("whole", "as_good", 32.0)
    assert row["uses"] == 6_000 / 30
    assert row["uses_served"] == 6_000 / 32


def test_by_energy_what_the_device_computes_counts_too(table):
    (row,) = split.data(table).to_dict("records")
    # 32 channel uses at 1 W on 20 MHz are 2.2 microjoules, computing the rest 3: splitting is cheaper however often.
    assert math.isinf(row["joules"])
    (row,) = split.data(table.assign(inference_joules=[1e-6, 1e-6, 1e-6])).to_dict("records")
    assert row["joules"] == pytest.approx(6_000 / 32)


def test_where_none_is_as_good_there_is_no_break_even(table):
    (row,) = split.data(table.assign(accuracy=[0.99, 0.94, 0.80])).to_dict("records")
    assert math.isnan(row["uses"])
    figure = split.draw(table.assign(accuracy=[0.99, 0.94, 0.80]))
    assert [text.get_text() for text in figure.axes[1].texts] == ["-"]
