"""Flat fading: one complex gain multiplies every symbol that it lasts for."""

import math
from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from numbers import Real

import torch
from jaxtyping import Complex, Float
from scipy.special import gammainccinv, gammaincinv
from torch import Generator, Tensor

from channels.base import Channel, ChannelState, Decibel, noise_variance
from channels.doppler import jakes_process, rotation
from channels.noise import complex_normal


@dataclass(frozen=True, kw_only=True)
class Fading(Channel):
    r"""What all flat fading shares: how long a gain lasts, and how many antennas hear it.

    A family of fading is one method, `shape`, which turns scattered waves (unit-variance complex Gaussian gains) into
    gains of its own distribution with $E|h|^2 = 1$.

    Args:
        coherence: symbols over which one gain lasts before an independent one follows; 1 for fast fading, `None` for
            a whole delivery (slow fading).
        doppler: instead of `coherence`, the largest Doppler shift in cycles per symbol, below 1/2: speed times
            carrier frequency over the speed of light and the symbol rate; gains then change from symbol to symbol
            with the Jakes spectrum.
        receive_antennas: N antennas with independent fading and noise, combined by maximal-ratio combining: the gain
            is sqrt(sum |h_i|^2 / N) and the noise variance that of one antenna over N, so that the SNR is per antenna.

    Raises:
        ValueError: coherence or receive_antennas below 1, doppler outside 0 to 1/2, coherence and doppler at once.
    """

    coherence: int | None = None
    doppler: float | None = None
    receive_antennas: int = 1

    def __post_init__(self):
        if self.coherence is not None and self.coherence < 1:
            raise ValueError(f"coherence must be at least 1 symbol, or None for slow fading, got {self.coherence}")
        if self.doppler is not None and not 0 <= self.doppler < 0.5:
            raise ValueError(f"doppler must be 0 or more and below 0.5 cycles per symbol, got {self.doppler}")
        if self.coherence is not None and self.doppler is not None:
            raise ValueError("give coherence or doppler, not both: either gains last, or they drift")
        if self.receive_antennas < 1:
            raise ValueError(f"receive_antennas must be at least 1, got {self.receive_antennas}")

    @property
    def array_gain(self) -> float:  # type: ignore[override]
        """Mean SNR after combining over mean SNR of one antenna: the number of antennas."""
        return float(self.receive_antennas)

    @abstractmethod
    def shape(self, scattered: Complex[Tensor, "realizations n"], generator: Generator) -> Complex[Tensor, "_ _"]:
        """Gains of this family from scattered waves; neighbours stay correlated as the waves are."""

    def realize(self, realizations: int, n: int, snr_db: Decibel, generator: Generator) -> ChannelState:  # noqa: D102
        variance = noise_variance(snr_db, realizations, generator) / self.receive_antennas
        if self.receive_antennas == 1:
            return ChannelState(self._antenna(realizations, n, generator), variance)
        power = self._antenna(realizations, n, generator).abs().square_()
        for _ in range(self.receive_antennas - 1):
            power += self._antenna(realizations, n, generator).abs().square_()
        return ChannelState((power / self.receive_antennas).sqrt_().to(torch.complex64), variance)

    def _antenna(self, realizations: int, n: int, generator: Generator) -> Complex[Tensor, "realizations _"]:
        if self.doppler is not None:
            return self.shape(jakes_process(realizations, n, self.doppler, generator), generator)
        blocks = 1 if self.coherence is None else math.ceil(n / self.coherence)
        gain = self.shape(complex_normal((realizations, blocks), generator), generator)
        if self.coherence is None or self.coherence == 1:
            return gain
        return gain.repeat_interleave(self.coherence, dim=-1)[:, :n]


@dataclass(frozen=True)
class Rayleigh(Fading):
    r"""Rayleigh fading: scattered waves alone, $h \sim \mathcal{CN}(0, 1)$.

    Args and errors: those of `Fading`.

    Source: D. Tse and P. Viswanath, Fundamentals of Wireless Communication, 2005, section 2.4.2.

    >>> state = Rayleigh().realize(4, 1000, snr_db=10.0, generator=torch.Generator().manual_seed(0))
    >>> state.gain.shape, round(float(state.noise_variance[0]), 3)
    (torch.Size([4, 1]), 0.1)
    """

    def shape(self, scattered: Complex[Tensor, "realizations n"], generator: Generator) -> Complex[Tensor, "_ _"]:  # noqa: D102
        return scattered


