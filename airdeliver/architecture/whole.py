"""A network that is sent whole: nothing needs to be told of it."""

from dataclasses import dataclass
from functools import lru_cache

from torch import Tensor, nn

from airdeliver.architecture.base import Architecture, check_empty
from airdeliver.models import ModelBuilder
from airdeliver.payload import Layout, architecture_of, layout_of
from airdeliver.task.base import Signature, Task


@dataclass(frozen=True)
class Whole(Architecture):
    """The network of a model builder, every channel of it.

    Args:
        model: builder.
        signature: of the task: what goes in and what comes out.

    >>> from airdeliver.models import CNN
    >>> architecture = Whole(CNN(), Signature((1, 8, 8), 1, 10))
    >>> architecture.layout(b"", statistics=False).size
    14458
    """

    model: ModelBuilder
    signature: Signature

    @classmethod
    def of(cls, task: Task, model: ModelBuilder) -> "Whole":
        """A model for a task."""
        return cls(model, task.signature)

    def fresh(self) -> nn.Module:
        """A network with fresh weights, drawn from a generator of seed 0."""
        return self.model(self.signature.inputs, self.signature.outputs)

    def example(self, n: int = 1) -> Tensor:
        """Inputs of zeros."""
        return self.signature.example(n)

    def receive(self, description: bytes) -> nn.Module:
        """The network; its description must be empty."""
        check_empty(description, self)
        model = architecture_of(self.fresh())
        assert isinstance(model, nn.Module)
        return model

    def layout(self, description: bytes, statistics: bool | None) -> Layout:
        """Its segments; the description must be empty."""
        check_empty(description, self)
        return layout_of_fresh(self, statistics)


@lru_cache(maxsize=64)
def layout_of_fresh(architecture: Whole, statistics: bool | None) -> Layout:
    """The layout of an unpruned network, worked out once."""
    return layout_of(architecture.fresh(), statistics)
