"""The published residuals of the abstraction: what the page says is what its points add up to, and it is little."""

import pytest

from tests.depths.grid import CHANNELS, DESIGNS_DB, points
from tests.depths.table import BEGIN, PAGE, read, residual, residuals, table


def test_the_page_says_what_the_points_say():
    assert PAGE.read_text(encoding="utf-8").split(BEGIN)[1] == table()
    assert {(row.channel, row.design_db) for row in residuals()} == {(c, d) for c in CHANNELS for d in DESIGNS_DB}


def test_the_waterfall_is_where_the_full_chain_has_it():
    """Within what chance explains, as are the shares at each SNR; five SNRs and more on each side of it."""
    for row in residuals():
        assert abs(row.shift_db) < 3 * row.shift_error_db, row
        assert row.missed <= 2, row
    for channel in CHANNELS:
        for design_db in DESIGNS_DB:
            full = [p.full.whole for p in read() if (p.channel, p.design_db) == (channel, design_db)]
            assert sum(share < 0.5 for share in full) >= 5
            assert sum(share > 0.5 for share in full) >= 5


@pytest.mark.slow
@pytest.mark.parametrize("design_db", DESIGNS_DB)
@pytest.mark.parametrize("name", CHANNELS)
def test_a_new_measurement_finds_the_same(name: str, design_db: float):
    """Of 38 shares, three outside of their 99 % intervals are as rare as one in 150 measurements."""
    found = residual(list(points(name, design_db, 100)))
    assert found.missed <= 2, found
