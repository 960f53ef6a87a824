"""Muon: steps of filters made orthogonal, for trainings of a few epochs."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from airdeliver.training.optimizers import SGD

ITERATIONS = 3
"""Of Newton and Schulz: singular values need not be 1, only alike."""

MOMENTUM = 0.6
"""Of the steps that are made orthogonal."""

_A, _B, _C = 3.4445, -4.7750, 2.0315


class Muon(SGD):
    """SGD with Nesterov momentum, but for groups with `orthogonal`, whose steps are made orthogonal.

    The momentum of a weight, one row a filter, goes over to the nearest matrix whose singular values are about 1, times
    the root of rows over columns where that is above 1: a step moves a weight by as much in every direction that its
    gradients have, whatever their size. `torch.optim.Muon` takes matrices alone; here a filter of any shape is a row,
    and other parameters are in the same optimiser.

    Args:
        groups: of parameters, as `torch.optim.SGD` takes them; `orthogonal: True` for weights of two and more
            dimensions.
        lr: of groups that name none.

    Source: K. Jordan, Muon, https://kellerjordan.github.io/posts/muon/, as `torch.optim.Muon` has it; the number of
    iterations and the momentum were chosen here.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float) -> None:
        super().__init__([{"orthogonal": False, **group} for group in groups], lr=lr, momentum=0.9, nesterov=True)

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step of all parameters."""
        loss = None if closure is None else torch.enable_grad()(closure)()
        held = []
        for group in self.param_groups:
            if group["orthogonal"]:
                held += [(parameter, parameter.grad) for parameter in group["params"] if parameter.grad is not None]
                self._step_orthogonally(group)
        for parameter, _ in held:
            parameter.grad = None
        super().step()
        for parameter, gradient in held:
            parameter.grad = gradient
        return loss

    def _step_orthogonally(self, group: dict[str, Any]) -> None:
        for parameter in group["params"]:
            if parameter.grad is None:
                continue
            state = self.state[parameter]
            if state.get("momentum_buffer") is None:
                state["momentum_buffer"] = torch.zeros_like(parameter)
            momentum = state["momentum_buffer"].mul_(MOMENTUM).add_(parameter.grad)
            direction = orthogonal(parameter.grad.add(momentum, alpha=MOMENTUM).flatten(1))
            rows, columns = direction.shape
            parameter.mul_(1 - group["lr"] * group["weight_decay"])
            parameter.add_(direction.view(parameter.shape), alpha=-group["lr"] * max(1.0, rows / columns) ** 0.5)


def orthogonal(matrix: Float[Tensor, "rows columns"]) -> Float[Tensor, "rows columns"]:
    """About the nearest matrix with orthonormal rows, or columns: singular values from 0.3 to 1.3 or so.

    A matrix of zeros stays one.

    >>> singular = torch.linalg.svdvals(orthogonal(torch.randn(8, 32, generator=torch.Generator().manual_seed(0))))
    >>> 0.3 < float(singular.min()) < float(singular.max()) < 1.3
    True
    """
    tall = matrix.shape[0] > matrix.shape[1]
    found = matrix.mT if tall else matrix
    found = found / found.norm().clamp(min=1e-7)
    for _ in range(ITERATIONS):
        gram = found @ found.mT
        found = torch.addmm(found, torch.addmm(gram, gram, gram, beta=_B, alpha=_C), found, beta=_A)
    return found.mT if tall else found
