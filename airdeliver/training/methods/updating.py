"""Updating: a trained network learns on, and changes in no other way than an update can send."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from airdeliver.payload import Flattened, Layout
from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.base import Continuing, Run, WrappedRun, laid_out
from airdeliver.training.methods.plain import Continued
from airdeliver.training.trained import Trained
from airdeliver.updates import Form

if TYPE_CHECKING:
    from airdeliver.training.training import Training


@dataclass(frozen=True)
class Updating(Continuing):
    """Training of a network that another training has made; after each step its change is one that a form can send.

    Projected gradient descent: with `LastLayers` all other layers stay, with `LowRank` the change of each matrix keeps
    its rank, with `MostChanged` few rows differ. Batch-norm statistics are free: the receiver estimates them.

    Args:
        before: the training that made the version that the receiver holds.
        form: of the change.
    """

    form: Form

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        run = Continued(self.before).start(task, needs, recipe, execution)
        laid_out(run.network, task)
        trained = needs[self.before]
        return UpdatingRun(run, self.form, trained.architecture.layout(trained.description, False))

    @property
    def words(self) -> str:
        """That it is updated."""
        return f"updating {type(self.model).__name__}, {type(self.form).__name__}"


class UpdatingRun(WrappedRun):
    """A run whose network stays within reach of an update.

    Args:
        run: inside, at the version that the receiver holds.
        form: of the change.
        layout: of the whole network, without batch-norm statistics.
    """

    def __init__(self, run: Run, form: Form, layout: Layout) -> None:
        super().__init__(run)
        self.form, self.layout = form, layout
        self.flattened = Flattened(run.network, layout)
        self.held = self.flattened.read()

    @torch.no_grad()
    def after_step(self, step: int) -> None:  # noqa: D102
        self.run.after_step(step)
        change = self.form.project(self.flattened.read() - self.held, self.layout)
        self.flattened.write(self.held + change)
