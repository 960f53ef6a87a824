"""A finished network, which knows what it is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn

from airdeliver.architecture.base import Architecture
from airdeliver.architecture.given import Given
from airdeliver.payload import is_keras, layout_of, load_tensors
from airdeliver.payload.inputs import Inputs


@dataclass(frozen=True, eq=False, repr=False)
class Trained:
    """What a training has made: any training can start from it or learn from it.

    Args:
        tensors: the state dict of the network.
        architecture: that the network is of.
        description: what tells the network among those of its architecture.
        state: JSON: `validation_score` (noiseless), `epochs` with the loss of each, `terms` with the mean of each named
            term, `train_seconds`; `quantiser`, the state of the quantiser that it was trained with; `sensitivity`,
            where it was measured: increase of the loss per unit of noise variance, for each segment of the payload.
    """

    tensors: Mapping[str, Tensor]
    architecture: Architecture
    description: bytes = b""
    state: Mapping[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        """What it is, without its numbers."""
        values = sum(tensor.numel() for tensor in self.tensors.values())
        return f"Trained({type(self.architecture).__name__}, {len(self.tensors)} tensors of {values:,} values)"

    @classmethod
    def of(cls, model: nn.Module, inputs: Inputs = None) -> "Trained":
        """A network that was trained elsewhere; with inputs it can be pruned.

        Args:
            model: any torch module; stays as it is.
            inputs: examples of what it is given, at least one: a tensor, a tuple of tensors or a mapping from argument
                to tensor.

        Raises:
            TypeError: TorchScript, or no module.
            ValueError: a Keras model, one without values, or something learned that is neither parameter nor buffer,
                by name.

        >>> network = Trained.of(nn.Linear(2, 1))
        >>> network
        Trained(Given, 2 tensors of 3 values)
        >>> network.model()
        Linear(in_features=2, out_features=1, bias=True)
        """
        if is_keras(model):
            raise ValueError(
                f"{type(model).__name__} is a Keras model, of which no channels can be taken out: give a narrower "
                "Keras model, or the same network as a torch module; deliver(...) takes it whole"
            )
        if not isinstance(model, nn.Module) or any(isinstance(m, torch.jit.ScriptModule) for m in model.modules()):
            raise TypeError(
                f"only torch modules without TorchScript lose channels, got {type(model).__qualname__}: "
                "give the module that it was made of"
            )
        architecture = Given.of(model, inputs)
        unloaded = next((name for name, each in model.state_dict().items() if _is_meta(each)), None)
        if unloaded is not None:
            raise ValueError(f"{unloaded} is on the meta device and has no values: load the model before it is pruned")
        return cls(_tensors(model), architecture, layout_of(model).description)

    def holding(self, model: nn.Module) -> "Trained":
        """The same network with the values of a model, after somebody has trained it further.

        Args:
            model: of this architecture and description: what `model` returned, say.

        Raises:
            RuntimeError: a model with other tensors.
        """
        tensors = _tensors(model)
        load_tensors(self.model(), tensors)
        return replace(self, tensors=tensors, state={})

    def model(self) -> nn.Module:
        """The network, whole or pruned, elastic, sparse or quantised, in evaluation mode."""
        model = self.architecture.receive(self.description)
        assert isinstance(model, nn.Module)
        return load_tensors(model, self.tensors).eval()


def _is_meta(value: object) -> bool:
    return isinstance(value, Tensor) and value.is_meta


def _tensors(model: nn.Module) -> dict[str, Tensor]:
    """A state dict in memory of its own."""
    return {name: tensor.detach().clone() for name, tensor in model.state_dict().items()}
