"""One training: exactly what the weights of one network depend on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from airdeliver.models import ModelBuilder
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.task import Task
from airdeliver.training.checkpoint import Checkpoint
from airdeliver.training.fit import fit
from airdeliver.training.through import Through


@dataclass(frozen=True)
class Trained:
    """A finished network.

    Args:
        tensors: its state dict.
        record: JSON: `validation_accuracy` (noiseless), `epochs` with the loss of each, `train_seconds`.
    """

    tensors: Mapping[str, Tensor]
    record: Mapping[str, Any]


@dataclass(frozen=True)
class Training:
    """The making of one network. Equal trainings are one.

    Never the receiver's normalisation nor the budget: networks that differ only in these are the same network.

    Args:
        model: the architecture.
        dataset: name of the data set.
        fingerprint: of its content.
        recipe: how long and how fast.
        seed: of initialisation, order of the batches, augmentation and noise.
        threads: of the computation.
        through: what the weights are perturbed by in each step; None for clean training.
        start: the training whose weights this one starts from.
    """

    model: ModelBuilder
    dataset: str
    fingerprint: str
    recipe: Recipe
    seed: int
    threads: int
    through: Through | None = None
    start: "Training | None" = None

    @classmethod
    def clean(cls, task: Task) -> "Training":
        """Training from scratch with nothing in the way."""
        return cls(task.model, task.dataset.name, task.dataset.fingerprint, task.training, task.seed, task.threads)

    @classmethod
    def fine_tuned(cls, task: Task, through: Through) -> "Training":
        """Training through a link that starts from the clean network."""
        data = task.dataset
        start = cls.clean(task)
        return cls(task.model, data.name, data.fingerprint, task.fine_tuning, task.seed, task.threads, through, start)

    @property
    def needs(self) -> "tuple[Training, ...]":
        """The trainings that must be finished before this one."""
        return () if self.start is None else (self.start,)

    def run(self, task: Task, trained: "Mapping[Training, Trained]", checkpoint: Checkpoint | None = None) -> Trained:
        """Train.

        Args:
            task: gives data and device.
            trained: the finished trainings that this one `needs`.
            checkpoint: where epochs are kept and resumed from.
        """
        model = self.model(task.dataset.channels, task.dataset.classes, stream(self.seed, "initialisation"))
        if self.start is not None:
            model.load_state_dict(dict(trained[self.start].tensors))
        with threads(self.threads):
            record = fit(model.to(task.device), task, self.recipe, self.seed, self.through, checkpoint)
        return Trained({name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}, record)


def restore(builder: nn.Module, trained: Trained) -> nn.Module:
    """A network with the trained weights, in evaluation mode."""
    builder.load_state_dict(dict(trained.tensors))
    return builder.eval()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with `count` threads, then with as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
