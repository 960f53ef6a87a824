"""Channel groups: which channels of a network go together when it is pruned, and what becomes of its tensors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from jaxtyping import Bool, Int64
from torch import Tensor, nn

from airdeliver.payload import Layout


@dataclass(frozen=True, eq=False)
class Shrinking:
    """One dimension of one tensor that gets shorter with every unit of a group that goes.

    Args:
        name: of the tensor, in the model's state dict.
        dim: which of its dimensions.
        size: of that dimension.
        positions: along that dimension, of each unit of the group.
    """

    name: str
    dim: int
    size: int
    positions: Int64[Tensor, "units k"]


@dataclass(frozen=True, eq=False)
class Operation:
    """How torch-pruning takes channels out of one module.

    Args:
        path: of the module, or of a bare parameter, in the model.
        prune: takes the module and sorted channel indices; returns the module, or a new parameter.
        dim: of a bare parameter that is pruned; -1 for a module.
        indices: channels of the module, of each unit of the group.
    """

    path: str
    prune: Callable[[Any, list[int]], Any]
    dim: int
    indices: Int64[Tensor, "units k"]


@dataclass(frozen=True, eq=False)
class ChannelGroup:
    """Channels that go together, in all layers that a residual connection or a grouped layer couples.

    Args:
        name: of the first layer whose outputs they are.
        units: how many can be removed, one by one, until one is left; a unit is one channel, or one of each channel
            group where layers are grouped.
        shrinking: what gets shorter with them.
        operations: how they are removed.
    """

    name: str
    units: int
    shrinking: tuple[Shrinking, ...]
    operations: tuple[Operation, ...]


@dataclass(frozen=True, eq=False)
class ChannelGroups:
    """All channel groups of one architecture, in the order of its layers.

    Args:
        groups: what can be removed.
        fixed: layers whose channels cannot, by name, and why.
    """

    groups: tuple[ChannelGroup, ...]
    fixed: tuple[tuple[str, str], ...] = ()

    @property
    def why_fixed(self) -> str:
        """Why layers stay whole, in one line; the same reason once, with the first layer that it holds for.

        >>> ChannelGroups((), (("a", "tied"), ("b", "tied"), ("c", "an output"))).why_fixed
        'a and 1 more: tied; c: an output'
        """
        layers: dict[str, list[str]] = {}
        for name, reason in self.fixed:
            layers.setdefault(reason, []).append(name)
        told = []
        for reason, names in layers.items():
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            told.append(f"{names[0]}{more}: {reason}")
        return "; ".join(told)

    @property
    def units(self) -> tuple[int, ...]:
        """Units of each group in the unpruned network."""
        return tuple(group.units for group in self.groups)

    def layout(self, layout: Layout, counts: Sequence[int], description: bytes = b"") -> Layout:
        """The layout of the network of which so many units are kept: computed, nothing is pruned for it.

        Args:
            layout: of the unpruned network.
            counts: units kept of each group.
            description: of the pruned architecture.
        """
        shapes = {segment.name: list(segment.shape) for segment in layout.segments}
        for group, count in zip(self.groups, counts, strict=True):
            for shrinking in group.shrinking:
                if shrinking.name in shapes:
                    shapes[shrinking.name][shrinking.dim] -= (group.units - count) * shrinking.positions.shape[1]
        segments = tuple(replace(segment, shape=tuple(shapes[segment.name])) for segment in layout.segments)
        return Layout(segments, description)

    def prune(self, model: nn.Module, kept: Sequence[Sequence[int]]) -> nn.Module:
        """Physically remove, in place, all units but those that are kept.

        Args:
            model: unpruned, of this architecture.
            kept: sorted units of each group.

        Returns:
            The model.
        """
        removed: dict[tuple[str, Any], tuple[Operation, set[int]]] = {}
        for group, units in zip(self.groups, kept, strict=True):
            gone = sorted(set(range(group.units)) - set(units))
            for operation in group.operations:
                _, indices = removed.setdefault((operation.path, operation.prune), (operation, set()))
                indices.update(operation.indices[gone].flatten().tolist())
        modules: dict[str, Any] = {**dict(model.named_modules()), **dict(model.named_parameters())}
        # A dimension that several groups share (concatenation) is cut once: indices are those of the unpruned network.
        for operation, indices in removed.values():
            if indices:
                _apply(model, modules[operation.path], operation, sorted(indices))
        return model

    def select(self, tensors: Mapping[str, Tensor], kept: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        """What pruning leaves of a network's tensors, by their names in its state dict."""
        left = dict(tensors)
        for (name, dim), stays in self.staying(kept).items():
            left[name] = left[name].index_select(dim, torch.nonzero(stays).flatten().to(left[name].device))
        return left

    def permuted(self, tensors: Mapping[str, Tensor], orders: Sequence[Sequence[int]]) -> dict[str, Tensor]:
        """A network's tensors with the units of each group in another order: it computes the same.

        Args:
            tensors: by their names in the state dict.
            orders: of each group, its units in their new order.
        """
        moved = dict(tensors)
        for group, units in zip(self.groups, orders, strict=True):
            for s in group.shrinking:
                places = torch.arange(s.size)
                places[s.positions.flatten()] = s.positions[list(units)].flatten()
                moved[s.name] = moved[s.name].index_select(s.dim, places.to(moved[s.name].device))
        return moved

    def narrowed(self, kept: Sequence[Sequence[int]]) -> "ChannelGroups":
        """The groups of the pruned network: what is left of each, positions counted anew, without operations."""
        staying = self.staying(kept)
        groups = []
        for group, units in zip(self.groups, kept, strict=True):
            shrinking = []
            for s in group.shrinking:
                stays = staying[s.name, s.dim]
                positions = (stays.cumsum(0) - 1)[s.positions[list(units)]]
                shrinking.append(replace(s, size=int(stays.sum()), positions=positions))
            groups.append(replace(group, units=len(units), shrinking=tuple(shrinking), operations=()))
        return ChannelGroups(tuple(groups), self.fixed)

    def staying(self, kept: Sequence[Sequence[int]]) -> dict[tuple[str, int], Bool[Tensor, "size"]]:
        """Which positions of every dimension that shrinks stay, by the tensor's name and the dimension.

        Args:
            kept: sorted units of each group.
        """
        staying: dict[tuple[str, int], Tensor] = {}
        for group, units in zip(self.groups, kept, strict=True):
            gone = sorted(set(range(group.units)) - set(units))
            for s in group.shrinking:
                stays = staying.setdefault((s.name, s.dim), torch.ones(s.size, dtype=torch.bool))
                stays[s.positions[gone].flatten()] = False
        return staying


def _apply(model: nn.Module, module: Any, operation: Operation, indices: list[int]) -> None:
    if operation.dim >= 0:
        operation.prune.__self__.pruning_dim = operation.dim  # pyright: ignore[reportFunctionMemberAccess]
    pruned = operation.prune(module, indices)
    if isinstance(module, nn.Parameter):
        parent, _, last = operation.path.rpartition(".")
        setattr(model.get_submodule(parent), last, pruned)
