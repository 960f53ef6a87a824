"""Layers one after the other: each is a round, and a layer that was lost is sent again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from airdeliver.links import Decoded, Knowledge, LayeredLink, LayeredPlan, Plan
from airdeliver.links.arrivals import held
from airdeliver.links.base import mutual_information
from airdeliver.links.layered import layouts_of
from airdeliver.links.part import columns
from airdeliver.package import Choice
from airdeliver.session.base import Air, Course, Session
from channels import ChannelState, Received


@dataclass(frozen=True, kw_only=True)
class InLayers(Session):
    """A layered delivery whose layers wait for answers: the next one follows when the last has arrived.

    The network of the leading layers serves from the first on; what follows makes it better. A receiver answers one
    bit: whether it has the layer. One that has enough layers leaves. Layers have the shares of the budget that the
    layered link gives them; a layer that is sent again takes its share again, as long as the budget holds another.

    Args:
        rounds: most, repeated layers counted.
        enough: layers after which a receiver is content; None for all that there are.
        spare: share of the budget that is left for layers that are sent again.

    Raises:
        ValueError: no round, no layer, or a share outside 0 to 1.
    """

    rounds: int = 8
    enough: int | None = None
    spare: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.enough is not None and self.enough < 1) or not 0 <= self.spare < 1:
            raise ValueError(f"enough must be at least 1, spare from 0 to below 1, got {self.enough} and {self.spare}")

    def at_once(self, symbols: int) -> int:
        """All layers, to one receiver."""
        return self._without_spare(symbols, 1)

    def room(self, choice: Choice, symbols: int, receivers: int) -> int:
        """All layers, without what answers take and what is spare."""
        return self._without_spare(symbols, receivers)

    def _without_spare(self, symbols: int, receivers: int) -> int:
        spoken = self.rounds * (receivers + 1) * self.feedback.uses(1)
        return int((1 - self.spare) * max(0, symbols - spoken))

    def _with_spare(self, room: int) -> int:
        """Symbols of layers, repeated ones too, for a first delivery that may take so many."""
        return int(room / (1 - self.spare) + 1e-9)

    def run(  # noqa: D102
        self, choice: Choice, statistics: bool, knowledge: Knowledge, symbols: int, air: Air, plan: Plan | None = None
    ) -> Course:
        link = _layered(choice)
        plan = link.plan(choice.payload, symbols, knowledge) if plan is None else plan
        assert isinstance(plan, LayeredPlan)
        layout = choice.architecture.layout(choice.payload.layout.description, statistics)
        told = link.plan_from_bytes(plan.to_bytes(), layout)
        wanted = len(plan.plans) if self.enough is None else min(self.enough, len(plan.plans))
        kept = _Kept(link, plan, told, link.split(choice.payload.values, plan.layout), air)
        most = air.channel.uses(self._with_spare(symbols))
        uses, left, taken = torch.zeros(3, air.receivers, dtype=torch.int64)
        rounds: list[Decoded] = []
        for number in range(self.rounds):
            waiting = kept.has < wanted
            going = air.together(waiting)
            next_one = kept.next_uses(going)
            going = going & (taken + next_one <= most)
            waiting = waiting & going
            if not bool(waiting.any()):
                break
            kept.hear(going, air.state(number))
            taken = taken + torch.where(going, next_one, 0)
            last = number == self.rounds - 1
            spoken = self.feedback.uses(1) * ((number > 0) + (0 if last else _answering(waiting, air)))
            uses = uses + torch.where(waiting, next_one + spoken, 0)
            left = left + waiting
            rounds.append(replace(kept.decoded(), uses=uses.to(choice.payload.values.device)))
        return Course(plan, rounds, left, link.power(choice.payload.values, plan))


class _Kept:
    """What receivers have of every layer, as it was when it arrived, or when it was last sent.

    Args:
        link: of the layers.
        plan: the sender's.
        told: the receivers'.
        parts: values of each layer.
        air: channel and noise.
    """

    def __init__(
        self, link: LayeredLink, plan: LayeredPlan, told: LayeredPlan, parts: Sequence[Tensor], air: Air
    ) -> None:
        self.link, self.plan, self.told, self.parts, self.air = link, plan, told, parts, air
        self.layouts = layouts_of(told.layout)
        rows = air.receivers
        self.has = torch.zeros(rows, dtype=torch.int64)
        self.found = [
            Decoded(part.new_zeros(rows, len(part)), torch.zeros(rows, dtype=torch.bool), self.has) for part in parts
        ]
        self.heard = [torch.zeros(rows) for _ in parts]

    def _lacking(self) -> Tensor:
        """The first layer that one of the receivers of a transmission lacks."""
        n = self.air.channel.receivers
        return self.has.view(-1, n).amin(1).repeat_interleave(n)

    def next_uses(self, going: Tensor) -> Tensor:
        """Channel uses of the layer that each transmission would be sent next; none for those that do not go on."""
        symbols = torch.tensor(self.plan.uses).diff(prepend=torch.zeros(1, dtype=torch.int64))
        return self.air.uses(torch.where(going, symbols[self._lacking().clamp(max=len(symbols) - 1)], 0))

    def hear(self, going: Tensor, state: ChannelState) -> None:
        """Send each transmission the first layer that one of its receivers lacks."""
        lacking = self._lacking()
        for layer in lacking[going].unique().tolist():
            rows = torch.nonzero(going & (lacking == layer)).flatten()
            own = self.plan.plans[layer]
            here = columns(state[rows], 0, own.payload_symbols)
            sending = self.parts[layer], own, self.layouts[layer], self.air.channel, here, self.air.noise
            decoded = self.link.links[layer].send(*sending)
            fresh = (self.has[rows] == layer).cpu()
            self._keep(layer, rows[fresh], decoded.of(torch.nonzero(fresh).flatten()), here[fresh])

    def _keep(self, layer: int, rows: Tensor, decoded: Decoded, state: ChannelState) -> None:
        had = self.found[layer]
        assert isinstance(had.values, Tensor)  # made here
        had.values[rows] = held(decoded.values)
        had.usable[rows] = decoded.usable
        self.heard[layer][rows] = mutual_information(Received(state.gain, state.gain, state.noise_variance))
        self.has[rows[decoded.usable]] = layer + 1

    def decoded(self) -> Decoded:
        """All layers of each receiver."""
        return self.link.together(self.found, self.heard, self.told)


def _answering(waiting: Tensor, air: Air) -> Tensor:
    n = air.channel.receivers
    return waiting.unflatten(0, (-1, n)).sum(-1).repeat_interleave(n)


def _layered(choice: Choice) -> LayeredLink:
    if not isinstance(choice.link, LayeredLink):
        raise TypeError(f"InLayers sends the layers of a LayeredLink, got {type(choice.link).__name__}: use HARQ")
    return choice.link
