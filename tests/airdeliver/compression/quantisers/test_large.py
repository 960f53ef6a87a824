"""Large payloads get the levels that small ones would, from a few looks at all values."""

import numpy as np
import pytest
import torch
from torch import Generator

from airdeliver.compression import computed
from airdeliver.compression.codec import RangeCoded
from airdeliver.compression.quantisers import RateDistortion, choosing, large
from airdeliver.compression.quantisers.allocation import Problem, allocate
from airdeliver.payload import Layout, Payload, Segment


def payload(scale: float = 1.0, offset: float = 0.0) -> Payload:
    layout = Layout(tuple(Segment(f"{i}.weight", (n,)) for i, n in enumerate((20_000, 20, 5_000, 30, 0, 30_000))))
    values = torch.randn(layout.size, generator=Generator().manual_seed(0))
    return Payload(torch.cat([part * scale * 3**i + offset for i, part in enumerate(layout.split(values))]), layout)


@pytest.mark.parametrize(("scale", "offset"), [(1.0, 0.0), (1e-3, 5.0)])
@pytest.mark.parametrize("bits_per_value", [0.05, 1.0, 4.0, 14.0])
def test_levels_chosen_in_pieces_are_those_of_the_whole(monkeypatch: pytest.MonkeyPatch, bits_per_value, scale, offset):
    """`quantised` is `Problem.solve`: the same levels and models, in integers as small as can be."""
    monkeypatch.setattr(computed, "PIECE", 1 << 12)
    monkeypatch.setattr(choosing, "_AT_ONCE", 1 << 10)
    source = payload(scale, offset)
    whole = allocate(source, bits_per_value * source.layout.size)
    pieced = large.quantised(source, whole.steps, whole.slope)
    expected = Problem(source).solve(whole.slope, whole.steps)
    assert pieced.numbers.dtype.itemsize <= 4
    assert np.array_equal(pieced.numbers, expected.numbers)
    assert pieced.models == expected.models
    assert torch.equal(pieced.values(), expected.values())
    assert RangeCoded().pack(pieced) == RangeCoded().pack(expected)


@pytest.mark.parametrize("bits_per_value", [0.3, 5.0])
def test_a_large_payload_fills_its_bits_as_well(monkeypatch: pytest.MonkeyPatch, bits_per_value):
    """At most one percent of the bits is left, and the error is within 0.4 dB of that of the whole search."""
    source = payload()
    most = bits_per_value * source.layout.size
    weights = torch.tensor([1 / (float(part.square().mean()) + 1e-60) if len(part) else 0 for part in parts(source)])
    expected = RateDistortion().fit(source, None, lambda levels: levels.bits, most)
    monkeypatch.setattr(large, "LARGE", 1000)
    found = RateDistortion().fit(source, None, lambda levels: levels.bits, most)
    assert 0.99 * most <= found.bits <= most
    losses = [
        sum(float((a - b).square().sum()) * w for a, b, w in zip(parts(source), source.layout.split(v), weights))
        for v in (found.values(), expected.values())
    ]
    assert losses[0] <= losses[1] * 10**0.04
    closer = RateDistortion().fit(source, None, lambda levels: levels.bits, 0.99 * most, found)
    assert closer.steps == found.steps
    assert closer.bits == pytest.approx(0.99 * most, rel=0.015)


def test_what_does_not_fit_is_as_coarse_as_can_be(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(large, "LARGE", 1000)
    assert not RateDistortion().fit(payload(), None, lambda levels: levels.bits, 1e-9).values().any()


def test_steps_of_a_training_are_kept(monkeypatch: pytest.MonkeyPatch):
    source = payload()
    steps = allocate(source, 2.0 * source.layout.size).steps
    monkeypatch.setattr(large, "LARGE", 1000)
    assert large.fit(source, 2.0 * source.layout.size, lambda levels: levels.bits, steps).steps == steps
    with pytest.raises(ValueError, match="bands, got"):
        large.fit(source, 1.0, lambda levels: levels.bits, (*steps, 2048))


def parts(source: Payload) -> list[torch.Tensor]:
    return source.layout.split(source.values)
