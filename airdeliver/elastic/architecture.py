"""The architecture of an elastic network: the shapes of its members say all."""

from collections.abc import Sequence
from dataclasses import dataclass

from airdeliver.architecture import Architecture, Pruned
from airdeliver.architecture.base import check_empty
from airdeliver.asked import asked
from airdeliver.elastic.answers import built
from airdeliver.elastic.base import Elastic, ElasticBuilder
from airdeliver.links.condition import Condition
from airdeliver.payload import Layout, layout_of
from airdeliver.payload.flattened import blank


@dataclass(frozen=True)
class ElasticArchitecture(Architecture):
    """An elastic network of given conditions; its description is those of its members, the smallest first.

    It is empty where the recipe of the kind says the shapes.

    Args:
        builder: the kind of elastic network.
        unpruned: that members are cut out of.
        conditions: that members are made for; None for one that is made for no link.
    """

    builder: ElasticBuilder
    unpruned: Pruned
    conditions: tuple[Condition | None, ...]

    def describe(self, shapes: Sequence[Sequence[int]]) -> bytes:
        """The description of members of these shapes."""
        if self.builder.shapes(self.unpruned) is not None:
            return b""
        return b"".join(self.unpruned.describe(shape) for shape in shapes)

    def shapes(self, description: bytes) -> list[tuple[int, ...]]:
        """The inverse of `describe`.

        Raises:
            ValueError: bytes that describe no such members.
        """
        published = self.builder.shapes(self.unpruned)
        if published is not None:
            check_empty(description, self)
            return published
        length = self.unpruned.description_length
        if len(description) != length * len(self.conditions):
            raise ValueError(
                f"malformed description of {len(self.conditions)} members: expected {length} bytes for each, got "
                f"{len(description)} in all"
            )
        starts = range(0, len(description), length) if length else [0] * len(self.conditions)
        return [self.unpruned.counts(description[start : start + length]) for start in starts]

    def receive(self, description: bytes) -> Elastic:
        """All members, every learned value NaN."""
        with asked(self.builder, "empty"):
            made = self.builder.empty(self.shapes(description), self.conditions, self.unpruned)
        elastic = built(self.builder, made, len(self.conditions))
        # In place: members are views of the shared parameters, which a copy would part.
        blank(elastic)
        return elastic

    def layout(self, description: bytes, statistics: bool | None) -> Layout:
        """The segments of all members together, the shared ones once."""
        layout = layout_of(self.receive(description), statistics)
        return Layout(layout.segments, description)
