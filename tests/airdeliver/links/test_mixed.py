"""A digital base and its analog refinement: what each meets, what arrives, what it costs."""

import math
from dataclasses import replace
from functools import cache

import pytest
import torch

from airdeliver import AnalogLink, BudgetError, DigitalLink
from airdeliver.conformance import check
from airdeliver.links import Knowledge, MixedLink, arrivals
from airdeliver.links.arrivals import Arrivals
from airdeliver.links.digital import FixedGrade, rebuilding
from airdeliver.links.part import part_of
from airdeliver.models import CNN
from airdeliver.payload import payload_of
from channels import AWGN, OFDM, Rayleigh

SYMBOLS = 8_000


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def mixed(arrangement="in turns", share=0.4, grade_db=0.0, **more):
    base = DigitalLink("capacity", adaptation=FixedGrade(grade_db), bits_per_value=0.5)
    return MixedLink(base, AnalogLink(), share, arrangement, **more)


@cache
def made():
    return payload_of(CNN(0.5)(1, 10, seeded(0)), statistics=False)


@pytest.fixture
def payload():
    return made()


@cache
def planned(link):
    """The plan of a link, made once."""
    return link.plan(made(), SYMBOLS, Knowledge())


def sent(link, payload, snr_db, channel=None, realizations=4):
    plan = planned(link)
    channel = channel or AWGN()
    state = channel.realize(realizations, plan.payload_symbols, snr_db, seeded(1))
    return plan, link.send(payload.values, plan, payload.layout, channel, state, seeded(2)), state


@pytest.mark.parametrize("arrangement", ["in turns", "superposed"])
def test_the_budget_holds_all_of_it_and_power_is_at_most_1(arrangement, payload):
    link = mixed(arrangement)
    plan, decoded, _ = sent(link, payload, 10.0)
    assert plan.symbols <= SYMBOLS
    assert set(decoded.uses.tolist()) == {plan.symbols}
    assert float(link.power(payload.values, plan)) <= 1 + 1e-5
    parts = plan.base.payload_symbols, plan.refinement.payload_symbols
    assert plan.payload_symbols == (max(parts) if plan.superposed else sum(parts))


@pytest.mark.parametrize("arrangement", ["in turns", "superposed"])
def test_the_error_is_what_the_refinement_leaves_of_the_quantisation(arrangement, payload):
    """MMSE of each segment's residual at SNR s: scale^2 / (1 + s); superposed at (1 - a) s."""
    link, snr = mixed(arrangement, share=0.8 if arrangement == "superposed" else 0.4), 100.0
    plan, decoded, _ = sent(link, payload, 20.0, realizations=16)
    assert bool(decoded.usable.all())
    error = (decoded.values - payload.values).square().mean(0)
    seen = (1 - link.share) * snr if plan.superposed else snr
    scale = plan.refinement.scale
    expected = torch.cat([torch.full((n,), float(s) ** 2 / (1 + seen)) for s, n in zip(scale, payload.layout.sizes)])
    assert abs(float(error.sum() / expected.sum()) - 1) < 0.03


@pytest.mark.parametrize("arrangement", ["in turns", "superposed"])
def test_the_base_is_lost_where_its_rate_is_above_its_capacity(arrangement, payload):
    """Superposed it meets the refinement as noise: log2(1 + a s / ((1 - a) s + 1)) over slow fading."""
    link = mixed(arrangement, share=0.8, grade_db=-3.0)
    plan, decoded, state = sent(link, payload, 0.0, Rayleigh(), 400)
    s = state.gain.abs().square()[:, 0] / state.noise_variance[:, 0]
    met = link.share * s / ((1 - link.share) * s + 1) if plan.superposed else s
    told = torch.log2(1 + met) >= 0.25
    rate = link.base.phy.efficiency(plan.base.grade)
    assert torch.equal(decoded.usable, (torch.log2(1 + met) >= rate) & told)


