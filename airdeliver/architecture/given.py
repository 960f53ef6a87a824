"""A network that somebody hands in: its code is the recipe."""

from dataclasses import dataclass, replace

from airdeliver.architecture.base import Architecture
from airdeliver.payload import Layout, Model, architecture_of, layout_of


@dataclass(frozen=True, eq=False)
class Given(Architecture):
    """The architecture of any torch module or Keras model, known to the receiver without its values.

    Its description is that of its layout: the masks of a network that `torch.nn.utils.prune` has pruned, for most
    nothing.

    Args:
        blank: the model, every learned value of which is NaN.
    """

    blank: Model

    @classmethod
    def of(cls, model: Model) -> "Given":
        """The architecture of a model, without its values; the model stays as it is.

        Raises:
            ValueError: something learned that a copy would hold and a payload would not, by name.
        """
        return cls(architecture_of(model))

    def receive(self, description: bytes) -> Model:
        """A copy of the blank model.

        Raises:
            ValueError: the description of another model.
        """
        self.layout(description, None)
        return architecture_of(self.blank)

    def layout(self, description: bytes, statistics: bool | None) -> Layout:
        """Its segments.

        Raises:
            ValueError: the description of another model.
        """
        layout = layout_of(self.blank, statistics)
        if description != layout.description:
            raise ValueError(
                f"the description of {type(self.blank).__name__} is {len(layout.description)} bytes, got "
                f"{len(description)} others: was it made for another model?"
            )
        return replace(layout, description=description)
