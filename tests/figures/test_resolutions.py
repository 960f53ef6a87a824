"""Networks at several resolutions, drawn."""

from figures import resolutions
from figures.publish import PUBLISHED
from figures.score import SCORE_AXIS
from figures.table import read


def test_no_interval_reaches_beyond_its_axis():
    figure = resolutions.draw(read(PUBLISHED / "cifar10_resolutions_32.csv"))
    panels = [axes for axes in figure.axes if axes.containers and axes.yaxis.get_gid() == SCORE_AXIS]
    assert len(panels) == 3
    for axes in panels:
        low, high = axes.get_ylim()
        ends = [y for _, _, bars in axes.containers for bar in bars for line in bar.get_segments() for _, y in line]
        assert low <= min(ends) < max(ends) <= high
