"""MutualNet: widths and resolutions trained together; the best of both within a bound on operations is sent."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from airdeliver.conversion import Converted, converted, tuple_of
from airdeliver.cost import multiply_accumulates
from airdeliver.elastic import AtResolution, Elastic, Resized, Sampler, Sandwich
from airdeliver.elastic.resized import check_resolutions
from airdeliver.package import Choice, Package
from airdeliver.payload import Payload, values_of
from airdeliver.problem import Problem
from airdeliver.schemes.about import About
from airdeliver.schemes.elastic import ElasticNetwork
from airdeliver.schemes.packing import sender_inputs
from airdeliver.schemes.worth import Validation
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Distillation, Joint, Teaching


def pixels(resolution: Any) -> int:
    """A whole number of pixels.

    >>> pixels(8)
    8
    """
    if isinstance(resolution, bool) or int(resolution) != resolution:
        raise ValueError(f"must be whole numbers of pixels, got {resolution!r}")
    return int(resolution)


@dataclass(frozen=True, kw_only=True)
class MutualNet(ElasticNetwork):
    """A universally slimmable network of which all but the widest member of a step see images at a drawn resolution.

    A resolution saves operations and no value: what is sent is as long as the member's width says, and a byte. Which
    width at which resolution is sent is chosen on the validation split, noiseless, among all that take no more
    operations than the bound.

    Args:
        resolutions: in pixels, the full one included.
        most_macs: bound on the multiply-accumulates, as a share of the widest member's at the largest resolution.

    Raises:
        ValueError: no resolution, or a bound that is no share.

    Source: T. Yang et al., MutualNet: Adaptive ConvNet via Mutual Learning from Network Width and Resolution, arXiv
    1909.12978.
    """

    sampler: Sampler = field(default_factory=lambda: Sandwich(2))
    teaching: Teaching = field(default_factory=lambda: Teaching("largest", Distillation(1.0, 1.0), share=1.0))
    resolutions: Converted[Iterable[int], tuple[int, ...]] = converted(tuple_of(pixels), (32, 28, 24, 20, 16))
    most_macs: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check_resolutions(self.resolutions)
        if not self.resolutions:
            raise ValueError("resolutions must be one at least, got none")
        if not 0 < self.most_macs <= 1:
            raise ValueError(f"most_macs must be above 0 and at most 1, got {self.most_macs}")

    def about(self) -> About:  # noqa: D102
        return replace(super().about(), title="MutualNet")

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        return tuple(self._at_resolutions(training) for training in super().trainings(problem, channel_uses))

    def _at_resolutions(self, training: Training) -> Training:
        """The same training, and those before it, with a resolution drawn for each member."""
        method = training.method
        if not isinstance(method, Joint):
            return training
        before = self._at_resolutions(method.before)
        return replace(training, method=replace(method, before=before, resolutions=self.resolutions))

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        elastic = self.elastic(problem, trained, channel_uses)
        choices = self.pairs(elastic, problem)
        validation = Validation.of(problem, self.normalisation)
        best = max(choices, key=lambda choice: validation.score(choice.model))
        return Package((best,), self.normalisation, sender_inputs(problem, self.normalisation))

    def pairs(self, elastic: Elastic, problem: Problem) -> list[Choice]:
        """Every width at every resolution within the bound; the cheapest pair if none is.

        Args:
            elastic: trained.
            problem: says what an image is like.
        """
        example = problem.task.signature.example()
        costs = []
        for index in elastic.delivered:
            member = elastic.members[index]
            if self.member is not None and index != elastic.delivered[self.member]:
                continue
            for resolution in self.resolutions:
                architecture, model = AtResolution(member.architecture), Resized(member.model, resolution)
                description = architecture.describe(resolution, member.description)
                layout = architecture.layout(description, self.normalisation.sends_statistics)
                payload = Payload(values_of(model, layout), layout)
                macs = multiply_accumulates(model, example)
                costs.append((macs, Choice(architecture, model, payload, self.link)))
        largest = Resized(elastic.largest, max(self.resolutions))
        bound = self.most_macs * multiply_accumulates(largest, example)
        within = [choice for macs, choice in costs if macs <= bound]
        return within or [min(costs, key=lambda cost: cost[0])[1]]
