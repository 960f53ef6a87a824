"""Masked training: some weights are zero and stay it, from the first step on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Generator, Tensor

from airdeliver.problem import Execution
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.base import Run, Wrapped, WrappedRun, laid_out

if TYPE_CHECKING:
    from airdeliver.training.trained import Trained
    from airdeliver.training.training import Training

MASK = "mask/"

Distribution = Literal["erk", "uniform"]


def kept_weights(shapes: Mapping[str, tuple[int, ...]], sparsity: float, distribution: Distribution) -> dict[str, int]:
    r"""How many weights of each layer are left.

    `erk`: layer l has the density $\epsilon\,\sum_i s_i / \prod_i s_i$ of its shape s; one above 1 becomes dense, and
    $\epsilon$ is solved again for the total. `uniform`: the same density everywhere. What rounding leaves over goes to
    the layers with most weights, so that the total is exact.

    Args:
        shapes: of the weights of each layer.
        sparsity: share of zeros over all layers.
        distribution: how they are shared out.

    Source: Erdős-Rényi kernel, U. Evci et al., Rigging the Lottery, arXiv 1911.11134, section 3; the authors'
    `sparse_utils.py` in google-research/rigl.

    >>> kept_weights({"a": (16, 3, 3, 3), "b": (64, 64, 3, 3)}, 0.9, "erk")
    {'a': 432, 'b': 3298}
    """
    sizes = {name: torch.Size(shape).numel() for name, shape in shapes.items()}
    total = round((1 - sparsity) * sum(sizes.values()))
    if distribution == "uniform":
        wanted = {name: (1 - sparsity) * size for name, size in sizes.items()}
    else:
        sums = {name: sum(shape) for name, shape in shapes.items()}
        dense: set[str] = set()
        while True:
            left = [name for name in sizes if name not in dense]
            epsilon = (total - sum(sizes[name] for name in dense)) / max(1, sum(sums[name] for name in left))
            over = {name for name in left if epsilon * sums[name] > sizes[name]}
            if not over:
                break
            dense |= over
        wanted = {name: sizes[name] if name in dense else epsilon * sums[name] for name in sizes}
    kept = {name: int(count) for name, count in wanted.items()}
    over = total - sum(kept.values())
    for name in sorted(sizes, key=lambda name: -sizes[name]):
        more = min(over, sizes[name] - kept[name])
        kept[name], over = kept[name] + more, over - more
    return kept


@dataclass(frozen=True)
class Masked(Wrapped):
    """Another method, of whose weights a random choice is zero from the beginning: static sparse training.

    The choice follows from the seed alone. Biases and normalisation are left free.

    Args:
        method: how the rest is trained.
        sparsity: share of zeros over all weights of two and more dimensions.
        distribution: `erk` or `uniform`: see `kept_weights`.

    Raises:
        ValueError: a share out of range, or an unknown distribution.

    Source: U. Evci et al., arXiv 1911.11134 (static, as a rival of RigL).
    """

    sparsity: float = 0.9
    distribution: Distribution = "erk"

    def __post_init__(self) -> None:
        if not 0 <= self.sparsity < 1 or self.distribution not in ("erk", "uniform"):
            raise ValueError(
                "sparsity must be from 0 to below 1 and distribution erk or uniform, "
                f"got {self.sparsity} and {self.distribution!r}"
            )

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> "MaskedRun":
        run = self.method.start(task, needs, recipe, execution)
        laid_out(run.network, task)
        weights = weights_of(run)
        shapes = {name: tuple(weight.shape) for name, weight in weights.items()}
        kept = kept_weights(shapes, self.sparsity, self.distribution)
        generator = stream(execution.seed, "masks")
        return MaskedRun(run, {name: _chosen(kept[name], weights[name], generator) for name in weights})

    @property
    def words(self) -> str:  # noqa: D102
        return f"{self.method.words}, {self.sparsity:.0%} of its weights zero from the beginning"


@dataclass(frozen=True)
class KeptZeros(Wrapped):
    """Another method, where weights that are zero in the beginning stay zero.

    Fine-tuning of a network that a sparse training has made: for a quantiser, say.

    Args:
        method: that goes on with such a network.
    """

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> "MaskedRun":
        run = self.method.start(task, needs, recipe, execution)
        laid_out(run.network, task)
        return MaskedRun(run, {name: weight.detach() != 0 for name, weight in weights_of(run).items()})

    @property
    def words(self) -> str:  # noqa: D102
        return f"{self.method.words}, zeros kept"


class MaskedRun(WrappedRun):
    """A run that masks weights, gradients and, with them, all that an optimiser remembers.

    Args:
        run: inside.
        masks: of each weight of two and more dimensions: where it may be other than 0.
    """

    def __init__(self, run: Run, masks: Mapping[str, Tensor]) -> None:
        super().__init__(run)
        self.weights, self.masks = weights_of(run), dict(masks)
        self.mask_weights()

    @torch.no_grad()
    def mask_weights(self) -> None:
        """Set what is masked to 0."""
        for name, weight in self.weights.items():
            weight.mul_(self.masks[name])

    @torch.no_grad()
    def before_step(self, step: int, optimizer: torch.optim.Optimizer) -> bool:  # noqa: D102
        takes = super().before_step(step, optimizer)
        for name, weight in self.weights.items():
            if weight.grad is not None:
                weight.grad.mul_(self.masks[name])
        return takes

    @torch.no_grad()
    def after_step(self, step: int) -> None:  # noqa: D102
        super().after_step(step)
        self.mask_weights()

    def state_dict(self) -> dict[str, Any]:  # noqa: D102
        return {**super().state_dict(), **{MASK + name: mask for name, mask in self.masks.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:  # noqa: D102
        super().load_state_dict(state)
        for name, mask in self.masks.items():
            mask.copy_(state[MASK + name])


def weights_of(run: Run) -> dict[str, torch.nn.Parameter]:
    """Parameters of two and more dimensions, by name."""
    return {name: p for name, p in run.network.named_parameters() if p.ndim > 1}


def _chosen(count: int, weight: Tensor, generator: Generator) -> Tensor:
    """A mask of so many random places."""
    mask = torch.zeros(weight.numel(), dtype=torch.bool)
    mask[torch.randperm(weight.numel(), generator=generator)[:count]] = True
    return mask.view(weight.shape).to(weight.device)
