"""Several networks side by side, one a task, each of which sees an image of its own."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from airdeliver.models.base import ModelBuilder


@dataclass(frozen=True)
class Served:
    """Which tasks are served, of those that a data set has.

    Args:
        tasks: their numbers, from 0.
        outputs: numbers that are said of each task that there is, served or not.

    Raises:
        ValueError: no task, one twice, or one that there is not.
    """

    tasks: tuple[int, ...]
    outputs: tuple[int, ...]

    def __post_init__(self) -> None:
        known = range(len(self.outputs))
        if not self.tasks or len(set(self.tasks)) < len(self.tasks) or not set(self.tasks) <= set(known):
            raise ValueError(f"tasks must be some of 0 to {len(known) - 1}, each once, got {list(self.tasks)}")


class SeveralNetworks(nn.Module):
    """A network for each task that is served.

    An input has an image for each task that there is, one behind the other along the channels. The outputs are those of
    all tasks side by side, 0 where a task is not served.

    Args:
        served: which tasks.
        networks: of the tasks that are served, in their order.
    """

    def __init__(self, served: Served, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        self.served, self.networks = served, nn.ModuleList(networks)

    @abstractmethod
    def said(self, place: int, image: Float[Tensor, "n channels h w"]) -> Float[Tensor, "n outputs"]:
        """What the network of one task says.

        Args:
            place: of the task among those that are served.
            image: its own.
        """

    def answer(self, place: int, inputs: Float[Tensor, "n images h w"]) -> Float[Tensor, "n outputs"]:
        """What is said of one task alone.

        Args:
            place: of the task among those that are served.
            inputs: with an image for each task that there is.
        """
        channels = inputs.shape[1] // len(self.served.outputs)
        task = self.served.tasks[place]
        return self.said(place, inputs[:, task * channels : (task + 1) * channels])

    def forward(self, inputs: Float[Tensor, "n images h w"]) -> Float[Tensor, "n outputs"]:
        """What is said of all tasks."""
        answers = {task: self.answer(place, inputs) for place, task in enumerate(self.served.tasks)}
        like = next(iter(answers.values()))
        nothing = {task: like.new_zeros(len(inputs), count) for task, count in enumerate(self.served.outputs)}
        return torch.cat([{**nothing, **answers}[task] for task in nothing], 1)


class SideBySideNetworks(SeveralNetworks):
    """Networks that have nothing in common."""

    def said(self, place: int, image: Tensor) -> Tensor:  # noqa: D102
        return self.networks[place](image)


@dataclass(frozen=True)
class SideBySide(ModelBuilder):
    """Builds a network for each task, with weights of its own.

    Args:
        model: architecture of each.
        served: which tasks.

    >>> from airdeliver.models.cnn import CNN
    >>> network = SideBySide(CNN(), Served((0, 2), (10, 10, 10)))(3, 30)
    >>> network(torch.zeros(2, 3, 8, 8)).shape, bool((network(torch.zeros(2, 3, 8, 8))[:, 10:20] == 0).all())
    (torch.Size([2, 30]), True)
    """

    model: ModelBuilder
    served: Served

    def architecture(self, channels: int, classes: int) -> nn.Module:  # noqa: D102
        each = channels // len(self.served.outputs)
        networks = [self.model.architecture(each, self.served.outputs[task]) for task in self.served.tasks]
        return SideBySideNetworks(self.served, networks)

    def initialise(self, model: nn.Module, generator: Generator) -> None:
        """Each as its architecture does."""
        assert isinstance(model, SeveralNetworks)
        for network in model.networks:
            self.model.initialise(network, generator)