@dataclass(frozen=True)
class Rician(Fading):
    r"""Rician fading: a line of sight among scattered waves.

    $h = \sqrt{K / (K + 1)}\, e^{j \phi} + \sqrt{1 / (K + 1)}\, s$ with $s \sim \mathcal{CN}(0, 1)$ and a uniform phase
    $\phi$ for each delivery. With `doppler`, the line of sight turns at the Doppler shift of a uniform random angle
    of arrival.

    Args:
        k_factor: K, power of the line of sight over power of the scattered waves, linear; 0 is Rayleigh fading.
        coherence: as of `Fading`.
        doppler: as of `Fading`.
        receive_antennas: as of `Fading`.

    Raises:
        ValueError: negative k_factor, or what `Fading` refuses.

    Source: D. Tse and P. Viswanath, Fundamentals of Wireless Communication, 2005, section 2.4.2.

    >>> Rician(3.0).realize(2, 10, snr_db=0.0, generator=torch.Generator().manual_seed(0)).gain.shape
    torch.Size([2, 1])
    """

    k_factor: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        if not isinstance(self.k_factor, Real) or not 0 <= self.k_factor < math.inf:
            raise ValueError(f"k_factor must be a finite number, 0 or more (linear, not dB), got {self.k_factor!r}")

    def shape(self, scattered: Complex[Tensor, "realizations n"], generator: Generator) -> Complex[Tensor, "_ _"]:  # noqa: D102
        realizations, n = scattered.shape
        turns = torch.rand((2, realizations, 1), generator=generator, device=generator.device)
        phase, arrival = 2 * math.pi * turns
        k_factor = min(self.k_factor, 1e60)  # more is the same, and larger than any float32
        sight = torch.polar(torch.full_like(phase, math.sqrt(k_factor)), phase)
        if self.doppler:
            sight = sight * rotation(n, self.doppler * torch.cos(arrival)).squeeze(1)
        return (scattered + sight) / math.sqrt(k_factor + 1)


@dataclass(frozen=True)
class Nakagami(Fading):
    r"""Nakagami fading: $|h|^2$ is Gamma distributed with shape m and mean 1; the phase is uniform.

    The magnitude of a Rayleigh gain is passed through the two distribution functions; its phase is kept.

    Args:
        m: shape; 1/2 is the one-sided Gaussian, 1 Rayleigh fading, infinity no fading.
        coherence: as of `Fading`.
        doppler: as of `Fading`, that of the Rayleigh gain.
        receive_antennas: as of `Fading`.

    Raises:
        ValueError: m below 1/2, or what `Fading` refuses.

    Source: M. Nakagami, "The m-distribution", in Statistical Methods in Radio Wave Propagation, 1960; the
    transformation: N. C. Beaulieu and C. Cheng, "Efficient Nakagami-m fading channel simulation", IEEE Transactions
    on Vehicular Technology 54(2), 2005.

    >>> Nakagami(2.0).realize(2, 10, snr_db=0.0, generator=torch.Generator().manual_seed(0)).gain.shape
    torch.Size([2, 1])
    """

    m: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        if not isinstance(self.m, Real) or not 0.5 <= self.m < math.inf:
            raise ValueError(f"m must be a finite number, at least 0.5, got {self.m!r}")

    def shape(self, scattered: Complex[Tensor, "realizations n"], generator: Generator) -> Complex[Tensor, "_ _"]:  # noqa: D102
        table = _log_magnitude_ratio(float(self.m)).to(scattered.device)
        squared = scattered.real.square().addcmul_(scattered.imag, scattered.imag)
        step = (_HIGHEST - _LOWEST) / (len(table) - 1)
        position = squared.log_().sub_(_LOWEST).div_(step).clamp_(0, len(table) - 1.001)
        below = position.long()
        ratio = torch.lerp(table[below], table[below + 1], position - below).exp_()
        return scattered * ratio


# Natural logarithms of the powers of a Rayleigh gain between which the table of Nakagami lies: outside is one in 10^13.
_LOWEST, _HIGHEST = -30.0, 3.4


@lru_cache(maxsize=16)
def _log_magnitude_ratio(m: float) -> Float[Tensor, "points"]:
    """Log of the Nakagami magnitude over the Rayleigh magnitude of equal probability, on even steps of log power."""
    log_power = torch.linspace(_LOWEST, _HIGHEST, 4096, dtype=torch.float64)
    power = log_power.exp().numpy()
    # Each tail from its own side, where the probability has digits.
    lower = torch.from_numpy(gammaincinv(m, -torch.expm1(-log_power.exp()).numpy()) / m)
    upper = torch.from_numpy(gammainccinv(m, torch.exp(-log_power.exp()).numpy()) / m)
    quantile = torch.where(torch.from_numpy(power) < 1, lower, upper)
    return (0.5 * (quantile.log() - log_power)).float()
