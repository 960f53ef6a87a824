"""The contract of a session: rounds over a channel, each answered, until the receivers are content."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch
from jaxtyping import Bool, Float, Int64
from torch import Generator, Tensor

from airdeliver.links import Decoded, Knowledge, Plan
from airdeliver.package import Choice
from channels import Channel, ChannelState


@dataclass(frozen=True)
class Feedback:
    """What an answer of a receiver costs; it arrives without error.

    Args:
        rate: bits per channel use at which answers, and what the sender announces in return, are sent.
        milliseconds: from the end of what was sent to when the sender has the answer and goes on.

    Raises:
        ValueError: a rate that is not positive, or a time below 0.

    >>> Feedback().uses(3)
    12
    """

    rate: float = 0.25
    milliseconds: float = 1.0

    def __post_init__(self) -> None:
        if not self.rate > 0 or not self.milliseconds >= 0:
            raise ValueError(
                f"feedback needs a rate above 0 and milliseconds of at least 0, got {self.rate} and {self.milliseconds}"
            )

    def uses(self, bits: int) -> int:
        """Channel uses of so many bits."""
        return math.ceil(bits / self.rate)


@dataclass(frozen=True, eq=False)
class Air:
    """The channel as the rounds of some sessions meet it: block fading, a state for each round.

    Args:
        channel: physics.
        first: state of the first round, a row a receiver.
        later: state of each further round, by its number from 1.
        noise: generator of noise.
    """

    channel: Channel
    first: ChannelState
    later: Callable[[int], ChannelState]
    noise: Generator

    @property
    def receivers(self) -> int:
        """Rows: receivers of all transmissions."""
        return len(self.first.gain)

    def state(self, number: int) -> ChannelState:
        """Of a round, from 0."""
        return self.first if number == 0 else self.later(number)

    def together(self, flags: Bool[Tensor, "receivers *parts"]) -> Bool[Tensor, "receivers *parts"]:
        """Whether a flag is set of any receiver of the same transmission."""
        n = self.channel.receivers
        return flags if n == 1 else flags.unflatten(0, (-1, n)).any(1).repeat_interleave(n, 0)

    def uses(self, symbols: Int64[Tensor, "receivers"]) -> Int64[Tensor, "receivers"]:
        """Channel uses of so many payload symbols of each row, pilots included; none for none."""
        return torch.tensor([self.channel.uses(n) if n else 0 for n in symbols.tolist()], dtype=torch.int64)


@dataclass(frozen=True, eq=False)
class Course:
    """How sessions went.

    Args:
        plan: of the first round.
        rounds: what receivers had after each round; `uses` are those so far, feedback included, and stay as they are
            for a receiver that has left.
        left: the number of rounds that each receiver took part in, at least 1.
        power: mean |x|^2 over the payload symbols.
    """

    plan: Plan
    rounds: Sequence[Decoded]
    left: Int64[Tensor, "receivers"]
    power: Float[Tensor, "#receivers"]


@dataclass(frozen=True, kw_only=True)
class Session(ABC):
    """Deliveries that follow one another, each told by the answers to those before.

    Every round meets a fade of its own (block fading), or all meet the same. Who is content leaves; a transmission to
    many goes on for those who are not. The budget is for all rounds and answers together.

    Args:
        rounds: most.
        feedback: what answers cost.
        refading: whether each round meets another realization of the channel than the one before.

    Raises:
        ValueError: no round.
    """

    rounds: int = 4
    feedback: Feedback = field(default_factory=Feedback)
    refading: bool = True

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ValueError(f"a session needs at least one round, got {self.rounds}")

    def adapted(self, choice: Choice, knowledge: Knowledge) -> Choice:
        """The choice with a link that knows that there will be rounds; by default as it is."""
        return choice

    def at_once(self, symbols: int) -> int:
        """Complex symbols that all that is to arrive may take, were nothing lost: what a scheme packs for.

        Args:
            symbols: of the whole session.
        """
        return symbols

    @abstractmethod
    def room(self, choice: Choice, symbols: int, receivers: int) -> int:
        """Complex symbols that the first round may take, side information included.

        Args:
            choice: that is sent.
            symbols: of the whole session.
            receivers: of one transmission.
        """

    @abstractmethod
    def run(
        self, choice: Choice, statistics: bool, knowledge: Knowledge, symbols: int, air: Air, plan: Plan | None = None
    ) -> Course:
        """Converse, with all receivers that get the same plan.

        Args:
            choice: that is sent.
            statistics: whether batch-norm statistics are part of the payload.
            knowledge: of the sender, before the first round.
            symbols: of the first round: `room`.
            air: the channel of every round.
            plan: that was made for the same choice, knowledge and symbols before; None to make it.

        Raises:
            BudgetError: the first round does not fit.
            TypeError: a choice whose link this session has no rounds for.
        """
