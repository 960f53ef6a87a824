"""The contract of a task: what a network is for."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor, nn

from airdeliver.data import Dataset
from airdeliver.models import ModelBuilder
from airdeliver.task.answers import finite_rows


@dataclass(frozen=True)
class Signature:
    """What goes into a network and what comes out of it.

    Args:
        shape: of one prepared input, without the batch: channels, height and width of an image, the number of
            features of a row, the length of a text.
        inputs: what a model builder is told of them: channels of an image, features of a row, distinct tokens of a
            text.
        outputs: numbers that the network says of each example (of each pixel, for segmentation).
        tokens: whether inputs are integers that stand for symbols; else they are float32.
    """

    shape: tuple[int, ...]
    inputs: int
    outputs: int
    tokens: bool = False

    def example(self, n: int = 1) -> Tensor:
        """Inputs of zeros.

        >>> Signature((3, 8, 8), 3, 10).example(2).shape
        torch.Size([2, 3, 8, 8])
        """
        return torch.zeros(n, *self.shape, dtype=torch.int64 if self.tokens else torch.float32)


@dataclass(frozen=True)
class Purpose:
    """What identifies a task: two tasks of the same purpose make the same networks.

    Args:
        kind: the class of the task.
        dataset: name of the data set.
        fingerprint: of its content.
        settings: what else the task was made with, names and values.
    """

    kind: type
    dataset: str
    fingerprint: str
    settings: tuple[tuple[str, Any], ...] = ()


class Score(ABC):
    """How good answers are: all that an evaluation needs to know.

    Attributes:
        metric: name of the mean score, for tables and axes: `accuracy`, say.
        bounds: least and greatest score of an example; infinite where there is no bound.
        floor: what a delivery of which nothing usable arrived counts as; what outputs that are not finite count as.
    """

    @property
    @abstractmethod
    def metric(self) -> str:
        """Name of the mean score."""

    @property
    @abstractmethod
    def bounds(self) -> tuple[float, float]:
        """Least and greatest score of an example."""

    @property
    @abstractmethod
    def floor(self) -> float:
        """The score of a delivery of which nothing usable arrived."""

    def floor_of(self, outputs: Tensor) -> float:
        """The floor, now that answers of a network are seen; a score that is made without them may not know all.

        Args:
            outputs: of a network, one row an example.
        """
        return self.floor

    def unanswered(self, outputs: Tensor) -> Bool[Tensor, "n"]:
        """Which examples have no answer, and the floor in place of their score: those with outputs that are not finite.

        A score that judges some outputs apart from others, and sees to this itself, says False of all.

        Args:
            outputs: of a network, one row an example.
        """
        return ~finite_rows(outputs)

    @abstractmethod
    def score(self, outputs: Tensor, targets: Tensor) -> Float[Tensor, "n"]:
        """How good the answer to each example is, within `bounds`.

        Where outputs are not finite it does not matter what this says: see `unanswered`.

        Args:
            outputs: of a network, one row an example.
            targets: what it should have said.

        Raises:
            ValueError: outputs or targets of another shape than the task's, in one line that names both.
        """

    def tally(self, outputs: Tensor, targets: Tensor) -> Float[Tensor, "counts"]:
        """Sums over examples from which `extras` are worked out; empty where there are none.

        Args:
            outputs: of a network, one row an example.
            targets: what it should have said.
        """
        return torch.zeros(0, device=outputs.device)

    def extras(self, tally: Float[Tensor, "counts"]) -> Mapping[str, float]:
        """What else there is to say of a network, by name, from the sum of the tallies of all its answers."""
        return {}


@dataclass(frozen=True, eq=False)
class Task(Score):
    """What a network is for: its data, its loss, and how good its answer to each example is.

    A task is a frozen dataclass whose first field is the data set; whatever other fields it has are part of its
    `purpose`. How networks for it are made (model, epochs, seed, threads, device) is no part of it: see
    `airdeliver.problem.Problem`.

    Args:
        dataset: inputs and targets; the test split is never used to choose anything.
    """

    dataset: Dataset

    @property
    def signature(self) -> Signature:
        """What goes into its networks and what comes out."""
        inputs = self.dataset.inputs
        return Signature(inputs.shape, inputs.size, self.dataset.targets.outputs, inputs.tokens)

    @property
    def purpose(self) -> Purpose:
        """What identifies the task."""
        settings = tuple((f.name, getattr(self, f.name)) for f in fields(self) if f.name != "dataset")
        return Purpose(type(self), self.dataset.name, self.dataset.fingerprint, settings)

    def build(self, model: ModelBuilder, generator: Generator | None = None) -> nn.Module:
        """A network for the task, initialised from `generator`.

        Args:
            model: its architecture.
            generator: source of the initial weights; None for one of seed 0.
        """
        return model(self.signature.inputs, self.signature.outputs, generator)

    @abstractmethod
    def loss(self, outputs: Tensor, targets: Tensor, label_smoothing: float = 0.0) -> Float[Tensor, ""]:
        """What a training minimises, mean over the batch.

        Args:
            outputs: of a network, float32.
            targets: what it should have said.
            label_smoothing: probability spread over the other classes; tasks without classes ignore it.
        """

    def divergence(self, outputs: Tensor, taught: Tensor, temperature: float = 1.0) -> Float[Tensor, ""]:
        """How far a student's answers are from a teacher's, mean over the batch; what distillation minimises.

        T² KL(p_T || q_T) in nats of the softened probabilities of classes along the second axis: its gradients stay
        comparable whatever T is. Tasks without classes override it.

        Args:
            outputs: of the student, float32.
            taught: of the teacher, without gradient.
            temperature: T, by which both logits are divided.

        Source: G. Hinton, O. Vinyals and J. Dean, Distilling the Knowledge in a Neural Network, arXiv 1503.02531,
        section 2.
        """
        # Along the axis of classes as it lies: brought to the end it takes five times as long for pixels.
        axis = 1 if outputs.ndim > 2 else -1
        q, p = (nn.functional.log_softmax(logits / temperature, axis) for logits in (outputs, taught))
        apart = nn.functional.kl_div(q, p, reduction="batchmean", log_target=True)
        return temperature**2 * apart / math.prod(outputs.shape[2:])
