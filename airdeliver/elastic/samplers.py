"""Samplers: which members of an elastic network a step trains."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import torch
from torch import Generator


class Sampler(ABC):
    """Draws the members of one step. A frozen dataclass, part of what identifies a training."""

    @abstractmethod
    def draw(self, members: int, generator: Generator) -> list[int]:
        """Indices of the members of one step, rising: the last one sees all examples and may teach the others.

        Args:
            members: how many there are, those that are trained and never delivered included.
            generator: of the choice.
        """


@dataclass(frozen=True)
class Sandwich(Sampler):
    """The smallest, the largest, and some in between at random.

    Args:
        between: how many between.

    Raises:
        ValueError: fewer than none.

    Source: J. Yu and T. Huang, Universally Slimmable Networks and Improved Training Techniques, arXiv 1903.05134,
    section 3.2.

    >>> Sandwich(between=0).draw(4, Generator())
    [0, 3]
    """

    between: int = 1

    def __post_init__(self) -> None:
        if self.between < 0:
            raise ValueError(f"between must be 0 or more members, got {self.between}")

    def draw(self, members: int, generator: Generator) -> list[int]:  # noqa: D102
        last = members - 1
        order = torch.randperm(max(0, last - 1), generator=generator, device=generator.device) + 1
        return [*([0] if last else []), *sorted(order[: self.between].tolist()), last]


@dataclass(frozen=True)
class Every(Sampler):
    """All members in every step, as slimmable networks are trained.

    Source: J. Yu et al., Slimmable Neural Networks, arXiv 1812.08928.

    >>> Every().draw(3, Generator())
    [0, 1, 2]
    """

    def draw(self, members: int, generator: Generator) -> list[int]:  # noqa: D102
        return list(range(members))


@dataclass(frozen=True)
class Ordered(Sampler):
    """Ordered dropout: one member, each as likely as any other, and the largest as its teacher if that is wanted.

    Args:
        with_largest: whether the largest is trained in every step beside it.

    Source: S. Horvath et al., FjORD: Fair and Accurate Federated Learning under heterogeneous targets with Ordered
    Dropout, arXiv 2102.13451.

    >>> Ordered(with_largest=False).draw(1, Generator())
    [0]
    """

    with_largest: bool = True

    def draw(self, members: int, generator: Generator) -> list[int]:  # noqa: D102
        drawn = int(torch.randint(members, (), generator=generator, device=generator.device))
        return sorted({drawn, members - 1}) if self.with_largest else [drawn]
