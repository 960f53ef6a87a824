"""A network whose batch norms are merged into the convolutions before them, as runtimes for integers want it."""

from dataclasses import dataclass
from functools import lru_cache

from torch import nn

from airdeliver.architecture.base import Architecture, check_empty
from airdeliver.architecture.whole import Whole
from airdeliver.payload import Folded, Layout, architecture_of, layout_of


@dataclass(frozen=True)
class Merged(Architecture):
    """The network of a model builder without the batch norms that directly follow a convolution.

    Each convolution has a bias instead: neither scales nor statistics travel, and these cannot be estimated anew.

    Args:
        whole: the network with them.

    >>> from airdeliver.models import CNN
    >>> from airdeliver.task import Signature
    >>> whole = Whole(CNN(), Signature((1, 8, 8), 1, 10))
    >>> merged = Merged(whole)
    >>> whole.layout(b"", True).size - merged.layout(b"", True).size == 3 * (16 + 32 + 32)
    True
    """

    whole: Whole

    def receive(self, description: bytes) -> nn.Module:
        """The network; its description must be empty."""
        check_empty(description, self)
        model = architecture_of(Folded(self.whole.fresh()).module)
        assert isinstance(model, nn.Module)
        return model.requires_grad_(True)

    def layout(self, description: bytes, statistics: bool | None) -> Layout:
        """Its segments; the description must be empty."""
        check_empty(description, self)
        return _layout(self, statistics)


@lru_cache(maxsize=16)
def _layout(architecture: Merged, statistics: bool | None) -> Layout:
    return layout_of(architecture.receive(b""), statistics)
