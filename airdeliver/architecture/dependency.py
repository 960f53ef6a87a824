"""Which channels depend on each other, found by torch-pruning's dependency graph."""

import copy
import math
import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
import torch_pruning
from torch import Tensor, nn

from airdeliver.architecture.channel_groups import ChannelGroup, ChannelGroups, Operation, Shrinking


def channel_groups(model: nn.Module, example: Tensor) -> ChannelGroups:
    """The channel groups of a network.

    A group that cannot lose a channel stays whole and is not listed: the outputs of the network, layers whose weights
    are tied to others, attention heads, whatever stops working or gives outputs of another shape.

    Args:
        model: unpruned.
        example: one input of the network, a batch of one.

    Source: G. Fang et al., DepGraph: Towards Any Structural Pruning, CVPR 2023, arXiv 2301.12900.

    >>> from airdeliver.models import CNN
    >>> channel_groups(CNN()(1, 10), torch.zeros(1, 1, 8, 8)).units
    (16, 32, 32)
    """
    tied, model = _tied(model), copy.deepcopy(model).eval()
    with warnings.catch_warnings(), torch.enable_grad():
        warnings.simplefilter("ignore")
        graph = torch_pruning.DependencyGraph().build_dependency(model, example, verbose=False)
        found = [_described(graph, group) for group in graph.get_all_groups()]
    order = {name: place for place, name in enumerate(model.state_dict())}
    groups = [group for group in found if group and not any(s.name in tied for s in group.shrinking)]
    groups.sort(key=lambda group: order[group.shrinking[0].name])
    with torch.no_grad():
        shape = model(example).shape
        if not _works(model, example, shape, groups):
            groups = [group for group in groups if _works(model, example, shape, [group])]
            if not _works(model, example, shape, groups):
                raise ValueError("the network works with each channel group pruned, but not with all: send it whole")
    return ChannelGroups(tuple(groups))


def _described(graph: Any, group: Any) -> ChannelGroup | None:
    """A group of torch-pruning's as ours; None for the network's outputs and what cannot be removed evenly."""
    items = [(group[i].dep, group[i].idxs, group[i].root_idxs) for i in range(len(group))]
    channels, blocks = len(items[0][1]), _channel_blocks(graph, items)
    units = channels // blocks
    if channels % blocks or units < 2:
        return None
    shrinking, operations = [], []
    for dependency, indices, roots in items:
        target = dependency.target
        if not target.outputs and graph.is_out_channel_pruning_fn(dependency.handler):
            return None
        if target.module not in graph._module2name:
            continue  # an operation of torch-pruning's own, without parameters
        by_unit = _by_unit(indices, roots, units)
        if by_unit is None:
            return None
        is_parameter = isinstance(target.module, nn.Parameter)
        path = graph._param_to_name[target.module] if is_parameter else graph._module2name[target.module]
        operation = Operation(path, dependency.handler, target.pruning_dim if is_parameter else -1, by_unit)
        shrinks = list(_shrinks(target.module, operation))
        if any(change is None for change in shrinks):
            return None
        shrinking += shrinks
        operations.append(operation)
    return ChannelGroup(operations[0].path, units, tuple(shrinking), tuple(operations)) if shrinking else None


def _channel_blocks(graph: Any, items: list[Any]) -> int:
    """Into how many blocks of equal size grouped layers divide the channels; each must lose the same of them."""
    blocks = 1
    for dependency, _, _ in items:
        module, pruner = dependency.target.module, graph.get_pruner_of_module(dependency.target.module)
        is_depthwise = getattr(module, "groups", None) == getattr(module, "out_channels", 0)
        if not is_depthwise:
            is_output = graph.is_out_channel_pruning_fn(dependency.handler)
            grouped = pruner.get_out_channel_groups if is_output else pruner.get_in_channel_groups
            blocks = math.lcm(blocks, grouped(module))
    return blocks


def _by_unit(indices: list[int], roots: list[int | None], units: int) -> Tensor | None:
    """Channel indices of each unit, one row a unit, or None if units have different numbers of them."""
    rows: list[set[int]] = [set() for _ in range(units)]
    for index, root in zip(indices, roots, strict=True):
        if root is None:
            return None
        rows[root % units].add(index)
    if len({len(row) for row in rows}) != 1:
        return None
    return torch.tensor([sorted(row) for row in rows])


def _shrinks(module: Any, operation: Operation) -> Iterator[Shrinking | None]:
    """What the loss of one unit makes of a module's tensors; None for what is more than a dimension cut evenly."""
    if isinstance(module, nn.Parameter):
        before, after = {"": module}, {"": _pruned_parameter(module, operation)}
    else:
        twin = operation.prune(copy.deepcopy(module), operation.indices[0].tolist())
        before, after = module.state_dict(), twin.state_dict()
    for name, tensor in before.items():
        for dim, (size, left) in enumerate(zip(tensor.shape, after[name].shape, strict=True)):
            if left == size:
                continue
            # A grouped convolution has one input position for the same channel of every block.
            positions = [sorted({index % size for index in row}) for row in operation.indices.tolist()]
            even = {len(row) for row in positions} == {size - left}
            full = f"{operation.path}.{name}".strip(".")
            yield Shrinking(full, dim, size, torch.tensor(positions)) if even else None


def _pruned_parameter(parameter: nn.Parameter, operation: Operation) -> Tensor:
    operation.prune.__self__.pruning_dim = operation.dim  # pyright: ignore[reportFunctionMemberAccess]
    return operation.prune(parameter, operation.indices[0].tolist())


def _tied(model: nn.Module) -> set[str]:
    """Names of parameters that several modules share."""
    parameters = list(model.named_parameters(remove_duplicate=False))
    count = Counter(id(parameter) for _, parameter in parameters)
    return {name for name, parameter in parameters if count[id(parameter)] > 1}


def _works(model: nn.Module, example: Tensor, shape: torch.Size, groups: list[ChannelGroup]) -> bool:
    """Whether the network still gives outputs of the same shape with one unit left of each group."""
    pruned = copy.deepcopy(model)
    try:
        ChannelGroups(tuple(groups)).prune(pruned, [[0]] * len(groups))
        return pruned.eval()(example).shape == shape
    except Exception:  # The model's own code runs on shapes that it was not made for: it may fail in any way.
        return False
