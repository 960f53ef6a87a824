"""Batch-norm statistics, the trap of this field: frozen, computed by the sender, or re-estimated by the receiver."""

import importlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from airdeliver.payload import Model, is_keras

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
        ValueError: an unknown kind, or fewer than 2 inputs.
    """

    kind: NormalisationKind = "receiver"
    calibration_inputs: int = 512

    def __post_init__(self) -> None:
        if self.kind not in ("frozen", "sender", "receiver"):
            raise ValueError(f"normalisation must be frozen, sender or receiver, got {self.kind!r}")
        if self.calibration_inputs < 2:
            raise ValueError(f"calibration_inputs must be at least 2, got {self.calibration_inputs}")

    @property
    def sends_statistics(self) -> bool:
        """Whether mean and log-variance are payload segments."""
        return self.kind != "receiver"


def batch_norms(model: Model) -> list[Any]:
    """The batch norms of a model that keep running statistics."""
    if is_keras(model):
        return _keras().batch_norms(model)
    return [m for m in model.modules() if isinstance(m, _BatchNorm) and m.running_var is not None]


@torch.no_grad()
def estimate_statistics(model: Model, inputs: Float[Tensor, "n ..."]) -> Model:
    """Replace the running statistics of every batch norm by those of `inputs`; there is no labels argument.

    Args:
        model: changed in place, left in evaluation mode.
        inputs: unlabelled; up to `CALIBRATION_BATCH` are normalised together, more are averaged batch by batch.

    Source: Y. Li et al., Revisiting Batch Normalization For Practical Domain Adaptation, arXiv 1603.04779.
    """
    if is_keras(model):
        return _keras().estimate_statistics(model, inputs)
    with _accumulating(batch_norms(model)) as norms:
        if norms:
            for batch in _batches(inputs):
                model(batch)
    return model.eval()


@torch.no_grad()
def average_statistics(model: Model, arrivals: Iterable[None], inputs: Float[Tensor, "n ..."]) -> Model:
    """Running statistics averaged over several arrivals of the same network, for a sender that knows the SNR.

    Args:
        model: changed in place, left in evaluation mode.
        arrivals: each step of the iteration leaves other received weights in the model.
        inputs: the sender's own, of the training split.
    """
    if is_keras(model):
        return _keras().average_statistics(model, arrivals, inputs)
    with _accumulating(batch_norms(model)):
        for _ in arrivals:
            for batch in _batches(inputs):
                model(batch)
    return model.eval()


def serve_by_batch(model: Model) -> Model:
    """Let every batch norm use the statistics of the batch it serves, until statistics are estimated; evaluation mode.

    Raises:
        ValueError: a Keras model, which cannot.
    """
    if is_keras(model):
        raise ValueError("a Keras model whose batch-norm statistics were not sent needs calibration inputs: give some")
    for norm in batch_norms(model):
        norm.running_mean = norm.running_var = norm.num_batches_tracked = None
        norm.track_running_stats = False
    return model.eval()


def _keras() -> ModuleType:
    """Imported only when a Keras model is handed in."""
    return importlib.import_module("airdeliver.keras_receiver")


@contextmanager
def _accumulating(norms: list[_BatchNorm]) -> Iterator[list[_BatchNorm]]:
    """Only batch norms are in training mode, and average over all batches with equal weight."""
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None
        norm.train()
    try:
        yield norms
    finally:
        for norm, momentum in zip(norms, momenta):
            norm.momentum = momentum
            norm.eval()


def _batches(inputs: Tensor) -> tuple[Tensor, ...]:
    """Batches of nearly equal size, none above `CALIBRATION_BATCH`."""
    return inputs.tensor_split(max(1, -(-len(inputs) // CALIBRATION_BATCH)))
