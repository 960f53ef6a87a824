"""The receiver that is told of a Gaussian mixture from which the weights come."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from airdeliver.links.analog.receiver.base import Receiver
from airdeliver.links.analog.receiver.laplacian import NOISIEST

_SAMPLE = 4096
_STEPS = 30
_FARTHEST = 4.0
_WIDEST, _STEP = 2.0, 0.03


class Components(NamedTuple):
    """Components of a mixture, along the last axis, for values of unit variance.

    Args:
        weight: probability.
        centre: mean.
        deviation: standard deviation.
    """

    weight: Float[Tensor, "*rows components"]
    centre: Float[Tensor, "*rows components"]
    deviation: Float[Tensor, "*rows components"]

    def rows(self) -> "list[Components]":
        """The mixture of each row."""
        return [Components(*row) for row in zip(*(part.unbind(0) for part in self))]


@dataclass(frozen=True)
class Mixture(Receiver):
    r"""Posterior mean under a Gaussian mixture that the sender fits to its weights and tells in three bytes each.

    Given the observation r with noise of variance $\sigma^2$, component k (weight $\pi_k$, centre $m_k$, deviation
    $s_k$) has the posterior weight $\rho_k \propto \pi_k\,\mathcal N(r; m_k, s_k^2 + \sigma^2)$ and the posterior mean
    $(s_k^2 r + \sigma^2 m_k) / (s_k^2 + \sigma^2)$; the estimate is $\sum_k \rho_k$ times the latter. Weights that
    were drawn towards the centres (`penalty`, which no method of training uses yet) arrive almost as if they were
    quantised; on digits the smaller error at 10 dB costs more accuracy than it saves.

    Args:
        components: K.
        each: whether each segment has a mixture of its own (3 K bytes a segment) instead of one for all (3 K bytes).

    Raises:
        ValueError: fewer than 1 or more than 16 components.

    Source: S. M. Kay, Fundamentals of Statistical Signal Processing: Estimation Theory, 1993, section 11.4; the fit by
    expectation maximisation: C. M. Bishop, Pattern Recognition and Machine Learning, 2006, section 9.2.2.
    """

    components: int = 3
    each: bool = False

    def __post_init__(self) -> None:
        if not 1 <= self.components <= 16:
            raise ValueError(f"components must be 1 to 16, got {self.components}")

    @property
    def numbers(self) -> int:  # type: ignore[override]
        """Three bytes a component."""
        return 3 * self.components

    @property
    def shared(self) -> bool:  # type: ignore[override]
        """Whether the numbers are sent once."""
        return not self.each

    def measure(self, segments: list[Tensor]) -> UInt8[Tensor, "rows numbers"]:
        """Fit mixtures to values of unit variance and round them to what three bytes can tell."""
        if self.shared:
            segments = [torch.cat(segments)]
        samples = torch.stack([_sample(segment) for segment in segments])
        return encode(fitted(samples, self.components))

    def estimate(  # noqa: D102
        self,
        observed: Float[Tensor, "realizations n"],
        noise_variance: Float[Tensor, "realizations #n"],
        prior: UInt8[Tensor, "#n numbers"] | None = None,
    ) -> Float[Tensor, "realizations n"]:
        if prior is None:
            raise ValueError("a mixture must be told: prior is missing")
        told = decode(prior.to(observed.device))
        noise = noise_variance.clamp(max=NOISIEST**2)
        logits, means = [], []
        for weight, centre, deviation in zip(*(part.unbind(-1) for part in told)):
            variance = deviation.square()
            total = variance + noise
            logits.append(weight.log() - 0.5 * total.log() - (observed - centre).square() / (2 * total))
            means.append((variance * observed + noise * centre) / total)
        return (torch.stack(logits).softmax(0) * torch.stack(means)).sum(0)

    def penalty(self, segments: list[Tensor], numbers: UInt8[Tensor, "rows numbers"]) -> Float[Tensor, ""]:
        """Mean squared distance of the values from the centres of the components that they belong to.

        Which they belong to is a matter of probability, and taken as given.
        """
        parts = [torch.cat(segments)] if self.shared else segments
        total = sum(len(part) for part in parts)
        distances = []
        for values, told in zip(parts, decode(numbers).rows()):
            gap = (values.unsqueeze(-1) - told.centre).square()
            belongs = (told.weight.log() - told.deviation.log() - gap.detach() / (2 * told.deviation.square())).softmax(
                -1
            )
            distances.append((belongs * gap).sum())
        return torch.stack(distances).sum() / total


def fitted(samples: Float[Tensor, "rows values"], components: int) -> Components:
    """Mixtures of greatest likelihood, one a row, by expectation maximisation from the quantiles.

    Every component keeps a deviation of at least 0.005 and a weight above 0.
    """
    shares = (torch.arange(components, device=samples.device) + 0.5) / components
    centre = torch.quantile(samples, shares, dim=-1).T
    mixture = Components(
        torch.full_like(centre, 1 / components), centre, torch.full_like(centre, 1 / components).clamp(min=0.3)
    )
    values = samples.unsqueeze(-1)
    for _ in range(_STEPS):
        weight, centre, deviation = (part.unsqueeze(-2) for part in mixture)
        logits = weight.log() - deviation.log() - ((values - centre) / deviation).square() / 2
        belongs = logits.softmax(-1)
        share = belongs.sum(-2).clamp(min=1e-6)
        centre = (belongs * values).sum(-2) / share
        spread = (belongs * (values - centre.unsqueeze(-2)).square()).sum(-2) / share
        mixture = Components(share / share.sum(-1, keepdim=True), centre, spread.sqrt().clamp(min=0.005))
    return mixture


def encode(mixture: Components) -> UInt8[Tensor, "rows numbers"]:
    """Three bytes a component: weight in 255ths, centre from -4 to 4 linearly, deviation from 2 to 0.001 by 3 %."""
    weight = (mixture.weight * 255).round().clamp(1, 255)
    centre = ((mixture.centre / _FARTHEST * 127).round() + 128).clamp(1, 255)
    deviation = (torch.log(_WIDEST / mixture.deviation) / _STEP).round().clamp(0, 255)
    return torch.stack([weight, centre, deviation], -1).flatten(-2).to(torch.uint8)


def decode(numbers: UInt8[Tensor, "rows numbers"]) -> Components:
    """The inverse of `encode`, up to rounding."""
    weight, centre, deviation = numbers.float().unflatten(-1, (-1, 3)).unbind(-1)
    weight = weight.clamp(min=1)
    weight = weight / weight.sum(-1, keepdim=True)
    return Components(weight, (centre - 128) / 127 * _FARTHEST, _WIDEST * torch.exp(-_STEP * deviation))


def _sample(values: Float[Tensor, "n"]) -> Float[Tensor, "values"]:
    """Evenly spaced values, as many of any segment."""
    places = torch.linspace(0, len(values) - 1, _SAMPLE, device=values.device, dtype=torch.float64)
    return values[places.round().long()]
