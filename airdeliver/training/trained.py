"""A finished network, which knows what it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn

from airdeliver.architecture.base import Architecture
from airdeliver.payload import load_tensors


@dataclass(frozen=True, eq=False)
class Trained:
    """What a training has made: any training can start from it or learn from it.

    Args:
        tensors: the state dict of the network.
        architecture: that the network is of.
        description: what tells the network among those of its architecture.
        state: JSON: `validation_score` (noiseless), `epochs` with the loss of each, `terms` with the mean of each named
            term, `train_seconds`; `quantiser`, the state of the quantiser that it was trained with.
    """

    tensors: Mapping[str, Tensor]
    architecture: Architecture
    description: bytes = b""
    state: Mapping[str, Any] = field(default_factory=dict)

    def model(self) -> nn.Module:
        """The network, whole or pruned, elastic, sparse or quantised, in evaluation mode."""
        model = self.architecture.receive(self.description)
        assert isinstance(model, nn.Module)
        return load_tensors(model, self.tensors).eval()
