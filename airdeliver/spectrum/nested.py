"""Nested members: channels in the order of their importance, of which every member is a prefix."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, pairwise

import torch
from torch import Tensor, nn

from airdeliver.compression.architecture import PrunableArchitecture
from airdeliver.compression.channel_groups import ChannelGroups
from airdeliver.compression.importance import Importance, Magnitude
from airdeliver.compression.kept_channels import KeptChannels, encode_counts
from airdeliver.compression.pruning import Pruning, removal_order
from airdeliver.spectrum.base import Member, Spectrum, SpectrumBuilder
from airdeliver.task import Task
from airdeliver.training.through import Through

Counts = tuple[int, ...]
"""Units of each channel group."""

OWN = 0.08
"""What members have of their own, relative to the parameters of the largest."""


class Nested(Spectrum):
    """Members that are prefixes of the largest one's channels, group by group.

    A large parameter of a smaller member is a slice of the largest one's, in the same memory. Batch-norm statistics are
    each member's own, and so are the small parameters (scales, biases, the first convolutions): they weigh little, and
    members of unlike noise and width want them unlike.

    Args:
        largest: network of the largest member, on its device and in its memory format.
        counts: units of each channel group of each member, the smallest member first.
        conditions: of the members.
        architecture: unpruned.
        own: what the smaller members may have of their own, all together, relative to the parameters of the largest;
            the smallest tensors come first.

    Raises:
        ValueError: a member that is not within the next larger one, or channels that are no prefix.

    Source: M. B. Mashhadi et al., AirNet, arXiv 2105.11166, section III-D (ensembles); J. Yu and T. Huang, Universally
    Slimmable Networks, arXiv 1903.05134 (statistics of each width its own); J. Yu et al., Slimmable Neural Networks,
    arXiv 1812.08928 (scales and shifts too).
    """

    def __init__(
        self,
        largest: nn.Module,
        counts: Sequence[Counts],
        conditions: Sequence[Through],
        architecture: PrunableArchitecture,
        own: float = OWN,
    ) -> None:
        check_nested(counts)
        check_prefixes(architecture.groups)
        models = [architecture.pruned(KeptChannels.first(own)) for own in counts[:-1]] + [largest]
        super().__init__(
            [
                Member(model, condition, partial(architecture.receive, description), description, own)
                for model, own, condition in zip(models, counts, conditions, strict=True)
                for description in [encode_counts(own, architecture.groups.units)]
            ]
        )
        self.shared = largest
        names = _small(models, own)
        self.own = nn.ModuleList(_share(model, largest, names) for model in models[:-1])

    def own_names(self, index: int) -> set[str]:
        """Names of the parameters that a member shares with no other; those of the largest are the shared ones.

        Args:
            index: of the member.
        """
        if index == len(self.members) - 1:
            return set()
        return {name.replace("/", ".") for name, _ in self.own[index].named_parameters()}

    def parameters_of(self, index: int) -> dict[str, Tensor]:  # noqa: D102
        shared: dict[str, Tensor] = dict(self.shared.named_parameters())
        own = self.own_names(index)
        return {
            name: parameter if name in own else prefix(shared[name], parameter.shape)
            for name, parameter in self.members[index].model.named_parameters()
        }


@dataclass(frozen=True)
class NestedBuilder(SpectrumBuilder):
    """Ranks channels once, and prunes each member, within the next larger one, to the exact budget at its expansion.

    Args:
        importance: of channels.
        core: share of each layer's channels that is touched only when nothing else is left: see `Pruning`.
        own: what members may have of their own, relative to the parameters of the largest: see `Nested`.
    """

    importance: Importance = field(default_factory=Magnitude)
    core: float = 0.1
    own: float = OWN

    def build(  # noqa: D102
        self,
        model: nn.Module,
        conditions: Sequence[Through],
        architecture: PrunableArchitecture,
        task: Task,
        seed: int,
        statistics: bool,
    ) -> Nested:
        groups = architecture.groups
        check_prefixes(groups)
        order = removal_order(self.importance.scores(model, groups, task, seed), self.core)
        ranked, scores = ranking(order, groups.units)
        ordered = architecture.unpruned().to(next(model.parameters()).device)
        ordered.load_state_dict(permuted(model.state_dict(), groups, ranked))
        members: list[tuple[nn.Module, Counts]] = []
        network, kept = ordered, KeptChannels.all(groups)
        for condition in reversed(conditions):
            if condition.symbols is None:
                raise ValueError("a nested member is pruned to a budget: give its condition symbols")
            pruning = Pruning(condition.symbols, condition.link, Ranked(scores), statistics, core=0.0)
            network, kept = pruning.prune(network, kept, architecture, task, seed)
            members.append((network, kept.counts))
        largest = members[0][0].to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        return Nested(largest, [counts for _, counts in reversed(members)], conditions, architecture, self.own)

    def empty(  # noqa: D102
        self, shapes: Sequence[Sequence[int]], conditions: Sequence[Through], architecture: PrunableArchitecture
    ) -> Nested:
        counts = [tuple(shape) for shape in shapes]
        largest = architecture.pruned(KeptChannels.first(counts[-1]))
        return Nested(largest, counts, conditions, architecture, self.own)


@dataclass(frozen=True, eq=False)
class Ranked(Importance):
    """An importance that is known: of the first units of each group, which are its most important.

    Args:
        known: score of every unit of each group.
    """

    known: Sequence[Tensor]
    relative = False

    def saliency(self, model: nn.Module, task: Task, seed: int) -> dict[str, Tensor]:
        """None: `scores` knows."""
        return {}

    def scores(self, model: nn.Module, groups: ChannelGroups, task: Task, seed: int) -> list[Tensor]:  # noqa: D102
        return [known[:units] for known, units in zip(self.known, groups.units, strict=True)]


def ranking(order: Sequence[tuple[int, int]], units: Counts) -> tuple[list[list[int]], list[Tensor]]:
    """From one order of removal over all groups to the rank of units within each.

    Args:
        order: group and unit, first to go first; one unit of each group is not among them.
        units: of each group.

    Returns:
        The units of each group, most important first, and their scores in that order: the later to go, the higher.

    >>> ranking([(0, 1), (1, 0), (1, 2)], (2, 3))[0]
    [[0, 1], [1, 2, 0]]
    """
    place = dict(zip(order, range(len(order))))
    ranked, scores = [], []
    for group, count in enumerate(units):
        placed = {unit: place.get((group, unit), len(order)) for unit in range(count)}
        ranked.append(sorted(placed, key=lambda unit: -placed[unit]))
        scores.append(torch.tensor([float(placed[unit]) for unit in ranked[-1]]))
    return ranked, scores


def permuted(
    tensors: Mapping[str, Tensor], groups: ChannelGroups, ranked: Sequence[Sequence[int]]
) -> dict[str, Tensor]:
    """A network's tensors with the units of each group in another order: it computes the same."""
    left = dict(tensors)
    for group, units in zip(groups.groups, ranked, strict=True):
        for s in group.shrinking:
            positions = s.positions[list(units)].flatten().to(left[s.name].device)
            left[s.name] = left[s.name].index_select(s.dim, positions)
    return left


