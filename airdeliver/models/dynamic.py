"""The contract of a dynamic network: how much it computes depends on the example."""

from abc import ABC, abstractmethod

from jaxtyping import Int64
from torch import Tensor, nn


class Dynamic(nn.Module, ABC):
    """A network that takes one of several paths for each example: a resolution, an exit.

    It cannot be traced, since what is computed depends on values. Evaluations report which paths were taken, and cost
    is the mean over these.

    Attributes:
        paths: names of the paths, as columns of tables have them: `8px`.
        taken: the number of the path that each example of the last forward pass took.
    """

    paths: tuple[str, ...]
    taken: Int64[Tensor, "n"]

    @abstractmethod
    def along(self, path: int) -> nn.Module:
        """A network that takes one path whatever the example, and computes all that this one does to choose it.

        It shares its parameters with this one.

        Args:
            path: its number.
        """
