"""Sparse training: the smallest weights go, step by step, and stay away."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.base import Run, Wrapped, WrappedRun
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training

MASK = "mask/"


@dataclass(frozen=True)
class Sparse(Wrapped):
    r"""Another method, of whose weights a share is zero in the end: gradual magnitude pruning.

    The share of zeros of every layer follows $s_t = s\,(1 - (1 - t / T)^3)$ until step T; the smallest weights go, and
    what has gone stays away. Biases and normalisation are left free. The network keeps its shape: what its zeros save
    is a matter of the link, whose entropy coder spends next to nothing on them.

    Args:
        method: how the rest is trained.
        sparsity: share of zeros in every weight of two and more dimensions, in the end.
        until: share of the training after which no more is removed.
        every: steps from one removal to the next.

    Raises:
        ValueError: shares out of range, or fewer than one step.

    Source: M. Zhu and S. Gupta, To prune, or not to prune, arXiv 1710.01878, section 3.
    """

    sparsity: float = 0.5
    until: float = 0.6
    every: int = 10

    def __post_init__(self) -> None:
        if not 0 <= self.sparsity < 1 or not 0 < self.until <= 1 or self.every < 1:
            raise ValueError(
                "sparsity must be from 0 to below 1, until above 0 and at most 1 and every at least 1 step, "
                f"got {self.sparsity}, {self.until} and {self.every}"
            )

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        run = self.method.start(task, needs, recipe, execution)
        steps = recipe.epochs * max(1, len(task.dataset.train) // recipe.batch_size)
        return SparseRun(run, self, max(1, round(self.until * steps)))

    @property
    def words(self) -> str:  # noqa: D102
        return f"{self.method.words}, {self.sparsity:.0%} of its weights zero"


class SparseRun(WrappedRun):
    """A run whose weights are masked after every step.

    Args:
        run: inside.
        sparse: the schedule.
        last: step at which the final share is reached.
    """

    def __init__(self, run: Run, sparse: Sparse, last: int) -> None:
        super().__init__(run)
        self.sparse, self.last = sparse, last
        self.weights = {name: p for name, p in run.network.named_parameters() if p.ndim > 1}
        self.masks = {name: torch.ones_like(p, dtype=torch.bool) for name, p in self.weights.items()}

    def sparsity_after(self, step: int) -> float:
        """Share of zeros after so many steps."""
        left = 1 - min(1.0, step / self.last)
        return self.sparse.sparsity * (1 - left**3)

    @torch.no_grad()
    def after_step(self, step: int) -> None:  # noqa: D102
        super().after_step(step)
        done = step + 1
        if done <= self.last and (done % self.sparse.every == 0 or done == self.last):
            self._remove(self.sparsity_after(done))
        for name, weight in self.weights.items():
            weight.mul_(self.masks[name])

    def _remove(self, share: float) -> None:
        """The smallest weights of every layer, until so large a share is zero."""
        for name, weight in self.weights.items():
            zeros = round(share * weight.numel())
            magnitude = weight.abs().masked_fill(~self.masks[name], -1.0).flatten()
            gone = magnitude.topk(zeros, largest=False).indices
            mask = torch.ones_like(magnitude, dtype=torch.bool)
            mask[gone] = False
            self.masks[name] = mask.view(weight.shape)

    def state_dict(self) -> dict[str, Any]:  # noqa: D102
        return {**super().state_dict(), **{MASK + name: mask for name, mask in self.masks.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: D102
        super().load_state_dict(state)
        for name, mask in self.masks.items():
            mask.copy_(state[MASK + name])
