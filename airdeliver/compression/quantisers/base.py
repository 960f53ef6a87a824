"""The contract of a quantiser: values to levels and back, the same in training as in sending."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.payload import Layout


@dataclass(frozen=True, eq=False)
class State:
    """What a quantiser knows of one network.

    Args:
        tensors: learned scales, say; leaf tensors by name.
        settings: whatever else, as JSON holds it.
    """

    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        return {"tensors": {name: t.detach().tolist() for name, t in self.tensors.items()}, **self.settings}


class Quantiser(ABC):
    """Values to levels and back; a frozen dataclass, part of what identifies a training."""

    @abstractmethod
    def init(self, values: Float[Tensor, "n"], layout: Layout) -> State:
        """What suits these values to begin with."""

    @abstractmethod
    def quantise(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Float[Tensor, "n"]:
        """The values as a receiver reconstructs them; differentiable by the values and by the state's tensors."""

    def refresh(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> State:
        """The state for new values of the same layout, before each step of a training; unchanged by default."""
        return state

    def rate(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Float[Tensor, ""]:
        """Bits a value that these values cost, differentiable; 0 where they always cost the same."""
        return values.new_zeros(())

    def restore(self, plain: Mapping[str, Any], layout: Layout) -> State:
        """The inverse of `State.to_plain`."""
        tensors = {name: torch.tensor(value) for name, value in plain["tensors"].items()}
        return State(tensors, {name: value for name, value in plain.items() if name != "tensors"})
