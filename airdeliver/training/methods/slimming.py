"""Network slimming: the scales of norms are drawn to zero, and those of channels that matter little get there."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.base import Run, Wrapped, WrappedRun
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training


@dataclass(frozen=True)
class Slimming(Wrapped):
    r"""Another method, with the subgradient $\lambda\,\mathrm{sign}(\gamma)$ added to that of every norm's scale.

    What it adds up to is an absolute penalty on the scales: the network pays for each channel that it uses.

    Args:
        method: how the rest is trained.
        penalty: $\lambda$.
        initial: what all scales are before the first step; None for as they are.

    Raises:
        ValueError: a negative penalty, or scales that begin at 0 or below.

    Source: Z. Liu et al., Learning Efficient Convolutional Networks through Network Slimming, ICCV 2017.
    """

    penalty: float = 1e-4
    initial: float | None = 0.5

    def __post_init__(self) -> None:
        if not self.penalty >= 0 or (self.initial is not None and not self.initial > 0):
            raise ValueError(f"penalty must be 0 or more and initial above 0, got {self.penalty} and {self.initial}")

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        run = self.method.start(task, needs, recipe, execution)
        if self.initial is not None:
            with torch.no_grad():
                for scale in scales_of(run.network):
                    scale.fill_(self.initial)
        return SlimmingRun(run, self.penalty)

    @property
    def words(self) -> str:  # noqa: D102
        return f"{self.method.words}, its scales penalised"


class SlimmingRun(WrappedRun):
    """A run whose norms pay for their scales.

    Args:
        run: inside.
        penalty: added to the gradient of every scale, with its sign.
    """

    def __init__(self, run: Run, penalty: float) -> None:
        super().__init__(run)
        self.penalty, self.scales = penalty, scales_of(run.network)

    def before_step(self, step: int, optimizer: torch.optim.Optimizer) -> bool:  # noqa: D102
        with torch.no_grad():
            for scale in self.scales:
                if scale.grad is not None:
                    scale.grad.add_(scale.sign(), alpha=self.penalty)
        return super().before_step(step, optimizer)


def scales_of(network: nn.Module) -> list[nn.Parameter]:
    """The scales of a network's norms, each once; those that have none are left out."""
    norms = (m for m in network.modules() if isinstance(m, _BatchNorm | nn.GroupNorm))
    return [norm.weight for norm in norms if norm.weight is not None]
