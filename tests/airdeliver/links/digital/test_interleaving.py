"""The interleaver is a permutation that sends any run of symbols all over the delivery."""

import pytest
import torch

from airdeliver.links.digital.interleaving import deinterleaved, interleaved, parted, places


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 997, 1340, 60_000])
def test_every_place_is_taken_once_and_the_order_returns(n: int):
    assert torch.equal(places(n).sort().values, torch.arange(n))
    made = torch.arange(2 * n).view(2, n)
    assert torch.equal(deinterleaved(interleaved(made), n), made) or n == 1


@pytest.mark.parametrize("run", [50, 164, 1000])
def test_a_run_of_symbols_covers_the_delivery(run: int):
    """Three-distance theorem: the largest gap between so many golden-section steps is below 2.7 / run of the whole."""
    n = 20_000
    for first in (0, 7000, n - run):
        sent = places(n)[first : first + run].sort().values
        gaps = torch.cat([sent.diff(), sent[:1] + n - sent[-1:]])
        assert int(gaps.max()) < 2.7 * n / run


def test_what_lasts_for_all_symbols_stays_one_column():
    gain = torch.ones(3, 1)
    assert deinterleaved(gain, 100) is gain


def test_columns_behind_the_last_symbol_are_left_out():
    """A state may have more than a delivery takes."""
    state = torch.cat([interleaved(torch.arange(10).view(1, 10)), torch.full((1, 5), 99)], dim=-1)
    assert [part.tolist() for part in parted(state, [3, 7])] == [[[0, 1, 2]], [[3, 4, 5, 6, 7, 8, 9]]]
