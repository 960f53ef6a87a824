"""Every figure: what it draws, and that a person can read it."""

from functools import cache

import matplotlib
import pytest
from matplotlib.figure import Figure

from figures import pareto, session
from figures.drawing import STYLES
from figures.gallery import NAMES, drawing
from figures.looks import looks
from figures.table import TableError

FOUR = ("clean", "noise", "airnet", "digital")
FIVE_BUDGETS = (2_000, 4_000, 8_000, 16_000, 32_000)


def served(table):
    """The last two of four schemes are split networks."""
    number = table.groupby("scheme", sort=False).ngroup()
    split = number >= 2
    return table.assign(
        title=table["scheme"],
        side=split.map({True: "split", False: "analog"}),
        channel_uses_spent=table["channel_uses"].where(~split, 3_000),
        uses_per_inference=(16.0 * number).where(split, 0.0),
        uses_per_inference_served=(16.0 * number).where(split, 0.0),
        inference_joules=1e-6,
    )


@pytest.fixture(scope="module")
def tables(results, deliveries):
    """A table for each figure."""
    bandwidth = results(FOUR, channel_uses=FIVE_BUDGETS, snr_db=(0.0, 10.0))
    number = (priced := results(FOUR, snr_db=(0.0, 10.0))).groupby("scheme", sort=False).ngroup()
    priced = priced.assign(
        title=priced["scheme"], family=priced["scheme"], **{cost: 1_000.0 * (1 + number) for cost in pareto.LABELS}
    )
    return {
        "compact": priced,
        "quantisers": priced,
        "pareto": priced,
        "planes": priced,
        "elastic": priced,
        "resolutions": priced.assign(share_8px=0.25, share_4px=0.75),
        "segmentation": priced.assign(mean_iou=priced["accuracy"] / 2),
        "tasks": priced.assign(tasks=1 + number),
        "session": bandwidth.assign(
            **{time: bandwidth["channel_uses"] / (1 + number % 3) for number, time in enumerate(session.TIMES)}
        ),
        "update": priced.assign(preparation=["taught this", "taught that"] * 4),
        "snr": results(FOUR, seeds=(0, 1, 2)),
        "bandwidth": bandwidth,
        "bits_per_parameter": bandwidth.assign(container_bits=bandwidth["channel_uses"] * 0.9),
        "mismatch": results(tuple(f"noise_{i}" for i in range(5))),
        "fading": deliveries(results(channels=("rayleigh", "rician"))),
        "channels": results(("noise",), channels=tuple(f"channel_{i}" for i in range(12))),
        "estimation": results(FOUR, snr_db=(10.0,), channels=("error", "pilots")).assign(
            estimation_error=[0.1, float("nan")] * 4, pilot_share=[0.0, 0.04] * 4, delay_spread=0.0
        ),
        "expansion": results(FOUR),
        "protection": results(FOUR),
        "ablation": results(FOUR, snr_db=(0.0, 10.0)),
        "spectrum": results(FOUR),
        "city": deliveries(results(FOUR, snr_db=(10.0,), knowledge=("none", "instantaneous"))),
        "winner": results(FOUR, knowledge=("none", "average"), channel_uses=FIVE_BUDGETS),
        "latency": bandwidth,
        "split": served(results(FOUR, snr_db=(0.0, 10.0), channel_uses=(4_000, 8_000))),
    }


@pytest.fixture(params=sorted(STYLES))
def style(request):
    with matplotlib.rc_context(fname=STYLES[request.param]):
        yield request.param


def laid_out(figure: Figure) -> Figure:
    figure.draw_without_rendering()
    return figure


@pytest.fixture(scope="module")
def drawn(tables):
    """Draws a figure in a style, once."""

    @cache
    def of(style: str, name: str) -> Figure:
        with matplotlib.rc_context(fname=STYLES[style]):
            return laid_out(drawing(name).draw(tables[name]))

    return of


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("style", sorted(STYLES))
def test_axes_are_labelled_and_legends_cover_nothing(drawn, style, name):
    figure = drawn(style, name)
    plots = [axes for axes in figure.axes if axes.get_visible()]
    assert plots
    for axes in plots:
        assert axes.get_ylabel() or axes.get_xlabel()
        for legend in figure.legends:
            assert not legend.get_window_extent().overlaps(axes.get_window_extent())
        for label in (axes.xaxis.label, axes.yaxis.label, axes.title):
            assert not label.get_text() or figure.bbox.overlaps(label.get_window_extent())
    for legend in figure.legends:
        assert figure.bbox.x0 <= legend.get_window_extent().x0
        assert legend.get_window_extent().x1 <= figure.bbox.x1


@pytest.mark.parametrize("name", NAMES)
def test_a_paper_figure_is_one_or_two_columns_wide_with_letters_of_at_least_7_points(drawn, name):
    figure = drawn("paper", name)
    assert figure.get_figwidth() in (3.5, 7.0)
    for axes in figure.axes:
        for label in (axes.xaxis.label, axes.yaxis.label, *axes.get_xticklabels(), *axes.get_yticklabels()):
            assert label.get_fontsize() >= 7


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("fading", "city")])
def test_drawing_needs_no_more_than_its_table_and_leaves_it_as_it_is(tables, name):
    table = tables[name].copy()
    drawing(name).draw(table)
    assert table.equals(tables[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_missing_column_is_named(tables, name):
    with pytest.raises(TableError, match=f"figure {name} needs the columns .*accuracy"):
        drawing(name).draw(tables[name].drop(columns="accuracy"))
    with pytest.raises(TableError, match="at least one row"):
        drawing(name).draw(tables[name].head(0))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("channels", "mismatch")])
def test_a_legend_of_long_titles_stays_within_the_figure_and_off_its_panels(tables, name):
    """It gets fewer columns, and the figure grows."""
    table = tables[name]
    figures = [drawing(name).draw(table.assign(title=table["scheme"] + more)) for more in (" ", " with a long title")]
    short, long = figures[0], laid_out(figures[1])
    for legend in long.legends:
        assert long.bbox.x0 <= legend.get_window_extent().x0 < legend.get_window_extent().x1 <= long.bbox.x1
        for axes in long.axes:
            assert not legend.get_window_extent().overlaps(axes.get_window_extent())
    assert long.get_figheight() >= short.get_figheight()


def test_sixteen_lines_can_be_told_apart_without_colour(style):
    look = looks(range(16)).values()
    assert len({(one["marker"], one.get("markerfacecolor")) for one in look}) == 16


@pytest.mark.parametrize("name", ["snr", "bandwidth", "mismatch"])
def test_intervals_are_drawn(tables, name):
    data = drawing(name).data(tables[name])
    figure = drawing(name).draw(tables[name])
    segments = [
        segment
        for axes in figure.axes
        for container in axes.containers
        for segment in container.lines[2][0].get_segments()
    ]
    drawn = sorted(round(abs(end[1] - start[1]), 9) for start, end in segments)
    assert drawn == sorted((data["accuracy_high"] - data["accuracy_low"]).round(9))
