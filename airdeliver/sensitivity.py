"""Sensitivity: how much the loss grows per unit of noise variance on each segment of a payload."""

import copy

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from airdeliver.curvature import hutchinson, training_batches
from airdeliver.normalisation import Normalisation, batch_norms, estimate_statistics, serve_by_batch
from airdeliver.payload import Flattened, Layout
from airdeliver.problem import Execution
from airdeliver.randomness import stream
from airdeliver.task.base import Task
from airdeliver.task.judged import loss_of


def by_curvature(
    model: nn.Module,
    layout: Layout,
    normalisation: Normalisation,
    task: Task,
    execution: Execution,
    batches: int = 16,
    batch_size: int = 64,
) -> Float[Tensor, "segments"]:
    """Half the trace of each segment's block of the Hessian: small noise of variance v adds v times that.

    Where the receiver estimates batch-norm statistics, they are those of the batch: noise that a batch norm undoes
    then costs nothing. The kinks of ReLU have no second derivative: what they add is missing. Where the estimate is
    below its own standard error, that stands for it: what may be sensitive is not left without protection.

    Args:
        model: trained; left as it is.
        layout: of the payload.
        normalisation: where batch-norm statistics come from.
        task: gives training examples and loss.
        execution: seed and device.
        batches: of the training split, each with random signs of its own.
        batch_size: images of each.

    Returns:
        Loss in nats per unit of noise variance on every value of a segment; above 0 unless no batch shows any.

    Source: second-order expansion of the loss; the trace by Hutchinson's estimator, arXiv 1912.07145 (PyHessian).
    """
    twin = copy.deepcopy(model).eval().to(execution.device)
    tensors = Flattened(twin, layout).tensors
    if normalisation.sends_statistics:
        _make_statistics_differentiable(twin)
    else:
        serve_by_batch(twin)
    leaves = [(t.log() if s.transform == "log" else t.clone()) for s, t in zip(layout.segments, tensors)]
    leaves = [leaf.detach().float().requires_grad_() for leaf in leaves]
    signs = stream(execution.seed, "importance", 2, execution.device)
    traces = []
    for inputs, targets in training_batches(task, execution.seed, batches, batch_size, execution.device):
        named = {s.name: leaf.exp() if s.transform == "log" else leaf for s, leaf in zip(layout.segments, leaves)}
        loss = loss_of(task, functional_call(twin, named, (inputs,)).float(), targets)
        # Coupling with other segments averages out, but slowly: those of one kind at a time couple little.
        probes = hutchinson(loss, leaves, signs, _kinds(layout))
        traces.append(torch.stack([probe.sum() for probe in probes]))
    found = torch.stack(traces)
    return (torch.maximum(found.mean(0), found.std(0, correction=min(1, batches - 1)) / batches**0.5) / 2).cpu()


def _kinds(layout: Layout) -> list[list[int]]:
    """Segments of the same kind: weights of layers, weights of norms, biases, means, variances."""
    kinds: dict[tuple[str, bool], list[int]] = {}
    for i, segment in enumerate(layout.segments):
        kinds.setdefault((segment.name.rpartition(".")[2], len(segment.shape) > 1), []).append(i)
    return list(kinds.values())


@torch.no_grad()
def by_measurement(
    model: nn.Module,
    layout: Layout,
    normalisation: Normalisation,
    task: Task,
    execution: Execution,
    noise_variance: Float[Tensor, "segments"],
    draws: int = 8,
    images: int = 1024,
) -> Float[Tensor, "segments"]:
    """Loss increase when one segment alone is noisy, over its noise variance.

    Args:
        model: trained; left as it is.
        layout: of the payload.
        normalisation: where batch-norm statistics come from: re-estimated under the noise for `receiver`.
        task: gives training examples and loss.
        execution: seed and device.
        noise_variance: per value, of each segment; above 0.
        draws: of the noise, each with both signs, over which the loss is averaged.
        images: of the training split.

    Returns:
        Loss in nats per unit of noise variance on every value of a segment; it may come out below 0.
    """
    twin = copy.deepcopy(model).eval().to(execution.device)
    flattened = Flattened(twin, layout)
    values = flattened.read()
    ((inputs, targets),) = training_batches(task, execution.seed, 1, images, execution.device)
    estimates = bool(batch_norms(twin)) and not normalisation.sends_statistics

    def loss(arrived: Tensor) -> Tensor:
        flattened.write(arrived)
        if estimates:
            estimate_statistics(twin, inputs)
        return loss_of(task, twin(inputs).float(), targets)

    clean, noise = loss(values), stream(execution.seed, "importance", 3, execution.device)
    increase = torch.zeros(len(layout.segments))
    for segment, (offset, size) in enumerate(zip(layout.offsets, layout.sizes)):
        span = slice(offset, offset + size)
        for _ in range(draws):
            added = torch.zeros_like(values)
            deviation = noise_variance[segment].sqrt().to(values.device)
            added[span] = deviation * torch.randn(size, generator=noise, device=values.device)
            # Noise of either sign: what the loss changes to first order averages out, as it does in expectation.
            increase[segment] += float((loss(values + added) + loss(values - added)) / 2 - clean) / draws
    return increase / noise_variance.cpu()


class _DifferentiableNorm(nn.Module):
    """A batch norm in evaluation mode that can be differentiated by its statistics, which PyTorch's cannot."""

    def __init__(self, norm: _BatchNorm) -> None:
        super().__init__()
        assert norm.running_mean is not None
        assert norm.running_var is not None
        self.weight, self.bias, self.eps = norm.weight, norm.bias, norm.eps
        self.register_buffer("running_mean", norm.running_mean)
        self.register_buffer("running_var", norm.running_var)

    def forward(self, x: Tensor) -> Tensor:
        shape = (1, -1, *(1,) * (x.ndim - 2))
        mean, variance = self.get_buffer("running_mean").view(shape), self.get_buffer("running_var").view(shape)
        normal = (x - mean) * (variance + self.eps).rsqrt()
        return normal if self.weight is None else normal * self.weight.view(shape) + self.bias.view(shape)


def _make_statistics_differentiable(model: nn.Module) -> None:
    for name, module in list(model.named_modules()):
        if isinstance(module, _BatchNorm) and module.running_var is not None:
            parent, _, last = name.rpartition(".")
            setattr(model.get_submodule(parent), last, _DifferentiableNorm(module))
