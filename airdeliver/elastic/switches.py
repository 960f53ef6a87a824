"""Parallel parts: one network of which disjoint blocks of channels run on several devices, their answers added."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

import torch
from torch import Tensor, nn

from airdeliver.architecture import Given, Pruned, Shaped, Whole
from airdeliver.conversion import Converted, converted, real, tuple_of
from airdeliver.elastic.base import Elastic, ElasticBuilder, Member
from airdeliver.elastic.statistics import Statistics
from airdeliver.elastic.window import Window
from airdeliver.links.condition import Condition
from airdeliver.models.parts import Parts
from airdeliver.payload import Layout, architecture_of
from airdeliver.task.base import Task

Switch = tuple[float, ...]
"""Shares of every layer's channels, one for each part."""


@dataclass(frozen=True)
class InParts(Shaped):
    """A network in parts of disjoint consecutive channels, without connections across.

    Part j of a switch has its block of the channels of every layer, and of the classifier the columns of its block; the
    bias of the answer is there once. A byte of the description says which switch; a second one, which nobody sends,
    which parts a transmission has brought, as bits.

    Args:
        whole: the network in one piece.
        switches: shares of the channels that parts have, for each way to part the network.

    >>> from airdeliver.models import VGG
    >>> from airdeliver.task.base import Signature
    >>> architecture = InParts(Whole(VGG(), Signature((3, 32, 32), 3, 10)), ((0.5, 0.5), (1.0,)))
    >>> [architecture.layout_of_counts((k,), statistics=False).size for k in range(2)]
    [58138, 114586]
    """

    whole: Whole | Given
    switches: tuple[Switch, ...]

    @property
    def pruned(self) -> Pruned:
        """The architecture that parts are cut by."""
        return Pruned(self.whole)

    @property
    def bias(self) -> str | None:
        """Name of the bias of the network's answer.

        Raises:
            ValueError: a network of which something else than the bias of one linear layer belongs to no channel.
        """
        cut, network = {s.name for group in self.pruned.groups.groups for s in group.shrinking}, self.whole.fresh()
        left = [name for name, _ in network.named_parameters() if name not in cut]
        linear = (isinstance(network.get_submodule(name.rpartition(".")[0]), nn.Linear) for name in left)
        if len(left) > 1 or not all(linear) or any(not name.endswith("bias") for name in left):
            raise ValueError(f"a network in parts has one bias that belongs to no channel, got {left}: send it whole")
        return left[0] if left else None

    def blocks(self, switch: int) -> list[list[range]]:
        """Units of each channel group of each part.

        Raises:
            ValueError: a part that would have no channel of a layer.
        """
        ends = [0.0, *accumulate(self.switches[switch])]
        found = []
        for start, end in pairwise(ends):
            found.append([range(round(start * units), round(end * units)) for units in self.pruned.groups.units])
            if not all(found[-1]):
                raise ValueError(f"a part of {end - start:g} of the channels leaves a layer without any: make it wider")
        return found

    def of_counts(self, counts: Sequence[int]) -> Parts:  # noqa: D102
        (switch,) = counts
        return self.parts(switch, range(len(self.switches[switch])))

    def parts(self, switch: int, present: Iterable[int]) -> Parts:
        """Some parts of a switch, with fresh weights.

        Args:
            switch: its number.
            present: numbers of the parts.
        """
        blocks, name, bias, made = self.blocks(switch), self.bias, None, {}
        for number in present:
            made[number] = self.pruned.of_counts([len(units) for units in blocks[number]])
            if name is not None:
                last: Any = made[number].get_submodule(name.rpartition(".")[0])
                bias, last.bias = last.bias, None
        return Parts(made, bias)

    def windows(self, switch: int) -> list[Window]:
        """What each part takes of the tensors of the whole network.

        Raises:
            ValueError: channels that do not lie one after the other.
        """
        groups = self.pruned.groups
        windows = [Window.of_units(groups, units, groups.units) for units in self.blocks(switch)]
        if any(window.copied for window in windows):
            raise ValueError("layers that are concatenated or grouped have no consecutive blocks of channels")
        return windows

    def describe(self, counts: Sequence[int]) -> bytes:  # noqa: D102
        return bytes(counts)

    def counts(self, description: bytes) -> tuple[int, ...]:  # noqa: D102
        switch = description[0] if description else len(self.switches)
        if switch >= len(self.switches) or len(description) > 2:
            raise ValueError(
                f"a switch is described by a byte below {len(self.switches)}, and one for its parts at most, got "
                f"{list(description)}"
            )
        return (switch,)

    def present(self, description: bytes) -> list[int]:
        """Numbers of the parts that are there."""
        (switch,) = self.counts(description)
        every = range(len(self.switches[switch]))
        return [part for part in every if len(description) < 2 or description[1] >> part & 1]

    def receive(self, description: bytes) -> nn.Module:
        """The parts that are there, every learned value NaN."""
        (switch,) = self.counts(description)
        model = architecture_of(self.parts(switch, self.present(description)))
        assert isinstance(model, nn.Module)
        return model

    def layout(self, description: bytes, statistics: bool | None) -> Layout:  # noqa: D102
        (switch,) = self.counts(description)
        here = {str(part) for part in self.present(description)}
        segments = self.layout_of_counts((switch,), statistics).segments
        left = (s for s in segments if part_of(s.name) is None or part_of(s.name) in here)
        return Layout(tuple(left), description)


