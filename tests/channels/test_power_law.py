"""The law of |h|^2: against the sum and the libraries that know it, however small the probability."""

import math

import pytest
from scipy import special, stats

from channels import AWGN, Nakagami, Rayleigh, Rician
from channels.power_law import PowerLaw, power_law


def law_of(channel: Rayleigh | Rician | Nakagami) -> PowerLaw:
    law = power_law(channel)
    assert law is not None
    return law


@pytest.mark.parametrize("x", [1e-12, 1e-3, 0.1, 0.4, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("antennas", [1, 2, 5])
@pytest.mark.parametrize("k", [0.0, 1e-3, 0.5, 3.0, 10.0, 100.0])
def test_distribution_of_rician_power_is_the_poisson_mixture(k: float, antennas: int, x: float):
    """Sum over j of Poisson(j; K L) P(L + j, (K + 1) L x)."""
    mean = k * antennas
    terms = range(int(mean + 20 * math.sqrt(mean) + 60))
    weights = [math.exp(special.xlogy(j, mean) - mean - math.lgamma(j + 1)) for j in terms]
    expected = sum(w * special.gammainc(antennas + j, (k + 1) * antennas * x) for j, w in enumerate(weights))
    assert law_of(Rician(k, receive_antennas=antennas)).distribution(x) == pytest.approx(expected, rel=1e-6, abs=1e-290)


@pytest.mark.parametrize("k", [1e4, 1e6, 1e8, 1e10])
def test_distribution_of_strong_lines_of_sight(k: float):
    """Standard deviations from the mean: Gaussian, and skewed by as much as Boost has it."""
    law = law_of(Rician(k))
    assert law.distribution(1.0) == pytest.approx(0.5 + 1 / math.sqrt(16 * math.pi * k) * 1.0, abs=1 / math.sqrt(k))
    for deviations in (-3.0, -1.0, 1.0, 3.0):
        x = 1 + deviations * math.sqrt(law.variance)
        assert law.distribution(x) == pytest.approx(stats.norm.cdf(deviations), abs=2 / math.sqrt(k))


def test_an_integral_that_does_not_converge_is_refused():
    """A density that is nowhere smooth, as its own estimate of the error tells."""

    class Jagged(PowerLaw):
        def log_density(self, t: float) -> float:
            return 3 * math.sin(1e9 * t * t) - abs(t)

    with pytest.raises(ValueError, match="is not integrated to six digits"):
        Jagged(1.0, 1.0).mean_log1p(0.0)


def test_other_channels_have_no_law():
    assert power_law(AWGN()) is None