def prefix(tensor: Tensor, shape: Sequence[int]) -> Tensor:
    """The first part of a tensor along every dimension, as a view."""
    return tensor[tuple(slice(0, length) for length in shape)]


def check_nested(counts: Sequence[Counts]) -> None:
    """Refuse members that are not each within the next larger one.

    Raises:
        ValueError: naming the members.
    """
    for i, (smaller, larger) in enumerate(pairwise(counts)):
        if len(smaller) != len(larger) or any(a > b for a, b in zip(smaller, larger)):
            raise ValueError(
                f"member {i} must be within member {i + 1}, got {list(smaller)} and {list(larger)} channels"
            )


def check_prefixes(groups: ChannelGroups) -> None:
    """Refuse an architecture whose channels cannot be cut as a prefix: concatenated or grouped ones.

    Raises:
        ValueError: naming the layer.
    """
    for group in groups.groups:
        for s in group.shrinking:
            if s.positions.flatten().tolist() != list(range(s.size)):
                raise ValueError(
                    f"channels of {group.name} are not a prefix of {s.name} (concatenated or grouped layers): "
                    "a nested spectrum needs a network without them"
                )


def _small(models: Sequence[nn.Module], own: float) -> set[str]:
    """Names of the smallest parameters, as many as the smaller members may have of their own.

    Args:
        models: the largest last.
        own: their values, all together, relative to those of the largest.
    """
    *smaller, largest = ({name: p.numel() for name, p in model.named_parameters()} for model in models)
    names = sorted(largest, key=lambda name: largest[name])
    taken = accumulate(sum(sizes[name] for sizes in smaller) for name in names)
    return {name for name, values in zip(names, taken) if values <= own * sum(largest.values())}


def _share(model: nn.Module, largest: nn.Module, own: set[str]) -> nn.Module:
    """Make a smaller member's parameters views of the largest one's, but for its own, which are copies to begin with.

    Returns:
        A module that holds what is the member's own, the same tensors, so that they are kept with the spectrum.
    """
    parameters, buffers = dict(largest.named_parameters()), dict(largest.named_buffers())
    model.to(next(iter(parameters.values())).device)
    kept = nn.Module()
    for path, module in model.named_modules():
        dotted = f"{path}." if path else ""
        for name, parameter in module.named_parameters(recurse=False):
            view = prefix(parameters[dotted + name].detach(), parameter.shape)
            if dotted + name in own:
                parameter.data.copy_(view)
                kept.register_parameter((dotted + name).replace(".", "/"), parameter)
            else:
                setattr(module, name, nn.Parameter(view))
        for name, buffer in module.named_buffers(recurse=False):
            buffer.copy_(prefix(buffers[dotted + name], buffer.shape))
            kept.register_buffer((dotted + name).replace(".", "/"), buffer)
    return kept
