"""The fit loop: one-cycle, a few epochs, resumable after each."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import torch
from torch import Generator, Tensor, nn

from airdeliver.data import Split
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.task import Task
from airdeliver.training.checkpoint import Checkpoint
from airdeliver.training.through import Arrival, Through

Objective = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""What is minimised: a network, prepared images and labels in, a scalar loss out."""


def fit(
    model: nn.Module,
    task: Task,
    recipe: Recipe,
    seed: int,
    through: Through | None = None,
    checkpoint: Checkpoint | None = None,
    objective: Objective | None = None,
) -> dict[str, Any]:
    """Train `model` in place.

    Every epoch draws from generators of its own, so that a training resumed after epoch e ends at the same weights,
    bit for bit, as an undisturbed one.

    Args:
        model: on the task's device.
        task: data and loss.
        recipe: how long and how fast.
        seed: of batches, augmentation and noise.
        through: what perturbs the weights in each step.
        checkpoint: where every epoch is kept.
        objective: what is minimised instead of the task's loss.

    Returns:
        The record: `epochs` (mean loss of each), `validation_accuracy` (noiseless), `train_seconds`, and `link` if the
        link has settled on something (`Link.settled`).

    Raises:
        ValueError: the loss is no longer finite.

    Source: L. N. Smith and N. Topin, Super-convergence, arXiv 1708.07120 (one-cycle); K. Jordan, 94 % on CIFAR-10 in
    3.29 seconds, arXiv 2404.00498 (what pays in a few epochs).
    """
    run = _Fit(model, task, recipe, seed, through, objective)
    losses, seconds = run.resume(checkpoint)
    for epoch in range(len(losses), recipe.epochs):
        started = time.perf_counter()
        losses.append(run.epoch(epoch))
        seconds += time.perf_counter() - started
        if not losses[-1] < float("inf"):
            raise ValueError(f"training diverged in epoch {epoch + 1} (loss {losses[-1]}): lower the learning rate")
        if checkpoint is not None:
            checkpoint.save(run.tensors(), {"epochs": losses, "train_seconds": seconds, **run.settled()})
    validation = accuracy(model, task, task.dataset.validation)
    return {"epochs": losses, "validation_accuracy": validation, "train_seconds": seconds, **run.settled()}


@torch.inference_mode()
def accuracy(model: nn.Module, task: Task, split: Split, batch_size: int = 256) -> float:
    """Noiseless accuracy of a network on a split, in 0..1."""
    model.eval()
    correct = [
        task.metric(model(task.dataset.prepare(images.to(task.device))), labels.to(task.device)).sum()
        for images, labels in zip(split.images.split(batch_size), split.labels.split(batch_size), strict=True)
    ]
    return float(sum(correct)) / len(split.labels)


class _Fit:
    """A network, its optimiser and what each step needs."""

    def __init__(
        self,
        model: nn.Module,
        task: Task,
        recipe: Recipe,
        seed: int,
        through: Through | None,
        objective: Objective | None,
    ) -> None:
        self.model = model.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.task, self.recipe, self.seed = task, recipe, seed
        self.optimizer = _optimizer(model, recipe)
        self.arrival = None if through is None else Arrival(model, through)
        self.objective = objective or self._loss
        self.steps = max(1, len(task.dataset.train.labels) // recipe.batch_size)

    def epoch(self, epoch: int) -> float:
        """One pass over the training split; its mean loss."""
        device, data = self.task.device, self.task.dataset
        order = torch.randperm(len(data.train.labels), generator=stream(self.seed, "batches", epoch))
        crops = stream(self.seed, "augmentation", epoch, device)
        noise = stream(self.seed, "training noise", epoch, device)
        total = torch.zeros((), device=device)
        self.model.train()
        for step, rows in enumerate(order.split(self.recipe.batch_size)[: self.steps]):
            images, labels = (tensor.to(device) for tensor in data.train.take(rows))
            if self.recipe.augment:
                images = data.augmentation(images, crops)
            self._set_learning_rate(epoch * self.steps + step)
            total += self._step(data.prepare(images), labels, noise)
        return float(total / self.steps)

    def _step(self, images: Tensor, labels: Tensor, noise: Generator) -> Tensor:
        self.optimizer.zero_grad()
        mixed = torch.autocast(images.device.type, torch.bfloat16, enabled=self.recipe.precision == "bfloat16")
        with self.arrival(noise) if self.arrival is not None else nullcontext():
            with mixed:
                loss = self.objective(self.model, images, labels)
            loss.backward()
        self.optimizer.step()
        return loss.detach()

    def _loss(self, model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        return self.task.loss(model(images).float(), labels, self.recipe.label_smoothing)

    def _set_learning_rate(self, step: int) -> None:
        peak = max(1.0, self.recipe.warm_up * self.steps * self.recipe.epochs)
        end = self.steps * self.recipe.epochs
        share = (step + 1) / peak if step < peak else (end - step) / max(1.0, end - peak)
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.learning_rate * min(1.0, share)

    def tensors(self) -> dict[str, Tensor]:
        """Weights and optimiser state, named."""
        names = {id(p): name for name, p in self.model.named_parameters()}
        state = {f"model/{name}": tensor for name, tensor in self.model.state_dict().items()}
        for parameter, moments in self.optimizer.state.items():
            for key, value in moments.items():
                if value is not None:
                    state[f"optimizer/{key}/{names[id(parameter)]}"] = torch.as_tensor(value)
        return {name: tensor.detach().contiguous() for name, tensor in state.items()}

    def settled(self) -> dict[str, Any]:
        """What the link has settled on, if there is one and it has."""
        known = {} if self.arrival is None else self.arrival.settled()
        return {"link": known} if known else {}

    def resume(self, checkpoint: Checkpoint | None) -> tuple[list[float], float]:
        """Go on after the last finished epoch, if there is one: the losses so far and the seconds spent."""
        saved = None if checkpoint is None else checkpoint.load()
        if saved is None:
            return [], 0.0
        tensors, record = saved
        parameters = dict(self.model.named_parameters())
        weights = {}
        for name, tensor in tensors.items():
            kind, rest = name.split("/", 1)
            if kind == "model":
                weights[rest] = tensor
            else:
                key, parameter = rest.split("/", 1)
                like = parameters[parameter]
                moment = tensor.to(like.device) if tensor.ndim == 0 else torch.empty_like(like).copy_(tensor)
                self.optimizer.state[like][key] = moment
        self.model.load_state_dict(weights)
        if self.arrival is not None:
            self.arrival.resume(record.get("link", {}))
        return list(record["epochs"]), float(record["train_seconds"])


def _optimizer(model: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    decayed = [p for p in model.parameters() if p.ndim > 1]
    free = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": free, "weight_decay": 0.0}]
    if recipe.optimizer == "adamw":
        return torch.optim.AdamW(groups, lr=recipe.learning_rate)
    return torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=0.9, nesterov=True)
