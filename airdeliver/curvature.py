"""Curvature: how the loss of a network grows when its values change."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from airdeliver.randomness import stream
from airdeliver.task import Task


def mean_squared_gradients(model: nn.Module, task: Task, seed: int, batches: int, batch_size: int) -> dict[str, Tensor]:
    """Mean over batches of the square of the loss's gradient; batches of one image give the empirical Fisher.

    Args:
        model: in evaluation mode.
        task: gives training images and loss.
        seed: of the choice of images.
        batches: how many.
        batch_size: images of each.
    """
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    total = {name: torch.zeros_like(p) for name, p in parameters.items()}
    for images, labels in _batches(task, seed, batches, batch_size):
        gradients = torch.autograd.grad(task.loss(model(images), labels), list(parameters.values()), allow_unused=True)
        for accumulated, gradient in zip(total.values(), gradients):
            if gradient is not None:
                accumulated.addcmul_(gradient, gradient, value=1 / batches)
    return total


def hessian_diagonal(model: nn.Module, task: Task, seed: int, batches: int, batch_size: int) -> dict[str, Tensor]:
    """Hutchinson's estimate of the diagonal of the loss's Hessian: the mean of v * (H v) over random signs v.

    Args:
        model: in evaluation mode.
        task: gives training images and loss.
        seed: of images and signs.
        batches: how many, each with signs of its own.
        batch_size: images of each.

    Source: C. Bekas, E. Kokiopoulou and Y. Saad, An estimator for the diagonal of a matrix, Applied Numerical
    Mathematics 57, 2007, equation 2.
    """
    parameters = {name: p for name, p in model.named_parameters() if p.requires_grad}
    total = {name: torch.zeros_like(p) for name, p in parameters.items()}
    signs = stream(seed, "importance", 1, task.device)
    for images, labels in _batches(task, seed, batches, batch_size):
        tensors = list(parameters.values())
        gradients = torch.autograd.grad(task.loss(model(images), labels), tensors, create_graph=True)
        vectors = [torch.randint(2, p.shape, generator=signs, device=p.device) * 2.0 - 1.0 for p in tensors]
        products = torch.autograd.grad(gradients, tensors, vectors)
        for accumulated, vector, product in zip(total.values(), vectors, products):
            accumulated.addcmul_(vector, product, value=1 / batches)
    return total


def _batches(task: Task, seed: int, batches: int, batch_size: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Prepared training images and labels, seeded-random, all different as long as there are enough."""
    train = task.dataset.train
    order = torch.randperm(len(train), generator=stream(seed, "importance"))
    rows = order.repeat(-(-batches * batch_size // len(train)))[: batches * batch_size]
    for chosen in rows.split(batch_size):
        images, labels = train.take(chosen)
        yield task.dataset.prepare(images.to(task.device)), labels.to(task.device)
