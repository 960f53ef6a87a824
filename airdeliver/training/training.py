"""One training: exactly what the weights of one network depend on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch

from airdeliver.models import ModelBuilder
from airdeliver.problem import Execution, Problem
from airdeliver.recipe import Recipe
from airdeliver.task.base import Purpose, Task
from airdeliver.training.checkpoint import Checkpoint
from airdeliver.training.fit import fit
from airdeliver.training.methods.base import Method
from airdeliver.training.methods.plain import Plain
from airdeliver.training.trained import Trained


@dataclass(frozen=True)
class Training:
    """The making of one network. Equal trainings are one.

    Never the receiver's normalisation, and the budget only if the network is pruned or expanded to it: networks that
    differ only in these are the same network.

    Args:
        purpose: what identifies the task.
        recipe: how long and how fast.
        method: how it goes about it: the network that it begins with, and what is done in each step.
        seed: of initialisation, order of the batches, augmentation and noise.
        threads: of the computation.
    """

    purpose: Purpose
    recipe: Recipe
    method: Method
    seed: int
    threads: int

    @classmethod
    def of(cls, problem: Problem, method: Method, recipe: Recipe) -> "Training":
        """Training for a problem.

        Args:
            problem: task, seed and threads.
            method: how it goes about it.
            recipe: how long and how fast.
        """
        execution = problem.execution
        return cls(problem.task.purpose, recipe, method, execution.seed, execution.threads)

    @classmethod
    def clean(cls, problem: Problem, model: ModelBuilder | None = None) -> "Training":
        """Training from scratch with nothing in the way.

        Args:
            problem: task, recipe, seed and threads.
            model: another architecture than the problem's, a teacher's, say.
        """
        return cls.of(problem, Plain(model or problem.model), problem.training)

    @property
    def needs(self) -> "tuple[Training, ...]":
        """The trainings that must be finished before this one."""
        return self.method.needs

    def run(
        self,
        task: Task,
        trained: "Mapping[Training, Trained]",
        checkpoint: Checkpoint | None = None,
        device: str = "cpu",
    ) -> Trained:
        """Train, or go on where the checkpoint stopped.

        Args:
            task: of this purpose.
            trained: what `needs` asks for.
            checkpoint: where every epoch is kept; None to simply train.
            device: where it is computed.

        Raises:
            BudgetError: a network that is pruned or expanded does not fit.
            ValueError: the loss is no longer finite, or a task of another purpose.
        """
        if task.purpose != self.purpose:
            raise ValueError(f"this training is for {self.purpose}, not for {task.purpose}: give that task")
        with threads(self.threads):
            run = self.method.start(task, trained, self.recipe, Execution(self.seed, self.threads, device))
            return fit(run, task, self.recipe, self.seed, checkpoint)


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with `count` threads, then with as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
