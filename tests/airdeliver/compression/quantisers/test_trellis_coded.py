"""Dependent quantisation: error at the same bits, paths against all paths, large payloads, training and sending."""

import itertools
import json
import math

import numpy as np
import pytest
import torch

from airdeliver.compression.codec import OnGrid, OnTrellis, RangeCoded
from airdeliver.compression.codec.entropy_coding import LevelModel
from airdeliver.compression.codec.lane_coding import LaneModel
from airdeliver.compression.codec.trellis import Trellis
from airdeliver.compression.quantisers import RateDistortion, TrellisCoded, large
from airdeliver.compression.quantisers.allocation import allocate
from airdeliver.compression.quantisers.paths import Paths, nearest, prices_of
from airdeliver.compression.quantisers.viterbi import best_multiples
from airdeliver.payload import Layout, Payload, Segment


def gaussian(count: int, scales=(1.0,)) -> Payload:
    generator = torch.Generator().manual_seed(0)
    parts = [scale * torch.randn(count, generator=generator) for scale in scales]
    return Payload(torch.cat(parts), Layout(tuple(Segment(f"{i}.weight", (count,)) for i in range(len(scales)))))


@pytest.mark.parametrize("states", [4, 8])
def test_the_path_is_the_best_of_all(states):
    """Six values: every sequence of indices of magnitude 0 to 3 walked through, with signs as the values have them."""
    trellis, rng = Trellis(states), np.random.default_rng(0)
    prices = prices_of(LaneModel(LevelModel(zero=60), LevelModel(zero=40), trellis)) * 0.2
    for _ in range(3):
        scaled = rng.normal(0, 1.3, 6)
        best = math.inf
        for indices in itertools.product(range(4), repeat=6):
            state, cost = 0, 0.0
            for index, value in zip(indices, np.abs(scaled), strict=True):
                second = int(trellis.quantisers[state])
                cost += (2 * index - second * (index > 0) - value) ** 2 + prices[second, index]
                state = int(trellis.following[state, index & 1])
            best = min(best, cost)
        found = best_multiples(scaled, prices, trellis)
        second = trellis.second(found)
        index = np.abs(trellis.indices(found, second))
        cost = float(((found - scaled) ** 2 + prices[second.astype(int), index]).sum())
        assert cost == pytest.approx(best, rel=1e-9)


GAINS = {0.5: 0.1, 1.0: 0.65, 2.0: 0.7}
"""dB less error than `RateDistortion` on a Gaussian source at these bits a value, at least."""


@pytest.mark.parametrize("rate", list(GAINS))
def test_error_on_a_gaussian_source_is_less_at_the_same_bits(rate):
    """By more than 4 standard errors of both errors, each the deviation of a squared error over sqrt(n), about 1 %.

    And less than 0.8 dB above the Shannon limit at 1 bit, where a plain quantiser is 1.5 dB above it.
    """
    source = gaussian(20_000)
    plain = allocate(source, rate * 20_000)
    followed = nearest(Paths(source, Trellis(8)), lambda levels: levels.bits, rate * 20_000)
    assert 0.97 * rate <= followed.bits / 20_000 <= rate
    errors = [float((levels.values() - source.values).square().mean()) for levels in (plain, followed)]
    gain = 10 * math.log10(errors[0] / errors[1])
    uncertain = 10 * math.log10(1 + 4 * math.sqrt(2) * 1.5 / math.sqrt(20_000))
    assert gain > GAINS[rate] - uncertain
    bound = 10 * math.log10(errors[1] / float(source.values.var()) * 2 ** (2 * followed.bits / 20_000))
    assert bound < 0.85 + uncertain


