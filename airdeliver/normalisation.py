"""Batch-norm statistics, the trap of this field: frozen, computed by the sender, or re-estimated by the receiver."""

import importlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any, Literal

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from airdeliver.arguments import whole
from airdeliver.conversion import Converted, converted
from airdeliver.payload import Model, architecture_of, is_keras, load, payload_of
from airdeliver.payload.inputs import ForwardError, Inputs, batches, called, check_inputs, fitting

CALIBRATION_BATCH = 512
"""Inputs that are normalised together: as many as usual, so that one batch's statistics are all inputs' statistics."""


NormalisationKind = Literal["frozen", "sender", "receiver"]


@dataclass(frozen=True)
class Normalisation:
    """Where the statistics of batch norm come from at the receiver.

    Weight and bias are always sent, unfolded. A model without batch norm needs none of this.

    Args:
        kind: `frozen` (running statistics of training; sent), `sender` (statistics that the sender computes under the
            noise of the SNR sent at; sent), `receiver` (not sent, but re-estimated by the receiver from inputs that it
            is about to serve; labels are never touched).
        calibration_inputs: how many inputs the receiver, or the sender, estimates from.

    Raises:
        TypeError: a number of inputs that is no whole number.
        ValueError: an unknown kind, or fewer than 2 inputs.
    """

    kind: NormalisationKind = "receiver"
    calibration_inputs: Converted[int, int] = converted(partial(whole, name="calibration_inputs", least=2), 512)

    def __post_init__(self) -> None:
        if self.kind not in ("frozen", "sender", "receiver"):
            raise ValueError(f"normalisation must be frozen, sender or receiver, got {self.kind!r}")

    @property
    def sends_statistics(self) -> bool:
        """Whether mean and log-variance are payload segments."""
        return self.kind != "receiver"


def batch_norms(model: Model) -> list[Any]:
    """The batch norms of a model that keep running statistics."""
    if is_keras(model):
        return _keras().batch_norms(model)
    return [m for m in model.modules() if isinstance(m, _BatchNorm) and m.running_var is not None]


def check_scripted(model: Model, normalisation: Normalisation) -> None:
    """Refuse batch norm in TorchScript, whose statistics nobody can estimate anew, where that is wanted.

    Raises:
        ValueError: the first one by name.
    """
    if normalisation.kind == "frozen" or not isinstance(model, nn.Module):
        return
    for name, module in model.named_modules():
        kind = getattr(module, "original_name", "")
        if isinstance(module, torch.jit.ScriptModule) and kind.startswith(("BatchNorm", "SyncBatchNorm")):
            raise ValueError(
                f"{name or type(model).__name__} is a {kind} in TorchScript, which cannot estimate statistics anew: "
                'deliver the module that was scripted, or with normalisation="frozen"'
            )


@torch.no_grad()
def estimate_statistics(model: Model, inputs: Inputs) -> Model:
    """Replace the running statistics of every batch norm by those of `inputs`; there is no labels argument.

    Everything else is in evaluation mode: dropout is off. A model that draws random numbers nevertheless draws the same
    ones each time, and leaves the global generator as it was.

    Args:
        model: changed in place, left in evaluation mode.
        inputs: unlabelled: a tensor, a tuple of tensors (one for each argument), a mapping from argument to tensor, or
            a list or `DataLoader` of batches (labels in them are left out). Up to `CALIBRATION_BATCH` are normalised
            together, more are averaged batch by batch.

    Raises:
        TypeError: inputs of another kind, whether or not there is a batch norm.
        ValueError: one example where a batch norm needs two, inputs of unlike length, a used-up iterator.

    Source: Y. Li et al., Revisiting Batch Normalization For Practical Domain Adaptation, arXiv 1603.04779.
    """
    check_inputs(inputs)
    if is_keras(model):
        return _keras().estimate_statistics(model, inputs)
    with _accumulating(model, batch_norms(model)) as norms:
        if norms:
            _run(model, inputs)
    return model.eval()


