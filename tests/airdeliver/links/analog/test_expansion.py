"""Spirals and spreading, against bounds and closed forms."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from airdeliver.links import AnalogLink, Knowledge
from airdeliver.links.analog.expansion import Expansion, Hadamard, Repeated, Repetition, Spiral, least_error
from airdeliver.links.analog.expansion.archimedes import Archimedes
from airdeliver.payload import Layout, Payload, Segment
from channels import AWGN, Rayleigh

EXPANSIONS = (Repetition(1), Repetition(3), Hadamard(1, 8), Hadamard(2, 16), Spiral(10.0), Spiral(20.0, "laplacian"))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def payload(n: int = 60_000) -> Payload:
    return Payload(torch.randn(n, generator=seeded(0)), Layout((Segment("weight", (n,)),)))


def distortion_db(link: AnalogLink, snr_db: float, n: int = 60_000) -> float:
    """Signal-to-distortion ratio of a Gaussian source that is delivered over AWGN."""
    source = payload(n)
    plan = link.plan(source, 1 << 60, Knowledge())
    state = AWGN().realize(1, plan.payload_symbols, snr_db, seeded(1))
    received = link.send(source.values, plan, plan.layout, AWGN(), state, seeded(2)).values[0]
    return -10 * math.log10(float((received - source.values).square().mean()))


@pytest.mark.parametrize(("snr_db", "least"), [(10.0, 15.6), (15.0, 24.0), (20.0, 32.0)])
def test_spiral_lies_between_repetition_and_the_bound(snr_db, least):
    """Repetition 10 log10(1 + 2 SNR); the rate-distortion bound for two uses of a real channel (1 + SNR)^2."""
    snr = 10 ** (snr_db / 10)
    reached = distortion_db(AnalogLink(expansion=Spiral(snr_db)), snr_db)
    assert max(least, 10 * math.log10(1 + 2 * snr) + 2) < reached < 20 * math.log10(1 + snr)


def test_spiral_is_5_db_better_than_repetition_at_15_db():
    spiral, repetition = AnalogLink(expansion=Spiral(15.0)), AnalogLink(expansion=Repetition(2))
    assert distortion_db(spiral, 15.0) > distortion_db(repetition, 15.0) + 5


def test_spiral_has_a_threshold():
    """5 dB below its design SNR a spiral loses more than 9 dB and its lead; repetition loses 5."""
    spiral, repetition = AnalogLink(expansion=Spiral(15.0)), AnalogLink(expansion=Repetition(2))
    assert distortion_db(spiral, 15.0) - distortion_db(spiral, 10.0) > 9
    assert distortion_db(spiral, 10.0) < distortion_db(repetition, 10.0)
    assert distortion_db(spiral, 20.0) - distortion_db(spiral, 15.0) == pytest.approx(5.5, abs=1)


@pytest.mark.parametrize(
    ("snr_db", "chosen"), [(-5.0, Repetition), (0.0, Repetition), (5.0, Repetition), (10.0, Spiral)]
)
def test_repetition_is_chosen_at_low_snr(snr_db, chosen):
    assert isinstance(least_error([Repetition(2), Spiral(snr_db)], snr_db), chosen)


@pytest.mark.parametrize("spiral", [Spiral(5.0), Spiral(10.0), Spiral(15.0, "laplacian")])
def test_expected_error_of_a_spiral_is_what_is_delivered(spiral):
    """Within 5 % and 4 standard errors, from 5 dB below the design SNR to 5 dB above."""
    if spiral.source == "laplacian":
        uniform = torch.rand(60_000, generator=seeded(3), dtype=torch.float64) - 0.5
        values = (-uniform.sign() * torch.log1p(-2 * uniform.abs()) / math.sqrt(2)).float()
    else:
        values = torch.randn(60_000, generator=seeded(3))
    for snr_db in (spiral.design_snr_db - 5, spiral.design_snr_db, spiral.design_snr_db + 5):
        variance = 10 ** (-snr_db / 10)
        observed = spiral.expand(values) + math.sqrt(variance) * torch.randn(2, 60_000, generator=seeded(4))
        estimate, _ = spiral.combine(observed.unsqueeze(0), torch.full((1, 1, 1), variance))
        squared = (estimate[0] - values).double().square()
        standard_error = float(squared.std()) / math.sqrt(len(values))
        expected = spiral.error(1 / variance)
        assert abs(float(squared.mean()) - expected) < 4 * standard_error + 0.05 * expected


def test_table_agrees_with_the_exact_posterior_mean():
    """The bilinear table of equal noise against the sum over the spiral, which unequal noise takes."""
    spiral = Spiral(15.0)
    values = torch.randn(2_000, generator=seeded(0))
    variance = 10**-1.5
    observed = (spiral.expand(values) + math.sqrt(variance) * torch.randn(2, 2_000, generator=seeded(1))).unsqueeze(0)
    tabled, _ = spiral.combine(observed, torch.full((1, 1, 1), variance))
    exact, _ = spiral.combine(observed, torch.full((1, 2, 2_000), variance))
    assert float((tabled - exact).square().mean()) < 0.03 * float((exact - values).square().mean())


@settings(deadline=None, derandomize=True, max_examples=30)
@given(st.floats(0.3, 60), st.sampled_from(["gaussian", "laplacian"]), st.integers(0, 99))
def test_nearest_point_undoes_the_spiral(stretch, source, seed):
    curve = Archimedes(stretch, source)
    values = 2 * torch.randn(500, generator=seeded(seed))
    assert torch.allclose(curve.likeliest(curve.points(values), torch.zeros(())), values, atol=1e-4)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(
    st.sampled_from(EXPANSIONS),
    st.integers(0, 4),
    st.lists(st.tuples(st.integers(1, 300), st.floats(0, 4)), min_size=1, max_size=4),
    st.integers(0, 400),
    st.sampled_from(["equal", "expansion", "power"]),
    st.sampled_from(["normal", "outlier", "signs"]),
)
def test_every_expansion_holds_its_promises(expansion, more, segments, left, protection, shape):
    """Power at most 1 whatever the values; noiseless delivery exact; the budget is kept."""
    generator = seeded(left)
    values = [10**e * torch.randn(n, generator=generator) for n, e in segments]
    if shape == "outlier":
        values = [v * torch.where(torch.arange(len(v)) == 0, 6.0, 1.0) for v in values]
    if shape == "signs":
        values = [v.sign() for v in values]
    layout = Layout(tuple(Segment(str(i), (n,)) for i, (n, _) in enumerate(segments)))
    source = Payload(torch.cat(values), layout, torch.ones(len(segments)))
    link = AnalogLink(expansion=expansion.at(expansion.inputs + more), protection=protection)
    least = link.plan(source, 1 << 60, Knowledge()).symbols
    plan = link.plan(source, least + left, Knowledge("average", 10.0))
    assert plan.symbols <= least + left
    assert float(link.power(source.values, plan)) <= 1 + 1e-5
    state = AWGN().realize(2, plan.payload_symbols, math.inf, seeded(1))
    received = link.send(source.values, plan, plan.layout, AWGN(), state, seeded(2)).values
    if protection != "power":
        for sent, arrived in zip(layout.split(source.values), layout.split(received[1])):
            assert torch.allclose(arrived, sent, rtol=1e-3, atol=2e-3 * float(sent.abs().max()))


@pytest.mark.parametrize("expansion", EXPANSIONS)
def test_gradient_flows(expansion):
    """At high SNR a received value follows its own clean value."""
    source, link = payload(4_000), AnalogLink(expansion=expansion)
    plan = link.plan(source, 1 << 60, Knowledge())
    values = source.values.clone().requires_grad_()
    for snr_db in (24.0, 40.0):
        arrived = link.perturb(values, plan, AWGN(), snr_db, seeded(3))
        (gradient,) = torch.autograd.grad(arrived.sum(), values)
        assert bool(gradient.isfinite().all())
    assert float(gradient.median()) == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("expansion", EXPANSIONS)
@pytest.mark.parametrize("channel", [Rayleigh(coherence=20), Rayleigh()])
def test_fading_is_survived(expansion, channel):
    """Finite, and better than sending nothing, in every realization of fading."""
    source, link = payload(3_001), AnalogLink(expansion=expansion)
    plan = link.plan(source, 1 << 60, Knowledge())
    state = channel.realize(4, plan.payload_symbols, 10.0, seeded(1))
    received = link.send(source.values, plan, plan.layout, channel, state, seeded(2)).values
    assert bool(((received - source.values).square().mean(-1) < 1).all())


def test_spreading_shares_fades():
    """Error 1 - mean of SNR |h|^2 / (1 + SNR |h|^2), the same for all values of a block.

    The mean over all values is that of plain sending, the spread over values is not.
    """
    n, snr = 64 * 500, 10**0.5
    source, channel = payload(n), Rayleigh(coherence=1)
    errors = {}
    for expansion in (Repetition(1), Hadamard(1, 64)):
        link = AnalogLink(expansion=expansion)
        plan = link.plan(source, 1 << 60, Knowledge())
        state = channel.realize(64, plan.payload_symbols, 5.0, seeded(1))
        received = link.send(source.values, plan, plan.layout, channel, state, seeded(2)).values
        errors[expansion] = (received - source.values).double().square()
    grid = torch.linspace(0, 60, 600_001, dtype=torch.float64)
    expected = float(torch.trapezoid((-grid).exp() / (1 + snr * grid), grid))
    for squared in errors.values():
        standard_error = float(squared.mean(1).std()) / 8 + float(squared.mean(0).std()) / math.sqrt(n)
        assert abs(float(squared.mean()) - expected) < 4 * standard_error
    plain, spread = (float(squared.square().mean()) for squared in errors.values())
    assert spread < 0.75 * plain


def test_fewer_and_more_inputs_than_the_expansion_has():
    assert Spiral().at(1) == Repetition(1)
    assert Spiral().at(2) == Spiral()
    assert isinstance(Spiral().at(5), Repeated)
    assert Hadamard(2, 16).at(3) == Hadamard(3, 16)
    assert Spiral(15.0).at(4).error(10**1.2) == pytest.approx(Spiral(15.0).error(2 * 10**1.2))


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Repetition(0), "copies must be at least 1"),
        (lambda: Hadamard(0), "copies must be at least 1"),
        (lambda: Hadamard(1, 12), "length must be a power of two"),
        (lambda: Spiral(40.0), "design_snr_db must be -10 to 25 dB"),
        (lambda: Spiral(10.0, "cauchy"), "source must be gaussian or laplacian"),
        (lambda: least_error([Repetition(2), Repetition(3)], 0.0), "equally many channel inputs"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_an_expansion_of_ones_own():
    """One class: every value is sent with both signs."""

    class Mirrored(Expansion):
        inputs = 2
        isometric = True

        def expand(self, values):
            return torch.stack([values, -values])

        def combine(self, observed, noise_variance):
            return (observed[:, 0] - observed[:, 1]) / 2, noise_variance.expand(-1, 2, -1).mean(1) / 2

        def error(self, snr):
            return 1 / (1 + 2 * snr)

    assert distortion_db(AnalogLink(expansion=Mirrored()), 10.0) == pytest.approx(
        distortion_db(AnalogLink(expansion=Repetition(2)), 10.0), abs=0.1
    )
