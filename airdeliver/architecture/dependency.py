"""Which channels depend on each other, found by torch-pruning's dependency graph."""

import copy
import math
import warnings
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from airdeliver.architecture.channel_groups import ChannelGroup, ChannelGroups, Operation, Shrinking
from airdeliver.architecture.coupling import Coupled, CouplingError, Graph, described
from airdeliver.architecture.transposed import pruners_of
from airdeliver.architecture.trial import Trial
from airdeliver.payload.copying import copied
from airdeliver.payload.inputs import Inputs


def channel_groups(model: nn.Module, example: Inputs) -> ChannelGroups:
    """The channel groups of a network.

    A group that cannot lose a channel stays whole: the outputs of the network, layers whose weights are tied to others,
    attention heads, whatever stops working, gives outputs of another shape or does not belong together after all. It
    is not listed, and `fixed` says why. Where torch-pruning fails, that is the reason; nothing takes for ever.

    Args:
        model: unpruned.
        example: one input of the network, a batch of one: a tensor, a tuple of tensors or a mapping from argument to
            tensor.

    Source: G. Fang et al., DepGraph: Towards Any Structural Pruning, CVPR 2023, arXiv 2301.12900.

    >>> from airdeliver.models import CNN
    >>> channel_groups(CNN()(1, 10), torch.zeros(1, 1, 8, 8)).units
    (16, 32, 32)
    """
    tied, order = _tied(model), {name: place for place, name in enumerate(model.state_dict())}
    model, fixed = copied(model).eval(), _computed(model)
    with warnings.catch_warnings(), torch.enable_grad():
        warnings.simplefilter("ignore")
        try:
            found = _found(Graph(model, example, pruners_of(model)), tied, fixed)
        except CouplingError as error:
            return ChannelGroups((), (*fixed.items(), ("the network", str(error))))
    found.sort(key=lambda group: order[group.shrinking[0].name])
    sound, faulty = Trial(model, example).sound(found)
    fixed.update((group.name, fault) for group, fault in faulty)
    fixed.update(_untouched(model, sound, faulty, fixed))
    return ChannelGroups(tuple(sound), tuple(fixed.items()))


def _found(graph: Graph, tied: set[str], fixed: dict[str, str]) -> list[ChannelGroup]:
    """All groups that can be removed evenly; `fixed` is told of the others."""
    found, seen = [], set()
    for layer in graph.layers():
        name = graph._module2name[layer]
        if layer in seen or name in fixed:
            continue
        alike = {layer}
        try:
            coupled = graph.coupled(layer)
            alike |= {one.node.module for one in coupled if graph.is_out_channel_pruning_fn(one.prune)}
            group = _described(graph, coupled)
            if any(shrinking.name in tied for shrinking in group.shrinking):
                raise CouplingError("its weights are tied to those of another layer")
            found.append(group)
        except CouplingError as error:
            names = [graph._module2name[module] for module in graph.layers() if module in alike]
            fixed.update((each, str(error)) for each in names if each not in fixed)
        seen |= alike
    return found


def _described(graph: Graph, coupled: list[Coupled]) -> ChannelGroup:
    """Coupled layers as a group of ours.

    Raises:
        CouplingError: the network's outputs, and what cannot be removed evenly.
    """
    channels, blocks = len(coupled[0].indices), _channel_blocks(graph, coupled)
    units = channels // blocks
    if channels < 2:
        raise CouplingError("it has a single channel" if channels else "it has no channel")
    if channels % blocks or units < 2:
        raise CouplingError(f"its {channels} channels in {blocks} groups cannot lose one of each group")
    shrinking, operations = [], []
    for one in coupled:
        node = one.node
        if not node.outputs and graph.is_out_channel_pruning_fn(one.prune):
            raise CouplingError("its channels are outputs of the network")
        if node.module not in graph._module2name:
            continue  # an operation of torch-pruning's own, without parameters
        is_parameter = isinstance(node.module, nn.Parameter)
        path = graph._param_to_name[node.module] if is_parameter else graph._module2name[node.module]
        by_unit = _by_unit(one, units)
        if by_unit is None:
            raise CouplingError(f"its channels do not all have the same share of {path}")
        operation = Operation(path, one.prune, node.pruning_dim if is_parameter else -1, by_unit)
        shrinks = _shrinks(node.module, operation)
        if any(change is None for change in shrinks):
            raise CouplingError(f"{path} cannot lose its channels evenly")
        shrinking += shrinks
        operations.append(operation)
    if not shrinking:
        raise CouplingError("nothing gets smaller without its channels")
    return ChannelGroup(operations[0].path, units, tuple(shrinking), tuple(operations))


