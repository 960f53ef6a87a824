"""Tables as figures read them."""

import math

import pandas as pd
import pytest
from scipy.stats import t as student

from figures.table import TableError, conditions, over_seeds, panels, read


def test_one_seed_keeps_the_interval_of_the_table(results):
    table = results()
    pd.testing.assert_frame_equal(
        over_seeds(table)[["accuracy", "accuracy_low", "accuracy_high"]],
        table[["accuracy", "accuracy_low", "accuracy_high"]].clip(0, 1),
    )


def test_seeds_widen_the_interval_by_students_t(results):
    """half^2 = mean(half)^2 + (t_{S-1} s / sqrt(S))^2."""
    table = results(seeds=(0, 1, 2), schemes=("clean",), snr_db=(5.0,))
    row = over_seeds(table).iloc[0]
    own = (table["accuracy_high"] - table["accuracy"]).mean()
    between = student.ppf(0.975, 2) * table["accuracy"].std() / math.sqrt(3)
    assert row["seeds"] == 3
    assert row["accuracy_high"] - row["accuracy"] == pytest.approx(math.hypot(own, between))


def test_the_same_cell_twice_is_refused(results):
    table = results()
    with pytest.raises(TableError, match="several rows with the same"):
        over_seeds(pd.concat([table, table]))


def test_panels_are_what_varies_but_not_what_follows_from_it(results):
    table = over_seeds(results(channels=("awgn", "ofdm")))
    table.loc[table["channel"] == "ofdm", "channel_uses"] += 500
    assert [title for title, _ in panels(table, ["scheme", "snr_db"])] == ["AWGN", "ofdm"]
    assert [title for title, _ in panels(table, ["scheme", "snr_db", "channel"])] == [""]


def test_comments_of_a_csv_are_skipped(tmp_path, results):
    path = tmp_path / "table.csv"
    path.write_text("# command: python -m experiments.sweep\n" + results().to_csv(index=False), encoding="utf-8")
    pd.testing.assert_frame_equal(read(path), results())


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("missing.parquet", None, "there is no table"),
        ("broken.parquet", "no parquet", "neither a parquet nor a CSV"),
        ("empty.csv", "scheme,snr_db\n", "has no rows"),
        ("nothing.csv", "# only a comment\n", "neither a parquet nor a CSV"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path, name, content, message):
    path = tmp_path / name
    if content is not None:
        path.write_text(content, encoding="utf-8")
    with pytest.raises(TableError, match=message) as refused:
        read(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(("realizations", "low", "told"), [(4, 0.45, True), (4, 0.9, False), (100, 0.45, False)])
def test_wide_intervals_of_few_deliveries_say_why(results, realizations, low, told):
    table = results().assign(realizations=realizations, accuracy=0.95, accuracy_low=low, accuracy_high=1.0)
    assert ("need not show" in conditions(over_seeds(table))) == told


def test_wide_intervals_of_unlike_trainings_are_not_blamed_on_deliveries(results):
    cell = results().head(1).assign(realizations=4, accuracy_low=0.1, accuracy_high=0.14)
    table = pd.concat(
        [cell.assign(seed=0, accuracy=0.12), cell.assign(seed=1, accuracy=0.13), cell.assign(seed=2, accuracy=0.9)]
    )
    drawn = over_seeds(table)
    assert (drawn["accuracy_high"] - drawn["accuracy_low"]).item() > 0.5
    assert "need not show" not in conditions(drawn)