def test_small_bands_and_those_of_very_many_levels_do_not_follow_the_trellis():
    layout = Layout((Segment("0.weight", (2000,)), Segment("0.bias", (40,)), Segment("1.weight", (2000,))))
    values = torch.cat([gaussian(2000).values, torch.ones(40), gaussian(2000).values])
    values[-1] = 1e4
    found = Paths(Payload(values, layout), Trellis()).solve(1e-6, (2048, 2032, 2000))
    assert [type(kind) for kind in found.reconstructions] == [OnGrid, OnTrellis, OnGrid]
    contents = RangeCoded().unpack(RangeCoded().pack(found).data, layout)
    assert torch.equal(contents.values, found.values())


def test_what_does_not_fit_is_as_coarse_as_can_be():
    source = gaussian(3000)
    found = TrellisCoded().fit(source, None, lambda levels: levels.bits + 1e9, 1.0)
    assert not found.numbers.any()


@pytest.mark.parametrize("rate", [0.4, 2.0])
def test_a_size_is_met_closely_and_from_below(rate):
    source = gaussian(6000, (1.0, 0.05, 0.3))
    codec, count = RangeCoded(), source.layout.size
    found = TrellisCoded().fit(source, None, lambda levels: 8 * sum(codec.estimate(levels, 1024)) / count, rate)
    assert 0.97 * rate < 8 * sum(codec.estimate(found, 1024)) / count <= rate
    again = TrellisCoded().fit(source, None, lambda levels: levels.bits / count, 0.95 * found.bits / count, found)
    assert again.steps == found.steps
    assert 0.9 * found.bits < again.bits <= 0.95 * found.bits


def test_large_payloads_are_quantised_piece_by_piece(monkeypatch: pytest.MonkeyPatch):
    """A sample for the slope, pieces of whole lanes: as many bits, and nearly the error of the whole."""
    source = gaussian(1 << 15, (1.0, 0.2))
    quantiser, count = TrellisCoded(), source.layout.size
    whole = quantiser.fit(source, None, lambda levels: levels.bits / count, 1.0)
    monkeypatch.setattr(large, "LARGE", 1000)
    found = quantiser.fit(source, None, lambda levels: levels.bits / count, 1.0)
    assert found.numbers.dtype == np.int16
    assert 0.98 < found.bits / count <= 1
    errors = [
        sum(float((a - b).square().mean() / b.var()) for a, b in zip(*map(source.layout.split, pair), strict=True))
        for pair in ((found.values(), source.values), (whole.values(), source.values))
    ]
    assert errors[0] < 1.05 * errors[1]
    contents = RangeCoded().unpack(RangeCoded().pack(found, 65_535).data, source.layout)
    assert torch.equal(contents.values, found.values())


def test_a_state_returns_with_its_levels():
    """From JSON: the same levels for the same values, as a resumed training and a link need it; and a rate's slope."""
    source, quantiser = gaussian(3000, (1.0, 0.1)), TrellisCoded(bits_per_value=1.5)
    state = quantiser.init(source.values, source.layout)
    state = quantiser.refresh(source.values, source.layout, state)
    seen = quantiser.quantise(source.values, source.layout, state)
    restored = quantiser.restore(json.loads(json.dumps(state.to_plain())), source.layout)
    before = quantiser.levels(source.values, source.layout, state)
    assert torch.equal(quantiser.levels(source.values, source.layout, restored).values(), before.values())
    assert seen.shape == source.values.shape
    values = source.values.clone().requires_grad_()
    quantiser.rate(values, source.layout, state).backward()
    assert values.grad is not None
    plain, other = RateDistortion(bits_per_value=1.5), source.values.clone().requires_grad_()
    plain.rate(other, source.layout, plain.init(source.values, source.layout)).backward()
    assert other.grad is not None
    assert float(torch.nn.functional.cosine_similarity(values.grad, other.grad, 0)) > 0.5


def test_quantisers_are_told_apart(unchecked):
    assert TrellisCoded() != RateDistortion()
    assert TrellisCoded() == TrellisCoded(bits_per_value=1.0, states=8)
    with pytest.raises(ValueError, match="a trellis has 4 or 8 states, got 16"):
        TrellisCoded(states=16)  # type: ignore
