"""The quantisers of the literature: their formulas, their gradients, and that what was trained is what arrives."""

import json
import math

import numpy as np
import pytest
import torch

from airdeliver.compression.bands import bands_of
from airdeliver.compression.codec import RangeCoded
from airdeliver.compression.quantisers import DSQ, QIL, APoT, DoReFa, LSQPlus, Quantiser, State
from airdeliver.compression.quantisers.apot import levels_of
from airdeliver.payload import Layout, Segment

LAYOUT = Layout(
    (
        Segment("a.weight", (16, 3, 3, 3)),
        Segment("b.weight", (16,)),
        Segment("c.weight", (24, 24, 3)),
        Segment("d.weight", (8, 80)),
        Segment("e.weight", (60, 10)),
    )
)
"""One band of scales, one of the first convolution, two large ones, and the last weights."""
MIDDLE = ("c.weight", "d.weight")

QUANTISERS: list[Quantiser] = [
    LSQPlus(bits=3),
    LSQPlus(bits=4, per_channel=True),
    LSQPlus(bits=4, symmetric=False),
    LSQPlus(bits=4, per_channel=True, symmetric=False, scale="power_of_two"),
    DSQ(bits=2),
    DSQ(bits=4, per_channel=True),
    DoReFa(bits=3),
    QIL(bits=3),
    APoT(bits=3),
    APoT(bits=4),
]


def values(scale: float = 0.1, seed: int = 0) -> torch.Tensor:
    return scale * torch.randn(LAYOUT.size, generator=torch.Generator().manual_seed(seed))


def part(vector: torch.Tensor, name: str) -> torch.Tensor:
    return dict(zip(LAYOUT.names, LAYOUT.split(vector), strict=True))[name]


@pytest.mark.parametrize("quantiser", QUANTISERS, ids=str)
def test_what_was_trained_is_what_arrives_bit_for_bit(quantiser: Quantiser):
    """Through JSON and the container; at most 2^b levels in a channel of the large bands, all gradients finite."""
    source = values().requires_grad_()
    state = quantiser.init(source.detach(), LAYOUT)
    trained = quantiser.quantise(source, LAYOUT, state)
    (trained.square().sum() + (trained * values(seed=1)).sum()).backward()
    assert bool(source.grad.isfinite().all())
    for name, tensor in state.tensors.items():
        if name == "zeros" and getattr(quantiser, "symmetric", False):
            assert tensor.grad is None  # it stays 0
        else:
            assert bool(tensor.grad.isfinite().all())
    restored = quantiser.restore(json.loads(json.dumps(state.to_plain())), LAYOUT)
    levels = quantiser.levels(source.detach(), LAYOUT, restored)
    arrived = RangeCoded().unpack(RangeCoded().pack(levels).data, LAYOUT).values
    assert torch.equal(arrived, trained.detach())
    for name in MIDDLE:
        rows = part(trained.detach(), name).view(dict(zip(LAYOUT.names, LAYOUT.segments))[name].shape[0], -1)
        apart = rows if quantiser.per_channel else rows.reshape(1, -1)
        assert max(len(row.unique()) for row in apart) <= 2**quantiser.bits


@pytest.mark.parametrize("driven", [-0.1, 0.0])
@pytest.mark.parametrize("quantiser", QUANTISERS, ids=str)
def test_scales_that_training_has_driven_below_0_stay_numbers_that_travel(quantiser: Quantiser, driven: float):
    state = quantiser.init(values(), LAYOUT)
    for tensor in state.tensors.values():
        tensor.data.fill_(driven)
    own = values().requires_grad_()
    seen = quantiser.quantise(own, LAYOUT, state)
    assert seen.isfinite().all()
    assert torch.equal(seen.detach(), quantiser.levels(values(), LAYOUT, state).values())
    seen.square().sum().backward()
    assert all(tensor.grad is None or tensor.grad.isfinite().all() for tensor in state.tensors.values())


