"""ParaDiS: one network in parts for several receivers, who hear one multicast and add up their answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from airdeliver.elastic import ElasticBuilder, SwitchesBuilder
from airdeliver.package import Package
from airdeliver.problem import Problem
from airdeliver.schemes.about import About
from airdeliver.schemes.elastic import ElasticNetwork
from airdeliver.spectrum.fused import FusedChoice
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Distillation, Teaching


@dataclass(frozen=True, kw_only=True)
class ParaDiS(ElasticNetwork):
    """All switches trained together, taught by the network in one piece; one of them is sent by one transmission.

    Over a channel of several receivers (`channels.Multicast`) each runs its part and returns what that part says of
    every input; the sum is what a transmission is scored by. What is returned is not charged.

    Args:
        member: the switch that is sent, by its index from 0; None for the last, the network in one piece.

    Raises:
        ValueError: a builder of another kind.

    Source: ParaDiS, parallelly distributable slimmable networks (the idea; written from its description).
    """

    builder: ElasticBuilder = field(default_factory=SwitchesBuilder)
    teaching: Teaching = field(default_factory=lambda: Teaching("largest", Distillation(1.0, 1.0), share=1.0))

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.builder, SwitchesBuilder):
            raise ValueError(f"builder must be a SwitchesBuilder, got {type(self.builder).__name__}")

    def about(self) -> About:  # noqa: D102
        return replace(super().about(), title="ParaDiS")

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        package = super().pack(problem, trained, channel_uses)
        (c,) = package.choices
        return replace(package, choices=(FusedChoice(c.architecture, c.model, c.payload, c.link, c.expectation),))
