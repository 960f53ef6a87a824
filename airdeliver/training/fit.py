"""The fit loop: one-cycle, a few epochs, resumable after each."""

import time
import warnings
from collections.abc import Mapping
from dataclasses import replace
from functools import reduce
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.optim.lr_scheduler import LambdaLR

from airdeliver.data import Split
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.task.judged import judged
from airdeliver.training.checkpoint import Checkpoint
from airdeliver.training.methods.base import Batch, Run, laid_out
from airdeliver.training.muon import Muon
from airdeliver.training.optimizers import SGD, AdamW
from airdeliver.training.trained import Trained

FILTERS = 0.5
"""Learning rate of filters whose steps are orthogonal, over that of everything else."""


def fit(run: Run, task: Task, recipe: Recipe, seed: int, checkpoint: Checkpoint | None = None) -> Trained:
    """Take a run through its epochs.

    Every epoch draws from generators of its own, so that a training resumed after epoch e ends at the same weights,
    bit for bit, as an undisturbed one.

    Args:
        run: its network is trained in place.
        task: data and score.
        recipe: how long and how fast.
        seed: of batches, augmentation and noise.
        checkpoint: where every epoch is kept.

    Returns:
        What the run has made; its state knows `epochs` (mean loss of each), `terms` (mean of each named term, a list
        over epochs), `validation_score` (noiseless) and `train_seconds`.

    Raises:
        ValueError: the loss is no longer finite.

    Source: L. N. Smith and N. Topin, Super-convergence, arXiv 1708.07120 (one-cycle); K. Jordan, 94 % on CIFAR-10 in
    3.29 seconds, arXiv 2404.00498 (what pays in a few epochs).
    """
    loop = _Loop(run, task, recipe, seed)
    log, seconds = loop.resume(checkpoint)
    for epoch in range(len(log), recipe.epochs):
        started = time.perf_counter()
        log.append(loop.epoch(epoch))
        seconds += time.perf_counter() - started
        if not total(log[-1]) < float("inf"):
            raise ValueError(f"training diverged in epoch {epoch + 1} (loss {total(log[-1])}): lower the learning rate")
        if checkpoint is not None:
            checkpoint.save(*loop.state(log, seconds))
    trained = run.finish()
    state = {
        "epochs": [total(terms) for terms in log],
        "terms": {name: [terms.get(name) for terms in log] for name in sorted({n for terms in log for n in terms})},
        "validation_score": mean_score(run.network, task, task.dataset.validation),
        "train_seconds": seconds,
    }
    return replace(trained, state={**trained.state, **state})


def total(terms: Mapping[str, float]) -> float:
    """The loss of which these are the terms."""
    return float(sum(terms.values()))


@torch.inference_mode()
def mean_score(network: nn.Module, task: Task, split: Split, batch_size: int = 256) -> float:
    """Mean score, noiseless, of a network on a split; within the task's bounds."""
    network.eval()
    device = next(network.parameters()).device
    rows = torch.arange(len(split)).split(batch_size)
    batches = (split.take(part) for part in rows)
    scores = [
        judged(task, network(task.dataset.prepare(inputs.to(device))).float(), targets.to(device))[0].sum()
        for inputs, targets in batches
    ]
    return float(sum(scores)) / len(split)


