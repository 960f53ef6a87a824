"""What must go with a layer's channels: torch-pruning's dependency graph, followed as far as it leads somewhere."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

import torch_pruning
from torch import Tensor, nn
from torch_pruning._helpers import _HybridIndex
from torch_pruning.dependency import DependencyGraph, shape_infer

from airdeliver.payload.inputs import ForwardError, Inputs, called

_LOOKS = 200_000
"""How often the graph may be asked for the channels of a layer while it is built; 1,000 layers ask for fewer."""

_VISITS = 32
"""How often, on average, a channel may be met in each layer before the indices are taken to run in circles."""


class CouplingError(ValueError):
    """Channels whose coupling could not be found; says why."""


@dataclass(frozen=True, eq=False)
class Coupled:
    """One layer that loses channels.

    Args:
        node: of the graph.
        prune: how torch-pruning removes them.
        indices: of its channels.
        roots: to which channel of the first layer each belongs; None where torch-pruning lost track.
    """

    node: Any
    prune: Callable[[Any, list[int]], Any]
    indices: list[int]
    roots: list[int | None]


class Graph(DependencyGraph):
    """torch-pruning's graph of a network; what would take for ever ends in one line.

    Args:
        model: in evaluation mode.
        example: its inputs.
        pruners: how layers of further kinds lose channels.

    Raises:
        CouplingError: a network that torch-pruning cannot trace.
    """

    def __init__(self, model: nn.Module, example: Inputs, pruners: dict[type, Any] | None = None) -> None:
        super().__init__()
        self._looks = 0
        try:
            self.build_dependency(
                model,
                example,  # pyright: ignore[reportArgumentType]
                forward_fn=called,
                output_transform=tensors,
                customized_pruners=pruners or {},  # pyright: ignore[reportArgumentType]
                verbose=False,
            )
        except CouplingError:
            raise
        except Exception as error:  # torch-pruning meets a stranger's network: it may fail in any way.
            raise CouplingError(f"torch-pruning cannot trace it ({described(error)})") from error

    def get_out_channels(self, module_or_node: Any) -> Any:
        """Output channels of a layer, looked up a bounded number of times."""
        self._look()
        return super().get_out_channels(module_or_node)

    def get_in_channels(self, module_or_node: Any) -> Any:
        """Input channels of a layer, looked up a bounded number of times."""
        self._look()
        return super().get_in_channels(module_or_node)

    def _build_dependency(self, module2node: Any) -> None:
        """As torch-pruning does it; concatenations of unknown sizes (halves of heads, say) shift no channels."""
        super()._build_dependency(module2node)
        shape_infer.init_shape_information(self)
        for node in module2node.values():
            if node.type == self.ops.OPTYPE.CONCAT:
                sizes = [shape_infer.infer_channels_between(self, before, node) for before in node.inputs]
                if None in sizes:
                    node.module.concat_sizes, node.enable_index_mapping = [0] * len(sizes), False

    def _look(self) -> None:
        self._looks += 1
        if self._looks > _LOOKS:
            raise CouplingError(f"torch-pruning came to no end in {_LOOKS:,} looks at its layers")

    def layers(self) -> Iterator[nn.Module]:
        """The layers whose output channels can be removed, each before those that it feeds, if they are removable."""
        roots = (nn.modules.conv._ConvNd, nn.Linear, *self.CUSTOMIZED_PRUNERS)
        yield from (module for module in list(self.module2node) if isinstance(module, roots))

    def coupled(self, layer: nn.Module) -> list[Coupled]:
        """All that loses channels with the outputs of a layer, itself first.

        Raises:
            CouplingError: what torch-pruning cannot follow.
        """
        try:
            return _merged(self._followed(layer))
        except CouplingError:
            raise
        except Exception as error:  # torch-pruning meets a stranger's network: it may fail in any way.
            raise CouplingError(f"torch-pruning cannot follow its channels ({described(error)})") from error

    def _followed(self, layer: nn.Module) -> list[tuple[Any, Any, list[Any]]]:
        pruner: Any = self.get_pruner_of_module(layer)
        prune, channels = pruner.prune_out_channels, pruner.get_out_channels(layer)
        if isinstance(layer, nn.modules.conv._ConvNd) and layer.groups == layer.out_channels > 1:
            prune = torch_pruning.prune_depthwise_conv_out_channels
        start = (self.module2node[layer], prune, [_HybridIndex(idx=i, root_idx=i) for i in range(channels)])
        found, stack, seen = [start], [start], {_key(*start)}
        left = _VISITS * channels * len(self.module2node)
        while stack:
            node, prune, indices = stack.pop()
            for dependency in node.dependencies:
                if not dependency.is_triggered_by(prune):
                    continue
                mapped = indices
                for mapping in dependency.index_mapping:
                    mapped = mapped if mapping is None else mapping(mapped)
                step = (dependency.target, dependency.handler, mapped)
                if not mapped or _key(*step) in seen:
                    continue
                left -= _channels_of(mapped)
                if left < 0:
                    raise CouplingError("torch-pruning's channel indices run in circles and come to no end")
                seen.add(_key(*step))
                found.append(step)
                stack.append(step)
        return found


def _key(node: Any, prune: Any, indices: list[Any]) -> tuple[Any, ...]:
    return node, prune, tuple(indices)


def _channels_of(indices: list[Any]) -> int:
    """How many channels of the first layer indices belong to: flattened ones have an index for each of their pixels."""
    roots = [index.root_idx for index in indices]
    return len({root for root in roots if root is not None}) + roots.count(None)


def _merged(steps: list[tuple[Any, Any, list[Any]]]) -> list[Coupled]:
    """One for each layer and way of pruning it."""
    merged: dict[tuple[Any, Any], dict[int, int | None]] = {}
    for node, prune, indices in steps:
        roots = merged.setdefault((node, prune), {})
        for index in indices:
            roots.setdefault(index.idx, index.root_idx)
    return [Coupled(node, prune, list(roots), list(roots.values())) for (node, prune), roots in merged.items()]


def tensors(outputs: Any) -> list[Tensor]:
    """All tensors in what a network answers, in tuples, dictionaries and objects like them.

    >>> [tensor.tolist() for tensor in tensors({"a": Tensor([1]), "b": (Tensor([2]), None)})]
    [[1.0], [2.0]]
    """
    if isinstance(outputs, Tensor):
        return [outputs]
    values = getattr(outputs, "values", None)
    if callable(values):
        found: Any = values()
        outputs = list(found)
    if isinstance(outputs, (list, tuple)):
        return [tensor for part in outputs for tensor in tensors(part)]
    return []


def described(error: BaseException) -> str:
    """An exception in one short line.

    >>> described(KeyError("weight"))
    "KeyError: 'weight'"
    """
    if isinstance(error, ForwardError) and error.__cause__ is not None:
        return described(error.__cause__)
    lines = str(error).strip().splitlines()
    return shorten(f"{type(error).__name__}: {lines[0]}", 100) if lines else type(error).__name__
