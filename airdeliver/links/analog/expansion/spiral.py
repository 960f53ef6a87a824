"""Shannon-Kotel'nikov mapping: one value becomes a point on a spiral in the plane of two channel inputs."""

import math
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.links.analog.expansion.archimedes import Archimedes, Source, grid
from airdeliver.links.analog.expansion.base import Expansion

QUIET = 2.5e-3
"""Noise variance (26 dB) below which the likeliest value replaces the posterior mean."""

_SAMPLES = 8192
_WIDENING = 1.6
_CELL = 0.4
"""Side of a table's cell in standard deviations of the noise."""

_LEAST_SIDE = 65
_CHUNK = 1 << 13
_LEVELS_PER_DB = 4


@dataclass(frozen=True)
class Spiral(Expansion):
    r"""One value over two channel inputs, on a double Archimedean spiral.

    Noise across the arms is harmless, noise along them is small compared with their length: well above repetition at
    the design SNR (a Gaussian source reaches 16, 24 and 33 dB at 10, 15 and 20 dB, repetition 13, 18 and 23). Below
    it, values jump to neighbouring arms. At 5 dB and less it gains little over repetition.

    The receiver takes the posterior mean, from a table of the plane where the noise is the same for all values; below
    a noise variance of 1/400 (26 dB), the likeliest value.

    Args:
        design_snr_db: SNR in dB of the channel inputs for which the pitch of the spiral is optimised.
        source: distribution of the values, `gaussian` or `laplacian`.

    Raises:
        ValueError: a design SNR outside -10 to 25 dB, or an unknown source.

    Source: F. Hekland, P. A. Floor and T. A. Ramstad, Shannon-Kotel'nikov mappings in joint source-channel coding, IEEE
    Transactions on Communications 57(1), 2009; Y. Hu, J. Garcia-Frias and M. Lamarca, Analog joint source-channel
    coding using non-linear curves and MMSE decoding, IEEE Transactions on Communications 59(11), 2011.
    """

    design_snr_db: float = 10.0
    source: Source = "gaussian"
    _tables: dict[int, Tensor] = field(default_factory=dict, init=False, repr=False, compare=False)
    isometric: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not -10 <= self.design_snr_db <= 25:
            raise ValueError(f"design_snr_db must be -10 to 25 dB, got {self.design_snr_db}")
        if self.source not in ("gaussian", "laplacian"):
            raise ValueError(f"source must be gaussian or laplacian, got {self.source!r}")

    @property
    def inputs(self) -> int:  # noqa: D102
        return 2

    @cached_property
    def curve(self) -> Archimedes:
        """The spiral of least error at the design SNR."""
        return Archimedes(best_stretch(float(self.design_snr_db), self.source), self.source)

    def expand(self, values: Float[Tensor, "n"]) -> Float[Tensor, "inputs n"]:  # noqa: D102
        return self.curve.points(values)

    def combine(  # noqa: D102
        self,
        observed: Float[Tensor, "realizations inputs n"],
        noise_variance: Float[Tensor, "realizations #inputs #n"],
    ) -> tuple[Float[Tensor, "realizations n"], Float[Tensor, "realizations #n"]]:
        points = observed.transpose(0, 1)
        if noise_variance.shape[1:] == (1, 1):
            levels = noise_variance.flatten()
            estimate = torch.stack([self._estimate(points[:, row], float(levels[row])) for row in range(len(levels))])
        else:
            noise = noise_variance.expand(-1, 2, points.shape[-1]).transpose(0, 1)
            likeliest = self.curve.likeliest(points, noise.mean(0).clamp(max=QUIET))
            mean = posterior_mean(self.curve, points, noise.clamp(min=QUIET / 4))
            estimate = torch.where(noise.amax(0) < QUIET, likeliest, mean)
        return estimate, torch.zeros_like(noise_variance[:, 0, :1])

    def error(self, snr: float) -> float:  # noqa: D102
        level = round(_LEVELS_PER_DB * 10 * math.log10(max(snr, 1e-3)))
        return expected_error(self.curve, 10 ** (-level / _LEVELS_PER_DB / 10))

    def _estimate(self, points: Float[Tensor, "2 n"], noise_variance: float) -> Float[Tensor, "n"]:
        """For noise that is the same on all inputs."""
        if noise_variance < QUIET:
            return self.curve.likeliest(points, torch.tensor(noise_variance, device=points.device))
        if noise_variance == math.inf:
            return points[0] * 0
        level = round(_LEVELS_PER_DB * 10 * math.log10(noise_variance))
        if level not in self._tables:
            self._tables[level] = self._table(10 ** (level / _LEVELS_PER_DB / 10))
        return _interpolate(self._tables[level].to(points.device), points, self._reach)

    @property
    def _reach(self) -> float:
        """Half the side of the table: the outermost point, and noise beyond it."""
        farthest = grid(self.source, 3)[0][-1:].float()
        return self.curve.radius * float(self.curve.angle(farthest)) + 1.0

    def _table(self, noise_variance: float) -> Float[Tensor, "side side"]:
        side = max(_LEAST_SIDE, math.ceil(2 * self._reach / (_CELL * math.sqrt(noise_variance))))
        axis = torch.linspace(-self._reach, self._reach, side)
        points = torch.stack(torch.meshgrid(axis, axis, indexing="ij")).flatten(1)
        return posterior_mean(self.curve, points, torch.tensor(noise_variance).expand(2, 1)).view(side, side)


