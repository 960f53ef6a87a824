"""What a channel could carry: ergodic capacity and outage probability."""

import math
from collections.abc import Iterator
from numbers import Real

import numpy as np
import torch
from jaxtyping import Complex, Float
from torch import Generator, Tensor

from channels.awgn import AWGN
from channels.base import Channel, Received
from channels.fading import Fading
from channels.noise import complex_normal
from channels.power_law import power_law

_MOST_SAMPLES = 2**22  # drawn at once, which bounds the memory
_CLEAR = 1e11  # SNR from which on the rounding of float32 is noise, too
_DECIBEL = math.log(10) / 10  # nepers of power


def ergodic_capacity(
    channel: Channel, snr_db: float, *, n: int = 256, realizations: int = 10_000, seed: int = 0
) -> float:
    r"""Mean of $\log_2(1 + SNR)$ over the fading, in bits per complex payload symbol, known at the receiver alone.

    Flat fading is integrated over the law of $|h|^2$, to six digits or more at any SNR. Any other channel is sampled
    with Gaussian symbols; the rate is then what its receiver can use, with its own belief about gain and noise: a
    lower bound, which is below what it believes where it believes too much. At minus infinity nothing is carried; at
    infinity what impairments leave.

    Args:
        channel: any channel.
        snr_db: mean SNR in dB.
        n: symbols of a sampled delivery.
        realizations: sampled deliveries.
        seed: of their generator.

    Raises:
        ValueError: SNR that is not a number, or of a sampled channel beyond what it can be drawn at; fewer than one
            symbol or realization.

    Source: M.-S. Alouini and A. J. Goldsmith, IEEE Transactions on Vehicular Technology 48(4), 1999;
    the bound: M. Medard, IEEE Transactions on Information Theory 46(3), 2000.

    >>> from channels import Rayleigh
    >>> round(ergodic_capacity(AWGN(), 0.0), 3), round(ergodic_capacity(Rayleigh(), 10.0), 3)
    (1.0, 2.907)
    """
    log_snr = _log_snr(channel, snr_db)
    law = power_law(channel)
    if type(channel) is not AWGN and law is None:
        if log_snr == -math.inf:
            return 0.0
        return float(_information(channel, snr_db, n, realizations, seed).mean())
    if law is None or log_snr == math.inf:
        return float(np.logaddexp(0.0, log_snr)) / math.log(2)
    return law.mean_log1p(log_snr) / math.log(2)


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
        ValueError: SNR that is not a number, or of a sampled channel beyond what it can be drawn at; a rate that is
            negative or infinite; fewer than one symbol or realization.

    Source: L. H. Ozarow, S. Shamai and A. D. Wyner, IEEE Transactions on Vehicular Technology 43(2), 1994.

    >>> from channels import Rayleigh
    >>> round(outage_probability(Rayleigh(), 10.0, rate=1.0), 4)
    0.0952
    """
    if not isinstance(rate, Real) or not 0 <= float(rate) < math.inf:
        raise ValueError(f"rate must be 0 or more bits per symbol, got {rate!r}")
    log_snr = _log_snr(channel, snr_db)
    if rate == 0 or log_snr == -math.inf:  # less than nothing is never carried, and nothing is all that is
        return float(rate > 0)
    # 2^R - 1 without a power that overflows, and with its digits where R is small.
    nats = rate * math.log(2)
    log_needed = nats + math.log(-math.expm1(-nats))
    if type(channel) is AWGN:
        return float(log_snr < log_needed)
    law = power_law(channel)
    slow = isinstance(channel, Fading) and channel.coherence is None and not channel.doppler
    if law is not None and slow:
        gap = log_needed - log_snr
        return law.distribution(math.exp(gap) if gap < 700 else math.inf)
    information = _information(channel, snr_db, n, realizations, seed)
    return float((information < rate).double().mean())


def _information(
    channel: Channel, snr_db: float, n: int, realizations: int, seed: int
) -> Float[Tensor, "realizations"]:
    """What a receiver that decodes by its belief can use, in bits per symbol of sampled deliveries.

    Its belief promises log(1 + SNR). Where it is wrong, as after least squares, which takes the noise of its pilots for
    gain, what decoding by it reaches is less by the mean of |y|^2 / (|h|^2 + v) - |y - h x|^2 / v, which is 0 for one
    that is right; chance within four standard errors is left out.
    """
    promised, excess = (torch.cat(parts) for parts in zip(*_sampled(channel, snr_db, n, realizations, seed)))
    lost = excess.mean()
    if bool(lost < -4 * excess.std() / math.sqrt(len(excess))):
        promised = (promised + lost / math.log(2)).clamp(min=0)
    return promised


def _sampled(
    channel: Channel, snr_db: float, n: int, realizations: int, seed: int
) -> Iterator[tuple[Float[Tensor, "rows"], Float[Tensor, "rows"]]]:
    """Promised bits, and the excess of the samples over the promise in nats, some deliveries at a time."""
    if n < 1 or realizations < 1:
        raise ValueError(f"n and realizations must be at least 1 each, got {n} and {realizations}")
    generator = Generator().manual_seed(seed)
    rows = max(1, _MOST_SAMPLES // (n * channel.receivers))
    for first in range(0, realizations, rows):
        count = min(rows, realizations - first)
        symbols = complex_normal((count, n), generator)
        symbols /= symbols.abs().square().mean(-1, keepdim=True).sqrt() * (1 + 1e-6)
        received = channel.transmit(symbols, channel.realize(count, n, snr_db, generator), generator)
        # Of a symbol that is lost without noise, 0 over 0, nothing arrives.
        snr = (received.gain.abs().square().double() / received.noise_variance).nan_to_num(nan=0.0, posinf=math.inf)
        yield torch.log1p(snr).mean(-1) / math.log(2), _excess(symbols, received, snr)


def _excess(
    symbols: Complex[Tensor, "rows n"], received: Received, snr: Float[Tensor, "rows #n"]
) -> Float[Tensor, "rows"]:
    """Mean of |y|^2 / (|h|^2 + v) - |y - h x|^2 / v by the receiver's belief of h and v."""
    gain, noise = received.gain, received.noise_variance.double()
    off = (received.samples - gain * symbols).abs().square().double() / noise
    whole = received.samples.abs().square().double() / (gain.abs().square().double() + noise)
    # Where float32 has no digits of the noise, or nothing is known, nothing can be said.
    return torch.where((snr > 0) & (snr < _CLEAR), whole - off, 0.0).nan_to_num(nan=0.0).mean(-1)


def _log_snr(channel: Channel, snr_db: float) -> float:
    """Natural logarithm of the mean SNR after combining, which no SNR in dB makes overflow."""
    if not isinstance(snr_db, Real) or math.isnan(float(snr_db)):
        raise ValueError(f"snr_db must be a number in dB, got {snr_db!r}")
    return float(snr_db) * _DECIBEL + math.log(channel.array_gain)