def test_below_the_threshold_the_receiver_has_the_base_alone(payload):
    link = mixed(least_db=10.0)
    plan, decoded, _ = sent(link, payload, 5.0)
    assert bool(decoded.usable.all())
    assert torch.allclose(decoded.values, plan.base.levels.values().expand(4, -1), atol=1e-6)
    _, mended, _ = sent(link, payload, 15.0)
    assert not torch.allclose(mended.values, plan.base.levels.values().expand(4, -1), atol=1e-6)


def test_the_receiver_knows_the_plan_from_its_bytes(payload):
    link = mixed(least_db=10.0)
    plan = planned(link)
    told = link.plan_from_bytes(plan.to_bytes(), payload.layout)
    assert told.to_bytes() == plan.to_bytes()
    assert (told.least_db, told.payload_symbols) == (10.0, plan.payload_symbols)


def test_what_is_perturbed_in_training_is_what_would_arrive(payload):
    link = mixed(least_db=10.0)
    plan = planned(link)
    for snr_db, mended in ((-5.0, False), (40.0, True)):
        values = link.perturb(payload.values, plan, AWGN(), snr_db, seeded(0))
        off = float(
            (values - payload.values).square().mean() / (plan.base.levels.values() - payload.values).square().mean()
        )
        assert (off < 0.01) == mended


def test_a_refinement_meets_the_channel_of_its_place(payload):
    """Gains are estimated at pilots: read at the beginning of the delivery, where the base lies, they were others'."""
    link = MixedLink(DigitalLink("full", adaptation=FixedGrade(0.0), bits_per_value=0.5), AnalogLink())
    channel = OFDM(estimator="ls")
    plan = link.plan(payload, SYMBOLS, Knowledge())
    state = channel.realize(2, plan.payload_symbols, 30.0, seeded(1))
    decoded = link.send(payload.values, plan, payload.layout, channel, state, seeded(2))
    off = (decoded.values - payload.values).square().mean(-1)
    assert bool((off < 0.1 * (plan.base.levels.values() - payload.values).square().mean()).all())


def test_what_is_behind_another_part_is_the_rest_of_the_channel():
    channel = OFDM(estimator="perfect")
    state = channel.realize(2, 900, 200.0, seeded(3))
    behind, whole = part_of(channel, state, 400, 900)
    sent = torch.ones(1, 500) + 0j
    heard = behind.transmit(sent, whole, seeded(4))
    torch.testing.assert_close(heard.gain, state.gain[:, 400:900])
    assert float((heard.samples / heard.gain - 1).abs().median()) < 1e-2


@pytest.mark.slow
def test_it_keeps_the_contract_of_a_link_with_a_waveform_too():
    check(MixedLink(DigitalLink("full", adaptation=FixedGrade(0.0))))


def test_what_cannot_be_is_refused(payload, unchecked):
    with pytest.raises(ValueError, match="share must lie between 0 and 1"):
        MixedLink(share=1.0)
    with pytest.raises(ValueError, match="in turns"):
        replace(mixed(), arrangement="mixed")
    with pytest.raises(BudgetError):
        mixed().plan(payload, 2_000, Knowledge())
    with pytest.raises(ValueError, match="send them in turns"):
        sent(mixed("superposed"), payload, 10.0, Rayleigh(coherence=10))
    assert mixed().threshold(planned(mixed())) >= math.log2(1.18)


@pytest.mark.parametrize("least_db", [-10.0, 10.0])
def test_what_a_large_network_brings_is_made_row_by_row_and_the_same(payload, least_db, monkeypatch):
    """The base of more than two million values is read when it is asked for: that had ended in an AssertionError."""
    _, held, _ = sent(mixed(least_db=least_db), payload, 5.0, Rayleigh(), 6)
    monkeypatch.setattr(rebuilding, "LONG", 1)
    _, made, _ = sent(mixed(least_db=least_db), payload, 5.0, Rayleigh(), 6)
    assert isinstance(made.values, Arrivals)
    assert (made.values.shape, made.values.dtype) == (held.values.shape, held.values.dtype)
    assert all(torch.equal(made.values[row], held.values[row]) for row in range(6))
    some = made.of(torch.tensor([4, 1]))
    assert torch.equal(arrivals.held(some.values), held.values[[4, 1]])
