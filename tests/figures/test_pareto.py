"""Who is not beaten by anyone cheaper."""

import numpy as np
import pandas as pd
import pytest

from figures import pareto
from figures.table import TableError


@pytest.fixture
def priced(results) -> pd.DataFrame:
    """Three schemes at two SNRs: cheap, dear and better, dearest and worst."""
    table = results(("a", "b", "c"), snr_db=(0.0, 5.0), experiment="compact")
    order = table["scheme"].map({"a": 0, "b": 1, "c": 2})
    return table.assign(
        accuracy=order.map({0: 0.5, 1: 0.7, 2: 0.6}), accuracy_low=0.4, accuracy_high=0.8,
        channel_uses_spent=1000 * (order + 1), inference_joules=1e-6 * (3 - order),
        container_bits=np.where(order == 0, np.nan, 100.0 * order), title=table["scheme"].str.upper(),
    )  # fmt: skip


def test_on_the_front_is_who_is_better_than_all_that_cost_no_more(priced):
    drawn = pareto.data(priced)
    for snr_db in (0.0, 5.0):
        here = drawn[drawn["snr_db"] == snr_db]
        front = {cost: set(rows[rows["front"]]["title"]) for cost, rows in here.groupby("cost")}
        assert front == {"channel_uses_spent": {"A", "B"}, "inference_joules": {"C", "B"}}


def test_panels_are_costs_by_conditions(priced):
    figure = pareto.draw(priced, ["container_bits"])
    assert [axes.get_title() for axes in figure.axes] == ["0 dB", "5 dB"]
    figure = pareto.draw(priced)
    assert len(figure.axes) == 4
    assert {axes.get_xlabel() for axes in figure.axes} == {"channel uses", "energy of an inference (J)"}


def test_the_front_is_named_above_its_panel_in_order_of_cost(priced):
    figure = pareto.draw(priced)
    said = [[text.get_text() for text in axes.texts] for axes in figure.axes]
    assert said == [["front: A; B"], ["front: C; B"]] * 2
    many = pareto._front([f"a scheme with a long name, number {i}" for i in range(9)])
    assert many.count("\n") == 1
    assert many.endswith("more")


def test_rows_without_a_cost_are_left_out(priced):
    assert set(pareto.data(priced, ["container_bits"])["title"]) == {"B", "C"}


def test_what_is_no_cost_is_refused(priced):
    with pytest.raises(TableError, match="'accuracy' is no cost"):
        pareto.data(priced, ["accuracy"])
    with pytest.raises(TableError, match="figure pareto needs the columns macs"):
        pareto.data(priced, ["macs"])
    with pytest.raises(TableError, match="no row of the table has container_bits"):
        pareto.data(priced.assign(container_bits=np.nan), ["container_bits"])
