"""Quantisation-aware training: each step sees the weights as the quantiser leaves them."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Generator, Tensor, nn

from airdeliver.compression.quantisers.answers import rate_of, reconstructed, state_of
from airdeliver.compression.quantisers.base import Quantiser
from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.arrival import Arrival
from airdeliver.training.methods.base import Batch, Run, Wrapped, WrappedRun, laid_out
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training

QUANTISER = "quantiser"
"""Under which name a run, and what it has trained, keep the state of the quantiser."""

SHORTEST = 1e-3
"""Norm that a unit has at least when its gradient is bounded."""


@dataclass(frozen=True)
class Quantised(Wrapped):
    """Another method, whose network bears quantised weights in every step; what the bits cost is a term of the loss.

    Args:
        method: how the rest is trained.
        quantiser: whose own `quantise` is used, as when the network is sent; its scales may be learned.
        rate_weight: of the bits a value beside the task's loss.
        bound: of the gradient of each unit (filter, row of a matrix): its norm is at most this share of the unit's own.

    Raises:
        ValueError: a negative weight, or a bound that is not positive.

    At few bits a value, whole filters become 0 or nearly so. The norm behind them divides by a deviation that is then
    next to nothing, and multiplies the gradient by up to 300: without a bound, one step throws a layer's weights by
    orders of magnitude, its step follows them, and all but a few values are 0 from then on.

    Source: B. Jacob et al., arXiv 1712.05877 (quantisation in training); D. Oktay et al., Scalable Model Compression by
    Entropy Penalized Reparameterization, ICLR 2020 (the rate as a term); the bound of each unit is
    adaptive gradient clipping, arXiv 2102.06171, as timm's `utils/agc.py` has it.
    """

    quantiser: Quantiser
    rate_weight: float = 0.0
    bound: float = 0.1

    def __post_init__(self) -> None:
        if self.rate_weight < 0:
            raise ValueError(f"the weight of the rate must be 0 or more, got {self.rate_weight}")
        if not self.bound > 0:
            raise ValueError(f"the bound of the gradient must be above 0, got {self.bound}")

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        run = self.method.start(task, needs, recipe, execution)
        laid_out(run.network, task)
        return self.around(run)

    def around(self, run: Run) -> "QuantisedRun":
        """A run of the method inside, whose network bears quantised weights."""
        return QuantisedRun(run, self.quantiser, self.rate_weight, self.bound)

    @property
    def words(self) -> str:  # noqa: D102
        return f"{self.method.words} for {self.quantiser}"


class QuantisedRun(WrappedRun):
    """A run whose network bears, in each step, what the quantiser makes of it.

    Args:
        run: inside.
        quantiser: whose state goes along with the weights.
        rate_weight: of the bits a value.
        bound: of the gradient of each unit.
    """

    def __init__(self, run: Run, quantiser: Quantiser, rate_weight: float, bound: float) -> None:
        super().__init__(run)
        self.bound = bound
        self.quantiser, self.rate_weight, self.arrival = quantiser, rate_weight, Arrival(run.network)
        self.state = state_of(quantiser, self.arrival.payload().values, self.arrival.layout)
        self._values: Tensor | None = None

    def learned(self) -> Mapping[str, Tensor]:  # noqa: D102
        own = {f"{QUANTISER}/{name}": t for name, t in self.state.tensors.items() if t.requires_grad}
        return {**super().learned(), **own}

    @contextmanager
    def arriving(self, generator: Generator) -> Iterator[None]:  # noqa: D102
        layout = self.arrival.layout

        def arrive(values: Tensor) -> Tensor:
            self.state = self.quantiser.refresh(values.detach(), layout, self.state)
            return reconstructed(self.quantiser, values, layout, self.state)

        learned = [tensor for tensor in self.state.tensors.values() if tensor.requires_grad]
        with self.run.arriving(generator), self.arrival.bearing(arrive, learned) as self._values:
            yield
        self._values = None
        bounded(self.network.parameters(), self.bound)

    def terms(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:  # noqa: D102
        terms = super().terms(outputs, batch)
        if not self.rate_weight or self._values is None:
            return terms
        with torch.autocast(outputs.device.type, enabled=False):
            rate = rate_of(self.quantiser, self._values, self.arrival.layout, self.state)
        return {**terms, "rate": self.rate_weight * rate}

    def state_dict(self) -> dict[str, Any]:  # noqa: D102
        return {**super().state_dict(), QUANTISER: self.told()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the quantiser's state; learned tensors stay the optimiser's, with other values."""
        super().load_state_dict(state)
        restored = self.quantiser.restore(state[QUANTISER], self.arrival.layout)
        with torch.no_grad():
            kept = {name: tensor.copy_(restored.tensors[name]) for name, tensor in self.state.tensors.items()}
        self.state = replace(restored, tensors=kept)

    def finish(self) -> Trained:  # noqa: D102
        trained = super().finish()
        return replace(trained, state={**trained.state, QUANTISER: self.told()})

    def told(self) -> Any:
        """JSON of the quantiser's state."""
        return self.state.to_plain()


@torch.no_grad()
def bounded(parameters: Iterable[nn.Parameter], bound: float) -> None:
    """Shorten the gradient of each unit of a weight to a share of the unit's norm, in place.

    A unit is a row of the first dimension; biases and normalisation, of one dimension, are left alone. A unit shorter
    than 0.001 counts as that long, so that one that begins at 0 can move.

    Args:
        parameters: of a network, with gradients.
        bound: share.

    >>> weight = nn.Parameter(torch.tensor([[3.0, 4.0], [3.0, 4.0]]))
    >>> weight.grad = torch.tensor([[30.0, 40.0], [0.3, 0.4]])
    >>> bounded([weight], 0.2)
    >>> weight.grad
    tensor([[0.6000, 0.8000],
            [0.3000, 0.4000]])
    """
    for parameter in parameters:
        gradient = parameter.grad
        if gradient is None or parameter.ndim < 2:
            continue
        most = bound * parameter.flatten(1).norm(dim=1).clamp(min=SHORTEST)
        share = (most / gradient.flatten(1).norm(dim=1).clamp(min=1e-30)).clamp(max=1)
        gradient.mul_(share.view(-1, *[1] * (parameter.ndim - 1)))
