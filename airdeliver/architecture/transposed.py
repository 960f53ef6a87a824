"""Linear layers that hold their weight as (inputs, outputs), as GPT-2's do: how they lose channels."""

from collections.abc import Sequence
from typing import Any

import torch
import torch_pruning
from torch import Tensor, nn


class TransposedLinear(torch_pruning.BasePruningFunc):
    """How torch-pruning takes channels out of a layer `x @ weight + bias`, with `nf` outputs."""

    def prune_out_channels(self, layer: Any, idxs: Sequence[int]) -> nn.Module:
        """Remove outputs, in place."""
        layer.weight = _without(layer.weight, idxs, 1)
        layer.bias = _without(layer.bias, idxs, 0)
        layer.nf = layer.weight.shape[1]
        return layer

    def prune_in_channels(self, layer: Any, idxs: Sequence[int]) -> nn.Module:
        """Remove inputs, in place."""
        layer.weight = _without(layer.weight, idxs, 0)
        if hasattr(layer, "nx"):
            layer.nx = layer.weight.shape[0]
        return layer

    def get_out_channels(self, layer: Any) -> int:
        """Outputs."""
        return layer.weight.shape[1]

    def get_in_channels(self, layer: Any) -> int:
        """Inputs."""
        return layer.weight.shape[0]


def pruners_of(model: nn.Module) -> dict[type, TransposedLinear]:
    """The classes of such layers in a network: named `Conv1D`, with `nf` outputs, a matrix and a bias."""
    return {type(module): TransposedLinear() for module in model.modules() if _is_transposed(module)}


def _is_transposed(module: Any) -> bool:
    parameters = {name: p.shape for name, p in module._parameters.items() if p is not None}
    if type(module).__name__ != "Conv1D" or set(parameters) != {"weight", "bias"}:
        return False
    return len(parameters["weight"]) == 2 and parameters["weight"][1:] == parameters["bias"] == (module.nf,)


def _without(parameter: Tensor, indices: Sequence[int], dim: int) -> nn.Parameter:
    gone = set(indices)
    kept = torch.tensor([i for i in range(parameter.shape[dim]) if i not in gone], device=parameter.device)
    return nn.Parameter(parameter.detach().index_select(dim, kept), requires_grad=parameter.requires_grad)