def _interpolate(table: Float[Tensor, "side side"], points: Float[Tensor, "2 n"], reach: float) -> Float[Tensor, "n"]:
    """Bilinear, with the border's value outside."""
    last = len(table) - 1
    place = ((points + reach) * (last / (2 * reach))).clamp(0, last)
    below = place.detach().long().clamp(max=last - 1)
    row, column = place - below
    corner = below[0] * (last + 1) + below[1]
    flat = table.flatten()
    upper = torch.lerp(flat[corner], flat[corner + 1], column)
    lower = torch.lerp(flat[corner + last + 1], flat[corner + last + 2], column)
    return torch.lerp(upper, lower, row)


def posterior_mean(
    curve: Archimedes, points: Float[Tensor, "2 *batch"], noise_variance: Float[Tensor, "2 #*batch"]
) -> Float[Tensor, "*batch"]:
    """Posterior mean of the values, by summing over the whole spiral, some points at a time.

    Args:
        curve: the spiral.
        points: observed.
        noise_variance: of both coordinates.
    """
    count = 2 * round(curve.stretch * 8 + 100) + 1
    values, probability = (part.float().to(points.device) for part in grid(curve.source, count))
    spiral = curve.points(values)
    # Logarithms of the posterior, but for a summand that is the same for the whole spiral, are one matrix product.
    precision = (1 / noise_variance).expand(2, *points.shape[1:]).flatten(1)
    observed = torch.cat([points.flatten(1) * precision, precision]).T
    model = torch.cat([spiral, -spiral.square() / 2])
    means = [torch.addmm(probability.log(), part, model).softmax(-1) @ values for part in observed.split(_CHUNK)]
    return torch.cat(means).view(points.shape[1:])


@lru_cache(maxsize=4096)
def expected_error(curve: Archimedes, noise_variance: float) -> float:
    """Mean squared error of the posterior mean over the source, from fixed pseudo-random noise.

    The noise is drawn wider than it is and weighted, so that jumps to the neighbouring arms, rare and large, are seen.
    """
    share = (torch.arange(_SAMPLES, dtype=torch.float64) + 0.5) / _SAMPLES
    values = _quantile(curve.source, share).float()
    wide = torch.randn(2, _SAMPLES, generator=torch.Generator().manual_seed(0)) * _WIDENING
    weight = _WIDENING**2 * (wide.square().sum(0) * (1 / _WIDENING**2 - 1) / 2).exp()
    points = curve.points(values) + wide * math.sqrt(noise_variance)
    estimate = posterior_mean(curve, points, torch.tensor(noise_variance).expand(2, 1))
    return float((weight * (estimate - values).square()).double().sum() / weight.double().sum())


@lru_cache(maxsize=64)
def best_stretch(snr_db: float, source: Source) -> float:
    """The stretch of least error at an SNR, within 8 %, near the power law that the optima follow."""
    guess = 10 ** ((snr_db - 2.5) / 14)
    stretches = [guess * 1.08**step for step in range(-8, 9)]
    return min(stretches, key=lambda stretch: expected_error(Archimedes(stretch, source), 10 ** (-snr_db / 10)))


def _quantile(source: Source, share: Float[Tensor, "n"]) -> Float[Tensor, "n"]:
    if source == "gaussian":
        return torch.special.ndtri(share)
    return -(share - 0.5).sign() * torch.log1p(-2 * (share - 0.5).abs()) / math.sqrt(2)
