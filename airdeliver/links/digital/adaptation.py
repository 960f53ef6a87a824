"""Link adaptation: how fast to send, given what the sender knows of the channel."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.links.base import Knowledge
from airdeliver.links.digital.outer_loop import OuterLoop
from airdeliver.links.digital.outlook import Outlook, outlooks
from airdeliver.links.digital.physical_layer import PhysicalLayer
from airdeliver.links.memory import Memory, digest

_PROMISES = Memory[tuple[int, Tensor]]()
_BACK_OFF = Memory[float]()


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
        outer_loop: what is made of earlier deliveries that failed; None for nothing.
    """

    design_snr_db: float
    outer_loop: OuterLoop | None = None

    @abstractmethod
    def best(self, physical: PhysicalLayer, outlook: Outlook, symbols: int, values: int, worth: Worth) -> int:
        """The one grade for all realizations of an outlook.

        Args:
            physical: layer that sends.
            outlook: what the receivers will see.
            symbols: complex symbols for the payload.
            values: number of values in the payload.
            worth: of what arrives.
        """

    def stand_in(self) -> "Adaptation":
        """What is examined in its place: see `Link.stand_in`."""
        return self

    def foreseen(self, outlook: Outlook) -> Outlook:
        """What receivers will have seen when all that is to come has come; by default one transmission."""
        return outlook

    def choose(
        self, physical: PhysicalLayer, knowledge: Knowledge, symbols: int, values: int, worth: Worth
    ) -> "Chosen":
        """The grade of every transmission that the sender can tell apart, one for all if it cannot."""
        resolution = physical.resolution if knowledge.kind == "instantaneous" else 1

        def best(outlook: Outlook, sent: int) -> int:
            return self.best(physical, outlook, sent, values, worth) // resolution * resolution

        asked = (self, physical, knowledge.kind, knowledge.channel, knowledge.snr_db, symbols, values, worth)
        back_off = 0.0
        if self.outer_loop is not None and knowledge.channel is not None:
            loop = self.outer_loop
            back_off = _BACK_OFF.answer(asked, lambda: loop.back_off_db(physical, knowledge, symbols, best))

        def promise(part: Knowledge) -> tuple[int, Tensor]:
            seen = outlooks(part, self.design_snr_db, symbols, physical.alphabets)[0].backed_off(back_off)
            outlook = self.foreseen(seen)
            grade = best(outlook, symbols)
            return grade, expected(physical, torch.tensor([grade]), outlook, symbols, values, worth)[0]

        promises = [
            _PROMISES.answer((*asked, None if part.state is None else digest(part.state)), lambda p=part: promise(p))
            for part in knowledge.apart()
        ]
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
    outlook: Outlook,
    symbols: int,
    values: int,
    worth: Worth,
) -> Float[Tensor, "candidates"]:
    """Expected worth of each grade, over what receivers may see and block errors."""
    carried = physical.filling * symbols / max(values, 1)
    bits = torch.tensor([physical.efficiency(grade) * carried for grade in grades.tolist()])
    failure = physical.failure(grades, outlook, symbols).mean(0).cpu()
    return (1 - failure) * worth.of(bits) + failure * worth.chance


@dataclass(frozen=True)
class Adaptive(Adaptation):
    """The grade of greatest expected worth over fading and block errors.

    Args:
        design_snr_db: the SNR in dB that a sender without knowledge assumes.
        outer_loop: backs off when more is lost than was promised; None to believe every promise.
    """

    design_snr_db: float = 5.0
    outer_loop: OuterLoop | None = field(default_factory=OuterLoop)

    def best(self, physical: PhysicalLayer, outlook: Outlook, symbols: int, values: int, worth: Worth) -> int:  # noqa: D102
        grades = physical.grades(outlook, symbols)
        return int(grades[int(expected(physical, grades, outlook, symbols, values, worth).argmax())])

    def stand_in(self) -> Adaptation:
        """A sender that believes what it expects: what earlier deliveries teach takes most of the time."""
        return replace(self, outer_loop=None) if type(self.outer_loop) is OuterLoop else self


@dataclass(frozen=True)
class FixedErrorRate(Adaptation):
    """The fastest grade whose block error rate stays below a target, the rule of cellular systems.

    Args:
        target: most of the transmissions that may fail, on average over what the sender does not know.
        design_snr_db: the SNR in dB that a sender without knowledge assumes.
        outer_loop: backs off when more is lost than was promised; None to believe every promise.

    Raises:
        ValueError: a target outside 0 to 1.

    Source: 3GPP TS 38.214, 5.2.2.1 (CQI is reported for a target of 0.1).
    """

    target: float = 0.1
    design_snr_db: float = 5.0
    outer_loop: OuterLoop | None = field(default_factory=OuterLoop)

    def __post_init__(self) -> None:
        if not 0 < self.target < 1:
            raise ValueError(f"the target error rate must lie between 0 and 1, got {self.target}")

    def best(self, physical: PhysicalLayer, outlook: Outlook, symbols: int, values: int, worth: Worth) -> int:  # noqa: D102
        grades = physical.grades(outlook, symbols)
        reached = torch.nonzero(physical.failure(grades, outlook, symbols).mean(0) <= self.target).flatten()
        return int(grades[int(reached[-1]) if len(reached) else 0])

    def stand_in(self) -> Adaptation:
        """A sender that believes what it expects: what earlier deliveries teach takes most of the time."""
        return replace(self, outer_loop=None) if type(self.outer_loop) is OuterLoop else self


@dataclass(frozen=True)
class FixedGrade(Adaptation):
    """One grade for all channels, right for AWGN of one SNR: the cliff.

    Args:
        design_snr_db: that SNR in dB.
        target: the most of the transmissions that may fail there.
    """

    design_snr_db: float = 5.0
    target: float = 0.1

    def best(self, physical: PhysicalLayer, outlook: Outlook, symbols: int, values: int, worth: Worth) -> int:  # noqa: D102
        designed = outlooks(Knowledge(), self.design_snr_db, symbols, physical.alphabets)[0]
        return FixedErrorRate(self.target, self.design_snr_db).best(physical, designed, symbols, values, worth)
