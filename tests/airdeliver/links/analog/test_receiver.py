"""Receivers that know more than the variance, against numerical integration and each other."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import norm

from airdeliver.links import AnalogLink, Knowledge
from airdeliver.links.analog import MMSE, Compensated, Laplacian, Mixture, ZeroForcing
from airdeliver.links.analog.receiver.mixture import Components, decode, encode
from airdeliver.payload import Layout, Payload, Segment
from channels import AWGN

RECEIVERS = (MMSE(), ZeroForcing(), Laplacian(), Mixture(), Mixture(2, each=True), Compensated(0.5, 0.1))


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def laplacian(n: int, seed: int = 0) -> torch.Tensor:
    uniform = torch.rand(n, generator=seeded(seed), dtype=torch.float64) - 0.5
    return (-uniform.sign() * torch.log1p(-2 * uniform.abs()) / math.sqrt(2)).float()


def clustered(n: int, deviation: float = 0.1, seed: int = 0) -> torch.Tensor:
    """Unit variance, around -c, 0 and c."""
    centre = math.sqrt(1.5 * (1 - deviation**2))
    signs = torch.randint(-1, 2, (n,), generator=seeded(seed))
    return signs * centre + deviation * torch.randn(n, generator=seeded(seed + 1))


def posterior_mean(density, r: float, variance: float) -> float:
    """By the trapezoid rule on a grid much finer than noise and prior."""
    values = np.linspace(-30, 30, 600_001)
    joint = density(values) * np.exp(-((r - values) ** 2) / (2 * variance))
    return float((values * joint).sum() / joint.sum())


@pytest.mark.parametrize("variance", [1e-3, 0.1, 1.0, 10.0, 250.0])
def test_laplacian_is_the_posterior_mean(variance):
    observed = np.array([-8.0, -1.0, -0.05, 0.0, 0.3, 2.0, 6.0])
    expected = [posterior_mean(lambda v: np.exp(-math.sqrt(2) * abs(v)), r, variance) for r in observed]
    ours = Laplacian().estimate(torch.tensor(observed[None]).float(), torch.tensor([[variance]]))
    assert ours[0].numpy() == pytest.approx(np.array(expected), rel=1e-3, abs=2e-4)


@pytest.mark.parametrize("variance", [1e-3, 0.1, 1.0, 10.0])
def test_mixture_is_the_posterior_mean(variance):
    told = Components(
        torch.tensor([[0.5, 0.3, 0.2]]), torch.tensor([[-1.0, 0.0, 1.5]]), torch.tensor([[0.1, 1.0, 0.3]])
    )
    numbers = encode(told)
    told = list(zip(*(part[0].tolist() for part in decode(numbers))))
    observed = np.array([-2.0, -0.9, 0.0, 0.6, 3.0])
    expected = [posterior_mean(lambda v: sum(w * norm.pdf(v, m, d) for w, m, d in told), r, variance) for r in observed]
    ours = Mixture().estimate(torch.tensor(observed[None]).float(), torch.tensor([[variance]]), numbers)
    assert ours[0].numpy() == pytest.approx(np.array(expected), rel=1e-3, abs=1e-4)


def test_bytes_of_a_mixture_round_little():
    told = Components(torch.tensor([[0.2, 0.8]]), torch.tensor([[-1.3, 0.01]]), torch.tensor([[0.01, 1.7]]))
    for exact, rounded in zip(told, decode(encode(told))):
        assert torch.allclose(exact, rounded, rtol=0.02, atol=0.02)


@pytest.mark.parametrize("snr_db", [-5.0, 0.0, 5.0, 10.0])
@pytest.mark.parametrize("receiver", [Laplacian(), Mixture(3)])
def test_knowing_the_prior_pays_for_laplacian_values(receiver, snr_db):
    """Less error than linear estimation, by more than 4 standard errors of the difference."""
    values, variance = laplacian(100_000), 10 ** (-snr_db / 10)
    observed = (values + math.sqrt(variance) * torch.randn(len(values), generator=seeded(7))).unsqueeze(0)
    noise = torch.tensor([[variance]])
    prior = receiver.measure([values]) if receiver.numbers else None
    linear = (MMSE().estimate(observed, noise) - values).double().square()
    ours = (receiver.estimate(observed, noise, prior) - values).double().square()
    difference = linear - ours
    assert float(difference.mean()) > 4 * float(difference.std()) / math.sqrt(difference.numel())


def test_clustered_values_arrive_almost_quantised():
    """At 13 dB the mixture takes away more than two thirds of the error that linear estimation leaves."""
    values = clustered(100_000)
    observed = (values + math.sqrt(0.05) * torch.randn(len(values), generator=seeded(7))).unsqueeze(0)
    noise = torch.tensor([[0.05]])
    linear = float((MMSE().estimate(observed, noise) - values).square().mean())
    mixture = Mixture(3)
    ours = float((mixture.estimate(observed, noise, mixture.measure([values])) - values).square().mean())
    assert 3 * ours < linear


def test_one_component_is_linear_estimation():
    values = torch.randn(50_000, generator=seeded(0))
    observed, noise = values.unsqueeze(0) * 1.5, torch.tensor([[0.7]])
    mixture = Mixture(1)
    linear = MMSE().estimate(observed, noise)
    assert torch.allclose(mixture.estimate(observed, noise, mixture.measure([values])), linear, atol=0.05)


def test_compensation_lies_between_linear_and_zero_forcing():
    observed, noise = torch.tensor([[0.3, -2.0, 1.0]]), torch.tensor([[0.5, 2.0, torch.inf]])
    arrived = slice(0, 2)
    assert torch.equal(Compensated(0.0).estimate(observed, noise)[:, arrived], (observed / (1 + noise))[:, arrived])
    assert torch.equal(Compensated(1.0).estimate(observed, noise)[:, arrived], observed[:, arrived])
    assert Compensated(1.0).estimate(observed, noise)[0, 2] == 0
    shifted = Compensated(0.0, bias=0.2).estimate(observed, noise)
    assert torch.allclose(shifted[0, 0], torch.tensor((0.3 + 0.2 * 0.5) / 1.5))


@pytest.mark.parametrize("receiver", RECEIVERS)
def test_every_receiver_delivers_from_bytes(receiver):
    """Noiseless delivery is exact, the gradient flows, and what is told is charged."""
    sizes = (3_000, 1, 500, 700)
    layout = Layout(tuple(Segment(str(i), (n,)) for i, n in enumerate(sizes)))
    values = torch.cat([laplacian(3_000), torch.tensor([0.25]), clustered(500), torch.full((700,), 2.0)])
    source, link = Payload(values, layout), AnalogLink(receiver)
    plan = link.plan(source, 10_000, Knowledge())
    rows = 1 if receiver.shared else 2
    assert len(plan.to_bytes()) == 4 + 4 + 4 + 6 + receiver.numbers * rows
    state = AWGN().realize(2, plan.payload_symbols, math.inf, seeded(0))
    received = link.send(values, plan, plan.layout, AWGN(), state, seeded(1)).values
    assert torch.allclose(received[1], values, rtol=1e-3, atol=1e-3)
    with pytest.raises(ValueError, match="malformed side information"):
        link.plan_from_bytes(plan.to_bytes()[:-1], layout)
    moving = values.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(link.perturb(moving, plan, AWGN(), 3.0, seeded(2)).sum(), moving)
    assert bool(gradient.isfinite().all())
    assert float(gradient[:3_000].mean()) > 0.1


@pytest.mark.parametrize("receiver", RECEIVERS)
@pytest.mark.parametrize("variance", [0.0, 1e-20, 1e-3, 1.0, 50.0, 299.0, 301.0, 1e6, math.inf])
def test_every_receiver_is_finite_and_never_expands(receiver, variance):
    observed = (
        torch.zeros(1, 400) if variance == math.inf else torch.linspace(-20, 20, 400)[None] * (1 + variance) ** 0.5
    )
    noise = torch.tensor([[variance]])
    prior = receiver.measure([laplacian(1_000)]) if receiver.numbers else None
    estimate = receiver.estimate(observed, noise, prior)
    assert bool(estimate.isfinite().all())
    if not isinstance(receiver, Compensated):
        assert bool((estimate.abs() <= observed.abs() + 0.1).all())


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="components must be 1 to 16"):
        Mixture(0)
    with pytest.raises(ValueError, match="population must be at most 1"):
        Compensated(1.5)


def penalty(receiver, values: torch.Tensor, plan) -> torch.Tensor:
    """Of the values of one segment, as the plan normalises them, under the prior that the plan tells."""
    mean, scale = plan.spread(values)
    numbers = torch.zeros(1, 0, dtype=torch.uint8) if plan.prior is None else plan.prior
    return receiver.penalty([(values - mean) / scale], numbers)


@pytest.mark.parametrize("receiver", [Mixture(3), Mixture(3, each=True)])
def test_penalty_draws_values_to_the_centres(receiver):
    """Descending along its gradient lowers what noise does: clusters form, and the mixture's error falls by a third."""
    values = torch.randn(4_000, generator=seeded(0))
    layout = Layout((Segment("weight", (4_000,)),))
    link, channel = AnalogLink(receiver), AWGN()

    def error(values: torch.Tensor) -> float:
        plan = link.plan(Payload(values, layout), 10_000, Knowledge())
        state = channel.realize(8, plan.payload_symbols, 10.0, seeded(1))
        received = link.send(values, plan, plan.layout, channel, state, seeded(2)).values
        return float((received - values).square().mean() / values.var())

    drawn = values.clone()
    for _ in range(60):
        leaf = drawn.clone().requires_grad_()
        plan = link.plan(Payload(drawn, layout), 10_000, Knowledge())
        (gradient,) = torch.autograd.grad(penalty(receiver, leaf, plan), leaf)
        drawn = drawn - 0.05 * len(drawn) * gradient
    assert error(drawn) < error(values) / 1.5


def test_receivers_without_centres_have_no_penalty():
    values = torch.randn(100, generator=seeded(0))
    plan = AnalogLink("laplacian").plan(Payload(values, Layout((Segment("weight", (100,)),))), 1_000, Knowledge())
    assert float(penalty(Laplacian(), values, plan)) == 0