@pytest.mark.parametrize("quantiser", QUANTISERS, ids=str)
def test_first_and_last_weights_and_small_bands_have_small_bits(quantiser: Quantiser):
    """Within half a step of 2 max / 254, straight through."""
    source = values().requires_grad_()
    trained = quantiser.quantise(source, LAYOUT, quantiser.init(source.detach(), LAYOUT))
    trained.sum().backward()
    for name in ("a.weight", "b.weight", "e.weight"):
        own, found = part(source.detach(), name), part(trained.detach(), name)
        assert float((own - found).abs().max()) <= 1.01 * float(own.abs().max()) / 254
        assert bool((part(source.grad, name) == 1).all())


def test_steps_of_lsq_plus_begin_at_three_standard_deviations():
    source = values() + 0.02
    steps = LSQPlus(bits=4).init(source, LAYOUT).tensors["steps"]
    for step, name in zip(steps.tolist(), MIDDLE, strict=True):
        own = part(source, name)
        mean, std = float(own.mean()), float(own.std(correction=0))
        assert step == pytest.approx(max(abs(mean - 3 * std), abs(mean + 3 * std)) / 8, rel=1e-5)
    each = LSQPlus(per_channel=True).init(source, LAYOUT).tensors["steps"]
    assert len(each) == 24 + 8


def test_gradient_of_a_step_of_lsq_plus_is_that_of_lsq():
    """round(x) - x within, -Qn or Qp beyond, over sqrt(N Qp)."""
    layout = Layout((Segment("c.weight", (600,)),))
    source = torch.randn(600, generator=torch.Generator().manual_seed(0))
    state = State({"steps": torch.tensor([0.5], requires_grad=True), "zeros": torch.zeros(1, requires_grad=True)})
    LSQPlus(bits=3).quantise(source, layout, state).sum().backward()
    ratio = (source / 0.5).double()
    slope = torch.where(ratio.abs() < 3, ratio.round() - ratio, ratio.clamp(-4, 3))
    slope = torch.where((ratio > -4) & (ratio < 3), ratio.round() - ratio, ratio.clamp(-4, 3))
    assert float(state.tensors["steps"].grad[0]) == pytest.approx(float(slope.sum()) / math.sqrt(600 * 3), rel=1e-4)


def test_an_asymmetric_range_holds_values_of_one_sign_with_half_the_error():
    """From 0 to 1, a zero of its own has 16 levels where a symmetric range has 8: an error 4 times smaller."""
    layout = Layout((Segment("c.weight", (4000,)),))
    source = torch.rand(4000, generator=torch.Generator().manual_seed(0))
    errors = []
    for symmetric in (True, False):
        quantiser = LSQPlus(bits=4, symmetric=symmetric)
        state = quantiser.init(source, layout)
        if symmetric:
            state = State({**state.tensors, "steps": torch.tensor([1 / 7])})
        errors.append(float((quantiser.quantise(source, layout, state) - source).detach().square().mean()))
    assert 3 < errors[0] / errors[1] < 6


def test_steps_that_are_powers_of_two_are_the_nearest():
    quantiser = LSQPlus(scale="power_of_two")
    source = values()
    levels = quantiser.levels(source, LAYOUT, quantiser.init(source, LAYOUT))
    free = LSQPlus().init(source, LAYOUT).tensors["steps"].tolist()
    bands = bands_of(LAYOUT)
    steps = [r.step for r, members in zip(levels.reconstructions, bands.members) if LAYOUT.names[members[0]] in MIDDLE]
    assert all(math.log2(step).is_integer() for step in steps)
    assert all(abs(math.log2(step / other)) <= 0.5 for step, other in zip(steps, free, strict=True))


def test_the_staircase_of_dsq():
    """Mid-rise levels forward; backward k (1 - tanh²) / (2 (1 - alpha)), its mean over a cell 1."""
    layout, quantiser = Layout((Segment("c.weight", (4096,)),)), DSQ(bits=2)
    source = torch.linspace(-1, 1, 4096).requires_grad_()
    arrived = quantiser.quantise(source, layout, State())
    arrived.sum().backward()
    step = float(arrived.detach().unique().diff()[0])
    reach = 2.6 * float(source.detach().std(correction=0))
    assert step == pytest.approx(reach / 2, rel=2**-8)
    assert arrived.detach().unique().tolist() == pytest.approx([-1.5 * step, -step / 2, step / 2, 1.5 * step])
    k = math.log(2 / 0.4 - 1)
    x = (source.detach() / step) % 1
    assert torch.allclose(source.grad, k * (1 - torch.tanh(k * (x - 0.5)) ** 2) / 1.2, atol=1e-3)
    assert float(source.grad.mean()) == pytest.approx(1, abs=0.02)


