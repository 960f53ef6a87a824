"""A sender plans with the SNR that its receiver has, converters, amplifiers and estimates included."""

import pytest
import torch

from airdeliver.links import AnalogLink, Knowledge
from airdeliver.links.analog import Repetition
from airdeliver.links.foreseen import foreseen, planned_snr_db
from airdeliver.payload import Layout, Payload, Segment
from channels import AWGN, OFDM, Channel, Rayleigh
from channels.impairments import ImperfectKnowledge, PhaseNoise, PowerAmplifier, Quantiser

IMPAIRED = {
    "three_bits": Quantiser(AWGN(), bits=3),
    "one_bit": Quantiser(AWGN(), bits=1),
    "saturated": PowerAmplifier(AWGN(), back_off_db=0.0),
    "wandering": PhaseNoise(AWGN(), linewidth=1e-3, tracking_interval=50),
    "estimated": ImperfectKnowledge(AWGN(), error_variance=0.05),
}


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("channel", [AWGN(), Rayleigh(), Rayleigh(coherence=16), OFDM(estimator="perfect")])
def test_what_a_receiver_knows_costs_nothing(channel: Channel):
    """The mean SNR, exactly: nothing that was planned before is planned otherwise."""
    assert planned_snr_db(Knowledge("average", 7.3, channel), 300) == 7.3
    draws = foreseen(channel, 7.3, 4, 300, seeded(0))
    assert torch.equal(draws.seen.gain, draws.state.gain)
    assert torch.equal(draws.seen.noise_variance, draws.state.noise_variance)


def test_without_knowledge_nothing_is_foreseen():
    """The link's own design SNR then stands."""
    assert planned_snr_db(Knowledge(), 300) is None


@pytest.mark.parametrize("name", IMPAIRED)
def test_a_sender_forecasts_the_error_that_its_receiver_has(name: str):
    """Each value once at 20 dB: within 15 % of what arrives; the mean SNR alone promises a third of it at most."""
    channel, layout = IMPAIRED[name], Layout((Segment("a.weight", (3000,)), Segment("b.weight", (500,))))
    source = Payload(torch.randn(3500, generator=seeded(1)), layout)
    link, known = AnalogLink(expansion=Repetition(1)), Knowledge("average", 20.0, channel)
    plan = link.plan(source, 2050, known)
    state = channel.realize(200, plan.payload_symbols, 20.0, seeded(2))
    arrived = link.send(source.values, plan, layout, channel, state, seeded(3)).values
    suffered = float((arrived - source.values).square()[:, :3000].mean())
    assert plan.expected_noise is not None
    assert float(plan.expected_noise[0]) == pytest.approx(suffered, rel=0.15)
    blind = link.plan(source, 2050, Knowledge("average", 20.0, AWGN()))
    assert blind.expected_noise is not None
    assert float(blind.expected_noise[0]) < suffered / 3


def test_no_noise_leaves_what_hardware_adds():
    """At infinite SNR three bits are as good as 14.1 dB: Max's distortion of 0.0374."""
    planned = planned_snr_db(Knowledge("average", float("inf"), Quantiser(AWGN(), bits=3)), 2048)
    assert planned == pytest.approx(14.1, abs=0.1)
