"""Levels and steps, chosen by rate and distortion."""

import math

import numpy as np
import pytest
import torch

from airdeliver.compression.bands import bands_of
from airdeliver.compression.entropy_coding import fit
from airdeliver.compression.quantisation import STEPS, allocate, choose_levels, sensitivities, step_size
from airdeliver.payload import Layout, Payload, Segment


def payload(scales=(1.0, 0.05), n=20_000, sensitivity=None) -> Payload:
    generator = torch.Generator().manual_seed(0)
    values = torch.cat([scale * torch.randn(n, generator=generator) for scale in scales])
    layout = Layout(tuple(Segment(f"{i}.weight", (n,)) for i in range(len(scales))))
    return Payload(values, layout, sensitivity)


def squared_errors(source: Payload, values: torch.Tensor) -> list[float]:
    return [float(part.square().mean()) for part in source.layout.split(values - source.values)]


def test_steps_are_powers_of_two_in_sixteenths():
    assert [step_size(2048 + 16 * k) for k in (-3, 0, 5)] == [0.125, 1.0, 32.0]
    ratios = [step_size(k + 1) / step_size(k) for k in range(STEPS - 1)]
    assert max(abs(ratio - 2 ** (1 / 16)) for ratio in ratios) < 1e-6


@pytest.mark.parametrize("rate", [0.5, 1.0, 2.0, 4.0])
def test_rate_and_distortion_of_gaussian_values(rate):
    """At most the bits asked for, at least 97 % of them; error within 1.8 dB of the Shannon limit 2^(-2 rate).

    Entropy-coded uniform quantisation loses 1.53 dB at high rates (H. Gish and J. Pierce, 1968), and less at lower
    ones; the rest is for the bits that are not used.
    """
    source = payload((1.0,), 100_000)
    quantised = allocate(source, rate * 100_000)
    assert 0.97 * rate <= quantised.bits / 100_000 <= rate
    (error,) = squared_errors(source, quantised.values())
    assert 10 * math.log10(error / float(source.values.var()) / 2 ** (-2 * rate)) < 1.8


def test_choice_of_levels_beats_rounding_at_the_same_bits():
    values = payload((1.0,), 50_000).values.double().numpy()
    chosen, model = choose_levels(values / 1.2, 0.12)
    bits = model.cost(chosen).sum()
    for step in np.arange(1.2, 3.5, 0.005):
        rounded = np.rint(values / step).astype(np.int64)
        if fit(rounded, 0).cost(rounded).sum() <= bits:
            break
    error, rounding_error = np.square(chosen * 1.2 - values).mean(), np.square(rounded * step - values).mean()
    assert error < 0.98 * rounding_error


def test_steps_that_are_given_are_kept():
    source = payload()
    free = allocate(source, 40_000.0)
    given = tuple(step - 2 for step in free.steps)
    quantised = allocate(source, 40_000.0, steps=given)
    assert quantised.steps == given
    assert 0.97 * 40_000 <= quantised.bits <= 40_000
    with pytest.raises(ValueError, match="2 bands, got 3 steps"):
        allocate(source, 40_000.0, steps=(*given, 2048))


def test_noise_is_relative_to_each_segment_unless_sensitivity_is_known():
    """Equal slope: error times sensitivity is the same in every segment, at a rate where all are well quantised."""
    plain = payload()
    errors = squared_errors(plain, allocate(plain, 160_000.0).values())
    assert errors[0] / errors[1] == pytest.approx(400, rel=0.15)
    measured = payload(sensitivity=torch.tensor([1.0, 4.0]))
    errors = squared_errors(measured, allocate(measured, 160_000.0).values())
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.15)
    assert sensitivities(measured).tolist() == pytest.approx([1 / 20_000, 4 / 20_000])


def test_small_segments_share_bands_and_come_first():
    layout = Layout(tuple(Segment(name, (n,)) for name, n in (("a.weight", 600), ("b.weight", 16), ("b.bias", 16))))
    bands = bands_of(layout)
    assert (bands.sizes, bands.protected, bands.protected_values) == ((16, 16, 600), 2, 32)
    assert sorted(bands.order.tolist()) == list(range(632))


@pytest.mark.parametrize(
    "values",
    [[], [0.0], [3.0], [1e30], [0.0] * 50, [7.25] * 50, [1e-20, 1e20, -1e20, 1.0], [-1e-30] * 3],
    ids=str,
)
def test_any_values_are_quantised_finely_if_bits_allow(values):
    """Within a millionth of the largest value."""
    vector = torch.tensor(values)
    quantised = allocate(Payload(vector, Layout((Segment("w", (len(values),)),))), 1e6)
    scale = float(vector.abs().max()) if values else 0.0
    assert torch.allclose(quantised.values(), vector, rtol=0, atol=1e-6 * scale)
