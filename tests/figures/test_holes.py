"""Cells that cannot fit their budget have a mark in every figure whose axes say where they would be."""

import matplotlib
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from figures import pareto
from figures.drawing import STYLES
from figures.gallery import drawing
from figures.table import TWO_SEEDS, conditions, over_seeds
from tests.figures.conftest import made_up, of_deliveries

BUDGETS = (2_000, 8_000, 32_000)
CONDITIONS = ("scheme", "dataset", "model", "channel", "knowledge", "snr_db", "channel_uses", "seed")


def with_holes(table, left_out):
    """A table without some rows, which are holes."""
    gone = table[left_out]
    kept = table[~left_out].reset_index(drop=True)
    holes = [{**{n: row[n] for n in CONDITIONS}, "title": row["title"], "preparation": "whole", "reason": "too small"}
             for row in gone.to_dict("records")]  # fmt: skip
    kept.attrs["holes"] = holes
    return kept


def tables():
    many = made_up(("clean", "airnet", "digital"), channel_uses=BUDGETS, snr_db=(0.0, 10.0))
    many = many.assign(title=many["scheme"], **{cost: 1_000.0 for cost in pareto.LABELS if cost not in many})
    faded = made_up(("clean", "airnet"), channels=("rayleigh",)).assign(title="")
    faded = faded.assign(title=faded["scheme"])
    tight = (many["channel_uses"] == 2_000) & (many["scheme"] == "airnet")
    low = (faded["snr_db"] == -5.0) & (faded["scheme"] == "airnet")
    deliveries = of_deliveries(faded)
    deliveries.attrs["holes"] = with_holes(faded, low).attrs["holes"]
    return {
        "winner": with_holes(many, tight),
        "latency": with_holes(many, tight),
        "bandwidth": with_holes(many, tight),
        "pareto": with_holes(many[many["snr_db"] == 10.0], tight[many["snr_db"] == 10.0]),
        "fading": deliveries,
    }


def crosses(figure):
    """Where marks stand, panel by panel."""
    return [
        line.get_xdata()
        for axes in figure.axes
        for line in axes.get_lines()
        if line.get_marker() == "x" and line.get_linestyle() == "None" and len(line.get_xdata())
    ]


@pytest.mark.parametrize("name", ["winner", "latency", "bandwidth", "pareto", "fading"])
def test_what_does_not_fit_has_a_mark_and_a_word_in_the_legend(name):
    table = tables()[name]
    with matplotlib.rc_context(fname=STYLES["paper"]):
        figure = drawing(name).draw(table)
        FigureCanvasAgg(figure).draw()
    assert crosses(figure)
    words = [text.get_text() for legend in figure.legends for text in legend.get_texts()]
    assert any("does not fit" in word for word in words)
    table.attrs["holes"] = []
    assert not crosses(drawing(name).draw(table))


def test_a_square_in_which_nobody_fits_is_there_all_the_same():
    table = made_up(("clean", "airnet", "digital"), channel_uses=BUDGETS, snr_db=(0.0, 10.0))
    table = table.assign(title=table["scheme"])
    figure = drawing("winner").draw(with_holes(table, table["channel_uses"] == 2_000))
    (panel,) = [axes for axes in figure.axes if axes.get_visible()]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["2,000", "8,000", "32,000"]
    assert len(crosses(figure)) == 2


def test_two_seeds_are_said():
    two, three = (over_seeds(made_up(seeds=tuple(range(n)))) for n in (2, 3))
    assert conditions(two).endswith(TWO_SEEDS)
    assert conditions(three).endswith("3 seeds")
