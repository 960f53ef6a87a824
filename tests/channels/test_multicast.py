"""Multicast: one transmission, many receivers."""

import math

import pytest
import torch

from channels import AWGN, Multicast, Rayleigh, UrbanMacro, UrbanMicro
from channels.conformance import check
from channels.impairments import ImperfectKnowledge, PowerAmplifier


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    "channel",
    [
        Multicast(Rayleigh(), receivers=4),
        Multicast(Rayleigh(coherence=3), receivers=3, cell=UrbanMicro()),
        Multicast(AWGN(), receivers=2, offsets_db=[0.0, -10.0]),
        Multicast(PowerAmplifier(ImperfectKnowledge(Rayleigh(), 0.1)), receivers=2, cell=None),
    ],
    ids=str,
)
def test_multicast_keeps_the_contract(channel):
    check(channel, realizations=500)


def test_rows_of_a_transmission_share_symbols_and_nothing_else():
    channel = Multicast(Rayleigh(), receivers=3, cell=None)
    state = channel.realize(2, 5, math.inf, seeded(0))
    x = torch.randn((2, 5), dtype=torch.complex64, generator=seeded(1)) / 4
    samples = channel.transmit(x, state, seeded(2)).samples
    torch.testing.assert_close(samples, state.gain * x[[0, 0, 0, 1, 1, 1]])
    assert len(state.gain.abs().unique()) == 6
    # Rows already spread, shared symbols and one single transmission are understood too.
    torch.testing.assert_close(channel.transmit(x.repeat_interleave(3, 0), state, seeded(2)).samples, samples)
    torch.testing.assert_close(channel.transmit(x[:1], state, seeded(2)).samples, state.gain * x[:1])
    torch.testing.assert_close(channel.transmit(x[1:], state[3:], seeded(2)).samples, samples[3:])


def test_receivers_have_their_own_noise():
    channel = Multicast(AWGN(), receivers=2, offsets_db=(3.0, -3.0))
    n = 50_000
    state = channel.realize(4, n, torch.tensor([0.0, 0.0, 10.0, 10.0]), seeded(0))
    noise = channel.transmit(torch.zeros((1, n), dtype=torch.complex64), state, seeded(1)).samples
    snr = -10 * noise.abs().square().mean(-1).log10().reshape(4, 2)
    expected = torch.tensor([[3.0, -3.0]] * 2 + [[13.0, 7.0]] * 2)
    assert float((snr - expected).abs().max()) < 10 / math.log(10) * 4 / math.sqrt(n)
    assert float((noise[0] * noise[1].conj()).mean().abs()) < 4 / math.sqrt(n)


@pytest.mark.parametrize("cell", [UrbanMacro(), UrbanMicro(radius=500.0)])
def test_mean_snr_over_the_cell_is_the_snr_given(cell):
    state = Multicast(AWGN(), receivers=100, cell=cell).realize(2000, 1, 7.0, seeded(0))
    snr = -10 * state.noise_variance.log10()
    # Receivers of a transmission are independent drops.
    assert float(snr.mean()) == pytest.approx(7.0, abs=4 * float(snr.std()) / math.sqrt(200_000))
    assert float(snr.std()) > 6


def test_infinite_snr_stays_infinite():
    assert float(Multicast(Rayleigh()).realize(2, 3, math.inf, seeded(0)).noise_variance.max()) == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Multicast(Rayleigh(), receivers=0), "receivers must be at least 1"),
        (lambda: Multicast(Rayleigh(), receivers=2, offsets_db=(0.0,)), "one number for each of 2 receivers"),
        (lambda: Multicast(Multicast(Rayleigh())), "another multicast"),
        (lambda: PowerAmplifier(Multicast(Rayleigh())), "inside a multicast"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()
