"""The contract of a quantiser: values to levels and back, the same in training as in sending."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.compression.codec.levels import Levels
from airdeliver.payload import Layout, Payload


@dataclass(frozen=True, eq=False)
class State:
    """What a quantiser knows of one network.

    Args:
        tensors: learned scales, say; leaf tensors by name, which the optimiser of a training holds.
        settings: whatever else, as JSON holds it.
    """

    tensors: Mapping[str, Tensor] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """All of it as JSON holds it."""
        return {"tensors": {name: t.detach().tolist() for name, t in self.tensors.items()}, **self.settings}


class Quantiser(ABC):
    """Values to levels and back; a frozen dataclass, part of what identifies a training.

    Attributes:
        adapts: whether `fit` meets a size, by coarser or finer levels; otherwise a network has the size that it has.
    """

    adapts: ClassVar[bool] = False

    @abstractmethod
    def init(self, values: Float[Tensor, "n"], layout: Layout) -> State:
        """What suits these values to begin with."""

    @abstractmethod
    def quantise(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Float[Tensor, "n"]:
        """The values as a receiver reconstructs them; differentiable by the values and by the state's tensors."""

    @abstractmethod
    def levels(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Levels:
        """What a codec carries; its `values()` are those of `quantise`."""

    def refresh(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> State:
        """The state for new values of the same layout, before each step of a training; unchanged by default.

        Its tensors stay the same objects: the optimiser of the training holds them.
        """
        return state

    def rate(self, values: Float[Tensor, "n"], layout: Layout, state: State) -> Float[Tensor, ""]:
        """Bits a value that these values cost, differentiable; 0 where they always cost the same."""
        return values.new_zeros(())

    def restore(self, plain: Mapping[str, Any], layout: Layout) -> State:
        """The inverse of `State.to_plain`."""
        tensors = {name: torch.tensor(value) for name, value in plain["tensors"].items()}
        return State(tensors, {name: value for name, value in plain.items() if name != "tensors"})

    def fit(
        self,
        payload: Payload,
        state: State | None,
        size: Callable[[Levels], float],
        most: float = 1.0,
        near: Levels | None = None,
    ) -> Levels:
        """The finest levels of a payload that are not too large, or the coarsest if all are.

        A quantiser that does not adapt has one answer, whatever its size.

        Args:
            payload: values, and their sensitivity if it is known.
            state: that the network was trained with; None for one that suits the values.
            size: of levels, in whatever unit.
            most: that it may be.
            near: an earlier answer for nearly the same size, if there is one; that of a large payload without its
                levels, of which `size` knows what they took.
        """
        state = self.init(payload.values, payload.layout) if state is None else state
        return self.levels(payload.values, payload.layout, state)
