"""Curvature: how the loss of a network grows when its values change."""

from collections.abc import Iterator, Sequence

import torch
from jaxtyping import Float
from torch import Generator, Tensor, nn

from airdeliver.randomness import stream
from airdeliver.task.base import Task
from airdeliver.task.judged import loss_of


def mean_squared_gradients(model: nn.Module, task: Task, seed: int, batches: int, batch_size: int) -> dict[str, Tensor]:
    """Mean over batches of the square of the loss's gradient; batches of one image give the empirical Fisher.

    Args:
        model: in evaluation mode.
        task: gives training images and loss.
        seed: of the choice of images.
        batches: how many.
        batch_size: images of each.
    """
    parameters = dict(model.named_parameters())
    total = {name: torch.zeros_like(p) for name, p in parameters.items()}
    for inputs, targets in training_batches(task, seed, batches, batch_size, device_of(model)):
        gradients = torch.autograd.grad(
            loss_of(task, model(inputs).float(), targets), list(parameters.values()), allow_unused=True
        )
        for accumulated, gradient in zip(total.values(), gradients):
            if gradient is not None:
                accumulated.addcmul_(gradient, gradient, value=1 / batches)
    return total


def hessian_diagonal(model: nn.Module, task: Task, seed: int, batches: int, batch_size: int) -> dict[str, Tensor]:
    """An estimate of the diagonal of the loss's Hessian.

    Args:
        model: in evaluation mode.
        task: gives training images and loss.
        seed: of images and signs.
        batches: how many, each with signs of its own.
        batch_size: images of each.
    """
    parameters = dict(model.named_parameters())
    total = {name: torch.zeros_like(p) for name, p in parameters.items()}
    signs = stream(seed, "importance", 1, device_of(model))
    for inputs, targets in training_batches(task, seed, batches, batch_size, device_of(model)):
        probes = hutchinson(loss_of(task, model(inputs).float(), targets), list(parameters.values()), signs)
        for accumulated, probe in zip(total.values(), probes):
            accumulated.add_(probe, alpha=1 / batches)
    return total


def hutchinson(
    loss: Float[Tensor, ""], leaves: Sequence[Tensor], generator: Generator, apart: Sequence[Sequence[int]] = ()
) -> list[Tensor]:
    """One draw of v * (H v) with random signs v: its mean is the diagonal of the Hessian H of the loss.

    Args:
        loss: a function of the leaves.
        leaves: that it is differentiated by.
        generator: of the signs.
        apart: groups of leaves that are probed apart, so that what couples them adds no noise; all at once if empty.

    Source: C. Bekas, E. Kokiopoulou and Y. Saad, An estimator for the diagonal of a matrix, Applied Numerical
    Mathematics 57, 2007, equation 2.
    """
    gradients = torch.autograd.grad(loss, leaves, create_graph=True, materialize_grads=True)
    signs = [torch.randint(2, p.shape, generator=generator, device=p.device) * 2.0 - 1.0 for p in leaves]
    probes = list(leaves)
    for group in apart or [range(len(leaves))]:
        outputs, inputs, vectors = ([part[i] for i in group] for part in (gradients, leaves, signs))
        products = torch.autograd.grad(outputs, inputs, vectors, materialize_grads=True, retain_graph=True)
        for i, vector, product in zip(group, vectors, products):
            probes[i] = vector * product
    return probes


def device_of(model: nn.Module) -> torch.device:
    """Where the parameters of a network live."""
    return next(model.parameters()).device


def training_batches(
    task: Task, seed: int, batches: int, batch_size: int, device: torch.device | str
) -> Iterator[tuple[Tensor, Tensor]]:
    """Prepared training inputs and their targets, seeded-random, all different as long as there are enough."""
    train = task.dataset.train
    order = torch.randperm(len(train), generator=stream(seed, "importance"))
    rows = order.repeat(-(-batches * batch_size // len(train)))[: batches * batch_size]
    for chosen in rows.split(batch_size):
        inputs, targets = train.take(chosen)
        yield task.dataset.prepare(inputs.to(device)), targets.to(device)
