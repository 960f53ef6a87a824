"""The builder of a network that has none: what somebody handed in, with fresh values."""

from dataclasses import dataclass

from torch import Generator, nn

from airdeliver.architecture.given import Given
from airdeliver.models import ModelBuilder


@dataclass(frozen=True)
class Handed(ModelBuilder):
    """Builds the network of somebody's own class, whatever number of inputs and outputs is asked for.

    Where a scheme asks for a builder, it stands for a module that is there already. Two of them are equal only if they
    are of the same network, in the same process: nothing of it can be kept in a store.

    Args:
        given: the network's architecture.
    """

    given: Given

    def architecture(self, channels: int, classes: int) -> nn.Module:
        """The network, with values at random."""
        return self.given.fresh()

    def __call__(self, channels: int, classes: int, generator: Generator | None = None) -> nn.Module:
        """The same, always with the same values: how such a network is initialised, nobody has said."""
        return self.given.fresh()
