"""Batch norms folded into the convolutions before them: the same function, faster to evaluate."""

import copy
from collections import Counter
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights, fuse_linear_bn_weights

from airdeliver.payload.flattened import is_tracking

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


class Folded:
    """A twin of a model in which each batch norm that directly follows a convolution is folded into it.

    In evaluation mode the twin computes the same function up to float32 rounding. It is built once; `refresh` copies
    the model's current weights into it, which is what a loop over received realizations calls. Batch norms that do
    not follow a convolution (pre-activation networks) stay as they are. A model that `torch.fx` cannot trace
    (control flow that depends on data) gets a plain copy as its twin.

    Args:
        model: the source; it is not changed.
        example: inputs of the model; if given, the twin is compared with the model on them, and batch norms after
            linear layers are folded as well (whether those normalise the features depends on the input's shape). A
            twin that differs is replaced by a plain copy.

    Attributes:
        module: the twin, in evaluation mode, without gradients.
        pairs: names of the folded (convolution, batch norm) pairs.

    Source: B. Jacob et al., Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
    Inference, CVPR 2018, section 3.2.

    >>> model = nn.Sequential(nn.Conv2d(3, 8, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU())
    >>> folded = Folded(model)
    >>> folded.pairs
    (('0', '1'),)
    >>> x = torch.ones(1, 3, 5, 5)
    >>> torch.allclose(folded.module(x), model.eval()(x), atol=1e-5)
    True
    """

    def __init__(self, model: nn.Module, example: Tensor | None = None):
        self.pairs = _pairs(model, linear=example is not None)
        self._build(model)
        if example is not None and self.pairs and not _agree(model, self.module, example):
            self.pairs = ()
            self._build(model)

    def _build(self, model: nn.Module) -> None:
        self.module = copy.deepcopy(model).eval().requires_grad_(False)
        self._fused, fused_names = [], set()
        for before, after in self.pairs:
            batch_norm: Any = model.get_submodule(after)
            twin: Any = self.module.get_submodule(before)
            twin.weight = _unshared(twin.weight)
            twin.bias = _unshared(batch_norm.running_mean.to(twin.weight.dtype))
            _replace(self.module, after, nn.Identity())
            self._fused.append((model.get_submodule(before), batch_norm, twin))
            fused_names |= {f"{before}.weight", f"{before}.bias"}
        sources = dict(model.named_modules(remove_duplicate=False))
        self._copied = [
            (sources[path], module, name)
            for path, module in self.module.named_modules()
            for name, tensor in (*module._parameters.items(), *module._buffers.items())
            if tensor is not None and (f"{path}.{name}" if path else name) not in fused_names
        ]
        self.refresh()

    @torch.no_grad()
    def refresh(self) -> None:
        """Copy the model's current weights and statistics into the twin, in place."""
        for convolution, batch_norm, twin in self._fused:
            weight, bias = _fuse(convolution, batch_norm)
            twin.weight.copy_(weight)
            twin.bias.copy_(bias)
        if self._copied:
            torch._foreach_copy_(
                [getattr(twin, name) for _, twin, name in self._copied],
                [getattr(source, name) for source, _, name in self._copied],
            )


def _pairs(model: nn.Module, linear: bool) -> tuple[tuple[str, str], ...]:
    """Names of convolutions whose only user is a batch norm, with that batch norm, each called exactly once."""
    foldable = (*CONVOLUTIONS, *TRANSPOSED, nn.Linear) if linear else (*CONVOLUTIONS, *TRANSPOSED)
    modules = dict(model.named_modules())
    try:
        graph = fx.Tracer().trace(copy.deepcopy(model).eval())
    except Exception:  # The model's own code runs on proxies: it may fail in any way.
        return ()
    calls = Counter(node.target for node in graph.nodes if node.op == "call_module")
    read = {str(node.target).rpartition(".")[0] for node in graph.nodes if node.op == "get_attr"}
    pairs = []
    for node in graph.nodes:
        if node.op != "call_module" or not is_tracking(modules[node.target]):
            continue
        before = node.args[0] if node.args else None
        if not isinstance(before, fx.Node) or before.op != "call_module" or len(before.users) != 1:
            continue
        names = (str(before.target), str(node.target))
        plain = all(calls[name] == 1 and name not in read and not _hooked(modules[name]) for name in names)
        if plain and type(modules[names[0]]) in foldable:
            pairs.append(names)
    return tuple(pairs)


def _fuse(convolution: Any, batch_norm: Any) -> tuple[Tensor, Tensor]:
    statistics = (batch_norm.running_mean, batch_norm.running_var, batch_norm.eps)
    affine = (batch_norm.weight, batch_norm.bias)
    if isinstance(convolution, nn.Linear):
        return fuse_linear_bn_weights(convolution.weight, convolution.bias, *statistics, *affine)
    transposed = isinstance(convolution, TRANSPOSED)
    return fuse_conv_bn_weights(convolution.weight, convolution.bias, *statistics, *affine, transpose=transposed)


@torch.no_grad()
def _agree(model: nn.Module, twin: nn.Module, example: Tensor) -> bool:
    expected, actual = copy.deepcopy(model).eval()(example), twin(example)
    return torch.allclose(actual, expected, rtol=1e-3, atol=1e-3 * float(expected.abs().max()))


def _hooked(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)


def _unshared(tensor: Tensor) -> nn.Parameter:
    """A parameter of its own memory, in the same memory format: the convolution's may be tied to another layer."""
    return nn.Parameter(torch.empty_like(tensor), requires_grad=False)


def _replace(model: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, module)