def test_dorefa_in_closed_form():
    layout = Layout((Segment("c.weight", (1000,)),))
    source = values(0.5)[:1000]
    unit = torch.tanh(source) / (2 * torch.tanh(source).abs().max()) + 0.5
    expected = 2 * torch.round(unit * 7) / 7 - 1
    assert torch.allclose(DoReFa(bits=3).quantise(source, layout, State()), expected, rtol=2**-8)


def test_the_interval_of_qil():
    """Values below c - d are 0, those above c + d are 1, and both ends learn."""
    layout = Layout((Segment("c.weight", (1000,)),))
    source = torch.linspace(-1, 1, 1000)
    state = State(
        {"centres": torch.tensor([0.5], requires_grad=True), "widths": torch.tensor([0.2], requires_grad=True)}
    )
    arrived = QIL(bits=4).quantise(source, layout, state)
    found = arrived.detach()
    assert not found[source.abs() < 0.3].any()
    assert torch.equal(found[source.abs() > 0.71].abs().unique(), torch.tensor([float(found.max())]))
    assert float(found.max()) == pytest.approx(1, rel=2**-7)
    arrived.square().sum().backward()
    assert float(state.tensors["centres"].grad[0]) < 0 != float(state.tensors["widths"].grad[0])


def test_levels_of_apot_are_those_of_the_paper():
    """4 bits: {0, 1/2, 1/4, 1/16} + {0, 1/8}, normalised; 3 bits: {0, 1/2, 1/4, 1/8}."""
    sums = sorted({a + b for a in (0, 1 / 2, 1 / 4, 1 / 16) for b in (0, 1 / 8)})
    assert np.allclose(levels_of(4)[7:], np.array(sums) / sums[-1])
    assert levels_of(3) == (-1.0, -0.5, -0.25, 0.0, 0.25, 0.5, 1.0)
    with pytest.raises(ValueError, match="bits must be 3 to 16"):
        APoT(bits=2)


def test_apot_quantises_standardised_weights_within_its_clip():
    layout = Layout((Segment("c.weight", (1000,)),))
    source = 5 + 0.01 * torch.randn(1000, generator=torch.Generator().manual_seed(0))
    state = State({"clips": torch.tensor([2.0], requires_grad=True)})
    arrived = APoT(bits=4).quantise(source, layout, state)
    standard = (source - source.mean()) / source.std(correction=0)
    levels = 2 * torch.tensor(levels_of(4))
    nearest = levels[(standard.clamp(-2, 2)[:, None] - levels).abs().argmin(1)]
    assert torch.allclose(arrived.detach(), nearest, atol=0.02)
    arrived.sum().backward()
    assert float(state.tensors["clips"].grad[0]) != 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LSQPlus(bits=1), "bits must be 2 to 16 and small_bits 2 to 16, got 1 and 8"),
        (lambda: LSQPlus(scale="octave"), "scale must be float or power_of_two"),  # pyright: ignore[reportArgumentType]
        (lambda: DSQ(sharpness=1.0), "sharpness must lie between 0 and 1"),
        (lambda: DoReFa(per_channel=True), "DoReFa has one scale a layer"),
        (lambda: QIL(per_channel=True), "QIL has one interval a layer"),
        (lambda: APoT(per_channel=True), "APoT has one clip a layer"),
        (lambda: LSQPlus().restore({"tensors": {"steps": [0.5]}}, LAYOUT), "the payload needs 2 numbers 'steps'"),
    ],
)
def test_what_cannot_be_is_refused(make, message: str, unchecked):
    with pytest.raises(ValueError, match=message):
        make()
