"""Which SNR convention somebody else's channel has, measured; so that its curves can be compared with ours."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

REAL_DB = 10 * math.log10(2)
"""Between noise counted for a complex symbol and for each of its two dimensions."""

_NEAR_DB = 0.3
"""Within which an offset is taken for what a convention would make it."""


@dataclass(frozen=True)
class Convention:
    """What was measured of a channel, relative to y = h x + n with E|h|^2 = 1 and E|n|^2 = 10^(-SNR / 10).

    Args:
        offset_db: measured SNR over the one asked for, at each, in dB; 0 is our convention.
        snr_db: asked for.
        gain_db: mean power gain, in dB; 0 is normalised.
        follows_power: whether the noise shrinks with the power of what is sent, so that the SNR is kept.
        circular: share of the noise power that is in its real part; 1/2 for complex noise.
        verdict: what it is, in words, and what to ask for to get our convention.
    """

    offset_db: tuple[float, ...]
    snr_db: tuple[float, ...]
    gain_db: float
    follows_power: bool
    circular: float
    verdict: str

    @property
    def ours(self) -> bool:
        """Whether it is the convention of this project."""
        return self.verdict.startswith("ours")


def convention(
    channel: Callable[[Any, float], Any],
    snr_db: Sequence[float] = (0.0, 10.0, 20.0),
    n: int = 4096,
    deliveries: int = 64,
) -> Convention:
    """Measure the SNR convention of any function that sends complex symbols.

    It is called with unit-power QPSK symbols; for each delivery the gain that explains most of what is received is
    taken for h, the rest for noise. So the channel may fade from delivery to delivery, but not within one.

    Args:
        channel: takes complex symbols (n,), complex64 NumPy array, and an SNR in dB; returns what is received (n,).
        snr_db: asked for, at least two.
        n: symbols of a delivery.
        deliveries: at each SNR.

    Raises:
        ValueError: fewer than two SNRs, or something other than n numbers is returned.

    >>> draw = np.random.default_rng(0).standard_normal
    >>> def per_dimension(x, snr):  # noise of that variance in each of two dimensions
    ...     return x + 10 ** (-snr / 20) * (draw(len(x)) + 1j * draw(len(x)))
    >>> found = convention(per_dimension)
    >>> [round(offset) for offset in found.offset_db], found.ours
    ([-3, -3, -3], False)
    >>> found.verdict
    'noise variance counted in each real dimension, 3 dB below ours: ask it for 3.01 dB more'
    """
    if len(snr_db) < 2:
        raise ValueError(f"snr_db must be at least two values, got {list(snr_db)}")
    generator = np.random.default_rng(0)
    measured = [_measured(channel, level, n, deliveries, generator, 1.0) for level in snr_db]
    gains, noises, real = (np.array(column) for column in zip(*measured))
    offsets = -10 * np.log10(noises) - np.array(snr_db)
    quieter = _measured(channel, snr_db[0], n, deliveries, generator, 0.25)[1]
    follows = bool(quieter < 0.5 * noises[0])
    gain_db, circular = float(10 * np.log10(gains.mean())), float(real.mean())
    verdict = _verdict(offsets, np.array(snr_db), gain_db, follows, circular)
    return Convention(tuple(offsets.tolist()), tuple(snr_db), gain_db, follows, circular, verdict)


def _measured(
    channel: Callable[[Any, float], Any], snr_db: float, n: int, deliveries: int, generator: np.random.Generator,
    power: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Mean power gain, noise variance, and the share of it that is real."""
    gains, noises, real = [], [], []
    for _ in range(deliveries):
        signs = generator.integers(0, 2, (2, n)) * 2 - 1
        sent = (math.sqrt(power / 2) * (signs[0] + 1j * signs[1])).astype(np.complex64)
        received = np.asarray(channel(sent, snr_db))
        if received.shape != (n,):
            raise ValueError(
                f"the channel must return as many samples as it was given, {n}, got shape {received.shape}"
            )
        gain = np.vdot(sent, received) / np.vdot(sent, sent)
        noise = received - gain * sent
        gains.append(abs(gain) ** 2)
        noises.append(np.mean(np.abs(noise) ** 2) * n / (n - 1))
        real.append(np.mean(noise.real**2) / max(np.mean(np.abs(noise) ** 2), 1e-300))
    return float(np.mean(gains)), max(float(np.mean(noises)), 1e-30), float(np.mean(real))


def _verdict(offsets: np.ndarray, snr_db: np.ndarray, gain_db: float, follows: bool, circular: float) -> str:
    slope, _ = np.polyfit(snr_db, offsets, 1)
    mean, warnings = float(offsets.mean()), ""
    if abs(gain_db) > 1:
        warnings += f"; mean power gain {gain_db:+.1f} dB, not normalised"
    if follows:
        warnings += "; noise follows the power of what is sent: sending louder changes nothing"
    if circular > 0.9:
        return (
            f"noise in the real part alone, {mean:+.1f} dB of ours: it is a real channel, not a complex one{warnings}"
        )
    if abs(slope + 0.5) < 0.1:
        return f"standard deviation and variance confused: noise variance is 10^(-SNR / 20){warnings}"
    if abs(slope - 1) < 0.1:
        return f"noise falls twice as fast as it should: variance is 10^(-SNR / 5){warnings}"
    if abs(slope) > 0.1:
        return f"noise does not follow the SNR asked for: offsets {np.round(offsets, 1).tolist()} dB{warnings}"
    if abs(mean) < _NEAR_DB:
        return f"ours: noise variance for each complex symbol{warnings}"
    if abs(mean + REAL_DB) < _NEAR_DB:
        return f"noise variance counted in each real dimension, 3 dB below ours: ask it for 3.01 dB more{warnings}"
    if abs(mean - REAL_DB) < _NEAR_DB:
        return f"noise halved, 3 dB above ours (Eb/N0 of QPSK, say): ask it for 3.01 dB less{warnings}"
    return f"{mean:+.1f} dB of ours at every SNR: ask it for {-mean:+.1f} dB{warnings}"
