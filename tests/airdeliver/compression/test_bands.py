"""Bands: which segments share a step and a model."""

from airdeliver.compression.bands import bands_of
from airdeliver.payload import Layout, Segment


def test_small_segments_share_bands_and_come_first():
    layout = Layout(tuple(Segment(name, (n,)) for name, n in (("a.weight", 600), ("b.weight", 16), ("b.bias", 16))))
    bands = bands_of(layout)
    assert (bands.sizes, bands.protected, bands.protected_values) == ((16, 16, 600), 2, 32)
    assert sorted(bands.order.tolist()) == list(range(632))


def test_a_small_convolution_shares_nothing_with_normalisation():
    shapes = (("a.weight", (16, 3, 3, 3)), ("b.weight", (16,)), ("c.weight", (4, 16, 1, 1)), ("d.weight", (8,)))
    layout = Layout(tuple(Segment(*shape) for shape in shapes))
    assert bands_of(layout).members == ((0, 2), (1, 3))
    assert bands_of(layout, mixed=True).members == ((0, 1, 2, 3),)
