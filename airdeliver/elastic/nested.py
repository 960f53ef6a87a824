"""Nested members: channels in the order of their importance, of which every member has the first or the last."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any, ClassVar

from torch import Tensor, nn

from airdeliver.architecture import Pruned
from airdeliver.compression.importance import Importance, Magnitude
from airdeliver.compression.pruning import Pruning, removal_order
from airdeliver.elastic.aligned import Aligned
from airdeliver.elastic.base import Computed, Elastic, ElasticBuilder, Member
from airdeliver.elastic.ranking import Ranked, permuted, ranking
from airdeliver.elastic.window import Window
from airdeliver.links.condition import Condition
from airdeliver.payload.memory_format import channels_last
from airdeliver.task.base import Task

Counts = tuple[int, ...]
"""Units of each channel group."""

OWN = 0.08
"""What members have of their own, relative to the parameters of the largest."""


class Nested(Elastic):
    """Members that have the first channels of the largest one, group by group, or the last.

    A large parameter of a smaller member is a slice of the largest one's, in the same memory; where layers are
    concatenated or grouped it is a copy, made again whenever `members` are asked for. Batch-norm statistics are
    each member's own, and so are the small parameters (scales, biases, the first convolutions): they weigh little, and
    members of unlike noise and width want them unlike. So do the large ones: what a small member makes of parameters
    costs a larger one that has them too. The smallest members can therefore be cut from the other end.

    Args:
        largest: network of the largest member, on its device and in its memory format.
        counts: units of each channel group of each member, the smallest member first.
        conditions: of the members.
        architecture: unpruned.
        own: what the smaller members may have of their own, all together, relative to the parameters of the largest;
            the smallest tensors come first. Or the names of the parameters that each has of its own.
        apart: how many of the smallest members have the last channels, not the first.

    Attributes:
        chain: whether each member must be within the next larger one, not only within the largest.

    Raises:
        ValueError: a member that is not within the next larger one, or within the largest.

    Source: M. Jankowski, D. Gündüz and K. Mikolajczyk, AirNet, arXiv 2105.11166 (a spectrum of networks);
    J. Yu and T. Huang, Universally Slimmable Networks, arXiv 1903.05134 (statistics of each width its own); J. Yu et
    al., Slimmable Neural Networks, arXiv 1812.08928 (scales and shifts too).
    """

    chain: ClassVar[bool] = True

    def __init__(
        self,
        largest: nn.Module,
        counts: Sequence[Counts],
        conditions: Sequence[Condition | None],
        architecture: Pruned,
        own: float | Collection[str] = OWN,
        apart: int = 0,
    ) -> None:
        for inner in [counts] if self.chain else [[smaller, counts[-1]] for smaller in counts[:-1]]:
            check_nested(inner)
        models = [architecture.of_counts(widths) for widths in counts[:-1]] + [largest]
        super().__init__(
            [
                Member(model, condition, architecture, tuple(widths))
                for model, widths, condition in zip(models, counts, conditions, strict=True)
            ]
        )
        self.shared, self.architecture = largest, architecture
        self.windows = [
            Window.within(architecture.groups, widths, counts[-1], last=index < apart)
            for index, widths in enumerate(counts)
        ]
        names = _small(models, own) if isinstance(own, int | float) else set(own)
        self.own = nn.ModuleList(
            _share(model, largest, names, window) for model, window in zip(models[:-1], self.windows)
        )

    @property
    def members(self) -> tuple[Member, ...]:  # pyright: ignore[reportIncompatibleVariableOverride]
        """The members, the smallest first; what they have copies of is as it is shared now."""
        if "own" in self._modules:
            for index, (member, window) in enumerate(zip(self._members, self.windows)):
                if window.copied:
                    _copy_again(member.model, self.shared, window, self.own_names(index))
        return self._members

    @members.setter
    def members(self, members: tuple[Member, ...]) -> None:
        self._members = members

    def _apply(self, fn: Any, recurse: bool = True) -> "Nested":
        """What `.to` does, for members too: they are no modules of this one, and their views are made anew."""
        super()._apply(fn, recurse)
        for member, own, window in zip(self._members, self.own, self.windows):
            _view(member.model, self.shared, own, window)
        return self

    def own_names(self, index: int) -> set[str]:
        """Names of the parameters that a member shares with no other; those of the largest are the shared ones.

        Args:
            index: of the member.
        """
        if index == len(self._members) - 1:
            return set()
        return {name.replace("/", ".") for name, _ in self.own[index].named_parameters()}

    def parameters_of(self, index: int) -> dict[str, Tensor]:  # noqa: D102
        shared: dict[str, Tensor] = dict(self.shared.named_parameters())
        own, window = self.own_names(index), self.windows[index]
        return {
            name: parameter if name in own else window.of(name, shared[name], parameter.shape)
            for name, parameter in self._members[index].model.named_parameters()
        }

    def computing(self, index: int) -> Computed:  # noqa: D102
        member = self._members[index]
        return Aligned(member.model, self.architecture, member.shape)


@dataclass(frozen=True)
class NestedBuilder(ElasticBuilder):
    """Ranks channels once, and prunes each member, within the next larger one, to the exact budget at its expansion.

    Args:
        importance: of channels.
        core: share of each layer's channels that is touched only when nothing else is left: see `Pruning`.
        own: what members may have of their own, relative to the parameters of the largest: see `Nested`.
        apart: how many of the smallest members have the least important channels, which the larger ones miss least.

    Raises:
        ValueError: a share of parameters or a number of members below 0.
    """

    importance: Importance = field(default_factory=Magnitude)
    core: float = 0.1
    own: float = OWN
    apart: int = 2

    def __post_init__(self) -> None:
        if self.own < 0 or self.apart < 0:
            raise ValueError(f"own and apart must be 0 or more, got {self.own} and {self.apart}")

    def build(  # noqa: D102
        self,
        model: nn.Module,
        conditions: Sequence[Condition | None],
        architecture: Pruned,
        task: Task,
        seed: int,
        statistics: bool,
    ) -> Nested:
        groups = architecture.groups
        order = removal_order(self.importance.scores(model, groups, task, seed), self.core)
        ranked, scores = ranking(order, groups.units)
        ordered = architecture.unpruned().to(next(model.parameters()).device)
        ordered.load_state_dict(permuted(model.state_dict(), groups, ranked))
        members: list[tuple[nn.Module, Counts]] = []
        network, kept = ordered, groups.units
        for condition in reversed(conditions):
            if condition is None or condition.symbols is None:
                raise ValueError("a nested member is pruned to a budget: give its condition symbols")
            pruning = Pruning(condition.symbols, condition.link, Ranked(scores), statistics, core=0.0)
            network, kept = pruning.prune(network, kept, architecture, task, seed)
            members.append((network, kept))
        largest = channels_last(members[0][0])
        counts = [counts for _, counts in reversed(members)]
        return Nested(largest, counts, conditions, architecture, self.own, self.apart)

    def empty(  # noqa: D102
        self, shapes: Sequence[Sequence[int]], conditions: Sequence[Condition | None], architecture: Pruned
    ) -> Nested:
        counts = [tuple(shape) for shape in shapes]
        largest = architecture.of_counts(counts[-1])
        return Nested(largest, counts, conditions, architecture, self.own, self.apart)


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


def _share(model: nn.Module, largest: nn.Module, own: set[str], window: Window) -> nn.Module:
    """Make a smaller member's parameters views of the largest one's, but for its own, which are copies to begin with.

    Returns:
        A module that holds what is the member's own, the same tensors, so that they are kept with the spectrum.
    """
    parameters, buffers = dict(largest.named_parameters()), dict(largest.named_buffers())
    model.to(next(iter(parameters.values())).device)
    kept = nn.Module()
    for name, parameter in model.named_parameters():
        if name in own:
            parameter.data.copy_(window.of(name, parameters[name].detach(), parameter.shape))
            kept.register_parameter(_flat(name), parameter)
    for name, buffer in model.named_buffers():
        buffer.copy_(window.of(name, buffers[name], buffer.shape))
        kept.register_buffer(_flat(name), buffer)
    _view(model, largest, kept, window)
    return kept


def _view(model: nn.Module, largest: nn.Module, own: nn.Module, window: Window) -> None:
    """Let a member bear the memory of the largest one and of what is its own, wherever these lie now."""
    shared, kept = dict(largest.named_parameters()), {**own._parameters, **own._buffers}
    for path, module in model.named_modules():
        dotted = f"{path}." if path else ""
        for name, parameter in module.named_parameters(recurse=False):
            if _flat(dotted + name) not in kept:
                parameter.data = window.of(dotted + name, shared[dotted + name].detach(), parameter.shape)
        for name, _ in module.named_buffers(recurse=False):
            module._buffers[name] = kept[_flat(dotted + name)]


def _copy_again(model: nn.Module, largest: nn.Module, window: Window, own: set[str]) -> None:
    """Let a member have the shared values as they are now, where it cannot have the memory itself."""
    shared = dict(largest.named_parameters())
    for name, parameter in model.named_parameters():
        if name in window.copied and name not in own:
            parameter.data = window.of(name, shared[name].detach(), parameter.shape)


def _flat(name: str) -> str:
    """A name that a module may give to a tensor of its own."""
    return name.replace(".", "/")
