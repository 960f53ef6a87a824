"""TDL and CDL taps against the tables of TR 38.901, and randomness that stays ours."""

import math

import pytest
import torch

from channels.tapped_delay_line import MODELS, SINUSOIDS, delay_profile, draw_taps, tap_delays, tr38901
from tests.later import Later

phy = Later("sionna.phy")

# TR 38.901 V19.2, tables 7.7.2-1 and 7.7.2-4: normalised delay and power in dB of each path.
TDL_A = """
0.0000 -13.4  0.3819 0.0    0.4025 -2.2   0.5868 -4.0   0.4610 -6.0   0.5375 -8.2   0.6708 -9.9   0.5750 -10.5
0.7618 -7.5   1.5375 -15.9  1.8978 -6.6   2.2242 -16.7  2.1718 -12.4  2.4942 -15.2  2.5119 -10.8  3.0582 -11.3
4.0810 -12.7  4.4579 -16.2  4.5695 -18.3  4.7966 -18.9  5.0066 -16.6  5.3043 -19.9  9.6586 -29.7
"""
TDL_D = """
0.0    -0.2   0.0    -13.5  0.035  -18.8  0.612  -21.0  1.363  -22.8  1.405  -17.9  1.804  -20.1  2.596  -21.9
1.775  -22.9  4.042  -27.8  7.937  -23.6  9.424  -24.8  9.708  -30.0  12.525 -27.7
"""


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def draw(model, realizations, times=1, turns=0.0, seed=0, delay_spread=100e-9):
    """Taps at times that lie `turns` of the maximum Doppler shift apart."""
    interval, carrier = 1e-4, 3e9
    speed = turns / interval * 299_792_458.0 / carrier
    return draw_taps(model, delay_spread, carrier, speed, realizations, times, interval, seeded(seed))


@pytest.mark.parametrize(("model", "table"), [("TDL-A", TDL_A), ("TDL-D", TDL_D)])
def test_profile_is_the_table_with_unit_power(model, table):
    profile = delay_profile(model, 100e-9)
    delays, decibels = torch.tensor([float(x) for x in table.split()], dtype=torch.float64).reshape(-1, 2).T
    powers = 10 ** (decibels / 10)
    torch.testing.assert_close(profile.powers, powers / powers.sum())
    torch.testing.assert_close(profile.delays, delays * 100e-9)


@pytest.mark.parametrize("model", MODELS)
def test_profile_has_the_delay_spread_that_was_asked_for(model):
    """Root-mean-square delay spread; that of TDL-D and CDL-D as 3GPP rounds them is 0.994."""
    profile = delay_profile(model, 300e-9)
    mean = (profile.powers * profile.delays).sum()
    spread = (profile.powers * (profile.delays - mean) ** 2).sum().sqrt()
    assert math.isclose(spread, 300e-9, rel_tol=0.01)


@pytest.mark.parametrize("model", MODELS)
def test_drawn_taps_have_the_powers_of_the_profile(model):
    """The variance of |a|^2 of a sum of N rays of equal power p / N is p^2 (1 - 1/N): its mean is known to that."""
    n = 1000
    power = (draw(model, n).abs() ** 2).squeeze(1).double().mean(0)
    profile = delay_profile(model, 100e-9)
    expected = profile.powers
    if profile.line_of_sight:
        expected = torch.cat([expected[:2].sum().unsqueeze(0), expected[2:]])
    if model.startswith("CDL"):
        expected = expected[profile.delays[int(profile.line_of_sight) :].argsort(stable=True)]
    assert bool(((power - expected).abs() < 5 * expected / math.sqrt(n)).all())


@pytest.mark.parametrize("model", ["TDL-A", "TDL-D", "CDL-B", "CDL-D"])
def test_tap_delays_are_those_of_sionna(model):
    package = tr38901()
    if model.startswith("TDL"):
        theirs = package.TDL(model[-1], 100e-9, 3e9)(1, 1, 1.0)[1]
    else:
        antenna = package.Antenna("single", "V", "omni", 3e9)
        theirs = package.CDL(model[-1], 100e-9, 3e9, antenna, antenna, "downlink")(1, 1, 1.0)[1]
    torch.testing.assert_close(tap_delays(model, 100e-9).float(), theirs.flatten())


@pytest.mark.parametrize("model", ["TDL-A", "TDL-E", "CDL-A", "CDL-D"])
def test_taps_change_as_their_doppler_spectrum_says(model):
    """Sum over taps of E a(t + tau) a*(t): J0(2 pi f tau) but for the line of sight of a TDL."""
    n, turns = 1000, 0.05
    taps = draw(model, n, times=9, turns=turns)
    profile = delay_profile(model, 100e-9)
    for lag in (1, 4, 8):
        products = (taps[:, lag] * taps[:, 0].conj()).sum(-1)
        correlation = profile.time_correlation(torch.tensor(lag * turns, dtype=torch.float64))
        expected = complex((profile.powers * correlation).sum())
        assert abs(complex(products.mean()) - expected) < 4 * float(products.std()) / math.sqrt(n) + 2e-3


@pytest.mark.parametrize("model", ["TDL-A", "TDL-D", "CDL-A", "CDL-E"])
def test_gains_are_circularly_symmetric(model):
    """E h = 0 and E h^2 = 0, the line of sight included: its phase is unknown."""
    n = 1500
    gain = draw(model, n).sum(-1).flatten()
    assert float(gain.mean().abs()) < 4 / math.sqrt(n)
    assert float((gain**2).mean().abs()) < 4 * math.sqrt(2 / n)


def test_taps_are_nearly_gaussian():
    """E|a|^4 = 2 - 1/N for N rays of equal power: Gaussian taps would have 2."""
    n = 20_000
    power = draw("TDL-A", n).abs()[:, 0] ** 2
    power = power / power.mean(0)
    fourth = (power**2).mean(0)
    assert bool(((fourth - (2 - 1 / SINUSOIDS)).abs() < 5 * math.sqrt(20 / n)).all())


def test_draws_come_from_the_given_generator_alone():
    before_torch, theirs = torch.get_rng_state(), phy.config.torch_rng("cpu").get_state()
    first, again, other = draw("CDL-A", 2), draw("CDL-A", 2), draw("CDL-A", 2, seed=1)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before_torch)
    assert torch.equal(phy.config.torch_rng("cpu").get_state(), theirs)


def test_long_draws_in_chunks_are_independent(monkeypatch):
    """Chunks bound the memory; no two of them may be the same draw."""
    monkeypatch.setattr("channels.tapped_delay_line._CHUNK", 1)
    gain = draw("TDL-B", 50).sum(-1).flatten()
    assert len(gain.real.unique()) == 50
