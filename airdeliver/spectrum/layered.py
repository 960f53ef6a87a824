"""Layered choices: every receiver of one transmission builds the largest member that it hears and can compute."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from airdeliver.capability import Capability
from airdeliver.cost import multiply_accumulates
from airdeliver.elastic import Elastic, ElasticArchitecture, LayeredArchitecture, Layers, layers_of
from airdeliver.elastic.layers import elastic_values
from airdeliver.links import Decoded, Knowledge, LayeredLink, LayeredPlan, Plan
from airdeliver.links.foreseen import foreseen
from airdeliver.package import Arrived, Choice, Snapshot
from airdeliver.payload import Payload
from airdeliver.spectrum.package import DRAWS, SYMBOLS, Measured, effective_snr_db
from channels import Channel


@dataclass(frozen=True)
class LayeredChoice(Choice):
    """The leading layers of an elastic network, sent once to receivers that may be unlike.

    Args:
        layers: of the network.
        macs: multiply-accumulates of each member, of one inference.
        capabilities: of the receivers of one transmission, in turn; empty for receivers that can take anything.
        most: layers that any receiver takes; None for all that are sent.
    """

    layers: Layers = field(kw_only=True)
    macs: tuple[int, ...] = field(kw_only=True)
    capabilities: tuple[Capability, ...] = ()
    most: int | None = None

    @classmethod
    def of_network(
        cls,
        elastic: Elastic,
        architecture: ElasticArchitecture,
        description: bytes,
        link: LayeredLink,
        capabilities: Iterable[Capability] = (),
    ) -> "LayeredChoice":
        """What a sender holds to send an elastic network in layers.

        Args:
            elastic: trained.
            architecture: that it is of.
            description: of its members.
            link: of as many layers as are sent.
            capabilities: of the receivers.
        """
        layers = layers_of(architecture, description)
        payload = Payload(elastic_values(elastic)[layers.order.to(next(elastic.parameters()).device)], layers.layout)
        example = architecture.unpruned.whole.example()
        models = (elastic.members[index].model for index in elastic.delivered)
        macs = tuple(multiply_accumulates(model, example) for model in models)
        sent = LayeredArchitecture(architecture)
        return cls(sent, elastic, payload, link, layers=layers, macs=macs, capabilities=tuple(capabilities))

    def arrived(
        self, decoded: Decoded, plan: Plan, numbers: Int64[Tensor, "rows"], receivers: int = 1
    ) -> list[Arrived]:
        """Receivers that have equally many usable layers within their capability, together."""
        assert isinstance(plan, LayeredPlan)
        assert decoded.layers is not None
        taken = torch.minimum(decoded.layers.sum(-1).cpu(), self._allowed(plan, numbers))
        groups = []
        for count in taken.unique().tolist():
            rows = torch.nonzero(taken == count).flatten()
            own = decoded.of(rows.to(decoded.usable.device))
            reached = self._member(own, max(count, 1) - 1, usable=count > 0)
            earlier = [
                Snapshot(plan.uses[k], self.layers.member_layout(k).description, self._member(own, k, True, plan))
                for k in range(count - 1)
            ]
            description = self.layers.member_layout(max(count, 1) - 1).description
            groups.append(Arrived(rows, self.layers.architecture, description, reached, tuple(earlier)))
        return groups

    def _allowed(self, plan: LayeredPlan, numbers: Int64[Tensor, "rows"]) -> Int64[Tensor, "rows"]:
        """Layers that each receiver may take: the leading ones, as long as each is within its capability."""
        most = len(plan.plans) if self.most is None else min(self.most, len(plan.plans))
        if not self.capabilities:
            return torch.full((len(numbers),), most)
        allowed = []
        for capability in self.capabilities:
            within = [capability.takes(uses, macs) for uses, macs in zip(plan.uses, self.macs)]
            allowed.append(min(most, ([*within, False]).index(False)))
        return torch.tensor(allowed)[numbers.cpu() % len(allowed)]

    def _member(self, decoded: Decoded, member: int, usable: bool, plan: LayeredPlan | None = None) -> Decoded:
        """What receivers have of a member's values."""
        assert isinstance(decoded.values, Tensor)
        uses = decoded.uses if plan is None else torch.full_like(decoded.uses, plan.uses[member])
        known = decoded.usable if usable else torch.zeros_like(decoded.usable)
        values = self.layers.of_member(decoded.values, member)
        return replace(decoded, values=values, usable=known, uses=uses)


@dataclass(frozen=True, eq=False)
class OverAudience(Measured):
    """What a choice promises to receivers of a law that the sender knows beforehand: a channel and a mean SNR.

    Args:
        audience: whose draws the receivers' SNR are, for a sender that knows nothing of the channel.
        audience_db: its mean SNR in dB.
    """

    audience: Channel
    audience_db: float

    def of(self, knowledge: Knowledge, symbols: int) -> Float[Tensor, "#transmissions"]:
        """Expected score; without knowledge, over the audience."""
        if knowledge.kind != "none":
            return super().of(knowledge, symbols)
        generator: Any = torch.Generator().manual_seed(0)
        met = foreseen(self.audience, self.audience_db, DRAWS, min(symbols, SYMBOLS), generator)
        return self.selection.expected(self.table, effective_snr_db(met.seen))[self.index].mean().view(1)
