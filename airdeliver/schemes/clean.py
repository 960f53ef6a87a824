"""The plainest scheme: a network trained as always, sent as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from airdeliver.links import AnalogLink, Link
from airdeliver.normalisation import Normalisation
from airdeliver.package import Package
from airdeliver.problem import Problem
from airdeliver.schemes.base import Scheme
from airdeliver.schemes.packing import choice_of, sender_inputs, whole_misfit
from airdeliver.training import Trained, Training


@dataclass(frozen=True)
class Clean(Scheme):
    """Training without the link, then delivery over it.

    Args:
        link: that it is sent over.
        normalisation: where batch-norm statistics come from.
    """

    link: Link = field(default_factory=lambda: AnalogLink(protection="size"))
    normalisation: Normalisation = field(default_factory=Normalisation)

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        return (Training.clean(problem),)

    def misfit(self, problem: Problem, channel_uses: int) -> str | None:  # noqa: D102
        if type(self).pack is not Clean.pack:  # which may send another network
            return None
        return whole_misfit(problem, self.link, self.normalisation, channel_uses)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        (training,) = self.trainings(problem, channel_uses)
        choice = choice_of(trained[training], self.link, self.normalisation)
        return Package((choice,), self.normalisation, sender_inputs(problem, self.normalisation))
