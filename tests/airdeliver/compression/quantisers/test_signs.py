"""Signs and one scale a band."""

import pytest
import torch

from airdeliver.compression.codec import RangeCoded
from airdeliver.compression.quantisers import Signs
from airdeliver.payload import Layout, Segment

LAYOUT = Layout((Segment("a.weight", (64, 8, 3, 3)), Segment("b.weight", (64,)), Segment("b.bias", (64,))))
LARGE = 64 * 8 * 9


def values() -> torch.Tensor:
    drawn = torch.randn(LAYOUT.size, generator=torch.Generator().manual_seed(0))
    drawn[LARGE : LARGE + 64] += 3
    return drawn


def test_weights_are_plus_and_minus_their_mean_magnitude():
    source, quantiser = values(), Signs()
    source[0] = 0
    arrived = quantiser.quantise(source, LAYOUT, quantiser.init(source, LAYOUT))
    scale = source[:LARGE].abs().mean()
    assert torch.allclose(arrived[:LARGE], torch.where(source[:LARGE] >= 0, scale, -scale), rtol=2.0**-8)
    assert len(arrived[:LARGE].unique()) == 2
    assert float((arrived - source)[LARGE:].abs().max()) < 1.01 * float(source[LARGE:].abs().max()) / 254


def test_the_receiver_has_bit_for_bit_what_was_trained_for_a_bit_a_weight():
    source, quantiser = values(), Signs()
    levels = quantiser.levels(source, LAYOUT, quantiser.init(source, LAYOUT))
    container = RangeCoded().pack(levels, 65_535)
    contents = RangeCoded().unpack(container.data, LAYOUT)
    assert torch.equal(contents.values, quantiser.quantise(source, LAYOUT, quantiser.init(source, LAYOUT)))
    assert 8 * container.groups[1] < 1.01 * LARGE + 8 * 12


def test_gradients_are_those_of_the_paper():
    """sign_i sign_j / N + scale [|w_i| <= 1] for the weights, 1 for the small bands."""
    source, quantiser = values(), Signs()
    leaf = source.clone().requires_grad_()
    weights = torch.randn(LAYOUT.size, generator=torch.Generator().manual_seed(1))
    (quantiser.quantise(leaf, LAYOUT, quantiser.init(source, LAYOUT)) * weights).sum().backward()
    part, passed = source[:LARGE], weights[:LARGE]
    mean = (passed * part.sign()).sum() * part.sign() / LARGE
    expected = mean + torch.where(part.abs() <= 1, part.abs().mean() * passed, 0.0)
    assert torch.allclose(leaf.grad[:LARGE], expected, atol=1e-5)
    assert torch.equal(leaf.grad[LARGE:], weights[LARGE:])


def test_nothing_but_zeros_travels():
    quantiser, zeros = Signs(), torch.zeros(LAYOUT.size)
    levels = quantiser.levels(zeros, LAYOUT, quantiser.init(zeros, LAYOUT))
    assert bool(levels.values().isfinite().all())
    assert float(levels.values()[LARGE:].abs().max()) == 0
    with pytest.raises(ValueError, match="2 to 16"):
        Signs(small_bits=1)


def test_the_ends_of_a_network_and_what_is_named_keep_finer_levels_and_are_paid_for():
    names = ("first.weight", "middle.weight", "other.weight", "last.weight")
    layout = Layout(tuple(Segment(name, (64, 64)) for name in names))
    source = torch.randn(layout.size, generator=torch.Generator().manual_seed(0))
    kinds = {}
    for quantiser in (Signs(), Signs(ends=True), Signs(ends=True, but=["other"])):
        levels = quantiser.levels(source, layout, quantiser.init(source, layout))
        kinds[quantiser] = [len(part.unique()) for part in layout.split(levels.values())]
        assert torch.equal(levels.values(), quantiser.quantise(source, layout, quantiser.init(source, layout)))
        finer = sum(count > 2 for count in kinds[quantiser])
        assert levels.bits > 4096 * (len(names) + 5 * finer)
    assert [[count > 2 for count in found] for found in kinds.values()] == [
        [False] * 4, [True, False, False, True], [True, False, True, True],
    ]  # fmt: skip
