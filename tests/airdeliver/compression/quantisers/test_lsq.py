"""Learned steps: the paper's gradients, the bytes, and a training that takes up its steps."""

import json
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from airdeliver.compression.bands import bands_of
from airdeliver.compression.codec import RangeCoded
from airdeliver.compression.quantisers import LSQ, State
from airdeliver.payload import Layout, Segment

LAYOUT = Layout((Segment("a.weight", (24, 3, 3, 3)), Segment("b.weight", (24,)), Segment("b.bias", (24,))))
"""Bands in order: 24 scales, 24 biases, 648 weights."""


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def values(scale: float = 1.0) -> torch.Tensor:
    return scale * torch.randn(LAYOUT.size, generator=seeded(0))


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
def test_gradients_are_those_of_the_paper(bits):
    """ds: round(v/s) - v/s within the range, -Qn or Qp beyond it, times 1/sqrt(N Qp); dv: 1 within, 0 beyond."""
    quantiser = LSQ(bits=bits, small_bits=bits)
    below, above = 2 ** (bits - 1), 2 ** (bits - 1) - 1
    # Steps that bfloat16 holds, so that rounding them changes nothing, and small enough that many values lie beyond.
    steps = torch.tensor([0.375, 0.25, 0.5]) * 2.0 ** (2 - bits)
    state = State({"steps": steps.clone().requires_grad_()})
    leaf = values().requires_grad_()
    weights = torch.randn(LAYOUT.size, generator=seeded(1))
    (quantiser.quantise(leaf, LAYOUT, state) * weights).sum().backward()
    bands = bands_of(LAYOUT)
    for band, (order, step) in enumerate(zip(bands.split(bands.order), steps.tolist(), strict=True)):
        part, passed = leaf.detach()[order].double(), weights[order].double()
        ratio = part / step
        within = (ratio > -below) & (ratio < above)
        assert 0 < int((~within).sum()) < len(order)
        slope = torch.where(within, ratio.round() - ratio, torch.where(ratio > 0, float(above), -float(below)))
        expected = float((slope * passed).sum()) / math.sqrt(len(order) * above)
        assert float(state.tensors["steps"].grad[band]) == pytest.approx(expected, rel=1e-4, abs=1e-5)
        # Times the step and over it: 1 to within its rounding.
        assert torch.allclose(leaf.grad[order], torch.where(within, weights[order], 0.0), rtol=1e-6, atol=0)


def test_values_at_the_ends_of_the_range_count_as_beyond_it():
    """v/s = Qp exactly: the slope is Qp, not round(v/s) - v/s = 0."""
    layout = Layout((Segment("a.weight", (512,)),))
    leaf = torch.full((512,), 3.5).requires_grad_()
    state = State({"steps": torch.tensor([0.5]).requires_grad_()})
    LSQ(bits=4).quantise(leaf, layout, state).sum().backward()
    assert float(state.tensors["steps"].grad[0]) == pytest.approx(7 * 512 / math.sqrt(512 * 7))
    assert float(leaf.grad.abs().max()) == 0


def test_steps_begin_at_twice_the_mean_magnitude_over_the_root_of_the_largest_level():
    source = values(0.1)
    steps = LSQ(bits=3, small_bits=8).init(source, LAYOUT).tensors["steps"]
    parts = LAYOUT.split(source)
    expected = [2 * float(parts[i].abs().mean()) / math.sqrt(most) for i, most in ((1, 127), (2, 127), (0, 3))]
    assert steps.tolist() == pytest.approx(expected, rel=1e-6)
    assert steps.requires_grad
    assert steps.is_leaf


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.integers(2, 16), st.integers(2, 16), st.floats(1e-3, 1e3), st.integers(0, 2**31 - 1), st.sampled_from([32, 900])
)
def test_the_receiver_has_bit_for_bit_what_was_trained(bits, small_bits, scale, seed, packet_bytes):
    quantiser = LSQ(bits, small_bits)
    source = scale * torch.randn(LAYOUT.size, generator=seeded(seed))
    state = quantiser.init(source, LAYOUT)
    with torch.no_grad():
        state.tensors["steps"].mul_(torch.rand(3, generator=seeded(seed)) + 0.1)
    trained = quantiser.quantise(source, LAYOUT, state).detach()
    sent = quantiser.levels(source, LAYOUT, quantiser.restore(json.loads(json.dumps(state.to_plain())), LAYOUT))
    assert torch.equal(RangeCoded().unpack(RangeCoded().pack(sent, packet_bytes).data, LAYOUT).values, trained)
    most = 2 ** (bits - 1)
    numbers = sent.numbers[48:]
    assert -most <= numbers.min() <= numbers.max() <= most - 1


def test_learned_steps_lower_the_error():
    """Descent on the steps alone, from four times what suits: to within 5 % of the error of the best step."""
    layout = Layout((Segment("a.weight", (5000,)),))
    source = torch.randn(5000, generator=seeded(2))
    quantiser = LSQ(bits=3)

    def error(step: torch.Tensor) -> torch.Tensor:
        return (quantiser.quantise(source, layout, State({"steps": step})) - source).square().mean()

    best = min(float(error(torch.tensor([step]))) for step in torch.arange(0.2, 1.5, 0.01).tolist())
    step = torch.tensor([2.0], requires_grad=True)
    optimiser = torch.optim.Adam([step], lr=0.02)
    for _ in range(200):
        optimiser.zero_grad()
        error(step).backward()
        optimiser.step()
    assert float(error(step.detach())) < 1.05 * best


def test_a_band_of_zeros_begins_when_it_has_other_values():
    source, quantiser = values(), LSQ()
    source[-24:] = 0
    state = quantiser.init(source, LAYOUT)
    steps = state.tensors["steps"]
    assert float(steps.detach()[1]) == 0
    arrived = quantiser.quantise(source.requires_grad_(), LAYOUT, state)
    assert float(arrived.detach()[-24:].abs().max()) == 0
    arrived.sum().backward()
    assert bool(steps.grad.isfinite().all())
    assert quantiser.levels(source, LAYOUT, state).values()[-24:].abs().max() == 0
    again = quantiser.refresh(values(), LAYOUT, state)
    assert again.tensors["steps"] is steps
    assert float(steps.detach()[1]) == pytest.approx(2 * float(values()[-24:].abs().mean()) / math.sqrt(127))
    with torch.no_grad():
        steps[0] = -1.0
    assert float(quantiser.refresh(values(), LAYOUT, state).tensors["steps"].detach().min()) > 0


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="2 to 16"):
        LSQ(bits=1)
    with pytest.raises(ValueError, match="3 bands, got 1 steps"):
        LSQ().restore({"tensors": {"steps": [0.5]}}, LAYOUT)


def test_the_ends_of_a_network_have_small_bits_where_that_is_asked_for():
    layout = Layout(tuple(Segment(f"{name}.weight", (64, 16)) for name in "abc"))
    source = torch.randn(layout.size, generator=seeded(0))
    for ends in (False, True):
        quantiser = LSQ(bits=2, ends=ends)
        arrived = quantiser.quantise(source, layout, quantiser.init(source, layout)).detach()
        counts = [len(part.unique()) for part in layout.split(arrived)]
        assert counts[1] <= 4
        assert [count > 32 for count in counts] == [ends, False, ends]
