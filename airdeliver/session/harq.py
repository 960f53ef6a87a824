"""Hybrid automatic repeat request: what was not decoded is sent again, and soft bits of all rounds are combined."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from airdeliver.links import DigitalLink, Knowledge, Plan
from airdeliver.links.base import side_information_arrives
from airdeliver.links.digital.across_rounds import AcrossRounds
from airdeliver.links.digital.gathering import Combining, Gathered, versions
from airdeliver.links.digital.plan import DigitalPlan
from airdeliver.package import Choice
from airdeliver.session.base import Air, Course, Session


@dataclass(frozen=True, kw_only=True)
class HARQ(Session):
    """A digital delivery in rounds of equal length: a receiver acknowledges every transport block, and lacks some.

    The first round sends the container, as fast as what all rounds together are expected to carry; each further one the
    transport blocks that a receiver still lacks. Their soft bits add up: of the same coded bits (`chase`) or of others
    of the same codeword (`redundancy`). A receiver that has all leaves. To many receivers, what anyone lacks is sent to
    all: with many short rounds that is a rateless code, of which each hears as much as it needs.

    Answers are one bit a transport block and receiver; what a round sends is announced, one bit a transport block. The
    side information is repeated until it has arrived. After the last round nobody answers.

    Args:
        combining: `redundancy` (incremental: redundancy versions 0, 2, 3, 1 of 5G NR) or `chase`.

    Raises:
        ValueError: no round, or a way to combine that there is not.

    >>> HARQ(rounds=2, combining="chase").rounds
    2
    """

    combining: Combining = "redundancy"

    def __post_init__(self) -> None:
        super().__post_init__()
        versions(self.combining)

    def adapted(self, choice: Choice, knowledge: Knowledge) -> Choice:
        """With a grade for all rounds together; a sender that knows the first round goes by that one alone."""
        link = _digital(choice)
        if knowledge.kind == "instantaneous" or not self.refading:
            return choice
        across = AcrossRounds(link.adaptation, self.rounds, self.combining)
        return replace(choice, link=replace(link, adaptation=across))

    def room(self, choice: Choice, symbols: int, receivers: int) -> int:  # noqa: D102
        link = _digital(choice)
        parts = link.codec.most_groups if link.phy.protects else 1
        spoken = (self.rounds - 1) * (receivers + 1) * self.feedback.uses(parts)
        return max(0, symbols - spoken) // self.rounds

    def run(  # noqa: D102
        self, choice: Choice, statistics: bool, knowledge: Knowledge, symbols: int, air: Air, plan: Plan | None = None
    ) -> Course:
        link, payload = _digital(choice), choice.payload
        plan = link.plan(payload, symbols, knowledge) if plan is None else plan
        assert isinstance(plan, DigitalPlan)
        assert plan.container is not None
        layout = choice.architecture.layout(payload.layout.description, statistics)
        received = link.plan_from_bytes(plan.to_bytes(), layout)
        gathered = link.phy.gather(plan.container, plan.grade, self.combining, air.receivers)
        told = torch.zeros(air.receivers, dtype=torch.bool)
        uses, left = torch.zeros(2, air.receivers, dtype=torch.int64)
        rounds = []
        for number in range(self.rounds):
            waiting = gathered.lacking.any(-1) | ~told
            if not bool(waiting.any()):
                break
            untold = air.together(~told)
            taken = self._taken(number, gathered, untold * plan.side_information_symbols, waiting, air)
            state = air.state(number)
            gathered.hear(number, air.together(gathered.lacking), air.channel, state, air.noise)
            told |= untold & side_information_arrives(plan, air.channel, state, air.noise).cpu()
            uses = uses + torch.where(waiting, taken, 0)
            left = left + waiting
            decoded = link.rebuilt(gathered.rows(), received, told.to(payload.values.device))
            rounds.append(replace(decoded, uses=uses.to(decoded.usable.device)))
        return Course(plan, rounds, left, link.power(payload.values, plan))

    def _taken(self, number: int, gathered: Gathered, side: Tensor, waiting: Tensor, air: Air) -> Tensor:
        """Channel uses of one round of each transmission: what is sent, announced and answered."""
        sent = air.together(gathered.lacking)
        symbols = (sent * torch.tensor(gathered.symbols(number))).sum(-1) + side
        parts, n = sent.shape[1], air.channel.receivers
        spoken = self.feedback.uses(parts) if number else 0
        if number == self.rounds - 1:
            return air.uses(symbols) + spoken
        answering = waiting.unflatten(0, (-1, n)).sum(-1).repeat_interleave(n)
        return air.uses(symbols) + spoken + answering * self.feedback.uses(parts)


def _digital(choice: Choice) -> DigitalLink:
    if not isinstance(choice.link, DigitalLink):
        raise TypeError(
            f"HARQ combines soft bits of a DigitalLink, got {type(choice.link).__name__}: use Repetition or InLayers"
        )
    return choice.link
