"""Layers: the values of nested members in the order of the smallest member that needs them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn

from airdeliver.architecture import Architecture, Shaped
from airdeliver.elastic.architecture import ElasticArchitecture
from airdeliver.elastic.base import Elastic
from airdeliver.payload import Layout, Segment, layout_of

MARK = "/"
"""Between the number of a layer and the name of a segment in it."""


@dataclass(frozen=True, eq=False)
class Layers:
    """How the values of an elastic network are sent so that leading layers are a smaller network.

    Layer k holds the values that member k needs and no smaller one does, member 0 being the smallest that is delivered.
    A value that is a member's own rides in that member's layer; one that no delivered member needs is not sent. Within
    a layer, each matrix or kernel is a segment; vectors of one kind (scales, biases) are a segment together, since
    every segment costs side information in every layer.

    Args:
        order: places in the elastic network's own values, in the order in which they are sent.
        layout: of what is sent; the name of a segment begins with the number of its layer.
        members: places in what is sent of the values of each delivered member, in the member's own order.
        architecture: of the members.
        shapes: of the delivered members: what cuts each out of that architecture.
    """

    order: Int64[Tensor, "sent"]
    layout: Layout
    members: tuple[Int64[Tensor, "_"], ...]
    architecture: Shaped
    shapes: tuple[tuple[int, ...], ...]

    def member_layout(self, member: int) -> Layout:
        """The segments of a delivered member, with its description."""
        return self.architecture.layout_of_counts(self.shapes[member], statistics=False)

    def of_member(self, values: Float[Tensor, "*batch sent"], member: int) -> Float[Tensor, "*batch _"]:
        """The values of a delivered member, in its own layout, out of what arrived of the leading layers.

        Args:
            values: as they are sent; those of later layers may be anything.
            member: by its number from 0, the smallest.
        """
        return values[..., self.members[member].to(values.device)]


def layers_of(architecture: ElasticArchitecture, description: bytes) -> Layers:
    """The layers of an elastic network, worked out by sender and receiver alike from what is published and described.

    Args:
        architecture: of the elastic network.
        description: of its members.

    Raises:
        ValueError: a member that would have a layer of nothing.
    """
    return _layers(architecture, description)


@lru_cache(maxsize=16)
def _layers(architecture: ElasticArchitecture, description: bytes) -> Layers:
    elastic = architecture.receive(description)
    layout = layout_of(elastic, statistics=False)
    elastic.double()  # whole numbers up to 2^53 are exact
    tensors = dict(elastic.named_parameters())
    segments = [segment for segment in layout.segments if segment.name in tensors]
    _number(tensors, segments)
    places = [_places(elastic, index) for index in elastic.delivered]
    size, last = sum(segment.size for segment in segments), len(places)
    # Members are views of the shared parameters: what is numbered in these is read in those.
    smallest = torch.full((size,), last)
    for member in reversed(range(last)):
        smallest[places[member]] = member
    kinds = list(dict.fromkeys(_kind(segment) for segment in segments))
    kind = torch.cat([torch.full((s.size,), kinds.index(_kind(s))) for s in segments])
    order = torch.argsort(smallest * len(kinds) + kind, stable=True)[: int((smallest < last).sum())]
    for member in range(1, last):
        if not bool((smallest == member).any()):
            raise ValueError(
                f"member {member} needs nothing that no smaller one has: in layers each member adds values to those "
                "before; give members from the smallest to the largest, each once"
            )
    where = torch.full((size,), -1)
    where[order] = torch.arange(len(order))
    members = tuple(where[place] for place in places)
    shapes = tuple(elastic.members[index].shape for index in elastic.delivered)
    sent = Layout(tuple(_segments(smallest[order], kind[order], kinds)), description)
    return Layers(order, sent, members, elastic.members[elastic.delivered[-1]].architecture, shapes)


def _kind(segment: Segment) -> str:
    """What is one segment of a layer: a tensor, or all vectors that are called alike."""
    return segment.name if len(segment.shape) > 1 else f"all {segment.name.replace('/', '.').rsplit('.', 1)[-1]}"


def _segments(layer: Int64[Tensor, "sent"], kind: Int64[Tensor, "sent"], kinds: Sequence[str]) -> list[Segment]:
    """The segments of all layers, in order, and how long each is."""
    pairs, counts = torch.unique_consecutive(torch.stack([layer, kind]), dim=1, return_counts=True)
    named = [f"{number}{MARK}{kinds[which]}" for number, which in pairs.T.tolist()]
    return [Segment(name, (count,)) for name, count in zip(named, counts.tolist(), strict=True)]


@torch.no_grad()
def _number(tensors: Mapping[str, Tensor], segments: Sequence[Segment]) -> None:
    """Write into each value its place."""
    start = 0
    for segment in segments:
        numbers = torch.arange(start, start + segment.size, dtype=torch.float64)
        tensors[segment.name].copy_(numbers.view(segment.shape))
        start += segment.size


def _places(elastic: Elastic, index: int) -> Int64[Tensor, "_"]:
    """The numbers that a member has, in the order of its own layout."""
    member = elastic.members[index]
    named = dict(member.model.named_parameters())
    layout = member.architecture.layout_of_counts(member.shape, statistics=False)
    missing = [name for name in layout.names if name not in named]
    if missing:
        raise ValueError(f"{missing[0]} is no parameter: members that are sent in layers have parameters alone")
    return torch.cat([named[name].detach().reshape(-1) for name in layout.names]).long()


def elastic_values(elastic: Elastic) -> Float[Tensor, "n"]:
    """All parameters of an elastic network, shared and own, in the order that `Layers.order` counts in."""
    tensors = dict(elastic.named_parameters())
    names = [segment.name for segment in layout_of(elastic, statistics=False).segments if segment.name in tensors]
    return torch.cat([tensors[name].detach().reshape(-1) for name in names]).float()


@dataclass(frozen=True)
class LayeredArchitecture(Architecture):
    """What is sent in layers: its layout is that of all layers, and the network of all of them is the elastic one.

    What a receiver builds is the member that its layers make, see `Layers.of_member`.

    Args:
        elastic: architecture of the elastic network.
    """

    elastic: ElasticArchitecture

    def receive(self, description: bytes) -> nn.Module:
        """The elastic network, every value NaN."""
        return self.elastic.receive(description)

    def layout(self, description: bytes, statistics: bool | None) -> Layout:
        """The segments of all layers.

        Raises:
            ValueError: statistics that are sent.
        """
        if statistics:
            raise ValueError("layers hold no batch-norm statistics: let the receiver estimate them (kind: receiver)")
        return layers_of(self.elastic, description).layout
