"""A network that somebody hands in: its code is the recipe."""

import copy
from dataclasses import dataclass

from torch import nn

from airdeliver.architecture.base import Architecture, check_empty
from airdeliver.payload import Layout, Model, architecture_of, layout_of


@dataclass(frozen=True, eq=False)
class Given(Architecture):
    """The architecture of any torch module or Keras model, known to the receiver without its values.

    Args:
        blank: the model, every learned value of which is NaN.
    """

    blank: Model

    @classmethod
    def of(cls, model: Model) -> "Given":
        """The architecture of a model, without its values; the model stays as it is."""
        return cls(architecture_of(model))

    def receive(self, description: bytes) -> Model:
        """A copy of the blank model; its description must be empty."""
        check_empty(description, self)
        return copy.deepcopy(self.blank) if isinstance(self.blank, nn.Module) else architecture_of(self.blank)

    def layout(self, description: bytes, statistics: bool | None) -> Layout:
        """Its segments; the description must be empty."""
        check_empty(description, self)
        return layout_of(self.blank, statistics)
