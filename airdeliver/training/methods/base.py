"""The contract of a method of training, and of one run of it."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator, Tensor, nn

from airdeliver.models import ModelBuilder
from airdeliver.payload.memory_format import channels_last
from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training

TASK = "task"
"""Name of the term of the loss that is the task's own."""


@dataclass(frozen=True, eq=False)
class Batch:
    """The examples of one step, on the device of the training.

    Args:
        inputs: prepared, as the network sees them.
        targets: what it should say.
    """

    inputs: Tensor
    targets: Tensor


class Run(ABC):
    """One training under way.

    A step is: `arriving` is entered, `loss` computed and its sum differentiated, `arriving` left, `before_step` called,
    the optimiser applied, `after_step` called.

    Attributes:
        network: that is trained, on its device; its parameters are the optimiser's.
    """

    network: nn.Module

    def learned(self) -> Mapping[str, Tensor]:
        """What the optimiser changes beside the network's parameters, leaf tensors by name: learned scales, say."""
        return {}

    def rates(self) -> Mapping[str, float]:
        """Factors of the learning rate of some of the network's parameters, by name; all others have the recipe's."""
        return {}

    def arriving(self, generator: Generator) -> AbstractContextManager[None]:
        """Within the context the network bears the weights that its receiver would have; afterwards its own.

        Args:
            generator: of the noise of this step.
        """
        return nullcontext()

    @abstractmethod
    def outputs(self, batch: Batch, generator: Generator) -> Tensor:
        """What the network says of a batch, float32, differentiable.

        Args:
            batch: of this step.
            generator: of the noise of this step.
        """

    @abstractmethod
    def terms(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:
        """The loss of these outputs as named terms; `task` is the task's own.

        Args:
            outputs: from `outputs`.
            batch: that they are of.
        """

    def loss(self, batch: Batch, generator: Generator) -> Mapping[str, Tensor]:
        """Named terms, scalars, whose sum is minimised."""
        return self.terms(self.outputs(batch, generator), batch)

    def before_step(self, step: int, optimizer: torch.optim.Optimizer) -> bool:
        """Called when gradients are there, before the optimiser changes the weights in step `step`, from 0.

        Args:
            step: of the training.
            optimizer: whose state of a weight may have to go with the weight.

        Returns:
            Whether the optimiser takes this step; False where the run has changed the weights itself.
        """
        return True

    def after_step(self, step: int) -> None:
        """Called without gradients when the optimiser has changed the weights in step `step`, from 0: masks, say."""
        return

    def state_dict(self) -> dict[str, Any]:
        """All that a resumed training needs beside network and optimiser: tensors, and what JSON can hold, by name."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on as the run that `state_dict` was called of; network and optimiser have been loaded before."""
        return

    @abstractmethod
    def finish(self) -> Trained:
        """What the training has made."""


@dataclass(frozen=True)
class Method(ABC):
    """How a network comes to be trained; a frozen dataclass, part of what identifies a training.

    A method either makes the network that is trained (`Plain`, `Continued`, `Joint`) or is `Wrapped` around another.
    """

    @abstractmethod
    def start(self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution) -> Run:
        """Begin a run; a resumed training begins with the same call, so equal arguments give an equal run.

        Args:
            task: data and loss.
            needs: the trainings that this method needs, finished.
            recipe: how long and how fast; the steps themselves are taken by `airdeliver.training.fit`.
            execution: seed, threads and device.
        """

    @property
    @abstractmethod
    def needs(self) -> "tuple[Training, ...]":
        """The trainings that must be finished before."""

    @property
    @abstractmethod
    def model(self) -> ModelBuilder:
        """The architecture, unpruned: what the time of a training is compared by."""

    @property
    @abstractmethod
    def words(self) -> str:
        """What it does, for people: `fine-tuning VGG`, say."""


@dataclass(frozen=True)
class Continuing(Method):
    """A method that begins with what another training has made; a subclass begins the run.

    Args:
        before: the training that it goes on from.
    """

    before: "Training"

    @property
    def needs(self) -> "tuple[Training, ...]":
        """That training."""
        return (self.before,)

    @property
    def model(self) -> ModelBuilder:
        """That of the training before."""
        return self.before.method.model

    @property
    def words(self) -> str:
        """That it goes on."""
        return f"fine-tuning {type(self.model).__name__}"


@dataclass(frozen=True)
class Wrapped(Method):
    """A method around another one; a subclass adds to the run.

    Args:
        method: how the rest is trained.
    """

    method: Method

    @property
    def needs(self) -> "tuple[Training, ...]":
        """Those of the method inside."""
        return self.method.needs

    @property
    def model(self) -> ModelBuilder:
        """That of the method inside."""
        return self.method.model

    @property
    def words(self) -> str:
        """Those of the method inside."""
        return self.method.words


class WrappedRun(Run):
    """A run that hands everything on to another one; a subclass changes what it must.

    Args:
        run: inside.
    """

    def __init__(self, run: Run) -> None:
        self.run, self.network = run, run.network

    def learned(self) -> Mapping[str, Tensor]:  # noqa: D102
        return self.run.learned()

    def rates(self) -> Mapping[str, float]:  # noqa: D102
        return self.run.rates()

    def arriving(self, generator: Generator) -> AbstractContextManager[None]:  # noqa: D102
        return self.run.arriving(generator)

    def outputs(self, batch: Batch, generator: Generator) -> Tensor:  # noqa: D102
        return self.run.outputs(batch, generator)

    def terms(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:  # noqa: D102
        return self.run.terms(outputs, batch)

    def before_step(self, step: int, optimizer: torch.optim.Optimizer) -> bool:  # noqa: D102
        return self.run.before_step(step, optimizer)

    def after_step(self, step: int) -> None:  # noqa: D102
        self.run.after_step(step)

    def state_dict(self) -> dict[str, Any]:  # noqa: D102
        return self.run.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: D102
        self.run.load_state_dict(state)

    def finish(self) -> Trained:  # noqa: D102
        return self.run.finish()


def laid_out(network: nn.Module, task: Task) -> nn.Module:
    """The same module in the memory format that is fastest: channels last for images, where the network can bear it.

    Whoever keeps references to a network's tensors calls this before: it replaces them.

    Args:
        network: changed in place.
        task: whose inputs are tried out.
    """
    if not any(parameter.ndim == 4 for parameter in network.parameters()):
        return network
    channels_last(network)
    if _bears(network, task):
        return network
    # Copies: `contiguous` would keep the strides of a tensor of one channel.
    return network._apply(lambda t: torch.empty(t.shape, dtype=t.dtype, device=t.device).copy_(t))


@torch.no_grad()
def _bears(network: nn.Module, task: Task) -> bool:
    """Whether it computes in that format: `x.view` after a convolution does not."""
    training = network.training
    example = task.signature.example(2).to(next(network.parameters()).device)
    try:
        network.eval()(example.contiguous(memory_format=torch.channels_last) if example.ndim == 4 else example)
    except RuntimeError:
        return False
    finally:
        network.train(training)
    return True


def named_state(network: nn.Module) -> dict[str, Tensor]:
    """The state dict of a network on the CPU, without gradients."""
    return {name: tensor.detach().cpu() for name, tensor in network.state_dict().items()}
