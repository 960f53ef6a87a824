"""Networks that torch-pruning was not made for: each layer that stays whole has a reason, and what is found holds."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from airdeliver.architecture.coupling import described
from airdeliver.architecture.dependency import channel_groups
from tests.zoo.catalogue import CATALOGUE, said

WHOLE = {
    "ShuffleNet": ("1.b.0", "do not belong to each other"),
    "ShuffleNetV2": ("2.branch.3.0", "do not all have the same share"),
    "Hypernetwork": ("generator", "do not all have the same share"),
    "ConvLSTM": ("gates", "IndexError"),
    "WaveNet": ("residual.0", "must match the size"),
    "Message passing": ("embed", "fails without its channels"),
    "NFNet": ("0", "fails without its channels"),
    "LSTM": ("rnn", "LSTM is no layer"),
    "GPT-2": ("mlp_proj", "tied"),
    "Weight norm": ("0", "remove_parametrizations"),
    "Weight norm, old hook": ("0", "weights are computed"),
    "LoRA": ("head", "outputs of the network"),
}
"""A layer that stays whole, and part of the reason; each of these ended in a traceback, a hang or a wrong group."""

FOUND = {
    "U-Net": 7,
    "DenseNet": 8,
    "RegNetY": 8,
    "GhostNet": 3,
    "Feature pyramid": 3,
    "VAE": 2,
    "Diffusion block": 2,
    "BERT": 3,
    "Llama": 2,
    "GPT-2": 1,
    "Mixture of experts": 4,
}
"""Channel groups that are found: concatenation, groups, several inputs and outputs, transposed and gated layers."""


@pytest.mark.parametrize("name", WHOLE)
def test_what_stays_whole_has_a_reason(name: str):
    layer, reason = WHOLE[name]
    groups = channel_groups(CATALOGUE[name].model(), CATALOGUE[name].examples(1))
    assert reason in dict(groups.fixed)[layer], groups.why_fixed
    assert layer not in [group.name for group in groups.groups]
    assert "\n" not in groups.why_fixed


@pytest.mark.parametrize("name", FOUND)
def test_groups_of_unusual_networks_hold(name: str):
    """Any numbers of units leave a network that answers in the same shapes."""
    entry = CATALOGUE[name]
    model, inputs = entry.model(), entry.examples(2)
    groups = channel_groups(model, entry.examples(1))
    assert len(groups.groups) == FOUND[name]
    shapes = [answer.shape for answer in said(model, inputs)]
    generator = torch.Generator().manual_seed(0)
    counts = [int(torch.randint(1, units + 1, (), generator=generator)) for units in groups.units]
    groups.prune(model, [list(range(count)) for count in counts])
    assert [answer.shape for answer in said(model, inputs)] == shapes


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 9), st.integers(2, 9), st.integers(1, 12), st.booleans())
def test_convolutions_that_are_flattened_lose_channels_at_any_resolution(first, second, side, functional):
    """Each channel of the last one is as many inputs of the matrix as it has pixels: that is no circle."""

    class Flat(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Conv2d(1, first, 3, padding=1), nn.Conv2d(first, second, 3, padding=1)
            self.flatten, self.head = nn.Flatten(), nn.Linear(second * side**2, 3)

        def forward(self, x):
            features = self.b(self.a(x).relu()).relu()
            return self.head(features.flatten(1) if functional else self.flatten(features))

    groups = channel_groups(Flat(), torch.zeros(1, 1, side, side))
    assert groups.units == (first, second), groups.why_fixed
    pruned = groups.prune(Flat(), [[0], [0, 1]])
    assert pruned(torch.zeros(2, 1, side, side)).shape == (2, 3)


@pytest.mark.parametrize(("width", "words"), [(0, "no channel"), (1, "a single channel")])
def test_layers_of_one_channel_or_none_stay_whole(width, words):
    model = nn.Sequential(nn.Linear(4, width), nn.ReLU(), nn.Linear(width, 2))
    assert words in dict(channel_groups(model, torch.zeros(1, 4)).fixed)["0"]


def test_reasons_are_one_short_line():
    assert described(RuntimeError("a" * 300 + "\nb")).count("\n") == 0
    assert len(described(ValueError("word " * 100))) <= 100
