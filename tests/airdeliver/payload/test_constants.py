"""What is constant stays at home, and both sides know it from the architecture."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn.utils import prune

from airdeliver.payload import architecture_of, layout_of, load, payload_of
from airdeliver.payload.constants import follows_a_rule, is_positive

FAST = settings(deadline=None, derandomize=True, max_examples=30)


def with_buffer(name: str, buffer: torch.Tensor) -> nn.Module:
    model = nn.Linear(2, 2)
    model.register_buffer(name, buffer)
    return model


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@FAST
@given(st.integers(3, 9), st.integers(-2, 2), st.sampled_from([-math.inf, -3.4e38, -1e9, -1e4, 1.0]), st.booleans())
def test_triangular_masks_are_known_by_their_pattern(n, diagonal, fill, lower):
    mask = (torch.tril if lower else torch.triu)(torch.ones(n, n), diagonal)
    mask = torch.where(mask > 0, fill, 0.0)
    assert follows_a_rule(mask) or mask.unique().numel() == 1
    assert not follows_a_rule(torch.eye(n))


@FAST
@given(st.integers(8, 40), st.integers(1, 6), st.floats(0.001, 3.0))
def test_sequences_are_known_by_their_recurrence(n, width, frequency):
    t = torch.arange(n)[:, None] * frequency
    angles = t / 10000 ** (torch.arange(width) / width)
    for table in (
        t[:, 0],
        angles.sin(),
        angles.cos()[None],
        torch.cat([angles.sin(), angles.cos()], 1),
        0.9 ** t[:, 0],
    ):
        assert follows_a_rule(table)
    assert not follows_a_rule(torch.randn(n, width, generator=seeded(n)))


@FAST
@given(st.integers(1, 5), st.integers(1, 20), st.sampled_from([0.0, 1.0]))
def test_fresh_learned_buffers_follow_no_rule(rows, columns, value):
    """A receiver that builds the network anew comes to the same layout as a sender that has trained it."""
    assert not follows_a_rule(torch.full((rows, columns), value))
    assert not follows_a_rule(torch.rand(rows, columns, generator=seeded(rows)))


@pytest.mark.parametrize("name", ["attn_mask", "position_ids", "pe", "inv_freq", "relativeCoords", "alphas_cumprod"])
def test_constants_are_not_sent_and_arrive_as_they_are(name):
    model = with_buffer(name, torch.rand(4, 4, generator=seeded(0)))
    assert name not in layout_of(model).names
    payload = payload_of(model)
    assert torch.equal(
        load(architecture_of(model), payload.layout, payload.values).get_buffer(name), model.get_buffer(name)
    )
    assert layout_of(architecture_of(model)) == payload.layout


@pytest.mark.parametrize("fill", [-math.inf, torch.finfo(torch.float32).min, -1e9, -1e4])
def test_additive_masks_of_any_name_stay(fill):
    pattern = torch.rand(5, 7, generator=seeded(1)) > 0.5
    model = with_buffer("anything", torch.where(pattern, fill, 0.0))
    assert layout_of(model).names == ("weight", "bias")
    assert torch.equal(architecture_of(model).anything, model.anything)


def test_learned_buffers_travel_whatever_their_values():
    for name in ("prototypes", "codebook_index", "running_shift"):
        assert name in layout_of(with_buffer(name, torch.rand(9, 9, generator=seeded(0)))).names


@pytest.mark.parametrize("dtype", [torch.int8, torch.uint8, torch.int16, torch.bool])
def test_quantised_weights_travel_and_are_rounded(dtype):
    weights = torch.randint(0, 2 if dtype == torch.bool else 100, (6, 5), generator=seeded(0)).to(dtype)
    model = with_buffer("qweight", weights)
    payload = payload_of(model)
    blank = architecture_of(model)
    assert not blank.qweight.any()
    assert torch.equal(load(blank, payload.layout, payload.values).qweight, weights)
    noisy = load(architecture_of(model), payload.layout, payload.values + 0.4)
    assert torch.equal(noisy.qweight, weights)
    far = load(architecture_of(model), payload.layout, payload.values + 1e6)
    assert int(far.qweight.int().min()) == (1 if dtype == torch.bool else torch.iinfo(dtype).max)


def test_packed_integers_are_refused_by_name():
    with pytest.raises(ValueError, match=r"^qweight is a buffer of learned int64 values"):
        payload_of(with_buffer("qweight", torch.arange(5)))


def test_counters_and_index_tables_stay():
    for name, buffer in (
        ("steps", torch.tensor(7)),
        ("relative_index", torch.arange(9)),
        ("flag", torch.tensor([True])),
    ):
        assert name not in layout_of(with_buffer(name, buffer)).names


def test_pruning_masks_are_side_information():
    """They arrive exactly, cost at most a bit a weight, and the payload is no larger than unpruned."""
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
    unpruned = layout_of(model).size
    prune.l1_unstructured(model[0], "weight", 0.8)
    model(torch.zeros(1, 64))
    payload = payload_of(model)
    assert payload.layout.size == unpruned
    assert 0 < len(payload.layout.description) <= 64 * 64 / 8 + 20
    received = load(architecture_of(model), payload.layout, payload.values + 0.1)
    received(torch.zeros(1, 64))
    assert torch.equal(received[0].weight_mask, model[0].weight_mask)
    assert torch.equal(received[0].weight == 0, model[0].weight_mask == 0)


@pytest.mark.parametrize("name", ["running_var", "var", "moving_variance", "feature_std", "sigma2"])
@pytest.mark.parametrize("statistics", [True, False])
def test_variances_outside_of_batch_norm_stay_positive(name, statistics):
    model = with_buffer(name, torch.logspace(-3, 1, 9))
    payload = payload_of(model, statistics)
    received = load(architecture_of(model), payload.layout, payload.values - 5)
    assert bool((received.get_buffer(name) > 0).all())
    exact = load(architecture_of(model), payload.layout, payload.values)
    assert torch.allclose(exact.get_buffer(name), model.get_buffer(name), rtol=1e-5)


def test_instance_norm_with_running_statistics_never_gets_a_negative_variance():
    model = nn.InstanceNorm2d(4, track_running_stats=True)
    for statistics in (True, False):
        assert [s.name for s in layout_of(model, statistics).segments if s.transform == "log"] == ["running_var"]


def test_what_is_named_like_a_variance_and_is_negative_is_refused():
    with pytest.raises(ValueError, match=r"^std is named like a variance and has values below 0"):
        payload_of(with_buffer("std", torch.tensor([1.0, -1.0])), statistics=True)
    assert not is_positive("log_std")


@FAST
@given(st.integers(8, 64), st.data())
def test_a_few_dead_channels_do_not_widen_the_others(channels, data):
    """They travel as the smallest living variance, within the range of the others."""
    dead = data.draw(st.integers(1, (channels - 1) // 2))
    norm = nn.BatchNorm1d(channels)
    norm.running_var.copy_(torch.rand(channels, generator=seeded(channels)) + 0.5)
    norm.running_var[:dead] = 0.0
    payload = payload_of(norm, statistics=True)
    logs = payload.layout.split(payload.values)[payload.layout.names.index("running_var")]
    assert torch.equal(logs[dead:], norm.running_var[dead:].log())
    assert bool((logs[:dead] == logs[dead:].min()).all())
