"""The gain of a moving receiver: a complex Gaussian process with the Jakes spectrum."""

import math
from typing import cast

import torch
from jaxtyping import Complex, Float
from scipy.fft import next_fast_len
from torch import Generator, Tensor

from channels.noise import complex_normal

_MOST_SINUSOIDS = 512  # more are slower than a Fourier transform
_MOST_SAMPLES = 2**25  # in one Fourier transform: bounds its memory


def jakes_process(realizations: int, n: int, doppler: float, generator: Generator) -> Complex[Tensor, "realizations n"]:
    r"""Unit-variance complex Gaussian processes with autocorrelation $J_0(2 \pi f_d \tau)$.

    A delivery that spans few wavelengths is a sum of sinusoids with stratified random angles of arrival and Gaussian
    amplitudes; their number exceeds $2 \pi f_d n$, so that the autocorrelation is $J_0$ over the whole delivery for
    any one set of angles. A longer one is shaped by its spectrum (circulant embedding), which misses $J_0$ by at
    most 0.005.

    Args:
        realizations: number of independent processes.
        n: samples of each.
        doppler: largest Doppler shift $f_d$ in cycles per symbol, below 1/2.
        generator: the only source of randomness.

    Source: W. C. Jakes, Microwave Mobile Communications, 1974, section 1.3; R. H. Clarke, "A statistical theory of
    mobile-radio reception", Bell System Technical Journal 47, 1968; circulant embedding: C. R. Dietrich and
    G. N. Newsam, SIAM Journal on Scientific Computing 18(4), 1997.

    >>> jakes_process(2, 5, 0.01, torch.Generator().manual_seed(0)).shape
    torch.Size([2, 5])
    """
    sinusoids = 32 + math.ceil(2 * math.pi * doppler * n)
    if n == 0 or sinusoids <= _MOST_SINUSOIDS:
        return _sum_of_sinusoids(realizations, n, doppler, sinusoids, generator)
    return _shaped_by_spectrum(realizations, n, doppler, generator)


def rotation(n: int, frequency: Float[Tensor, "realizations k"]) -> Complex[Tensor, "realizations k n"]:
    """Samples 0 to n - 1 of exp(j 2 pi frequency t); frequency in cycles per sample.

    >>> rotation(3, torch.tensor([[0.5]])).real
    tensor([[[ 1., -1.,  1.]]])
    """
    time = torch.arange(n, dtype=torch.float64, device=frequency.device)
    # Whole turns are dropped in float64: float32 has too few digits left after many of them.
    turns = (frequency.double().unsqueeze(-1) * time) % 1.0
    return torch.polar(torch.ones((), device=frequency.device), (2 * math.pi * turns).float())


def _sum_of_sinusoids(realizations: int, n: int, doppler: float, sinusoids: int, generator: Generator) -> Tensor:
    strata = torch.arange(sinusoids, device=generator.device) / sinusoids
    shift = torch.rand((realizations, 1), generator=generator, device=generator.device) / sinusoids
    frequency = doppler * torch.cos(2 * math.pi * (strata + shift))
    amplitude = complex_normal((realizations, sinusoids), generator) / math.sqrt(sinusoids)
    # exp(j w (a + b l)) = exp(j w a) exp(j w b l): two short tables and a matrix product give all n samples.
    length = max(math.isqrt(n), 1)
    fine = rotation(length, frequency)
    coarse = rotation(math.ceil(n / length), frequency * length) * amplitude.unsqueeze(-1)
    return (coarse.mT @ fine).flatten(1)[:, :n]


def _shaped_by_spectrum(realizations: int, n: int, doppler: float, generator: Generator) -> Tensor:
    size = cast(int, next_fast_len(3 * n))
    lag = torch.arange(size, dtype=torch.float64, device=generator.device)
    lag = torch.minimum(lag, size - lag)
    # Lags that no delivery spans are tapered to zero: a jump in slope there would ask for negative power.
    taper = 0.5 + 0.5 * torch.cos(math.pi * ((lag - n) / (size / 2 - n)).clamp(0, 1))
    spectrum = torch.fft.fft(torch.special.bessel_j0(2 * math.pi * doppler * lag) * taper).real.clamp(min=0)
    amplitude = (spectrum / spectrum.sum()).sqrt().float()
    process = torch.empty((realizations, n), dtype=torch.complex64, device=generator.device)
    for rows in process.split(max(1, _MOST_SAMPLES // size)):
        rows.copy_(torch.fft.ifft(complex_normal((len(rows), size), generator) * amplitude, norm="forward")[:, :n])
    return process
