"""The law of |h|^2 of flat fading after combining: its distribution, and means over it."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import special

from channels.base import Channel
from channels.fading import Nakagami, Rayleigh, Rician

_NARROW = 1e-8  # variance below which two terms about the mean are exact to double precision
_GAUSSIAN = 1e-14  # variance below which the distribution is Gaussian to seven digits
_TAIL = 60.0  # natural logarithm of what is neglected beside 1
_WORST = 1e-6  # relative error that an integral may admit


@dataclass(frozen=True)
class PowerLaw(ABC):
    """The law of a power X with mean 1.

    Args:
        order: a, for which P(X <= x) falls as x^a towards 0.
        variance: of X.
    """

    order: float
    variance: float

    @abstractmethod
    def log_density(self, t: float) -> float:
        """Natural logarithm of the density of ln X at t."""

    def distribution(self, x: float) -> float:
        """P(X <= x), to six digits however small it is.

        Raises:
            ValueError: where the integral does not converge.
        """
        if not x > 0:
            return 0.0
        if x == math.inf:
            return 1.0
        t = math.log(x)
        if self.variance < _GAUSSIAN:
            return float(special.ndtr(math.expm1(t) / math.sqrt(self.variance)))
        if t > 0:
            return 1 - self._integral(lambda _: 0.0, t, math.inf, absolute=1e-12)
        return self._integral(lambda _: 0.0, -math.inf, t)

    def mean_log1p(self, log_scale: float) -> float:
        """E ln(1 + s X) for s = exp(log_scale), at any scale.

        Raises:
            ValueError: where the integral does not converge.
        """
        if log_scale == -math.inf:
            return 0.0
        if self.variance < _NARROW:
            share = special.expit(log_scale)
            return float(np.logaddexp(0.0, log_scale) - share**2 * self.variance / 2)
        if log_scale < -600:  # the logarithm is linear where exp(log_scale) has no digits left
            return math.exp(log_scale)

        def log_of_log1p(t: float) -> float:
            return math.log(np.logaddexp(0.0, t + log_scale)) if t + log_scale > -36 else t + log_scale

        return self._integral(log_of_log1p, -math.inf, math.inf, kink=-log_scale)

    def _integral(
        self,
        log_weight: Callable[[float], float],
        low: float,
        high: float,
        kink: float = 0.0,
        absolute: float = 0.0,
    ) -> float:
        """The integral of exp(log_weight) over the law of ln X, in pieces, none wider than what happens in it."""
        from scipy import integrate  # takes a fifth of a second, which most have no use for

        width = math.sqrt(self.variance)
        bottom = -_TAIL / min(self.order, 1 / width) - 5 * width
        top = math.log1p(_TAIL * max(self.variance, width) + _TAIL * width)
        steps = (0.5, 1, 2, 4, 8, 16, 32)
        marks = [bottom, top, low, high, 0.0, kink]
        marks += [sign * step * width for sign in (-1, 1) for step in steps]
        marks += [kink + sign * step for sign in (-1, 1) for step in steps]
        marks += [high - step * min(1.0, width) for step in steps if math.isfinite(high)]
        if math.isfinite(high):  # which may lie deep in the tail
            bottom = min(bottom, high) - _TAIL / self.order
        marks = sorted({t for t in [*marks, bottom] if max(low, bottom) <= t <= min(high, max(top, low))})
        total = error = 0.0
        for left, right in pairwise(marks):
            value, doubt = integrate.quad(
                lambda t: math.exp(self.log_density(t) + log_weight(t)), left, right, epsabs=0, epsrel=1e-10, limit=200,
                full_output=1,
            )[:2]  # fmt: skip
            total, error = total + value, error + doubt
        if not error <= max(_WORST * total, absolute):
            raise ValueError(
                f"the law of |h|^2 with variance {self.variance:.3g} is not integrated to six digits: the integral is "
                f"{total:.6g} with an error of {error:.2g}"
            )
        return total


@dataclass(frozen=True)
class GammaLaw(PowerLaw):
    """|h|^2 Gamma distributed with shape `order`: Rayleigh and Nakagami fading, combined or not."""

    def log_density(self, t: float) -> float:
        """Of the logarithm of the power: `a (t - e^t + 1)` and a constant that Stirling's series gives for large a."""
        a = self.order
        if a > 100:
            constant = 0.5 * math.log(a / (2 * math.pi)) - 1 / (12 * a) + 1 / (360 * a**3)
        else:
            constant = a * math.log(a) - a - math.lgamma(a)
        return constant + a * (t - math.expm1(t)) if t < 700 else -math.inf

    def distribution(self, x: float) -> float:
        """P(X <= x), the regularised incomplete Gamma function."""
        return float(special.gammainc(self.order, self.order * x)) if x > 0 else 0.0


@dataclass(frozen=True)
class RicianLaw(PowerLaw):
    """|h|^2 of `order` antennas with a line of sight: a noncentral chi-squared distribution.

    Args:
        k_factor: K, at least 0.
    """

    k_factor: float

    def log_density(self, t: float) -> float:
        """Of the logarithm of the power, by the scaled Bessel function, which never overflows."""
        antennas, k = self.order, self.k_factor
        if t > 300:
            return -math.inf
        # Twice the power over the scattered power of one antenna has 2L degrees of freedom and noncentrality 2 K L.
        x, shift = 2 * (k + 1) * antennas * math.exp(t), 2 * k * antennas
        log_half = t + math.log((k + 1) * antennas)  # of x, which a float may not hold
        if shift < 1e-12:
            return antennas * log_half - x / 2 - math.lgamma(antennas)
        distance = math.sqrt(x) - math.sqrt(shift)
        return (
            log_half
            + (antennas - 1) / 2 * (log_half - math.log(k * antennas))
            - distance**2 / 2
            + _log_ive(antennas - 1, math.sqrt(shift) * math.sqrt(x))
        )


def power_law(channel: Channel) -> PowerLaw | None:
    """The law of |h|^2 of flat fading, after combining, with mean 1; None for any other channel.

    >>> law = power_law(Rayleigh())
    >>> round(law.distribution(1.0), 4) if law else None
    0.6321
    """
    if type(channel) is Rayleigh:
        return GammaLaw(float(channel.receive_antennas), 1 / channel.receive_antennas)
    if type(channel) is Nakagami:
        return GammaLaw(channel.m * channel.receive_antennas, 1 / (channel.m * channel.receive_antennas))
    if type(channel) is Rician:
        # From here on there is no fading that a float could tell, and nothing overflows.
        k, antennas = min(float(channel.k_factor), 1e100), channel.receive_antennas
        return RicianLaw(float(antennas), (1 + 2 * k) / (1 + k) / (1 + k) / antennas, k)
    return None


def _log_ive(order: float, z: float) -> float:
    """Natural logarithm of the Bessel function I of an order at z > 0, less z."""
    if z > 1e4 * (order + 1) ** 2:  # its expansion at infinity; SciPy's has no value far out
        m = 4 * order**2
        return math.log1p((1 - m) / (8 * z) * (1 + (9 - m) / (16 * z))) - 0.5 * math.log(2 * math.pi * z)
    if z == 0:  # less than any float
        return 0.0 if order == 0 else -math.inf
    value = float(special.ive(order, z))
    # Below every float, the first term of its series.
    return math.log(value) if value > 1e-290 else order * math.log(z / 2) - math.lgamma(order + 1) - z
