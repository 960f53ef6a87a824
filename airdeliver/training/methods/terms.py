"""Further terms: what members of an elastic network learn from labels beside the task's own loss."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor

from airdeliver.task.base import Task
from airdeliver.task.segmentation import Segmentation


@dataclass(frozen=True)
class Term(ABC):
    """A further term of every member's loss, of its outputs and the labels alone. A frozen dataclass.

    Args:
        weight: of the term.

    Raises:
        ValueError: a weight that is not positive.
    """

    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.weight > 0:
            raise ValueError(f"weight of a further term must be above 0, got {self.weight}: leave the term out instead")

    @property
    @abstractmethod
    def name(self) -> str:
        """What it is called in the log of a training."""

    @abstractmethod
    def of(self, outputs: Tensor, targets: Tensor, task: Task, smoothing: float) -> Float[Tensor, ""]:
        """The term without its weight.

        Args:
            outputs: of a member, float32.
            targets: what it should have said.
            task: that it learns.
            smoothing: of the labels.
        """


@dataclass(frozen=True)
class Boundary(Term):
    """Cross entropy in nats, mean over the pixels at which the class changes within one pixel's distance.

    Source: D. Xue et al., SlimSeg: Slimmable Semantic Segmentation with Boundary Supervision, arXiv 2207.06242, after
    its abstract.
    """

    @property
    def name(self) -> str:
        """Boundary."""
        return "boundary"

    def of(self, outputs: Tensor, targets: Tensor, task: Task, smoothing: float) -> Float[Tensor, ""]:
        """See the class; 0 where no class changes.

        Raises:
            ValueError: a task without masks.
        """
        if not isinstance(task, Segmentation):
            raise ValueError(f"a boundary term needs a task with masks, got {type(task).__name__}: leave the term out")
        return task.boundary_loss(outputs, targets, smoothing)