class _Loop:
    """A run, its optimiser and what each step needs."""

    def __init__(self, run: Run, task: Task, recipe: Recipe, seed: int) -> None:
        self.run, self.task, self.recipe, self.seed = run, task, recipe, seed
        self.data = task.dataset if recipe.shift is None else task.dataset.shifted(recipe.shift)
        self.network = laid_out(run.network, task)
        self.device = next(self.network.parameters()).device
        self.learned = dict(run.learned())
        self.optimizer = _optimizer(self.network, self.learned, recipe, run.rates())
        self.steps = max(1, len(task.dataset.train) // recipe.batch_size)
        self.schedule = LambdaLR(self.optimizer, self._share_of_peak)

    def _share_of_peak(self, step: int) -> float:
        """One-cycle: linear warm-up, linear decay to zero."""
        peak = max(1.0, self.recipe.warm_up * self.steps * self.recipe.epochs)
        end = self.steps * self.recipe.epochs
        share = (step + 1) / peak if step < peak else (end - step) / max(1.0, end - peak)
        return min(1.0, share)

    def epoch(self, epoch: int) -> dict[str, float]:
        """One pass over the training split; the mean of each term of the loss."""
        data = self.data
        order = torch.randperm(len(data.train), generator=stream(self.seed, "batches", epoch))
        crops = stream(self.seed, "augmentation", epoch, self.device)
        noise = stream(self.seed, "training noise", epoch, self.device)
        totals: dict[str, Tensor] = {}
        self.network.train()
        for step, rows in enumerate(order.split(self.recipe.batch_size)[: self.steps]):
            inputs, targets = (tensor.to(self.device) for tensor in data.train.take(rows))
            if self.recipe.augment:
                inputs, targets = data.augment(inputs, targets, crops)
            number = epoch * self.steps + step
            for name, term in self._step(Batch(data.prepare(inputs), targets), noise, number).items():
                totals[name] = totals.get(name, torch.zeros((), device=self.device)) + term
            with torch.no_grad():
                self.run.after_step(number)
        return {name: float(value / self.steps) for name, value in totals.items()}

    def _step(self, batch: Batch, noise: Generator, number: int) -> dict[str, Tensor]:
        self.optimizer.zero_grad()
        mixed = torch.autocast(self.device.type, torch.bfloat16, enabled=self.recipe.precision == "bfloat16")
        with self.run.arriving(noise):
            with mixed:
                terms = self.run.loss(batch, noise)
            reduce(torch.add, terms.values()).backward()
        if self.run.before_step(number, self.optimizer):
            self.optimizer.step()
        self.schedule.step()
        return {name: term.detach() for name, term in terms.items()}

    def state(self, log: list[dict[str, float]], seconds: float) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors and JSON from which a training goes on."""
        names = {id(tensor): name for name, tensor in self._optimised()}
        tensors = {f"model/{name}": tensor for name, tensor in self.network.state_dict().items()}
        tensors |= {f"learned/{name}": tensor for name, tensor in self.learned.items()}
        for parameter, moments in self.optimizer.state.items():
            for key, value in moments.items():
                if value is not None:
                    tensors[f"optimizer/{key}/{names[id(parameter)]}"] = torch.as_tensor(value)
        own = self.run.state_dict()
        tensors |= {f"run/{name}": value for name, value in own.items() if isinstance(value, Tensor)}
        rest = {name: value for name, value in own.items() if not isinstance(value, Tensor)}
        record = {"epochs": log, "train_seconds": seconds, "run": rest}
        return {name: tensor.detach().contiguous() for name, tensor in tensors.items()}, record

    def _optimised(self) -> list[tuple[str, Tensor]]:
        return [*self.network.named_parameters(), *self.learned.items()]

    @torch.no_grad()
    def resume(self, checkpoint: Checkpoint | None) -> tuple[list[dict[str, float]], float]:
        """Go on after the last finished epoch, if there is one: the log so far and the seconds spent."""
        saved = None if checkpoint is None else checkpoint.load()
        if saved is None:
            return [], 0.0
        tensors, known = saved
        parts: dict[str, dict[str, Tensor]] = {"model": {}, "learned": {}, "optimizer": {}, "run": {}}
        for name, tensor in tensors.items():
            kind, rest = name.split("/", 1)
            parts[kind][rest] = tensor
        self.network.load_state_dict(parts["model"])
        for name, tensor in self.learned.items():
            tensor.copy_(parts["learned"][name])
        parameters = dict(self._optimised())
        for name, tensor in parts["optimizer"].items():
            key, parameter = name.split("/", 1)
            like = parameters[parameter]
            moment = tensor.to(like.device) if tensor.ndim == 0 else torch.empty_like(like).copy_(tensor)
            self.optimizer.state[like][key] = moment  # type: ignore[index]
        self.run.load_state_dict({**parts["run"], **known["run"]})
        log = list(known["epochs"])
        self.schedule.last_epoch = len(log) * self.steps - 1
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it would like a step of the optimiser first, which the other process took
            self.schedule.step()
        return log, float(known["train_seconds"])


def _optimizer(
    network: nn.Module, learned: Mapping[str, Tensor], recipe: Recipe, rates: Mapping[str, float]
) -> torch.optim.Optimizer:
    named = dict(network.named_parameters())
    groups: list[dict[str, Any]] = []
    for factor in dict.fromkeys([1.0, *rates.values()]):
        own = [parameter for name, parameter in named.items() if rates.get(name, 1.0) == factor]
        rate, decay = factor * recipe.learning_rate, recipe.weight_decay
        free = [*(p for p in own if p.ndim <= 1), *(learned.values() if factor == 1.0 else ())]
        if recipe.optimizer == "muon":
            filters = [p for p in own if p.ndim > 2]
            groups.append({"params": filters, "weight_decay": decay, "lr": rate * FILTERS, "orthogonal": True})
            own = [p for p in own if p.ndim <= 2]
        groups.append({"params": [p for p in own if p.ndim > 1], "weight_decay": decay, "lr": rate})
        groups.append({"params": free, "weight_decay": 0.0, "lr": rate})
    if recipe.optimizer == "adamw":
        return AdamW(groups, lr=recipe.learning_rate)
    if recipe.optimizer == "muon":
        return Muon(groups, lr=recipe.learning_rate)
    return SGD(groups, lr=recipe.learning_rate, momentum=0.9, nesterov=True)
