"""A network that somebody hands in: its code is the recipe."""

from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from airdeliver.architecture.base import Architecture
from airdeliver.architecture.channel_groups import ChannelGroups
from airdeliver.architecture.dependency import channel_groups
from airdeliver.architecture.hollow import filled, hollowed
from airdeliver.payload import Layout, Model, Segment, architecture_of, layout_of, write
from airdeliver.payload.inputs import Inputs, count, taken
from airdeliver.randomness import stream


@dataclass(frozen=True, eq=False)
class Given(Architecture):
    """The architecture of any torch module or Keras model, known to the receiver without its values.

    Its description is that of its layout: the masks of a network that `torch.nn.utils.prune` has pruned, for most
    nothing. A torch module that comes with inputs can be pruned (`Pruned(Given.of(model, inputs))`).

    Args:
        blank: the model, every learned value of which is NaN.
        inputs: examples of what it is given, at least one: a tensor, a tuple of tensors or a mapping from argument to
            tensor; None for a model that is only sent.
    """

    blank: Model
    inputs: Inputs = field(default=None, repr=False)

    @classmethod
    def of(cls, model: Model, inputs: Inputs = None) -> "Given":
        """The architecture of a model, without its values; the model stays as it is.

        Raises:
            ValueError: something learned that a copy would hold and a payload would not, by name.
        """
        given = cls(architecture_of(model), inputs)
        if isinstance(given.blank, nn.Module):
            # What it looks like is noted before its values give their memory back.
            for statistics in (None, True, False):
                given._layout(statistics)
            given._strides.update(hollowed(given.blank))
        return given

    def receive(self, description: bytes) -> Model:
        """A copy of the blank model.

        Raises:
            ValueError: the description of another model.
        """
        self.layout(description, None)
        return self._copy()

    def layout(self, description: bytes, statistics: bool | None) -> Layout:
        """Its segments.

        Raises:
            ValueError: the description of another model.
        """
        layout = self._layout(statistics)
        if description != layout.description:
            raise ValueError(
                f"the description of {type(self.blank).__name__} is {len(layout.description)} bytes, got "
                f"{len(description)} others: was it made for another model?"
            )
        return replace(layout, description=description)

    def example(self, n: int = 1) -> Inputs:
        """The first `n` of the inputs; all of them where tensors have unlike lengths, as nodes and edges of a graph.

        Raises:
            ValueError: a model that was handed in without inputs.
        """
        if self.inputs is None:
            raise ValueError("the network was handed in without inputs: give examples of what it takes")
        try:
            count(self.inputs)
        except ValueError:
            return self.inputs
        return taken(self.inputs, slice(0, n))

    def fresh(self) -> nn.Module:
        """A network with values drawn from a generator of seed 0, such that signals neither die nor grow.

        Raises:
            ValueError: a Keras model, or one that masks have pruned.
        """
        model = self._copy()
        layout = self._layout(True)
        if not isinstance(model, nn.Module):
            raise ValueError(f"{type(model).__name__} is a Keras model: only torch modules lose channels")
        if layout.description:
            raise ValueError(
                "the network holds pruning masks: call torch.nn.utils.prune.remove on its layers before channels go"
            )
        generator = stream(0, "initialisation")
        write(model, layout, torch.cat([_drawn(segment, generator) for segment in layout.segments] or [torch.zeros(0)]))
        return model.eval()

    @cached_property
    def groups(self) -> ChannelGroups:
        """Its channel groups, found once."""
        return channel_groups(self.fresh(), self.example())

    def _copy(self) -> Model:
        model = architecture_of(self.blank)
        return filled(model, self._strides) if isinstance(model, nn.Module) else model

    @cached_property
    def _strides(self) -> dict[str, tuple[int, ...]]:
        """Of the parameters of a large model, which hold no memory."""
        return {}

    @cached_property
    def _layouts(self) -> dict[bool | None, Layout]:
        return {}

    def _layout(self, statistics: bool | None) -> Layout:
        if statistics not in self._layouts:
            self._layouts[statistics] = layout_of(self.blank, statistics)
        return self._layouts[statistics]


def _drawn(segment: Segment, generator: Generator) -> Float[Tensor, "n"]:
    """He's normal for matrices and kernels, around 1 for what scales, around 0 for what shifts and for logarithms."""
    noise = torch.randn(segment.size, generator=generator)
    if len(segment.shape) > 1 and segment.size:
        return noise * (2 * segment.shape[0] / segment.size) ** 0.5
    scales = segment.name.endswith("weight") and segment.transform == "identity"
    return 0.2 * noise + scales
