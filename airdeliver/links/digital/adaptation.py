"""Link adaptation: how fast to send, given what the sender knows of the channel."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor

from airdeliver.links.base import Knowledge
from airdeliver.links.digital.memory import Memory, digest
from airdeliver.links.digital.physical_layer import PhysicalLayer
from channels import AWGN, Channel, ChannelState

FEW, MANY = 64, 2048
"""Realizations that a sender imagines when it knows a channel's statistics: few where each has a gain per symbol."""

LONGEST = 1 << 16
"""Symbols of those realizations, at most."""

_PROMISES = Memory[tuple[int, Tensor]]()


@dataclass(frozen=True)
class Worth:
    """How good a delivery is that brings so many bits per value.

    Args:
        points: (bits per value, expected accuracy) in rising order of bits, measured on validation data, say; between
            them it is interpolated. Without points: the share of the variance of Gaussian values that arrives at the
            Shannon limit, 1 - 2^(-2 bits).
        chance: what a delivery is worth of which nothing arrives.

    >>> Worth().of(torch.tensor([0.0, 1.0]))
    tensor([0.0000, 0.7500])
    """

    points: tuple[tuple[float, float], ...] = ()
    chance: float = 0.0

    def of(self, bits_per_value: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """The worth of each number of bits per value."""
        if not self.points:
            return 1 - 2.0 ** (-2 * bits_per_value)
        bits, worth = zip(*self.points)
        interpolated = np.interp(bits_per_value.cpu().numpy(), [0.0, *bits], [self.chance, *worth])
        return torch.from_numpy(interpolated).to(bits_per_value)


class Adaptation(ABC):
    """Chooses a grade of the physical layer.

    Attributes:
        design_snr_db: the mean SNR in dB, of an AWGN channel, that a sender without knowledge assumes.
    """

    design_snr_db: float

    @abstractmethod
    def best(
        self, physical: PhysicalLayer, state: ChannelState, symbols: int, values: int, worth: Worth, receivers: int
    ) -> int:
        """The one grade for all realizations of a state.

        Args:
            physical: layer that sends.
            state: realizations that are as likely as each other.
            symbols: complex symbols for the payload.
            values: number of values in the payload.
            worth: of what arrives.
            receivers: rows of one transmission.
        """

    def choose(
        self, physical: PhysicalLayer, knowledge: Knowledge, symbols: int, values: int, worth: Worth
    ) -> "Chosen":
        """The grade of every transmission that the sender can tell apart, one for all if it cannot."""
        state, receivers = assumed(knowledge, self.design_snr_db, symbols)
        if knowledge.kind != "instantaneous":
            parts, resolution = [state], 1
        else:
            parts = [state[rows] for rows in torch.arange(len(state.gain)).view(-1, receivers)]
            resolution = physical.resolution

        def promise(part: ChannelState) -> tuple[int, Tensor]:
            grade = self.best(physical, part, symbols, values, worth, receivers) // resolution * resolution
            return grade, expected(physical, torch.tensor([grade]), part, symbols, values, worth)[0]

        asked = (self, physical, resolution, symbols, values, worth, receivers)
        promises = [_PROMISES.answer((*asked, digest(part)), lambda part=part: promise(part)) for part in parts]
        grades, prospects = zip(*promises, strict=True)
        return Chosen(torch.tensor(grades), torch.stack(prospects))


@dataclass(frozen=True)
class Chosen:
    """Grades, and what they promise.

    Args:
        grades: of each transmission, or one for all.
        prospects: their expected worth.
    """

    grades: Int64[Tensor, "#transmissions"]
    prospects: Float[Tensor, "#transmissions"]


def expected(
    physical: PhysicalLayer,
    grades: Int64[Tensor, "candidates"],
    state: ChannelState,
    symbols: int,
    values: int,
    worth: Worth,
) -> Float[Tensor, "candidates"]:
    """Expected worth of each grade, over realizations of a state and block errors."""
    carried = physical.filling * symbols / max(values, 1)
    bits = torch.tensor([physical.efficiency(grade) * carried for grade in grades.tolist()])
    failure = physical.failure(grades, state, symbols).mean(0).cpu()
    return (1 - failure) * worth.of(bits) + failure * worth.chance


@dataclass(frozen=True)
class Adaptive(Adaptation):
    """The grade of greatest expected worth over fading and block errors.

    Args:
        design_snr_db: the SNR in dB that a sender without knowledge assumes.
    """

    design_snr_db: float = 5.0

    def best(  # noqa: D102
        self, physical: PhysicalLayer, state: ChannelState, symbols: int, values: int, worth: Worth, receivers: int
    ) -> int:
        grades = physical.grades(state, symbols)
        return int(grades[int(expected(physical, grades, state, symbols, values, worth).argmax())])


@dataclass(frozen=True)
class FixedErrorRate(Adaptation):
    """The fastest grade whose block error rate stays below a target, the rule of cellular systems.

    Args:
        target: most of the transmissions that may fail, on average over what the sender does not know.
        design_snr_db: the SNR in dB that a sender without knowledge assumes.

    Raises:
        ValueError: a target outside 0 to 1.

    Source: 3GPP TS 38.214, 5.2.2.1 (CQI is reported for a target of 0.1).
    """

    target: float = 0.1
    design_snr_db: float = 5.0

    def __post_init__(self) -> None:
        if not 0 < self.target < 1:
            raise ValueError(f"the target error rate must lie between 0 and 1, got {self.target}")

    def best(  # noqa: D102
        self, physical: PhysicalLayer, state: ChannelState, symbols: int, values: int, worth: Worth, receivers: int
    ) -> int:
        grades = physical.grades(state, symbols)
        reached = torch.nonzero(physical.failure(grades, state, symbols).mean(0) <= self.target).flatten()
        return int(grades[int(reached[-1]) if len(reached) else 0])


@dataclass(frozen=True)
class FixedGrade(Adaptation):
    """One grade for all channels, right for AWGN of one SNR: the cliff.

    Args:
        design_snr_db: that SNR in dB.
        target: the most of the transmissions that may fail there.
    """

    design_snr_db: float = 5.0
    target: float = 0.1

    def best(  # noqa: D102
        self, physical: PhysicalLayer, state: ChannelState, symbols: int, values: int, worth: Worth, receivers: int
    ) -> int:
        designed, _ = assumed(Knowledge(), self.design_snr_db, symbols)
        rule = FixedErrorRate(self.target, self.design_snr_db)
        return rule.best(physical, designed, symbols, values, worth, 1)


def assumed(knowledge: Knowledge, design_snr_db: float, symbols: int) -> tuple[ChannelState, int]:
    """Realizations that the sender has to expect, and how many rows make one transmission.

    The realized ones if it knows them, draws from the channel's statistics if it knows those, else an AWGN channel.
    """
    channel: Channel = knowledge.channel or AWGN()
    if knowledge.state is not None:
        return knowledge.state, channel.receivers
    snr_db = design_snr_db if knowledge.snr_db is None else knowledge.snr_db
    generator = Generator().manual_seed(0)
    symbols = min(symbols, LONGEST)
    state = channel.realize(1, symbols, snr_db, generator)
    draws = MANY if state.gain.shape[-1] == state.noise_variance.shape[-1] == 1 else FEW
    if isinstance(channel, AWGN):
        return state, channel.receivers
    return channel.realize(draws, symbols, snr_db, generator), channel.receivers
