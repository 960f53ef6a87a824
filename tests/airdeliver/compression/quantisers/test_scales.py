"""Quantisers see shapes and not sizes: weights of any scale that float32 holds have the error that they have at 1."""

from functools import lru_cache

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from airdeliver import DigitalLink, deliver
from airdeliver.compression import quantisers
from airdeliver.compression.quantisers import (
    DSQ,
    LSQ,
    QIL,
    APoT,
    DoReFa,
    LSQPlus,
    Quantiser,
    RateDistortion,
    Signs,
    State,
    TrellisCoded,
    Vertical,
)
from airdeliver.compression.quantisers.answers import levels_now, levels_of, reconstructed, state_of
from airdeliver.compression.quantisers.octaves import octaves_of
from airdeliver.payload import Layout, Payload, Segment
from channels import AWGN

LAYOUT = Layout(
    (
        Segment("a.weight", (16, 40)),
        Segment("a.bias", (16,)),
        Segment("c.weight", (24, 24)),
        Segment("d.weight", (8, 80)),
        Segment("e.weight", (60, 10)),
    )
)
LARGE = ("a.weight", "c.weight", "d.weight", "e.weight")

QUANTISERS: list[Quantiser] = [
    LSQ(),
    LSQ(bits=2, ends=True),
    LSQPlus(),
    LSQPlus(per_channel=True, symmetric=False),
    LSQPlus(scale="power_of_two"),
    DSQ(),
    DSQ(bits=2, per_channel=True),
    Signs(),
    Vertical(),
    Vertical(planes=3),
    Vertical(dead_zone=True),
]
ADAPTING: list[Quantiser] = [RateDistortion(3.0), TrellisCoded(3.0)]
OF_A_SCALE_OF_THEIR_OWN: list[Quantiser] = [DoReFa(), QIL(), APoT(), APoT(bits=3)]
BASE = torch.randn(LAYOUT.size, generator=torch.Generator().manual_seed(0))


def scaled(name: str | None, power: int) -> torch.Tensor:
    """All values, of which those of one segment, or of all, are multiplied by a power of two."""
    values = BASE.clone()
    for own, part in zip(LAYOUT.names, LAYOUT.split(values), strict=True):
        if name in (own, None):
            part *= 2.0**power
    return values


def of(vector: torch.Tensor, name: str) -> torch.Tensor:
    return dict(zip(LAYOUT.names, LAYOUT.split(vector.detach().double()), strict=True))[name]


def errors(quantiser: Quantiser, name: str, power: int, everywhere: bool) -> list[float]:
    """Relative squared error of a segment: as trained, and as a link fits it to 4 bits a value."""
    values = scaled(None if everywhere else name, power)
    state = state_of(quantiser, values, LAYOUT)
    leaf = values.clone().requires_grad_()
    trained = reconstructed(quantiser, leaf, LAYOUT, state)
    assert torch.autograd.grad(trained.sum(), leaf)[0].isfinite().all()
    sent = [trained, levels_now(quantiser, values, LAYOUT, state).values()]
    sent.append(levels_of(quantiser, Payload(values, LAYOUT), None, lambda x: x.bits, 4.0 * LAYOUT.size).values())
    own = of(values, name) / 2.0**power
    return [float((of(x, name) / 2.0**power - own).square().mean() / own.square().mean()) for x in sent]


@lru_cache
def at_one(quantiser: Quantiser, name: str, everywhere: bool) -> list[float]:
    return errors(quantiser, name, 0, everywhere)


def test_every_quantiser_is_here():
    there = {x for x in vars(quantisers).values() if isinstance(x, type) and issubclass(x, Quantiser)} - {Quantiser}
    assert there == {type(x) for x in QUANTISERS + ADAPTING + OF_A_SCALE_OF_THEIR_OWN}


@pytest.mark.parametrize("quantiser", QUANTISERS, ids=str)
@settings(max_examples=12, deadline=None, derandomize=True)
@given(power=st.integers(-113, 122), name=st.sampled_from(LARGE), everywhere=st.booleans())
def test_error_is_that_at_one(quantiser: Quantiser, power: int, name: str, everywhere: bool):
    """From 1e-34 to 5e36."""
    assert errors(quantiser, name, power, everywhere) == pytest.approx(at_one(quantiser, name, everywhere), rel=1e-6)


@pytest.mark.parametrize("power", [-113, 122])
@pytest.mark.parametrize("quantiser", QUANTISERS, ids=str)
def test_error_is_that_at_one_at_both_ends(quantiser: Quantiser, power: int):
    assert errors(quantiser, "c.weight", power, False) == pytest.approx(at_one(quantiser, "c.weight", False), rel=1e-6)


