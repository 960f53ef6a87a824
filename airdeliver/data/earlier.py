"""Views: how examples were before a network's task changed; what an earlier version was trained on."""

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int64
from torch import Generator, Tensor

from airdeliver.conversion import Converted, converted, tuple_of


class View(ABC):
    """The examples of a data set as they were for an earlier version of a network; a frozen dataclass.

    What is not overridden stays as it is.

    Attributes:
        words: what is new since, such that it fits behind "taught": `new classes`.
    """

    @property
    @abstractmethod
    def words(self) -> str:
        """What is new since."""

    def known(self, targets: Tensor) -> Bool[Tensor, "n"]:
        """Which examples there were."""
        return torch.ones(len(targets), dtype=torch.bool, device=targets.device)

    def inputs(self, prepared: Tensor, generator: Generator) -> Tensor:
        """Prepared inputs as they were.

        Args:
            prepared: as the network sees them now.
            generator: of what is random about it.
        """
        return prepared

    def targets(self, targets: Tensor) -> Tensor:
        """Targets as they were."""
        return targets


@dataclass(frozen=True)
class WithoutClasses(View):
    """Some classes did not exist.

    Args:
        classes: by number.

    >>> WithoutClasses((8, 9)).known(torch.tensor([7, 8]))
    tensor([ True, False])
    """

    classes: Converted[Iterable[int], tuple[int, ...]] = converted(tuple_of(operator.index))

    @property
    def words(self) -> str:  # noqa: D102
        return "new classes"

    def known(self, targets: Int64[Tensor, "n"]) -> Bool[Tensor, "n"]:  # noqa: D102
        return ~torch.isin(targets, torch.tensor(self.classes, device=targets.device))


@dataclass(frozen=True)
class Turned(View):
    """Images stood on their side: the camera has been turned since.

    Args:
        quarters: turns by 90 degrees, counterclockwise.

    >>> Turned().inputs(torch.tensor([[[[1, 2], [3, 4]]]]), Generator()).flatten().tolist()
    [2, 4, 1, 3]
    """

    quarters: int = 1

    @property
    def words(self) -> str:  # noqa: D102
        return "turned images"

    def inputs(self, prepared: Tensor, generator: Generator) -> Tensor:  # noqa: D102
        return torch.rot90(prepared, self.quarters, (-2, -1))


@dataclass(frozen=True)
class Noisy(View):
    r"""Inputs were noisier: the sensor is a better one since.

    The noise is Gaussian, and what is seen has unit variance again: $(x + \sigma n) / \sqrt{1 + \sigma^2}$.

    Args:
        deviation: of the noise, over that of standardised inputs.
    """

    deviation: float = 1.0

    @property
    def words(self) -> str:  # noqa: D102
        return "clearer images"

    def inputs(self, prepared: Tensor, generator: Generator) -> Tensor:  # noqa: D102
        noise = torch.randn(prepared.shape, generator=generator, device=prepared.device, dtype=prepared.dtype)
        return (prepared + self.deviation * noise) / math.sqrt(1 + self.deviation**2)


@dataclass(frozen=True)
class OtherLabels(View):
    """Another question was asked of the same inputs: classes had other labels, so that some were one.

    Args:
        labels: the one that each class had.

    >>> OtherLabels((0, 1, 0)).targets(torch.tensor([2, 1]))
    tensor([0, 1])
    """

    labels: Converted[Iterable[int], tuple[int, ...]] = converted(tuple_of(operator.index))

    @property
    def words(self) -> str:  # noqa: D102
        return "another task"

    def targets(self, targets: Int64[Tensor, "n"]) -> Int64[Tensor, "n"]:  # noqa: D102
        return torch.tensor(self.labels, device=targets.device)[targets]
