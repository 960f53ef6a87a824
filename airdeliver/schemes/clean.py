"""The plainest scheme: a network trained as always, sent as it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor

from airdeliver.links import AnalogLink, Link
from airdeliver.normalisation import Normalisation
from airdeliver.package import Choice, Package
from airdeliver.randomness import stream
from airdeliver.schemes.base import Scheme
from airdeliver.task import Task
from airdeliver.training import Trained, Training
from airdeliver.training.training import restore


@dataclass(frozen=True)
class Clean(Scheme):
    """Training without the link, then delivery over it.

    Args:
        link: that it is sent over.
        normalisation: where batch-norm statistics come from.
    """

    link: Link = field(default_factory=lambda: AnalogLink(protection="size"))
    normalisation: Normalisation = field(default_factory=Normalisation)

    def trainings(self, task: Task, channel_uses: int) -> tuple[Training, ...]:  # noqa: D102
        return (Training.clean(task),)

    def pack(self, task: Task, trained: Mapping[Training, Trained], channel_uses: int) -> Package:  # noqa: D102
        (training,) = self.trainings(task, channel_uses)
        model = restore(task.build(), trained[training])
        choice = Choice.of(model, self.link, self.normalisation)
        inputs = sender_inputs(task, self.normalisation) if self.normalisation.kind == "sender" else None
        return Package((choice,), self.normalisation, inputs)


def sender_inputs(task: Task, normalisation: Normalisation) -> Tensor:
    """Seeded-random training images, prepared, from which the sender computes batch-norm statistics."""
    train = task.dataset.train
    order = torch.randperm(len(train), generator=stream(task.seed, "calibration"))
    return task.dataset.prepare(train.take(order[: normalisation.calibration_inputs])[0])
