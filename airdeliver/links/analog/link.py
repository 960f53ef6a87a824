"""The analog link: parameters, normalised segment by segment, are the symbols."""

import math
from dataclasses import dataclass, field
from typing import Literal

import torch
from jaxtyping import Complex, Float
from torch import Tensor

from airdeliver.links.analog.plan import AnalogPlan
from airdeliver.links.analog.receiver import MMSE, Receiver, ZeroForcing
from airdeliver.links.base import Decoded, Knowledge, Link, mutual_information
from airdeliver.payload import Layout, Payload
from channels import Received

_NAMED = {"mmse": MMSE, "zero_forcing": ZeroForcing}


@dataclass(frozen=True)
class AnalogLink(Link):
    """Sends every value as half a complex symbol, so that noise on the symbols is noise on the values.

    Args:
        receiver: `mmse`, `zero_forcing`, or any `Receiver`.
        side_information_rate: bits per channel use at which means and scales are sent; a delivery whose mutual
            information is below it loses them and is not usable.

    Raises:
        ValueError: an unknown receiver, or a rate that is not positive.

    Source: M. B. Mashhadi et al., AirNet, arXiv 2105.11166, section III.
    """

    receiver: Literal["mmse", "zero_forcing"] | Receiver = "mmse"
    side_information_rate: float = 0.25
    _estimator: Receiver = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.receiver, str) and self.receiver not in _NAMED:
            raise ValueError(f"receiver must be mmse, zero_forcing or a Receiver, got {self.receiver!r}")
        if not self.side_information_rate > 0:
            raise ValueError(
                f"side_information_rate must be above 0 bit per channel use, got {self.side_information_rate}"
            )
        estimator = self.receiver if isinstance(self.receiver, Receiver) else _NAMED[self.receiver]()
        object.__setattr__(self, "_estimator", estimator)

    def plan(self, payload: Payload, symbols: int, knowledge: Knowledge) -> AnalogPlan:  # noqa: D102
        plan = AnalogPlan.measure(payload.values, payload.layout, self.side_information_rate)
        plan.check_budget(symbols)
        return plan

    def refresh(self, plan: AnalogPlan, payload: Payload) -> AnalogPlan:  # noqa: D102
        return AnalogPlan.measure(payload.values, payload.layout, self.side_information_rate)

    def plan_from_bytes(self, side_information: bytes, layout: Layout) -> AnalogPlan:  # noqa: D102
        return AnalogPlan.from_bytes(side_information, layout, self.side_information_rate)

    def encode(self, values: Float[Tensor, "n"], plan: AnalogPlan) -> Complex[Tensor, "1 symbols"]:
        """Normalise each segment to unit variance and pair its values, each of mean square 1/2, into symbols."""
        mean, scale = plan.spread(values)
        real = plan.gather((values - mean) / (scale * math.sqrt(2)))
        real = torch.nn.functional.pad(real, (0, 2 * plan.payload_symbols - real.numel()))
        return torch.view_as_complex(real.view(1, -1, 2))

    def decode(self, received: Received, plan: AnalogPlan) -> Decoded:
        """Equalise to unbiased observations of unit-variance values, estimate, and undo the normalisation."""
        observed, noise_variance = equalise(received)
        n = plan.payload_values
        estimated = self._estimator.estimate(observed[:, :n], noise_variance[:, :n])
        mean, scale = plan.spread(estimated)
        values = torch.addcmul(mean, plan.scatter(estimated), scale)
        uses = torch.full((len(values),), plan.symbols, device=values.device)
        return Decoded(values, mutual_information(received) >= self.side_information_rate, uses)


def equalise(
    received: Received,
) -> tuple[Float[Tensor, "realizations values"], Float[Tensor, "realizations #values"]]:
    """Unbiased observations of the real values, of unit variance, that the symbols carry.

    Returns:
        Observations, two a symbol, and the variance of their noise per real value, relative to the values' unit
        variance: the noise variance per complex symbol over |h|^2. Where the gain is 0 they are 0 and infinite.
    """
    power = received.gain.abs().square()
    inverse = torch.where(power > 0, received.gain.conj() / power, 0.0) * math.sqrt(2)
    observed = torch.view_as_real(received.samples * inverse).flatten(-2)
    noise_variance = torch.where(power > 0, received.noise_variance / power, torch.inf)
    if noise_variance.shape[-1] > 1:
        noise_variance = noise_variance.repeat_interleave(2, dim=-1)
    return observed, noise_variance
