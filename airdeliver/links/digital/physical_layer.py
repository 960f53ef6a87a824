"""The contract of a digital link's physical layer: what becomes of a container on the air."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Complex, Float, Int64
from torch import Generator, Tensor

from airdeliver.compression.codec import Container
from airdeliver.links.digital.gathering.base import Combining, Gathered
from airdeliver.links.digital.outlook import Outlook
from airdeliver.links.digital.reception import GAUSSIAN
from channels import Channel, ChannelState, Received


@dataclass(frozen=True)
class Carried:
    """What became of a container on the air.

    Args:
        rows: bytes received, one row a realization; None where nothing is.
        power: mean |x|^2 over the payload symbols.
    """

    rows: list[bytes | None]
    power: float = 1.0


class PhysicalLayer(ABC):
    """Carries a container's bytes at one of several rates, its grades, the higher the faster.

    Attributes:
        fastest: the highest grade; the lowest is 0.
        grade_bytes: what it takes to tell the receiver the grade.
        packet_bytes: length of packets that suits it.
        resolution: grades that a sender tells apart when it chooses for every realization.
        filling: share of a grade's bits that is left when checks and protection are paid, about.
        alphabets: bits per symbol of the constellations that it sends, 0 for Gaussian symbols.
        protects: whether each group of packets has a grade of its own, head and protected packets a more robust one;
            the receiver is then told the length of each.
    """

    fastest: int
    grade_bytes: int = 1
    packet_bytes: int = 1024
    resolution: int = 1
    filling: float = 1.0
    protects: bool = True
    alphabets: Sequence[int] = (GAUSSIAN,)

    @abstractmethod
    def efficiency(self, grade: int) -> float:
        """Payload bits per complex symbol of a grade."""

    def threshold(self, grade: int) -> float | None:
        """Mutual information in bits per symbol from which on all of a container arrives; None where chance decides."""
        return None

    @abstractmethod
    def symbols(self, lengths: Sequence[int], grade: int) -> int:
        """Complex symbols that take a container whose groups have so many bytes."""

    @abstractmethod
    def grades(self, outlook: Outlook, symbols: int) -> Int64[Tensor, "candidates"]:
        """The grades among which to choose for what the sender has to expect, in rising order."""

    @abstractmethod
    def failure(
        self, grades: Int64[Tensor, "candidates"], outlook: Outlook, symbols: int
    ) -> Float[Tensor, "realizations candidates"]:
        """Probability that not all of `symbols` payload symbols' worth of bits arrives, at each grade."""

    @abstractmethod
    def carry(
        self, container: Container, grade: int, channel: Channel, state: ChannelState, generator: Generator
    ) -> Carried:
        """What is received of a container, one row a realization of `state`."""

    def gather(self, container: Container, grade: int, combining: Combining, receivers: int) -> Gathered:
        """Nothing yet of a container that is sent in rounds: what receivers gather of it is added round by round.

        Args:
            container: that is sent.
            grade: how fast each round is; all that follows the first may be needed, or not.
            combining: whether rounds repeat coded bits (`chase`) or send others (`redundancy`).
            receivers: rows.

        Raises:
            TypeError: the layer cannot combine rounds.
        """
        raise TypeError(f"{type(self).__name__} does not combine rounds: give it a method `gather`")

    def encode(self, container: Container, grade: int) -> Complex[Tensor, "1 symbols"]:
        """A container as complex symbols of mean power at most 1.

        Raises:
            TypeError: the layer has no waveform.
        """
        raise TypeError(f"{type(self).__name__} has no waveform: `send` says what arrives")

    def decode(self, received: Received, lengths: Sequence[int], grade: int) -> list[bytes | None]:
        """What the receiver makes of samples, row by row.

        Raises:
            TypeError: the layer has no waveform.
        """
        raise TypeError(f"{type(self).__name__} has no waveform: `send` says what arrives")

    def power(self, container: Container, grade: int) -> float:
        """Mean |x|^2 over the payload symbols."""
        return 1.0

    def stand_in(self) -> "PhysicalLayer":
        """What is examined in its place: see `Link.stand_in`."""
        return self


def information(state: ChannelState, symbols: int) -> Float[Tensor, "realizations"]:
    """Mutual information of the realized channel over the payload symbols, in bits per complex symbol, float64.

    The mean over symbols of log2(1 + |h|^2 / noise variance), for Gaussian symbols of equal power.

    Source: D. Tse and P. Viswanath, Fundamentals of Wireless Communication, 2005, equation 5.56 and section 5.4.
    """
    snr = state.gain[:, :symbols].abs().square().double() / state.noise_variance[:, :symbols].double()
    return torch.log2(1 + snr.nan_to_num(nan=0.0)).mean(-1)


class Simulated(ABC):
    """A physical layer that decodes what it sends, so that more may be lost than an outlook promises."""

    @abstractmethod
    def lost(
        self, grade: int, channel: Channel, state: ChannelState, symbols: int, generator: Generator
    ) -> Bool[Tensor, "realizations"]:
        """Which deliveries at a grade are lost, whatever they hold: what earlier ones teach the outer loop.

        Args:
            grade: how fast.
            channel: physics.
            state: a row a delivery.
            symbols: of each delivery.
            generator: of contents and noise.
        """
