"""Importance: dead channels go first, whatever the measure; scores are means over all that vanishes."""

import pytest
import torch

from airdeliver.compression.importance import HessianWeighted, Magnitude, NormScale, Taylor
from tests.airdeliver.compression.random_network import KINDS, RandomNetwork, prunable, used

EVERY = (
    Magnitude(),
    NormScale(),
    Taylor(batches=4),
    HessianWeighted(images=32),
    HessianWeighted(64, "hutchinson"),
)


def network(kind: str, norm: str = "batch"):
    architecture = prunable(RandomNetwork(kind=kind, norm=norm))
    return architecture, used(architecture.unpruned(), 0)


@pytest.mark.parametrize("importance", EVERY)
@pytest.mark.parametrize("kind", KINDS)
def test_dead_channels_are_the_least_important(kind, importance, digits):
    """Units whose values are all 0 in every layer get score 0 and everything else more."""
    architecture, model = network(kind)
    groups = architecture.groups
    with torch.no_grad():
        tensors = model.state_dict()
        for group in groups.groups:
            for shrinking in group.shrinking:
                if "running" not in shrinking.name:
                    tensors[shrinking.name].index_fill_(shrinking.dim, shrinking.positions[[0, 2]].flatten(), 0.0)
    for scores in importance.scores(model, groups, digits, seed=0):
        assert scores[[0, 2]].max() < 1e-6
        assert scores[[1, 3]].min() > 1e-6


@pytest.mark.parametrize("kind", KINDS)
def test_a_score_is_the_mean_over_all_values_that_vanish(kind, digits):
    """Against what is missing from the sum of squares once the unit is physically gone."""
    architecture, model = network(kind)
    magnitude = Magnitude()
    object.__setattr__(magnitude, "relative", False)
    scores = magnitude.scores(model, architecture.groups, digits, seed=0)
    names = [name for name, _ in model.named_parameters()]
    tensors = model.state_dict()
    for number in range(len(architecture.groups.units)):
        kept = [list(range(units)) for units in architecture.groups.units]
        kept[number].remove(1)
        left = architecture.groups.select(tensors, kept)
        squares = sum(float(tensors[name].square().sum() - left[name].square().sum()) for name in names)
        values = sum(tensors[name].numel() - left[name].numel() for name in names)
        assert float(scores[number][1]) == pytest.approx(squares / values, rel=1e-3)


def test_scores_are_the_same_for_the_same_seed(digits):
    architecture, model = network("plain")
    first, second, other = (Taylor(2, 16).scores(model, architecture.groups, digits, seed) for seed in (0, 0, 1))
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert not torch.equal(first[0], other[0])


def test_a_network_without_norms_has_no_norm_scales(digits):
    architecture, model = network("plain", norm="none")
    with pytest.raises(ValueError, match="choose another"):
        NormScale().scores(model, architecture.groups, digits, seed=0)


def test_an_unknown_curvature_is_refused(unchecked):
    with pytest.raises(ValueError, match="fisher or hutchinson"):
        HessianWeighted(curvature="exact")