def part_of(segment: str) -> str | None:
    """The number of the part that a segment belongs to; None for the bias, which belongs to all.

    >>> part_of("parts.1.0.weight"), part_of("bias")
    ('1', None)
    """
    return segment.split(".")[1] if segment.startswith("parts.") else None


class Switches(Elastic):
    """A network in all its ways to be parted; kernels and matrices are shared, norms are each switch's own.

    Args:
        network: in one piece; its kernels become the shared ones.
        conditions: of the switches.
        architecture: of the parts.

    Raises:
        ValueError: another number of conditions than switches, or a network that cannot be parted.

    Source: ParaDiS, parallelly distributable slimmable networks (the idea; written from its description).
    """

    def __init__(self, network: nn.Module, conditions: Sequence[Condition | None], architecture: InParts) -> None:
        switches = range(len(architecture.switches))
        if len(conditions) != len(switches):
            raise ValueError(f"{len(switches)} switches need a condition each, got {len(conditions)}: give as many")
        models = [architecture.of_counts((switch,)) for switch in switches]
        super().__init__([Member(m, met, architecture, (k,)) for k, (m, met) in enumerate(zip(models, conditions))])
        self.norms, self.bias = Statistics("own").own_names(network), architecture.bias
        self.windows = [architecture.windows(switch) for switch in switches]
        self.shared, self.own = nn.Module(), nn.ModuleList(nn.Module() for _ in switches)
        for name, parameter in network.named_parameters():
            if name not in self.norms:
                self.shared.register_parameter(_flat(name), parameter)
        whole: dict[str, Tensor] = {**dict(network.named_parameters()), **dict(network.named_buffers())}
        for switch, model in enumerate(models):
            self._keep(switch, model.to(next(network.parameters()).device), whole)
        self._view()

    def _keep(self, switch: int, model: nn.Module, whole: dict[str, Tensor]) -> None:
        """Register what is a switch's own, as the whole network has it."""
        for part, name, dotted, tensor in _named(model):
            if name in self.norms or not isinstance(tensor, nn.Parameter):
                tensor.data.copy_(self.windows[switch][part].of(name, whole[name].detach(), tensor.shape))
                own = self.own[switch]
                if isinstance(tensor, nn.Parameter):
                    own.register_parameter(_flat(dotted), tensor)
                else:
                    own.register_buffer(_flat(dotted), tensor)

    def _view(self) -> None:
        """Let switches bear the memory of the shared network and of what is their own, wherever these lie now."""
        shared = self._whole()
        for member, own, windows in zip(self.members, self.own, self.windows, strict=True):
            model: Any = member.model
            if self.bias is not None:
                model.bias.data = shared[self.bias].detach()
            for part, name, dotted, tensor in _named(model):
                if name in shared:
                    tensor.data = windows[part].of(name, shared[name].detach(), tensor.shape)
                elif not isinstance(tensor, nn.Parameter):
                    path, _, last = dotted.rpartition(".")
                    model.get_submodule(path)._buffers[last] = own._buffers[_flat(dotted)]

    def _whole(self) -> dict[str, Tensor]:
        return {name.replace("/", "."): parameter for name, parameter in self.shared.named_parameters()}

    def _apply(self, fn: Any, recurse: bool = True) -> "Switches":
        """What `.to` does, for switches too: they are no modules of this one, and their views are made anew."""
        super()._apply(fn, recurse)
        self._view()
        return self

    def parameters_of(self, index: int) -> dict[str, Tensor]:  # noqa: D102
        shared, windows = self._whole(), self.windows[index]
        found = {} if self.bias is None else {"bias": shared[self.bias]}
        for part, name, dotted, tensor in _named(self.members[index].model):
            if isinstance(tensor, nn.Parameter):
                found[dotted] = windows[part].of(name, shared[name], tensor.shape) if name in shared else tensor
        return found


