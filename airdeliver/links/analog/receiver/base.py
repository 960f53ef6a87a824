"""The contract of an analog receiver."""

from abc import ABC, abstractmethod

from jaxtyping import Float, UInt8
from torch import Tensor


class Receiver(ABC):
    """Estimates values of zero mean and unit variance from noisy observations of them.

    A receiver of one's own is a frozen dataclass with one method, `estimate`. One that wants to know more of how a
    segment's values are distributed says so by `numbers`, and measures them by `measure`.

    Attributes:
        numbers: bytes of side information that describe a prior distribution.
        shared: whether all segments share them, so that they are sent once.
    """

    numbers: int = 0
    shared: bool = False

    def measure(self, segments: list[Tensor]) -> UInt8[Tensor, "rows numbers"]:
        """The numbers that the sender tells of each segment (or of all of them, in one row, if they are shared).

        Args:
            segments: values of each segment that travels, at least one, of zero mean and unit variance.
        """
        raise NotImplementedError("a receiver that asks for numbers must measure them")

    @abstractmethod
    def estimate(
        self,
        observed: Float[Tensor, "realizations n"],
        noise_variance: Float[Tensor, "realizations #n"],
        prior: UInt8[Tensor, "#n numbers"] | None = None,
    ) -> Float[Tensor, "realizations n"]:
        """Estimate values from `observed = value + noise`.

        Args:
            observed: unbiased observations, per real value.
            noise_variance: variance of the noise per real value, relative to the values' unit variance; infinite
                where nothing arrived (the observation is 0 there).
            prior: for each value the numbers of its segment, if the receiver asked for any; one row if they are shared.
        """

    def penalty(self, segments: list[Tensor], numbers: UInt8[Tensor, "rows numbers"]) -> Float[Tensor, ""]:
        """How far values are from where this receiver tells them apart best, differentiable; 0 if it does not care.

        Args:
            segments: values of each segment that travels, of zero mean and unit variance.
            numbers: what the receiver is told of each, or of all in one row.
        """
        return segments[0].new_zeros(())