def recalibrate(model: Model, inputs: Inputs) -> Model:
    """The same network with the batch-norm statistics that it has on other inputs, in one call; nothing else changes.

    For weights that are no longer what they were trained as: received, quantised, pruned or averaged ones.

    Args:
        model: stays as it is.
        inputs: unlabelled, as `estimate_statistics` takes them.

    Raises:
        ValueError: as `estimate_statistics`; weights or inputs that are not finite, batch norm in TorchScript.

    >>> model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    >>> outputs = recalibrate(model, inputs := torch.randn(64, 3))(inputs)
    >>> bool(outputs.mean().abs() < 1e-3), model.training
    (True, True)
    """
    check_scripted(model, Normalisation())
    payload = payload_of(model, statistics=False)
    estimated = estimate_statistics(load(architecture_of(model), payload.layout, payload.values), inputs)
    found = [] if is_keras(estimated) else [norm.running_var for norm in batch_norms(estimated)]
    if not all(bool(variance.isfinite().all()) for variance in found):
        raise ValueError("inputs must be finite: the variance that batch norm found is not")
    return estimated


@torch.no_grad()
def average_statistics(model: Model, arrivals: Iterable[None], inputs: Inputs) -> Model:
    """Running statistics averaged over several arrivals of the same network, for a sender that knows the SNR.

    Args:
        model: changed in place, left in evaluation mode.
        arrivals: each step of the iteration leaves other received weights in the model.
        inputs: the sender's own, of the training split; of any kind that `estimate_statistics` takes.

    Raises:
        ValueError: as `estimate_statistics`.
    """
    check_inputs(inputs)
    if is_keras(model):
        return _keras().average_statistics(model, arrivals, inputs)
    with _accumulating(model, batch_norms(model)):
        for _ in arrivals:
            _run(model, inputs)
    return model.eval()


def serve_by_batch(model: Model) -> Model:
    """Let every batch norm use the statistics of the batch it serves, until statistics are estimated; evaluation mode.

    A batch of one example has no statistics: the model then says so in a `ValueError`.

    Raises:
        ValueError: a Keras model, which cannot.
    """
    if is_keras(model):
        raise ValueError("a Keras model whose batch-norm statistics were not sent needs calibration inputs: give some")
    for norm in batch_norms(model):
        norm.running_mean = norm.running_var = norm.num_batches_tracked = None
        norm.track_running_stats = False
        norm.register_forward_pre_hook(_refuse_one)
    return model.eval()


def _keras() -> ModuleType:
    """Imported only when a Keras model is handed in."""
    return importlib.import_module("airdeliver.keras_receiver")


@contextmanager
def _accumulating(model: nn.Module, norms: list[_BatchNorm]) -> Iterator[list[_BatchNorm]]:
    """Only batch norms are in training mode, and average over all batches with equal weight."""
    momenta = [norm.momentum for norm in norms]
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    hooks = [norm.register_forward_pre_hook(_refuse_one) for norm in norms]
    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    try:
        with torch.random.fork_rng(devices):
            torch.random.manual_seed(0)
            yield norms
    finally:
        for hook in hooks:
            hook.remove()
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
            norm.eval()


def _run(model: nn.Module, inputs: Inputs) -> None:
    for batch in batches(inputs, CALIBRATION_BATCH, model):
        called(model, fitting(model, batch))


def _refuse_one(norm: nn.Module, entering: tuple[torch.Tensor, ...]) -> None:
    """Batch norm's own complaint names neither the cause nor the remedy."""
    x = entering[0]
    if x.ndim > 1 and x.numel() == x.shape[1]:
        raise ForwardError(
            f"batch norm of {x.shape[1]} features got one example and has no statistics of its own yet: serve at least "
            "2 examples at once, or give at least 2 calibration inputs"
        )
