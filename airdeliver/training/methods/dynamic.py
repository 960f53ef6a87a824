"""Dynamic resolution: a network learns all its resolutions, then with its predictor when each is enough."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Generator, Tensor
from torch.nn.functional import one_hot
from torch.nn.modules.batchnorm import _BatchNorm

from airdeliver.cost import multiply_accumulates
from airdeliver.models.dynamic_resolution import ResolutionNetwork
from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.task.judged import loss_of
from airdeliver.training.methods.base import Batch, Run, Wrapped, WrappedRun
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training


@dataclass(frozen=True)
class EveryResolution(Wrapped):
    """Another method, whose network of dynamic resolution learns each batch at all its resolutions.

    The loss is the sum of theirs; the predictor learns nothing.

    Source: M. Zhu et al., Dynamic Resolution Network, arXiv 2106.02898 (pretraining).
    """

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        return EveryResolutionRun(self.method.start(task, needs, recipe, execution), task, recipe)


class EveryResolutionRun(WrappedRun):
    """A run of a network of dynamic resolution at all resolutions.

    Args:
        run: inside.
        task: gives the loss.
        recipe: whose label smoothing the loss has.

    Raises:
        ValueError: a network of another kind.
    """

    def __init__(self, run: Run, task: Task, recipe: Recipe) -> None:
        super().__init__(run)
        self.dynamic, self.task, self.recipe = dynamic(run), task, recipe
        self._coarser: list[Tensor] = []

    def outputs(self, batch: Batch, generator: Generator) -> Tensor:
        """What the network says at the finest resolution; the rest is kept for `terms`."""
        finest, *self._coarser = (
            self.dynamic.at(batch.inputs, number).float() for number in range(len(self.dynamic.resolutions))
        )
        return finest

    def terms(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:  # noqa: D102
        smoothing = self.recipe.label_smoothing
        terms = dict(super().terms(outputs, batch))
        for path, logits in zip(self.dynamic.paths[1:], self._coarser, strict=True):
            terms[path] = loss_of(self.task, logits, batch.targets, smoothing)
        return terms


@dataclass(frozen=True)
class ChosenResolution(Wrapped):
    r"""Another method, whose network of dynamic resolution learns together with its predictor.

    The resolution of each image is $h = \mathrm{onehot}(\arg\max_j (\log p_j + g_j))$ with Gumbel noise $g$; backwards
    $h$ is the softmax of the same (straight through). The loss is that of $\sum_j h_j z_j$, and
    $\eta \max(0, (E[\sum_j C_j h_j] - \alpha C_{\max}) / (C_{\max} - C_{\min}))$ with the multiply-accumulates $C_j$ of
    the network at resolution $j$. What it says at resolutions that are not chosen is computed for the gradient of $h$
    alone, without changing anything, so that each batch norm meets the images that chose it and no other.

    Args:
        eta: weight of the operations.
        most_macs: alpha, the share of the operations at the finest resolution from which on they cost.
        temperature: of the softmax.
        slower: factor of the learning rate for the predictor.

    Raises:
        ValueError: a weight below 0, a bound that is no share, a temperature or a factor that is not positive.

    Source: M. Zhu et al., Dynamic Resolution Network, arXiv 2106.02898; E. Jang et al., Categorical Reparameterization
    with Gumbel-Softmax, arXiv 1611.01144.
    """

    eta: float = 0.2
    most_macs: float = 0.65
    temperature: float = 1.0
    slower: float = 0.1

    def __post_init__(self) -> None:
        if not self.eta >= 0 or not 0 < self.most_macs <= 1:
            raise ValueError(f"eta must be 0 or more and most_macs a share, got {self.eta} and {self.most_macs}")
        if not self.temperature > 0 or not self.slower > 0:
            raise ValueError(f"temperature and slower must be above 0, got {self.temperature} and {self.slower}")

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        return ChosenResolutionRun(self.method.start(task, needs, recipe, execution), self, task)


class ChosenResolutionRun(WrappedRun):
    """A run of a network of dynamic resolution and its predictor.

    Args:
        run: inside.
        method: weight and bound of the operations.
        task: whose inputs are counted with.

    Attributes:
        chosen: number of the resolution of each image of the last step.

    Raises:
        ValueError: a network of another kind, or one of a single resolution.
    """

    def __init__(self, run: Run, method: ChosenResolution, task: Task) -> None:
        super().__init__(run)
        self.dynamic, self.method = dynamic(run), method
        if len(self.dynamic.resolutions) < 2:
            raise ValueError("there is nothing to choose with one resolution: give at least two")
        example, drawn = task.signature.example(), self.dynamic.drawing([1.0] * len(self.dynamic.resolutions))
        macs = [multiply_accumulates(drawn.along(path), example) for path in range(len(self.dynamic.paths))]
        self.macs = torch.tensor(macs, dtype=torch.float32, device=next(self.dynamic.parameters()).device)
        self.chosen = torch.zeros(0, dtype=torch.int64)
        self._operations = torch.zeros(())

    def rates(self) -> Mapping[str, float]:  # noqa: D102
        names = (name for name, _ in self.network.named_parameters() if name.startswith("predictor."))
        return {**super().rates(), **dict.fromkeys(names, self.method.slower)}

    def outputs(self, batch: Batch, generator: Generator) -> Tensor:
        """What the network says of each image at its resolution; what that costs is kept for `terms`."""
        scores = self.dynamic.logits(batch.inputs).float().log_softmax(1)
        uniform = torch.rand(scores.shape, generator=generator, device=scores.device)
        # Bounded: a uniform draw may be 0.
        scores = (scores - (-uniform.clamp(1e-20).log()).clamp(1e-20).log()) / self.method.temperature
        self.chosen, soft = scores.argmax(1), scores.softmax(1)
        hard = one_hot(self.chosen, len(self.macs)) + soft - soft.detach()
        self._operations = self._excess(hard)
        said = self.dynamic.routed(batch.inputs, self.chosen).float()
        return said + self._as_if(hard, said, batch.inputs)

    def _excess(self, hard: Tensor) -> Tensor:
        """Operations beyond the bound, relative to the range that there is."""
        mean = (hard * self.macs).sum(1).mean()
        return (mean - self.method.most_macs * self.macs.max()).clamp(min=0) / (self.macs.max() - self.macs.min())

    def _as_if(self, hard: Tensor, said: Tensor, images: Tensor) -> Tensor:
        """Zero, whose gradient by the choice is that of the sum over resolutions of share times logits."""
        with torch.no_grad(), settled(self.dynamic):
            every = torch.stack([self.dynamic.at(images, number).float() for number in range(len(self.macs))], 1)
        mine = (self.chosen[:, None] == torch.arange(len(self.macs), device=said.device))[..., None]
        every = torch.where(mine, said.detach()[:, None], every)
        change = hard - hard.detach()
        return (change[..., None] * every).sum(1)

    def terms(self, outputs: Tensor, batch: Batch) -> Mapping[str, Tensor]:  # noqa: D102
        return {**super().terms(outputs, batch), "operations": self.method.eta * self._operations}


def dynamic(run: Run) -> ResolutionNetwork:
    """The network of a run, which must be of dynamic resolution.

    Raises:
        ValueError: it is not.
    """
    if not isinstance(run.network, ResolutionNetwork):
        raise ValueError(f"the network must be a ResolutionNetwork, got {type(run.network).__name__}")
    return run.network


@contextmanager
def settled(network: ResolutionNetwork) -> Iterator[None]:
    """Within the context batch norms use their running statistics, and keep them."""
    norms = [m for m in network.modules() if isinstance(m, _BatchNorm)]
    training = [norm.training for norm in norms]
    for norm in norms:
        norm.eval()
    try:
        yield
    finally:
        for norm, was in zip(norms, training, strict=True):
            norm.train(was)
