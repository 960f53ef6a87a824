"""Training for a mixed link: quantised in every step, and mended by a noisy refinement where the drawn SNR allows."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torch import Generator, Tensor

from airdeliver.compression.quantisers.answers import reconstructed
from airdeliver.compression.quantisers.base import Quantiser
from airdeliver.links.analog import AnalogLink
from airdeliver.links.condition import Condition
from airdeliver.payload import Payload
from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.base import Run, Wrapped, laid_out
from airdeliver.training.methods.quantised import QuantisedRun, bounded

if TYPE_CHECKING:
    from airdeliver.training.trained import Trained
    from airdeliver.training.training import Training


@dataclass(frozen=True)
class Refined(Wrapped):
    """Another method, whose network bears in every step what a receiver of a mixed link has of it.

    That is the quantised values, and from an SNR on what quantisation took away, as it arrives over the analog link of
    the condition. Gradients are applied to the weights (straight through), so that one set of weights learns to be good
    both ways.

    Args:
        method: how the rest is trained.
        quantiser: of the base.
        condition: the analog link of the refinement, the channel, and the range of SNR of which each step draws one.
        least_db: the SNR in dB from which the refinement is added; the share of the range below learns the base alone.
        rate_weight: of the bits a value of the base beside the task's loss.
    """

    quantiser: Quantiser
    condition: Condition
    least_db: float = 0.0
    rate_weight: float = 0.0

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        run = self.method.start(task, needs, recipe, execution)
        laid_out(run.network, task)
        return RefinedRun(run, self)

    @property
    def words(self) -> str:  # noqa: D102
        return f"{self.method.words} for {self.quantiser} and a refinement"


class RefinedRun(QuantisedRun):
    """A run whose network bears quantised values with or without their refinement.

    Args:
        run: inside.
        method: quantiser, condition and threshold.
    """

    def __init__(self, run: Run, method: Refined) -> None:
        super().__init__(run, method.quantiser, method.rate_weight, bound=0.1)
        self.method = method
        link, payload = method.condition.link, self.arrival.payload()
        assert isinstance(link, AnalogLink)
        self.link = link
        self.plan = link.plan(self._residual(payload.values)[1], method.condition.symbols, method.condition.knowledge())

    def _residual(self, values: Tensor) -> tuple[Tensor, Payload]:
        """The quantised values, and what quantisation took away."""
        layout = self.arrival.layout
        self.state = self.quantiser.refresh(values.detach(), layout, self.state)
        coarse = reconstructed(self.quantiser, values, layout, self.state)
        return coarse, Payload((values - coarse).detach(), layout)

    @contextmanager
    def arriving(self, generator: Generator) -> Iterator[None]:  # noqa: D102
        condition = self.method.condition
        snr_db = condition.draw_snr_db(generator)

        def arrive(values: Tensor) -> Tensor:
            coarse, residual = self._residual(values)
            if snr_db < self.method.least_db:
                return coarse
            self.plan = self.link.refresh(self.plan, residual)
            mended = self.link.perturb(residual.values, self.plan, condition.channel, snr_db, generator)
            return coarse + mended.detach()

        learned = [tensor for tensor in self.state.tensors.values() if tensor.requires_grad]
        with self.run.arriving(generator), self.arrival.bearing(arrive, learned) as self._values:
            yield
        self._values = None
        bounded(self.network.parameters(), self.bound)
