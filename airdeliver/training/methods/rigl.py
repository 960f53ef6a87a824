"""RigL: sparse from the first step on, and where the weights are changes with the gradient."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.masked import Masked, MaskedRun

if TYPE_CHECKING:
    from airdeliver.training.trained import Trained
    from airdeliver.training.training import Training


@dataclass(frozen=True)
class RigL(Masked):
    r"""Another method with as few weights all along, of which some move every now and then.

    Every so many steps t, until step T, each layer of n weights drops the $k = f(t)\,n$ smallest and grows as many
    where the gradient is largest among all places that are not kept, $f(t) = \alpha / 2\,(1 + \cos(\pi t / T))$. New
    weights begin at 0, without momentum; one that is dropped and grown at once keeps its value. The change replaces the
    step of the optimiser. Biases and normalisation are left free.

    Args:
        method: how the rest is trained.
        sparsity: share of zeros over all weights of two and more dimensions.
        distribution: `erk` or `uniform`: see `kept_weights`.
        every: steps from one change to the next.
        share: alpha, of a layer's weights that move in the beginning.
        until: share of the training after which none moves.

    Raises:
        ValueError: an argument out of range.

    Source: U. Evci et al., Rigging the Lottery: Making All Tickets Winners, arXiv 1911.11134, algorithm 1; the authors'
    `sparse_optimizers.py` in google-research/rigl.
    """

    every: int = 25
    share: float = 0.3
    until: float = 0.75

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.every < 1 or not 0 <= self.share <= 1 or not 0 < self.until <= 1:
            raise ValueError(
                "every must be at least 1 step, share from 0 to 1 and until above 0 and at most 1, "
                f"got {self.every}, {self.share} and {self.until}"
            )

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> "RigLRun":
        run = super().start(task, needs, recipe, execution)
        steps = recipe.epochs * max(1, len(task.dataset.train) // recipe.batch_size)
        return RigLRun(run, self, max(1, round(self.until * steps)))

    @property
    def words(self) -> str:  # noqa: D102
        return f"{self.method.words}, {self.sparsity:.0%} of its weights zero by RigL"


class RigLRun(MaskedRun):
    """A run whose masks move.

    Args:
        run: masked, of which masks and all inside are taken over.
        method: the schedule.
        last: step T from which on nothing moves.
    """

    def __init__(self, run: MaskedRun, method: RigL, last: int) -> None:
        super().__init__(run.run, run.masks)
        self.method, self.last = method, last

    @torch.no_grad()
    def before_step(self, step: int, optimizer: torch.optim.Optimizer) -> bool:  # noqa: D102
        if not 0 < step < self.last or step % self.method.every:
            return super().before_step(step, optimizer)
        self.run.before_step(step, optimizer)
        share = self.method.share / 2 * (1 + math.cos(math.pi * step / self.last))
        for name, weight in self.weights.items():
            if weight.grad is not None:
                before = self.masks[name]
                self.masks[name] = moved(weight, weight.grad, before, share)
                for moment in optimizer.state[weight].values():
                    if isinstance(moment, Tensor) and moment.shape == weight.shape:
                        moment.mul_(before & self.masks[name])
        self.mask_weights()
        return False


def moved(weight: Tensor, gradient: Tensor, mask: Tensor, share: float) -> Tensor:
    """The mask after the smallest weights have gone to where the gradient is largest; as many as before.

    Args:
        weight: masked.
        gradient: of the loss, at masked places too.
        mask: where weights are.
        share: of the weights that are dropped, and grown elsewhere (or again).

    >>> w, g = torch.tensor([3.0, -0.1, 0.0, 0.0]), torch.tensor([0.0, 0.2, -5.0, 1.0])
    >>> moved(w, g, torch.tensor([True, True, False, False]), 0.5).tolist()
    [True, False, True, False]
    """
    count = int(mask.sum())
    drop = int(share * count)
    size = weight.abs().masked_fill(~mask, -1.0).flatten()
    kept = torch.zeros_like(mask).flatten()
    kept[size.topk(count - drop).indices] = True
    grown = gradient.abs().flatten().masked_fill(kept, -1.0).topk(drop).indices
    kept[grown] = True
    return kept.view(mask.shape)
