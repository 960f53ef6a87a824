"""Conventions of other people's channels, told apart by measurement."""

import numpy as np
import pytest

from channels.convention import convention

draw = np.random.default_rng(0)


def noise(n, variance):
    return np.sqrt(variance / 2) * (draw.standard_normal(n) + 1j * draw.standard_normal(n))


def power(x):
    return np.mean(np.abs(x) ** 2)


CHANNELS = {
    "ours": lambda x, snr: x + noise(len(x), 10 ** (-snr / 10)),
    "noise variance counted in each real dimension": lambda x, snr: x + noise(len(x), 2 * 10 ** (-snr / 10)),
    "noise halved": lambda x, snr: x + noise(len(x), 0.5 * 10 ** (-snr / 10)),
    "standard deviation and variance confused": lambda x, snr: x + noise(len(x), 10 ** (-snr / 20)),
    "noise falls twice as fast": lambda x, snr: x + noise(len(x), 10 ** (-snr / 5)),
    "noise in the real part alone": lambda x, snr: x + np.sqrt(10 ** (-snr / 10)) * draw.standard_normal(len(x)),
    "noise does not follow the SNR": lambda x, snr: x + noise(len(x), 0.1),
    "+6.0 dB of ours at every SNR": lambda x, snr: x + noise(len(x), 10 ** (-(snr + 6) / 10)),
}


@pytest.mark.parametrize("verdict", CHANNELS)
def test_conventions_are_told_apart(verdict: str):
    found = convention(CHANNELS[verdict])
    assert found.verdict.startswith(verdict)
    assert found.ours == (verdict == "ours")
    assert not found.follows_power
    assert abs(found.gain_db) < 0.1


def test_noise_that_follows_the_power_is_told():
    found = convention(lambda x, snr: x + noise(len(x), power(x) * 10 ** (-snr / 10)))
    assert found.ours
    assert found.follows_power
    assert "sending louder changes nothing" in found.verdict


def test_fading_is_taken_off_and_its_gain_is_measured():
    """E|h|^2 = 4 is 6.0 dB; 64 deliveries of Rayleigh fading know it to 10 log10(1 +- 4 / 8)."""
    found = convention(lambda x, snr: 2 * noise(1, 1.0) * x + noise(len(x), 10 ** (-snr / 10)))
    assert found.ours
    assert 3 < found.gain_db < 8
    assert "not normalised" in found.verdict


def test_our_own_channels_are_ours():
    import torch

    from channels import AWGN

    def own(x, snr):
        generator = torch.Generator().manual_seed(int(draw.integers(2**31)))
        state = AWGN().realize(1, len(x), snr, generator)
        return AWGN().transmit(torch.from_numpy(x)[None], state, generator).samples[0].numpy()

    assert convention(own).ours


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="at least two"):
        convention(CHANNELS["ours"], [3.0])
    with pytest.raises(ValueError, match="as many samples"):
        convention(lambda x, snr: x[:-1])
