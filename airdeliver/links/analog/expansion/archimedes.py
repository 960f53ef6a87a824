"""The double Archimedean spiral: a curve that fills the plane, and the point on it nearest to another."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

Source = Literal["gaussian", "laplacian"]

_FARTHEST = 16.0
_KNOTS = 4096


@dataclass(frozen=True)
class Archimedes:
    r"""Two arms, one for positive and one for negative values, along which a value is laid by arc length.

    The point of value v is $b\,\theta\,(\cos\theta, \sin\theta)\,\mathrm{sgn}\,v$, where the arc from the origin to the
    angle θ is proportional to |v|: $\frac12 (\theta \sqrt{1 + \theta^2} + \operatorname{arsinh} \theta) = c\,|v|$. Arms
    are π b apart. Equal arcs for equal steps of the value are the best companding for a Laplacian source, where the
    hazard rate is constant, and within 0.3 dB of it for a Gaussian one.

    Args:
        stretch: c; the larger, the more turns.
        source: distribution of the values, of unit variance, for which the mean square of a coordinate is 1.
    """

    stretch: float
    source: Source = "gaussian"

    @cached_property
    def radius(self) -> float:
        """b, from the mean of θ² over the source."""
        values, density = grid(self.source, 4001)
        angle = self.angle(values.abs()).double()
        return math.sqrt(2 / float((density * angle.square()).sum()))

    def angle(self, magnitude: Tensor) -> Tensor:
        """θ of |v|, interpolated between knots, so that encoder and decoder agree to the last digit."""
        knots = self._knots.to(magnitude.device)
        place = magnitude * ((_KNOTS - 1) / _FARTHEST)
        below = place.detach().long().clamp(0, _KNOTS - 2)
        start = knots[below]
        return start + (place - below) * (knots[below + 1] - start)

    def points(self, values: Float[Tensor, "*batch"]) -> Float[Tensor, "2 *batch"]:
        """The points of values."""
        angle = self.angle(values.abs())
        reach = self.radius * angle * values.sign()
        return torch.stack([reach * angle.cos(), reach * angle.sin()])

    def likeliest(
        self, points: Float[Tensor, "2 *batch"], noise_variance: Float[Tensor, "#*batch"]
    ) -> Float[Tensor, "*batch"]:
        """Values of greatest posterior density: the best of the neighbouring turns of both arms, each refined.

        Args:
            points: observed.
            noise_variance: of each coordinate; 0 for the nearest point.
        """
        distance = points.square().sum(0).sqrt() / self.radius
        direction = torch.atan2(points[1], points[0])
        best, least = torch.zeros_like(distance), points.square().sum(0)
        for sign in (1.0, -1.0):
            first = direction if sign > 0 else direction + math.pi
            turn = ((distance - first) / (2 * math.pi)).floor()
            for step in (0, 1):
                angle = self._refined((first + 2 * math.pi * (turn + step)).clamp(min=0), sign * points / self.radius)
                spiral = sign * self.radius * angle * torch.stack([angle.cos(), angle.sin()])
                magnitude = self._magnitude(angle)
                off = (points - spiral).square().sum(0) + noise_variance * self._surprise(magnitude)
                best = torch.where(off < least, sign * magnitude, best)
                least = torch.minimum(off, least)
        return best

    def _surprise(self, magnitude: Tensor) -> Tensor:
        """Twice the negative logarithm of the source's density, up to a constant."""
        return magnitude.square() if self.source == "gaussian" else 2 * math.sqrt(2) * magnitude

    @staticmethod
    def _refined(angle: Tensor, points: Tensor) -> Tensor:
        """Gauss-Newton steps towards the nearest point of the spiral of radius 1."""
        for _ in range(3):
            cosine, sine = angle.cos(), angle.sin()
            along = (points[0] - angle * cosine) * (cosine - angle * sine)
            along = along + (points[1] - angle * sine) * (sine + angle * cosine)
            angle = (angle + along / (1 + angle.square())).clamp(min=0)
        return angle

    def _magnitude(self, angle: Tensor) -> Tensor:
        """|v| of θ: the inverse of `angle`."""
        knots = self._knots.to(angle.device)
        below = (torch.searchsorted(knots, angle.detach().contiguous(), right=True) - 1).clamp(0, _KNOTS - 2)
        share = (angle - knots[below]) / (knots[below + 1] - knots[below])
        return (below + share) * (_FARTHEST / (_KNOTS - 1))

    @cached_property
    def _knots(self) -> Float[Tensor, "knots"]:
        arc = self.stretch * torch.linspace(0, _FARTHEST, _KNOTS, dtype=torch.float64)
        angle = torch.where(arc > 1, (2 * arc).sqrt(), arc)
        for _ in range(20):
            speed = (1 + angle.square()).sqrt()
            angle = angle - ((angle * speed + angle.asinh()) / 2 - arc) / speed
        return angle.float()


def grid(source: Source, points: int) -> tuple[Float[Tensor, "points"], Float[Tensor, "points"]]:
    """Values of unit variance, evenly spaced over all that matters, and their probabilities, float64."""
    span = 6.0 if source == "gaussian" else 10.0
    values = torch.linspace(-span, span, points, dtype=torch.float64)
    density = -values.square() / 2 if source == "gaussian" else -math.sqrt(2) * values.abs()
    return values, density.softmax(0)
