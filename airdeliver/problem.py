"""The problem that a scheme is given: a task, the network for it, how long to train, and how to compute."""

from dataclasses import dataclass, field

from torch import Generator, nn

from airdeliver.models import ModelBuilder
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task


@dataclass(frozen=True)
class Execution:
    """How something is computed.

    Args:
        seed: of every random draw, in training as in delivery.
        threads: of each computation; part of what identifies a result, because threads change sums.
        device: where tensors live.
    """

    seed: int = 0
    threads: int = 1
    device: str = "cpu"


@dataclass(frozen=True)
class Problem:
    """What a scheme is given.

    Args:
        task: data, loss and score.
        model: the unpruned architecture.
        training: how a network is trained from scratch.
        fine_tuning: how a trained network is trained further.
        execution: seed, threads and device.
    """

    task: Task
    model: ModelBuilder
    training: Recipe = field(default_factory=Recipe)
    fine_tuning: Recipe = field(default_factory=Recipe)
    execution: Execution = field(default_factory=Execution)

    def build(self, generator: Generator | None = None) -> nn.Module:
        """A network of the problem's architecture, initialised from `generator`."""
        return self.task.build(self.model, generator)
