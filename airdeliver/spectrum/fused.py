"""Fused choices: the receivers of one transmission run a part of the network each, and their answers are added."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from jaxtyping import Bool, Int64
from torch import Tensor

from airdeliver.elastic import InParts
from airdeliver.elastic.switches import part_of
from airdeliver.links import Decoded, Plan
from airdeliver.links.arrivals import held
from airdeliver.package import Arrived, Choice


@dataclass(frozen=True)
class FusedChoice(Choice):
    """A network in parts, of which every receiver of a transmission runs its own.

    Part j is run by the receivers whose number leaves the same rest as j, divided by the number of parts or of
    receivers, whichever is less: a single receiver runs all parts, a receiver beyond the parts stands by. Of several
    that have a part, the first counts that can use what it heard. A part that nobody can use is a missing summand; a
    transmission is lost where all parts are missing.
    """

    fuses: ClassVar[bool] = True

    def arrived(
        self, decoded: Decoded, plan: Plan, numbers: Int64[Tensor, "rows"], receivers: int = 1
    ) -> list[Arrived]:
        """One network for each transmission: the sum of the parts that are there."""
        assert isinstance(self.architecture, InParts)
        values = held(decoded.values)
        description = self.payload.layout.description
        (switch,) = self.architecture.counts(description)
        usable, parts = decoded.usable.cpu().view(-1, receivers), len(self.architecture.switches[switch])
        there, source = bearers(usable, parts)
        bits = (there.long() << torch.arange(parts)).sum(1)
        transmissions = numbers.cpu().view(-1, receivers)[:, 0] // receivers
        groups = []
        for mask in bits.unique().tolist():
            which = torch.nonzero(bits == mask).flatten()
            told = description + bytes([mask]) if mask else description
            first = which * receivers + source[which, max(0, (mask & -mask).bit_length() - 1)]
            rows = which.unsqueeze(1) * receivers + source[which]
            own = replace(decoded.of(first.to(decoded.usable.device)), values=self._values(values, told, rows))
            groups.append(Arrived(first, self.architecture, told, own, numbers=transmissions[which]))
        return groups

    def _values(self, values: Tensor, description: bytes, rows: Int64[Tensor, "transmissions parts"]) -> Tensor:
        """What is there of each transmission: every segment from the receiver that runs its part."""
        assert isinstance(self.architecture, InParts)
        here = self.architecture.present(description)
        names = set(self.architecture.layout(description, self._statistics).names)
        whole, start, found = self.payload.layout, 0, []
        for segment in whole.segments:
            if segment.name in names:
                part = part_of(segment.name)
                taken = rows[:, here[0] if part is None else int(part)].to(values.device)
                found.append(values[taken, start : start + segment.size])
            start += segment.size
        return torch.cat(found, 1)

    @property
    def _statistics(self) -> bool:
        return any(name.rpartition(".")[2] == "running_mean" for name in self.payload.layout.names)


def bearers(
    usable: Bool[Tensor, "transmissions receivers"], parts: int
) -> tuple[Bool[Tensor, "transmissions parts"], Int64[Tensor, "transmissions parts"]]:
    """Which parts are there, and the receiver that runs each (the first one in charge where none can).

    Args:
        usable: whether each receiver can use what it heard.
        parts: of the network.

    >>> there, source = bearers(torch.tensor([[True, False, True], [False, False, True]]), 2)
    >>> there.tolist(), source.tolist()
    ([[True, False], [True, False]], [[0, 1], [2, 1]])
    """
    receivers = usable.shape[1]
    period = min(parts, receivers)
    charge = (torch.arange(parts).unsqueeze(1) - torch.arange(receivers)) % period == 0
    able = usable.unsqueeze(1) & charge
    # argmax takes the first of equals: the first that can, or the first in charge.
    return able.any(2), (able.long() * 2 + charge.long()).argmax(2)
