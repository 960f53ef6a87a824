"""Batch norms folded into the convolutions before them: the same function, faster to evaluate."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights, fuse_linear_bn_weights

from airdeliver.payload.copying import copied
from airdeliver.payload.inputs import Inputs, called
from airdeliver.payload.learned import is_tracking, join, learned, unexpanded

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
        example: inputs of the model; if given, the twin is compared with the model on them (see `verify`), and batch
            norms after linear layers are folded as well (whether those normalise the features depends on the input's
            shape). A twin that differs is replaced by a plain copy.

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

    def __init__(self, model: nn.Module, example: Inputs = None):
        self._model = model
        self.pairs = _pairs(model, linear=example is not None)
        self._build()
        if example is not None:
            self.verify(example)

    @torch.no_grad()
    def verify(self, example: Inputs) -> bool:
        """Compare the twin with the model on inputs, at the model's current weights; replace it if they differ.

        A model without values (the architecture alone) is compared with random ones in their place.

        Args:
            example: inputs of the model: a tensor, a tuple or a mapping; a few examples are enough.

        Returns:
            Whether they agree. If not, the twin is a plain copy from now on (`module` is another one then).
        """
        if not self.pairs:
            return True
        source, trial = copied(self._model).eval(), self.module
        if not all(bool(each.tensor.float().isfinite().all()) for each in learned(source)):
            _randomise(source)
            trial = Folded.of_pairs(source, self.pairs).module
        if _agree(source, trial, example):
            return True
        self.pairs = ()
        self._build()
        return False

    @classmethod
    def of_pairs(cls, model: nn.Module, pairs: tuple[tuple[str, str], ...]) -> "Folded":
        """A twin in which these pairs, and no others, are folded."""
        folded = cls.__new__(cls)
        folded._model, folded.pairs = model, pairs
        folded._build()
        return folded

    def _build(self) -> None:
        model = self._model
        self.module = copied(model).eval()
        for parameter in self.module.parameters():
            parameter.requires_grad_(False)
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
            if tensor is not None and join(path, name) not in fused_names
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
                [unexpanded(getattr(twin, name)) for _, twin, name in self._copied],
                [unexpanded(getattr(source, name)) for source, _, name in self._copied],
            )


def _pairs(model: nn.Module, linear: bool) -> tuple[tuple[str, str], ...]:
    """Names of convolutions whose only user is a batch norm, with that batch norm, each called exactly once."""
    foldable = (*CONVOLUTIONS, *TRANSPOSED, nn.Linear) if linear else (*CONVOLUTIONS, *TRANSPOSED)
    modules = dict(model.named_modules())
    try:
        graph = fx.Tracer().trace(copied(model).eval())
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
    if not isinstance(convolution, TRANSPOSED) or convolution.groups == 1:
        transposed = isinstance(convolution, TRANSPOSED)
        return fuse_conv_bn_weights(convolution.weight, convolution.bias, *statistics, *affine, transpose=transposed)
    # Output channels lie group by group in a bias, and within a group in a transposed weight: each group is a
    # convolution of its own.
    groups = convolution.groups
    whole = (convolution.weight, convolution.bias, *statistics[:2], *affine)
    parts = zip(*([None] * groups if each is None else each.chunk(groups) for each in whole), strict=True)
    fused = [
        fuse_conv_bn_weights(weight, bias, mean, variance, batch_norm.eps, gain, shift, transpose=True)
        for weight, bias, mean, variance, gain, shift in parts
    ]
    return torch.cat([weight for weight, _ in fused]), torch.cat([bias for _, bias in fused])


def _agree(model: nn.Module, twin: nn.Module, example: Inputs) -> bool:
    expected, actual = _tensors(called(model, example)), _tensors(called(twin, example))
    return len(expected) == len(actual) and all(
        torch.allclose(a, e, rtol=1e-3, atol=1e-3 * _largest(e), equal_nan=True)
        for a, e in zip(actual, expected, strict=True)
    )


def _largest(values: Tensor) -> float:
    """The largest of those that are finite; 0 if there is none."""
    sizes = values.abs()
    return float(sizes[sizes.isfinite()].max()) if bool(sizes.isfinite().any()) else 0.0


def _tensors(outputs: Any) -> list[Tensor]:
    """The real or complex tensors among a model's outputs, however it returns them."""
    if isinstance(outputs, Tensor):
        return [outputs] if outputs.is_floating_point() or outputs.is_complex() else []
    held = outputs.values() if isinstance(outputs, Mapping) else outputs if isinstance(outputs, (list, tuple)) else ()
    held = held or getattr(outputs, "__dict__", {}).values()
    return [tensor for each in held for tensor in _tensors(each)]


def _randomise(model: nn.Module) -> None:
    """Give every learned tensor values that let signals through, from a generator of their own."""
    generator = torch.Generator().manual_seed(0)
    for each in learned(model):
        noise = torch.randn(each.shape, generator=generator)
        fan_in = max(1, noise[0].numel()) if noise.ndim > 1 else 1
        each.write((noise.abs() + 0.5 if each.floor is not None else noise / fan_in**0.5).reshape(-1))


def _hooked(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)


def _unshared(tensor: Tensor) -> nn.Parameter:
    """A parameter of its own memory, in the same memory format: the convolution's may be tied to another layer."""
    return nn.Parameter(torch.empty_like(tensor), requires_grad=False)


def _replace(model: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, last = name.rpartition(".")
    setattr(model.get_submodule(parent), last, module)
