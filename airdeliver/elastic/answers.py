"""What a builder of elastic networks answers, looked at once where it is asked: one of a user's own need not check."""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

from torch import Size

from airdeliver.asked import PieceError, asked
from airdeliver.elastic.base import Elastic, ElasticBuilder
from airdeliver.elastic.samplers import Sampler


def built(builder: ElasticBuilder, found: object, delivered: int) -> Elastic:
    """An elastic network whose members go from the smallest to the largest.

    Samplers, teaching, layers and whoever sends "the largest" go by that order.

    Args:
        builder: that made it.
        found: what it made.
        delivered: how many members should be sent: one for each condition.

    Raises:
        ValueError: no elastic network, another number of members, or a member that lies within one before it; one line
            says which builder.
    """
    name = type(builder).__name__
    if not isinstance(found, Elastic):
        raise PieceError(f"{name} must make an Elastic, got {type(found).__name__}")
    with asked(found, "members"):
        members, sent = found.members, list(found.delivered)
    if len(sent) != delivered or sent != sorted(set(sent)) or not 0 <= sent[0] <= sent[-1] < len(members):
        raise PieceError(
            f"{name} must deliver {delivered} of {len(members)} members, one for each condition, by rising indices, "
            f"got {sent}"
        )
    shapes = [{own: p.shape for own, p in member.model.named_parameters()} for member in members]
    for before, after in combinations(range(len(shapes)), 2):
        if shapes[before] != shapes[after] and _within(shapes[after], shapes[before]):
            sizes = [sum(shape.numel() for shape in shapes[index].values()) for index in (before, after)]
            raise PieceError(
                f"{name} has members out of order: member {after} of {sizes[1]:,} values lies within member {before} "
                f"of {sizes[0]:,}; give them from the smallest to the largest"
            )
    return found


def drawn(sampler: Sampler, found: Any, members: int) -> list[int]:
    """The members of a step, the widest last.

    Args:
        sampler: that drew them.
        found: what it drew.
        members: that there are.

    Raises:
        ValueError: no rising indices of members; one line says which sampler.
    """
    try:
        indices = [int(index) for index in found]
    except (TypeError, ValueError):
        indices = []
    if not indices or indices != sorted(set(indices)) or not 0 <= indices[0] <= indices[-1] < members:
        raise PieceError(
            f"draw of {type(sampler).__name__} must give rising indices from 0 to {members - 1}, at least one, got "
            f"{found!r:.60}"
        )
    return indices


def _within(one: Mapping[str, Size], other: Mapping[str, Size]) -> bool:
    """Whether each tensor of a network is in another one, and nowhere longer."""
    return all(
        name in other and len(shape) == len(other[name]) and all(a <= b for a, b in zip(shape, other[name]))
        for name, shape in one.items()
    )