def _named(model: nn.Module) -> list[tuple[int, str, str, Tensor]]:
    """Tensors of parts: number of the part, name in the whole network, name in all parts together, tensor."""
    found = []
    for dotted, tensor in (*model.named_parameters(), *model.named_buffers()):
        part = part_of(dotted)
        if part is not None:
            found.append((int(part), dotted.split(".", 2)[2], dotted, tensor))
    return found


def _flat(name: str) -> str:
    """A name that a module may give to a tensor of its own."""
    return name.replace(".", "/")


def switches_of(given: Any) -> tuple[Switch, ...]:
    """Shares of the channels for each switch.

    >>> switches_of([[0.5, 0.5], [1]])
    ((0.5, 0.5), (1.0,))
    """
    found = tuple_of(tuple_of(real))(given)
    sound = all(abs(sum(switch) - 1) < 1e-6 and min(switch) > 0 and len(switch) <= 8 for switch in found if switch)
    if not found or not all(found) or not sound:
        raise ValueError(f"must be shares that add up to 1, of 8 parts at most, got {list(found)}")
    return found


@dataclass(frozen=True)
class SwitchesBuilder(ElasticBuilder):
    """One network in several ways to be parted.

    Args:
        switches: shares of every layer's channels that the parts of each have; the last one teaches the others, so
            mostly the network in one piece, `[1]`.

    Raises:
        ValueError: shares that do not add up to 1, or more than 8 parts.
    """

    switches: Converted[Iterable[Iterable[float]], tuple[Switch, ...]] = converted(
        switches_of, ((0.25, 0.25, 0.25, 0.25), (0.5, 0.25, 0.25), (0.5, 0.5), (1.0,))
    )

    @property
    def members(self) -> int:
        """One for each switch."""
        return len(self.switches)

    def shapes(self, architecture: Pruned) -> list[tuple[int, ...]]:
        """The switches are part of the published recipe."""
        return [(switch,) for switch in range(len(self.switches))]

    def build(  # noqa: D102
        self,
        model: nn.Module,
        conditions: Sequence[Condition | None],
        architecture: Pruned,
        task: Task,
        seed: int,
        statistics: bool,
    ) -> Switches:
        network = model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        return Switches(network, conditions, InParts(architecture.whole, self.switches))

    def empty(  # noqa: D102
        self, shapes: Sequence[Sequence[int]], conditions: Sequence[Condition | None], architecture: Pruned
    ) -> Switches:
        return Switches(architecture.unpruned(), conditions, InParts(architecture.whole, self.switches))
