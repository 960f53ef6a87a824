"""Pilots are charged, and what fits is exactly what is paid for."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.pilots import ResourceGrid

grids = st.builds(
    ResourceGrid,
    subcarriers=st.integers(2, 40),
    frequency_spacing=st.integers(1, 12),
    time_spacing=st.integers(2, 7),
)


@given(grids, st.integers(0, 2000))
@settings(deadline=None, derandomize=True, max_examples=200)
def test_symbols_and_uses_are_inverses(grid, n):
    assert grid.symbols(grid.uses(n)) >= n
    assert grid.uses(grid.symbols(n)) <= n
    assert grid.uses(grid.symbols(n) + 1) > n, "one more symbol would not have fitted"


@given(grids, st.integers(1, 500))
@settings(deadline=None, derandomize=True, max_examples=100)
def test_cost_is_what_lies_on_the_grid(grid, n):
    """The closed forms agree with counting resource elements that are not empty."""
    laid = grid.fill(torch.full((1, n), 2.0 + 0j))
    assert laid.shape == (1, grid.ofdm_symbols(n), grid.subcarriers)
    assert int((laid != 0).sum()) == grid.uses(n)
    assert bool((laid.flatten(1)[:, grid.positions(n)] == 2).all())
    assert laid[0, -1].abs().max() > 0
    pilots = laid[0, :: grid.time_spacing, grid.pilot_subcarriers]
    torch.testing.assert_close(pilots.abs(), torch.ones_like(pilots.real))


@given(grids, st.integers(1, 300))
@settings(deadline=None, derandomize=True, max_examples=50)
def test_more_symbols_do_not_move_the_first_ones(grid, n):
    assert torch.equal(grid.positions(n + 50)[:n], grid.positions(n))


def test_every_subcarrier_lies_between_pilots():
    assert ResourceGrid(600, 6, 4).pilot_subcarriers.tolist() == [*range(0, 600, 6), 599]
    assert ResourceGrid(601, 6, 4).pilots == 101


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 6, 4), "subcarriers of the resource grid must be at least 1, got 0"),
        ((12, 0, 4), "frequency_spacing of the resource grid must be at least 1, got 0"),
        ((12, 1, 1), "leave no room for payload"),
    ],
)
def test_bad_pattern_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        ResourceGrid(*arguments)
