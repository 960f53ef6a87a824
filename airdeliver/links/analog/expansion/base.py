"""The contract of an expansion: how one value becomes several real channel inputs."""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor


class Expansion(ABC):
    """Sends every value over several real channel inputs, two of which make one channel use.

    An expansion of one's own is a frozen dataclass with `inputs`, `expand`, `combine` and `error`. The first axis of
    what it makes, the inputs of a value, is spread over the whole delivery, so that fading meets each anew.

    Attributes:
        isometric: whether the channel inputs always have the energy of the values, times the number of inputs.
    """

    isometric: bool = False

    @property
    @abstractmethod
    def inputs(self) -> int:
        """Real channel inputs of each value."""

    @property
    def uses_per_value(self) -> float:
        """Channel uses of each value."""
        return self.inputs / 2

    @abstractmethod
    def expand(self, values: Float[Tensor, "n"]) -> Float[Tensor, "inputs n"]:
        """Real channel inputs, of mean square 1 for values of unit variance."""

    @abstractmethod
    def combine(
        self,
        observed: Float[Tensor, "realizations inputs n"],
        noise_variance: Float[Tensor, "realizations #inputs #n"],
    ) -> tuple[Float[Tensor, "realizations n"], Float[Tensor, "realizations #n"]]:
        """One observation of every value.

        Args:
            observed: unbiased observations of the channel inputs.
            noise_variance: of each of them, relative to the inputs' mean square of 1; infinite where nothing arrived
                (the observation is 0 there), 0 without noise.

        Returns:
            Unbiased observations of the values, and the variance of their noise relative to the values' unit
            variance, for the receiver to estimate from. An expansion that estimates by itself says variance 0.
        """

    @abstractmethod
    def error(self, snr: float) -> float:
        """Mean squared error of a value of unit variance.

        Args:
            snr: of the channel inputs, linear.
        """

    def at(self, inputs: int) -> "Expansion":
        """The expansion for values that get another number of channel inputs than `inputs`.

        Fewer: plain repetition. More: the channel inputs of this expansion, sent again in turn.
        """
        from airdeliver.links.analog.expansion.repetition import Repetition

        if inputs == self.inputs:
            return self
        return Repetition(inputs) if inputs < self.inputs else Repeated(self, inputs)


class Repeated(Expansion):
    """Another expansion's channel inputs, sent again in turn until there are enough, and combined before it.

    Args:
        expansion: what is sent again.
        inputs: real channel inputs of each value in all, at least those of `expansion`.
    """

    def __init__(self, expansion: Expansion, inputs: int):
        self.expansion = expansion
        self._inputs = inputs

    @property
    def inputs(self) -> int:  # noqa: D102
        return self._inputs

    def expand(self, values: Float[Tensor, "n"]) -> Float[Tensor, "inputs n"]:  # noqa: D102
        turns = torch.arange(self.inputs, device=values.device) % self.expansion.inputs
        return self.expansion.expand(values)[turns]

    def combine(  # noqa: D102
        self,
        observed: Float[Tensor, "realizations inputs n"],
        noise_variance: Float[Tensor, "realizations #inputs #n"],
    ) -> tuple[Float[Tensor, "realizations n"], Float[Tensor, "realizations #n"]]:
        noise_variance = noise_variance.expand(-1, self.inputs, -1)
        step = self.expansion.inputs
        combined = [maximal_ratio(observed[:, first::step], noise_variance[:, first::step]) for first in range(step)]
        return self.expansion.combine(
            torch.stack([observation for observation, _ in combined], 1),
            torch.stack([variance for _, variance in combined], 1),
        )

    def error(self, snr: float) -> float:  # noqa: D102
        return self.expansion.error(snr * self.inputs / self.expansion.inputs)


def maximal_ratio(
    observed: Float[Tensor, "realizations copies n"], noise_variance: Float[Tensor, "realizations #copies #n"]
) -> tuple[Float[Tensor, "realizations n"], Float[Tensor, "realizations #n"]]:
    """Maximal-ratio combining of unbiased observations: weighted by the inverse of their noise.

    Returns:
        Unbiased observations and their noise variance, 1 / sum(1 / variance); 0 and infinite where no copy arrived.

    Source: D. Tse and P. Viswanath, Fundamentals of Wireless Communication, 2005, section 3.3.1.
    """
    # The summand keeps noiseless copies finite; it is 300 dB below the values.
    weight = 1 / (noise_variance + 1e-30)
    total = weight.mean(1)
    copies = observed.shape[1]
    arrived = total > 0
    inverse = torch.where(arrived, 1 / torch.where(arrived, total, 1.0), 0.0)
    if weight.shape[1] == 1:
        return observed.mean(1), torch.where(arrived, inverse / copies, torch.inf)
    observation = (observed * weight).mean(1) * inverse
    return observation, torch.where(arrived, inverse / copies, torch.inf)