@pytest.mark.parametrize("quantiser", ADAPTING, ids=str)
def test_what_adapts_has_nearly_the_error_that_it_has_at_one(quantiser: Quantiser):
    """Its steps lie on a grid of sixteen an octave, and slopes are bisected: by that alone errors differ."""

    def error(power: int) -> float:
        values = scaled("c.weight", power)
        found = levels_of(quantiser, Payload(values, LAYOUT), None, lambda x: x.bits, 4.0 * LAYOUT.size).values()
        own = of(values, "c.weight") / 2.0**power
        return float((of(found, "c.weight") / 2.0**power - own).square().mean() / own.square().mean())

    assert [error(power) for power in (-113, 122)] == pytest.approx([error(0)] * 2, rel=0.05)


@pytest.mark.parametrize("quantiser", OF_A_SCALE_OF_THEIR_OWN, ids=str)
def test_what_has_a_scale_of_its_own_has_it_at_any_scale(quantiser: Quantiser):
    """Made for layers that a norm follows: what arrives is the same network. A tangent is linear for small weights."""

    def sent(power: int) -> torch.Tensor:
        values = scaled("c.weight", power)
        return of(levels_now(quantiser, values, LAYOUT, state_of(quantiser, values, LAYOUT)).values(), "c.weight")

    for power in (-113, -60, -20) if isinstance(quantiser, DoReFa) else (-113, -60, -20, 0, 60, 122):
        assert torch.equal(sent(power), sent(-14 if isinstance(quantiser, DoReFa) else 0))


def test_a_tangent_that_leaves_signs_alone_is_one_line():
    with pytest.raises(ValueError, match=r"DoReFa squeezes .* up to 3e\+03 leave nothing but signs: divide them by"):
        levels_now(DoReFa(), scaled("c.weight", 10), LAYOUT, State())


@pytest.mark.parametrize("quantiser", [*QUANTISERS, *ADAPTING, *OF_A_SCALE_OF_THEIR_OWN], ids=str)
@pytest.mark.parametrize(("factor", "do"), [(1e-37, "multiply them by a power of two"), (1e38, "divide them by a")])
def test_beyond_is_one_line_that_names_segment_and_quantiser_and_says_what_to_do(quantiser, factor, do):
    values = BASE.clone()
    values[LAYOUT.offsets[2] : LAYOUT.offsets[3]] *= factor
    for ask in (
        lambda: state_of(quantiser, values, LAYOUT),
        lambda: levels_now(quantiser, values, LAYOUT, State()),
        lambda: levels_of(quantiser, Payload(values, LAYOUT), None, lambda x: x.bits, 4.0 * LAYOUT.size),
    ):
        with pytest.raises(ValueError, match=rf"^c\.weight has .*: {type(quantiser).__name__} tells .*: {do}") as told:
            ask()
        assert "\n" not in str(told.value)


@pytest.mark.parametrize("power", [-113, -40, 120])
@pytest.mark.parametrize("quantiser", [DSQ(), Vertical(), LSQ(), RateDistortion()], ids=str)
def test_a_network_arrives_at_any_scale(quantiser: Quantiser, power: int):
    """Same budget, same errors, whatever the scale of one layer of it is."""

    def error(power: int) -> float:
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(30, 40), nn.Linear(40, 40), nn.Linear(40, 20))
        model[1].weight.data *= 2.0**power
        link = DigitalLink("capacity", quantiser=quantiser, bits_per_value=6.0)
        there = deliver(model, link, AWGN(), 10.0, 20_000, realizations=1).model(0)[1].weight
        one, other = (x.detach().double() / 2.0**power for x in (there, model[1].weight))
        return float((one - other).square().mean() / other.square().mean())

    assert error(power) == pytest.approx(error(0), rel=0.15 if quantiser.adapts else 1e-6)


@pytest.mark.parametrize("driven", [-0.1, 0.0, 1e-30])
def test_a_step_of_lsq_that_training_has_driven_to_nothing_has_a_gradient(driven: float):
    state = LSQ().init(BASE, LAYOUT)
    state.tensors["steps"].data.fill_(driven)
    state = LSQ().refresh(BASE, LAYOUT, state)
    LSQ().quantise(BASE.clone().requires_grad_(), LAYOUT, state).square().sum().backward()
    assert state.tensors["steps"].grad.isfinite().all()


@given(st.floats(2.0**-126, 2.0**127, width=32), st.integers(1, 5))
def test_octaves_hold_the_largest_and_divide_exactly(largest: float, rows: int):
    values = torch.linspace(-1, 1, 7).repeat(rows, 1).double() * largest
    unit = octaves_of(values.float()).double()
    assert bool(((values.float().double().abs().amax(1, keepdim=True) / unit) < 4).all())
    assert np.log2(unit.numpy()).tolist() == np.floor(np.log2(unit.numpy())).tolist()
