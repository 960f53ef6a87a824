"""Another scheme, with an architecture of its own instead of the problem's."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from airdeliver.models import ModelBuilder
from airdeliver.normalisation import Normalisation
from airdeliver.package import Package
from airdeliver.problem import Problem
from airdeliver.schemes.about import About
from airdeliver.schemes.base import Scheme
from airdeliver.task import Task
from airdeliver.training import Trained, Training


@dataclass(frozen=True)
class OfModel(Scheme):
    """A scheme that sends a network of another architecture: compact ones beside ordinary ones, at one budget.

    Args:
        scheme: what is done with it.
        model: architecture.
    """

    scheme: Scheme
    model: ModelBuilder

    @property
    def normalisation(self) -> Normalisation:  # pyright: ignore[reportIncompatibleVariableOverride]
        """That of the scheme inside."""
        return self.scheme.normalisation

    def about(self) -> About:
        """What the scheme inside says, and the architecture."""
        about = self.scheme.about()
        return replace(about, title=f"{about.title}, {type(self.model).__name__}")

    def serves(self, task: Task) -> Task:
        """What the scheme inside serves."""
        return self.scheme.serves(task)

    def trainings(self, problem: Problem, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        return self.scheme.trainings(replace(problem, model=self.model), channel_uses)

    def misfit(self, problem: Problem, channel_uses: int) -> str | None:  # noqa: D102
        return self.scheme.misfit(replace(problem, model=self.model), channel_uses)

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        return self.scheme.pack(replace(problem, model=self.model), trained, channel_uses)
