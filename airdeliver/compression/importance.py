"""Importance: which channels a network can lose."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from airdeliver.architecture.channel_groups import ChannelGroup, ChannelGroups
from airdeliver.curvature import hessian_diagonal, mean_squared_gradients
from airdeliver.task.base import Task


class Importance(ABC):
    """Scores values; a channel's score is the mean over all values that vanish with it, in whatever layer.

    The mean, not the sum: what is pruned to a budget is cheap to keep if it has few values. An importance of one's
    own is a frozen dataclass with one method.

    Attributes:
        relative: whether each group's scores are divided by their mean before groups are compared. Without it whole
            layers shrink to bottlenecks, whatever the importance; for magnitudes, whose scale is arbitrary before a
            batch norm, it is a must.
    """

    relative: bool = True

    @abstractmethod
    def saliency(self, model: nn.Module, task: Task | None, seed: int) -> dict[str, Tensor]:
        """How much each value of a network matters.

        Args:
            model: in evaluation mode; left as it is.
            task: gives training images and loss; None where there is none.
            seed: of the choice of images.

        Returns:
            A tensor of the shape of the parameter for each parameter that counts, by name, none below 0.
        """

    def scores(
        self, model: nn.Module, groups: ChannelGroups, task: Task | None, seed: int
    ) -> list[Float[Tensor, "units"]]:
        """The score of each unit of each group, on the CPU.

        Args:
            model: of the architecture of `groups`.
            groups: of channels.
            task: gives training images and loss.
            seed: of the choice of images.
        """
        saliency = {name: tensor.detach().cpu() for name, tensor in self.saliency(model.eval(), task, seed).items()}
        scores = [_unit_means(group, saliency) for group in groups.groups]
        return [score / score.mean().clamp(min=1e-30) for score in scores] if self.relative else scores


def _needed(task: Task | None) -> Task:
    if task is None:
        raise ValueError("examples are needed, and there is no task: give one, or an importance such as Magnitude")
    return task


def _unit_means(group: ChannelGroup, saliency: dict[str, Tensor]) -> Float[Tensor, "units"]:
    total, values = torch.zeros(group.units), 0
    for shrinking in group.shrinking:
        if shrinking.name in saliency:
            tensor = saliency[shrinking.name]
            along = tensor.sum([d for d in range(tensor.ndim) if d != shrinking.dim]) if tensor.ndim > 1 else tensor
            total += along[shrinking.positions].sum(1)
            values += tensor.numel() // tensor.shape[shrinking.dim] * shrinking.positions.shape[1]
    if not values:
        raise ValueError(f"this importance says nothing about the channels of {group.name}: choose another")
    return total / values


def _squared(values: Tensor) -> Tensor:
    """|x|^2 in single precision: complex numbers and float8 have no square of their own."""
    if values.is_complex():
        return torch.view_as_real(values.resolve_conj()).float().square().sum(-1)
    return values.float().square()


@dataclass(frozen=True)
class Magnitude(Importance):
    """The square of a value.

    Source: H. Li et al., Pruning Filters for Efficient ConvNets, ICLR 2017; group-wise as in arXiv 2301.12900.
    """

    def saliency(self, model: nn.Module, task: Task | None, seed: int) -> dict[str, Tensor]:  # noqa: D102
        return {name: _squared(parameter.detach()) for name, parameter in model.named_parameters()}


@dataclass(frozen=True)
class NormScale(Importance):
    """The scale of the norm that follows a channel, |gamma|.

    Source: Z. Liu et al., Learning Efficient Convolutional Networks through Network Slimming, ICCV 2017.
    """

    def saliency(self, model: nn.Module, task: Task | None, seed: int) -> dict[str, Tensor]:  # noqa: D102
        norms = (nn.modules.batchnorm._BatchNorm, nn.GroupNorm)
        modules = {name: module for name, module in model.named_modules() if isinstance(module, norms)}
        return {f"{name}.weight": m.weight.detach().abs() for name, m in modules.items() if m.weight is not None}


@dataclass(frozen=True)
class Taylor(Importance):
    """First-order change of the loss when a value becomes 0, squared: (g w)², mean over batches.

    Args:
        batches: of the training split, seeded-random.
        batch_size: images of each.

    Source: P. Molchanov et al., Importance Estimation for Neural Network Pruning, CVPR 2019, equation 8.
    """

    batches: int = 16
    batch_size: int = 32

    def saliency(self, model: nn.Module, task: Task | None, seed: int) -> dict[str, Tensor]:  # noqa: D102
        squared = mean_squared_gradients(model, _needed(task), seed, self.batches, self.batch_size)
        return {name: squared[name] * p.detach().square() for name, p in model.named_parameters() if name in squared}


@dataclass(frozen=True)
class HessianWeighted(Importance):
    """Second-order increase of the loss when a value becomes 0: h w² / 2, h the diagonal of the Hessian.

    Args:
        images: of the training split, seeded-random.
        curvature: `fisher`, the mean square of the gradients of single images, never below 0; or `hutchinson`, an
            unbiased estimate of the Hessian's diagonal, negative values taken as 0.

    Source: Y. LeCun, J. Denker and S. Solla, Optimal Brain Damage, NIPS 1989, equation 5.
    """

    images: int = 256
    curvature: Literal["fisher", "hutchinson"] = "fisher"

    def __post_init__(self) -> None:
        if self.curvature not in ("fisher", "hutchinson"):
            raise ValueError(f"curvature must be fisher or hutchinson, got {self.curvature!r}")

    def saliency(self, model: nn.Module, task: Task | None, seed: int) -> dict[str, Tensor]:  # noqa: D102
        if self.curvature == "fisher":
            diagonal = mean_squared_gradients(model, _needed(task), seed, self.images, 1)
        else:
            diagonal = hessian_diagonal(model, _needed(task), seed, max(1, self.images // 32), 32)
        parameters = dict(model.named_parameters())
        return {name: h.clamp(min=0) * parameters[name].detach().square() / 2 for name, h in diagonal.items()}
