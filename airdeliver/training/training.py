"""One training: exactly what the weights of one network depend on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from airdeliver.compression.architecture import PrunableArchitecture
from airdeliver.compression.kept_channels import KeptChannels
from airdeliver.compression.pruning import Pruning
from airdeliver.models import ModelBuilder
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.task import Task
from airdeliver.training.checkpoint import Checkpoint
from airdeliver.training.distillation import Distillation
from airdeliver.training.fit import Objective, fit
from airdeliver.training.through import Through


@dataclass(frozen=True)
class Trained:
    """A finished network.

    Args:
        tensors: its state dict.
        record: JSON: `validation_accuracy` (noiseless), `epochs` with the loss of each, `train_seconds`; for a pruned
            network `kept_channels`, the units kept of each channel group of the unpruned architecture; `link`, what the
            link that it was trained through has settled on.
    """

    tensors: Mapping[str, Tensor]
    record: Mapping[str, Any]

    @property
    def kept(self) -> KeptChannels | None:
        """The channels of a pruned network; None for an unpruned one."""
        units = self.record.get("kept_channels")
        return None if units is None else KeptChannels(tuple(tuple(group) for group in units))


@dataclass(frozen=True)
class Training:
    """The making of one network. Equal trainings are one.

    Never the receiver's normalisation, and the budget only if the network is pruned or expanded to it: networks that
    differ only in these are the same network.

    Args:
        model: the architecture.
        dataset: name of the data set.
        fingerprint: of its content.
        recipe: how long and how fast.
        seed: of initialisation, order of the batches, augmentation and noise.
        threads: of the computation.
        through: what the weights are perturbed by in each step; None for clean training.
        start: the training whose weights, and channels, this one starts from.
        pruning: what is removed before it begins; gradual pruning is a chain of trainings, one a step.
        teacher: the training whose network it learns from, if any.
        distillation: how it learns from the teacher.
    """

    model: ModelBuilder
    dataset: str
    fingerprint: str
    recipe: Recipe
    seed: int
    threads: int
    through: Through | None = None
    start: "Training | None" = None
    pruning: Pruning | None = None
    teacher: "Training | None" = None
    distillation: Distillation | None = None

    def __post_init__(self) -> None:
        if (self.teacher is None) != (self.distillation is None):
            raise ValueError("a training that learns from a teacher needs both teacher and distillation, give both")

    @classmethod
    def clean(cls, task: Task, model: ModelBuilder | None = None) -> "Training":
        """Training from scratch with nothing in the way.

        Args:
            task: its data, seed and recipe.
            model: another architecture than the task's, a teacher's, say.
        """
        data = task.dataset
        return cls(model or task.model, data.name, data.fingerprint, task.training, task.seed, task.threads)

    @classmethod
    def fine_tuned(cls, task: Task, through: Through) -> "Training":
        """Training through a link that starts from the clean network."""
        data = task.dataset
        start = cls.clean(task)
        return cls(task.model, data.name, data.fingerprint, task.fine_tuning, task.seed, task.threads, through, start)

    @property
    def needs(self) -> "tuple[Training, ...]":
        """The trainings that must be finished before this one."""
        return tuple(need for need in (self.start, self.teacher) if need is not None)

    @property
    def is_pruned(self) -> bool:
        """Whether it makes a pruned network."""
        return self.pruning is not None or (self.start is not None and self.start.is_pruned)

    def run(self, task: Task, trained: "Mapping[Training, Trained]", checkpoint: Checkpoint | None = None) -> Trained:
        """Train.

        Args:
            task: gives data and device.
            trained: the finished trainings that this one `needs`.
            checkpoint: where epochs are kept and resumed from.
        """
        with threads(self.threads):
            model, kept = self._initial(task, trained)
            objective = self._objective(task, trained)
            record = fit(model, task, self.recipe, self.seed, self.through, checkpoint, objective)
        if kept is not None:
            record["kept_channels"] = [list(units) for units in kept.units]
        return Trained({name: tensor.detach().cpu() for name, tensor in model.state_dict().items()}, record)

    def _initial(self, task: Task, trained: "Mapping[Training, Trained]") -> tuple[nn.Module, KeptChannels | None]:
        """The network that the training begins with, and its channels if it is pruned."""
        if self.start is None:
            model = self.model(task.dataset.channels, task.dataset.classes, stream(self.seed, "initialisation"))
            kept = None
        else:
            model, kept = restored(task, self.start, trained[self.start]), trained[self.start].kept
        model = model.to(task.device)
        if self.pruning is None:
            return model, kept
        architecture = self.architecture(task)
        before = kept or KeptChannels.all(architecture.groups)
        return self.pruning.prune(model, before, architecture, task, self.seed)

    def _objective(self, task: Task, trained: "Mapping[Training, Trained]") -> Objective | None:
        if self.teacher is None or self.distillation is None:
            return None
        teacher = restored(task, self.teacher, trained[self.teacher]).to(task.device)
        return self.distillation.objective(teacher, task, self.recipe.label_smoothing)

    def architecture(self, task: Task) -> PrunableArchitecture:
        """The unpruned architecture and its channel groups."""
        return PrunableArchitecture(self.model, task.dataset.shape, task.dataset.classes)


def restored(task: Task, training: Training, trained: Trained) -> nn.Module:
    """The network that a training made, pruned if it was, in evaluation mode.

    Args:
        task: gives images' shape and classes.
        training: that made it.
        trained: its weights, and its channels.
    """
    if trained.kept is None:
        return restore(training.model(task.dataset.channels, task.dataset.classes), trained)
    return restore(training.architecture(task).pruned(trained.kept), trained)


def restore(model: nn.Module, trained: Trained) -> nn.Module:
    """A network with the trained weights, in evaluation mode."""
    model.load_state_dict(dict(trained.tensors))
    return model.eval()


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Compute with `count` threads, then with as many as before."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