def _channel_blocks(graph: Graph, coupled: list[Coupled]) -> int:
    """Into how many blocks of equal size grouped layers divide the channels; each must lose the same of them."""
    blocks = 1
    for one in coupled:
        module: Any = one.node.module
        pruner: Any = graph.get_pruner_of_module(module)
        is_depthwise = getattr(module, "groups", None) == getattr(module, "out_channels", 0)
        if not is_depthwise:
            is_output = graph.is_out_channel_pruning_fn(one.prune)
            grouped = pruner.get_out_channel_groups if is_output else pruner.get_in_channel_groups
            blocks = math.lcm(blocks, grouped(module))
    return blocks


def _by_unit(one: Coupled, units: int) -> Tensor | None:
    """Channel indices of each unit, one row a unit, or None if units have different numbers of them."""
    rows: list[set[int]] = [set() for _ in range(units)]
    for index, root in zip(one.indices, one.roots, strict=True):
        if root is None:
            return None
        rows[root % units].add(index)
    if len({len(row) for row in rows}) != 1:
        return None
    return torch.tensor([sorted(row) for row in rows])


def _shrinks(module: Any, operation: Operation) -> list[Shrinking | None]:
    """What the loss of one unit makes of a module's tensors; None for what is more than a dimension cut evenly.

    Raises:
        CouplingError: a module that torch-pruning cannot prune.
    """
    try:
        if isinstance(module, nn.Parameter):
            before, after = {"": module}, {"": _pruned_parameter(module, operation)}
        else:
            twin = operation.prune(copy.deepcopy(module), operation.indices[0].tolist())
            before, after = module.state_dict(), twin.state_dict()
        return list(_changes(before, after, operation))
    except Exception as error:  # torch-pruning meets a stranger's layer: it may fail in any way.
        reason = f"torch-pruning cannot remove channels of {operation.path} ({described(error)})"
        raise CouplingError(reason) from error


def _changes(
    before: Mapping[str, Tensor], after: Mapping[str, Tensor], operation: Operation
) -> Iterator[Shrinking | None]:
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


def _computed(model: nn.Module) -> dict[str, str]:
    """Layers whose weights are computed before every forward pass."""
    computed = {}
    for name, module in model.named_modules():
        bases = [n.removesuffix(end) for n in module._parameters for end in ("_orig", "_g") if n.endswith(end)]
        if is_parametrized(module) or any(b not in module._parameters and hasattr(module, b) for b in bases):
            computed[name] = (
                "its weights are computed (weight norm, spectral norm, masks): make them plain parameters first, with "
                "torch.nn.utils.parametrize.remove_parametrizations or its like"
            )
    return computed


def _untouched(
    model: nn.Module, sound: list[ChannelGroup], faulty: list[tuple[ChannelGroup, str]], fixed: dict[str, str]
) -> Iterator[tuple[str, str]]:
    """Layers that no group touches: those of faulty groups, and kinds that are not taken apart."""
    touched = {shrinking.name.rpartition(".")[0] for group in sound for shrinking in group.shrinking}
    faults = {operation.path: fault for group, fault in faulty for operation in group.operations}
    for name, module in model.named_modules():
        matrices = [n for n, p in module._parameters.items() if p is not None and p.ndim >= 2]
        inside = any(name.startswith(f"{other}.") for other in fixed)
        if matrices and name not in touched and name not in fixed and not inside:
            reason = f"{type(module).__name__} is no layer that channels are taken out of"
            yield name or "the network", faults.get(name, reason)
