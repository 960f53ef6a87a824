"""What a channel could carry: ergodic capacity and outage probability."""

import math
from collections.abc import Callable, Iterator

import torch
from jaxtyping import Float
from scipy import integrate, special
from torch import Generator, Tensor

from channels.awgn import AWGN
from channels.base import Channel
from channels.fading import Fading, Nakagami, Rayleigh, Rician
from channels.noise import complex_normal

_MOST_SAMPLES = 2**22  # drawn at once, which bounds the memory


def ergodic_capacity(
    channel: Channel, snr_db: float, *, n: int = 256, realizations: int = 10_000, seed: int = 0
) -> float:
    r"""Mean of $\log_2(1 + SNR)$ over the fading, in bits per complex payload symbol, known at the receiver alone.

    AWGN, and Gamma distributed $|h|^2$ of integer shape (Rayleigh fading, combined or not, and Nakagami fading), have
    a closed form, $\log_2(e)\, e^{\mu} \sum_{k=1}^{a} E_k(\mu)$ with shape a and $\mu$ = a over the mean SNR; other
    flat fading is integrated over its distribution. Any other channel is sampled with Gaussian symbols; the rate is
    then what its receiver can use, with its own belief about gain and noise: a lower bound.

    Args:
        channel: any channel.
        snr_db: mean SNR in dB.
        n: symbols of a sampled delivery.
        realizations: sampled deliveries.
        seed: of their generator.

    Raises:
        ValueError: SNR that is not a number.

    Source: M.-S. Alouini and A. J. Goldsmith, IEEE Transactions on Vehicular Technology 48(4), 1999, equation (34);
    the bound: M. Medard, IEEE Transactions on Information Theory 46(3), 2000.

    >>> round(ergodic_capacity(AWGN(), 0.0), 3), round(ergodic_capacity(Rayleigh(), 10.0), 3)
    (1.0, 2.907)
    """
    snr = _linear(snr_db) * channel.array_gain
    if snr in (0.0, math.inf):
        return snr
    if type(channel) is AWGN:
        return math.log2(1 + snr)
    distribution = power_distribution(channel)
    if distribution is None:
        return float(torch.cat(list(_information(channel, snr_db, n, realizations, seed))).mean())
    shape = _gamma_shape(channel)
    if shape is not None and shape == int(shape) and shape / snr < 500:
        mu = shape / snr
        return float(math.exp(mu) * special.expn(range(1, int(shape) + 1), mu).sum() / math.log(2))
    # In parts: E log(1 + s X) is the integral of P(X > x) s / (1 + s x).
    value, _ = integrate.quad(lambda x: (1 - distribution(x)) * snr / (1 + snr * x), 0, math.inf, limit=200)
    return value / math.log(2)


def outage_probability(
    channel: Channel, snr_db: float, rate: float, *, n: int = 256, realizations: int = 10_000, seed: int = 0
) -> float:
    """Probability that a delivery's mutual information per complex payload symbol is below a rate.

    The distribution function of |h|^2 where one gain lasts for the whole delivery of AWGN or flat fading; otherwise
    sampled as by `ergodic_capacity`, with the mutual information averaged over the n symbols of a delivery.

    Args:
        channel: any channel.
        snr_db: mean SNR in dB.
        rate: bits per complex payload symbol.
        n: symbols of a sampled delivery.
        realizations: sampled deliveries.
        seed: of their generator.

    Raises:
        ValueError: SNR that is not a number, or a negative rate.

    Source: L. H. Ozarow, S. Shamai and A. D. Wyner, IEEE Transactions on Vehicular Technology 43(2), 1994.

    >>> round(outage_probability(Rayleigh(), 10.0, rate=1.0), 4)
    0.0952
    """
    if not 0 <= rate < math.inf:
        raise ValueError(f"rate must be 0 or more bits per symbol, got {rate}")
    snr = _linear(snr_db) * channel.array_gain
    if type(channel) is AWGN:
        return float(math.log2(1 + snr) < rate)
    distribution = power_distribution(channel)
    slow = isinstance(channel, Fading) and channel.coherence is None and not channel.doppler
    if distribution is not None and slow:
        return distribution((2**rate - 1) / snr)
    information = torch.cat(list(_information(channel, snr_db, n, realizations, seed)))
    return float((information < rate).double().mean())


def power_distribution(channel: Channel) -> Callable[[float], float] | None:
    """P(|h|^2 <= x) of flat fading, after combining, with mean 1; None for any other channel.

    >>> distribution = power_distribution(Rayleigh())
    >>> round(distribution(1.0), 4) if distribution else None
    0.6321
    """
    shape = _gamma_shape(channel)
    if shape is not None:
        return lambda x: float(special.gammainc(shape, shape * x))
    if type(channel) is Rician:
        k, antennas = channel.k_factor, channel.receive_antennas
        return lambda x: float(special.chndtr(2 * (k + 1) * antennas * x, 2 * antennas, 2 * k * antennas))
    return None


def _gamma_shape(channel: Channel) -> float | None:
    """The shape a if |h|^2 is Gamma distributed with mean 1."""
    if type(channel) is Rayleigh:
        return float(channel.receive_antennas)
    if type(channel) is Nakagami:
        return channel.m * channel.receive_antennas
    return None


def _information(
    channel: Channel, snr_db: float, n: int, realizations: int, seed: int
) -> Iterator[Float[Tensor, "rows"]]:
    """Mutual information per symbol of sampled deliveries with Gaussian symbols, some at a time."""
    generator = Generator().manual_seed(seed)
    rows = max(1, _MOST_SAMPLES // (n * channel.receivers))
    for first in range(0, realizations, rows):
        count = min(rows, realizations - first)
        symbols = complex_normal((count, n), generator)
        symbols /= symbols.abs().square().mean(-1, keepdim=True).sqrt() * (1 + 1e-6)
        received = channel.transmit(symbols, channel.realize(count, n, snr_db, generator), generator)
        snr = received.gain.abs().square().double() / received.noise_variance
        yield torch.log2(1 + snr).mean(-1)


def _linear(snr_db: float) -> float:
    if math.isnan(snr_db):
        raise ValueError(f"snr_db must be a number in dB, got {snr_db}")
    return 10 ** (snr_db / 10)
