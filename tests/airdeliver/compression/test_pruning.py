"""Pruning to a budget: the largest network that fits, step by step if it is asked for."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
import torch

from airdeliver.compression.importance import Magnitude
from airdeliver.compression.pruning import ByValues, Pruning, removal_order
from airdeliver.links import AnalogLink, BudgetError
from airdeliver.links.analog import Repetition
from airdeliver.models import CNN
from tests.airdeliver.compression.random_network import KINDS, RandomNetwork, prunable, used

ARCHITECTURE = prunable(CNN())
WHOLE = 14_458 // 2 + 4 * 11 * 32 + 2 * 32
"""Channel uses of the whole CNN: its values, means and scales of 11 segments, and two bytes for its widths."""


def prune(pruning: Pruning, digits, architecture=ARCHITECTURE, before=None, model=None):
    model = model or used(architecture.unpruned(), 0)
    before = before or architecture.groups.units
    return pruning.prune(model, before, architecture, digits, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_no_channel_that_still_fits_is_left_out(kind, digits):
    architecture = prunable(RandomNetwork((12, 16, 20), kind))
    pruning = Pruning(2500, AnalogLink(), Magnitude())
    model, kept = prune(pruning, digits, architecture)
    assert pruning.fits(architecture.layout_of_counts(kept, False))
    for group, (count, units) in enumerate(zip(kept, architecture.groups.units, strict=True)):
        if count < units:
            larger = tuple(n + (i == group) for i, n in enumerate(kept))
            assert not pruning.fits(architecture.layout_of_counts(larger, False))
    assert model(torch.zeros(2, 1, 8, 8)).shape == (2, 10)


def test_a_network_that_fits_is_not_pruned(digits):
    _, kept = prune(Pruning(WHOLE, AnalogLink(), Magnitude()), digits)
    assert kept == ARCHITECTURE.groups.units
    _, kept = prune(Pruning(WHOLE - 1, AnalogLink(), Magnitude()), digits)
    assert kept != ARCHITECTURE.groups.units


def test_expansion_decides_how_far_is_pruned(digits):
    sizes = []
    for copies in (1, 2, 4):
        link = AnalogLink(expansion=Repetition(copies))
        _, kept = prune(Pruning(5000, link, Magnitude()), digits)
        sizes.append(ARCHITECTURE.layout_of_counts(kept, False).size * copies)
    assert max(sizes) <= 2 * (5000 - 1472)
    assert min(sizes) > 0.93 * max(sizes)


def test_a_budget_below_the_smallest_network_names_the_minimum(digits):
    """One channel a layer: three kernels of 9 values and 20 of the classifier; single values are side information."""
    least = math.ceil((3 * 9 + 20) / 2) + 4 * 11 * 32 + 2 * 32
    with pytest.raises(BudgetError, match=rf"even the smallest network.*at least {least} channel uses"):
        prune(Pruning(1000, AnalogLink(), Magnitude()), digits)
    _, kept = prune(Pruning(least, AnalogLink(), Magnitude()), digits)
    assert kept == (1, 1, 1)


def test_a_price_by_values_counts_nothing_else(digits):
    """Half a symbol a value, to the last one, from the whole network to one channel a layer."""
    _, kept = prune(Pruning(14_458 // 2, ByValues(), Magnitude()), digits)
    assert kept == ARCHITECTURE.groups.units
    _, kept = prune(Pruning(14_458 // 2 - 1, ByValues(), Magnitude()), digits)
    assert sum(kept) == sum(ARCHITECTURE.groups.units) - 1
    least = math.ceil(ARCHITECTURE.layout_of_counts((1, 1, 1), False).size / 2)
    with pytest.raises(BudgetError, match=rf"even the smallest network.*at least {least}"):
        prune(Pruning(least - 1, ByValues(), Magnitude()), digits)
    _, kept = prune(Pruning(least, ByValues(), Magnitude()), digits)
    assert kept == (1, 1, 1)


def test_gradual_pruning_ends_where_the_budget_says(digits):
    """Each step takes an equal share of what is left to remove."""
    pruning = Pruning(3000, AnalogLink(), Magnitude(), steps=3)
    model, before, sizes = used(ARCHITECTURE.unpruned(), 0), None, [14_458]
    for step in (1, 2, 3):
        model, before = prune(replace(pruning, step=step), digits, before=before, model=model)
        sizes.append(sum(p.numel() for p in model.parameters()))
    falls = [a - b for a, b in pairwise(sizes)]
    assert min(falls) > 0.7 * max(falls)
    _, at_once = prune(replace(pruning, steps=1), digits)
    assert sizes[-1] == pytest.approx(ARCHITECTURE.layout_of_counts(at_once, False).size, rel=0.1)


def test_the_core_of_each_layer_goes_last():
    scores = [torch.tensor([9.0, 8.0, 7.0, 6.0]), torch.tensor([0.4, 0.3, 0.2, 0.1])]
    assert removal_order(scores, core=0.5) == [(1, 3), (1, 2), (0, 3), (0, 2), (1, 1), (0, 1)]


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="step 3 of 2"):
        Pruning(1000, AnalogLink(), step=3, steps=2)
    with pytest.raises(ValueError, match="share"):
        Pruning(1000, AnalogLink(), core=1.5)
