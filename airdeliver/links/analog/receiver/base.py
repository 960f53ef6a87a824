"""The contract of an analog receiver."""

from abc import ABC, abstractmethod

from jaxtyping import Float, UInt8
from torch import Tensor


class Receiver(ABC):
    """Estimates values of zero mean and unit variance from noisy observations of them.

    A receiver of one's own is a frozen dataclass with one method, `estimate`. One that wants to know more of how a
    segment's values are distributed says so by `numbers`, and measures them by `measure`.

    Attributes:
        numbers: bytes of side information a segment that describe its prior distribution.
    """

    numbers: int = 0

    def measure(self, segments: list[Tensor]) -> UInt8[Tensor, "segments numbers"] | None:
        """The numbers that the sender tells of each segment, from its values of zero mean and unit variance."""
        return None

    @abstractmethod
    def estimate(
        self,
        observed: Float[Tensor, "realizations n"],
        noise_variance: Float[Tensor, "realizations #n"],
        prior: UInt8[Tensor, "n numbers"] | None = None,
    ) -> Float[Tensor, "realizations n"]:
        """Estimate values from `observed = value + noise`.

        Args:
            observed: unbiased observations, per real value.
            noise_variance: variance of the noise per real value, relative to the values' unit variance; infinite
                where nothing arrived (the observation is 0 there).
            prior: for each value the numbers of its segment, if the receiver asked for any.
        """
