"""Training for quantised weights into which batch norms are folded: the five ways in which runtimes' tools do it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Generator, Tensor
from torch.func import functional_call

from airdeliver.architecture.merged import Merged
from airdeliver.architecture.whole import Whole
from airdeliver.compression.quantisers.answers import reconstructed, state_of
from airdeliver.compression.quantisers.base import Quantiser
from airdeliver.payload import Folded, layout_of
from airdeliver.problem import Execution
from airdeliver.recipe import Recipe
from airdeliver.task.base import Task
from airdeliver.training.methods.base import Batch, Run, Wrapped, WrappedRun, laid_out, named_state
from airdeliver.training.methods.plain import PlainRun
from airdeliver.training.methods.quantised import QUANTISER, QuantisedRun, bounded
from airdeliver.training.trained import Trained

if TYPE_CHECKING:
    from airdeliver.training.training import Training

Folding = Literal[0, 1, 2, 3, 4]

SMALLEST_SCALE = 1e-5
"""Magnitude of a norm's scale that is divided by, at least."""

Moments = Mapping[str, tuple[Tensor, Tensor]]
"""Mean and deviation that each folded norm divides by, by the norm's name."""


@dataclass(frozen=True)
class FoldedNorms(Wrapped):
    r"""Another method, whose network bears weights quantised as $Q(w \gamma / \sigma)$, with norms to be folded.

    | folding | deviation in the quantiser | what the norm uses in training |
    | --- | --- | --- |
    | 0 | merged before the training, the norm is gone | |
    | 1 | running | running statistics, frozen |
    | 2 | of the batch, before quantisation | the same |
    | 3 | running | statistics of the batch, before quantisation: what comes out is rescaled |
    | 4 | running | statistics of the batch behind the quantised weights, which are divided back |

    What is made is in every case the network with its norms folded by their running statistics.

    Args:
        method: how the rest is trained; it makes a whole network.
        quantiser: of the folded weights.
        folding: the way, by MQBench's numbers.
        bound: of the gradient of each unit: see `Quantised`.

    Raises:
        ValueError: another number.

    Source: Y. Li et al., MQBench, arXiv 2111.03759; ModelTC/MQBench, whose numbers these are.
    """

    quantiser: Quantiser
    folding: Folding = 4
    bound: float = 0.1

    def __post_init__(self) -> None:
        if self.folding not in (0, 1, 2, 3, 4):
            raise ValueError(f"folding must be 0 to 4, got {self.folding}")

    def start(  # noqa: D102
        self, task: Task, needs: "Mapping[Training, Trained]", recipe: Recipe, execution: Execution
    ) -> Run:
        run = self.method.start(task, needs, recipe, execution)
        if not isinstance(run, PlainRun) or not isinstance(run.architecture, Whole):
            raise ValueError("norms are folded in whole networks alone: fold what Plain or Continued trains")
        architecture = Merged(run.architecture)
        if self.folding == 0:
            merged = Folded(run.network).module.requires_grad_(True)
            laid_out(merged, task)
            return QuantisedRun(PlainRun(merged, architecture, b"", task, recipe), self.quantiser, 0.0, self.bound)
        laid_out(run.network, task)
        return FoldedRun(run, self, architecture)

    @property
    def words(self) -> str:  # noqa: D102
        return f"{self.method.words} for {self.quantiser}, norms folded by way {self.folding}"


class FoldedRun(WrappedRun):
    """A run that computes with folded and quantised weights.

    Args:
        run: inside, whose network has its norms.
        method: quantiser and way.
        architecture: of the folded network.
    """

    def __init__(self, run: PlainRun, method: FoldedNorms, architecture: Merged) -> None:
        super().__init__(run)
        self.method, self.architecture, self.folded = method, architecture, Folded(run.network)
        self.layout = layout_of(self.folded.module, statistics=False)
        self.norms = dict(self.folded.pairs)
        self.quantiser = method.quantiser
        # Within a functional call the norms hold other statistics.
        modules: list[Any] = [self._module(norm) for norm in self.norms.values()]
        self._own = {norm: (m.running_mean, m.running_var) for norm, m in zip(self.norms.values(), modules)}
        with torch.no_grad():
            begun = self._values(*(self._running(),) * 2)
        self.state = state_of(self.quantiser, begun, self.layout)

    def _module(self, name: str) -> Any:
        return self.network.get_submodule(name)

    def learned(self) -> Mapping[str, Tensor]:  # noqa: D102
        own = {f"{QUANTISER}/{name}": t for name, t in self.state.tensors.items() if t.requires_grad}
        return {**super().learned(), **own}

    def outputs(self, batch: Batch, generator: Generator) -> Tensor:  # noqa: D102
        running = self._running()
        norms = running if self.method.folding in (1, 4) else self._of_batch(batch.inputs)
        inside = norms if self.method.folding == 2 else running
        with torch.autocast(batch.inputs.device.type, enabled=False):
            weights = self._seen(inside, norms)
        frozen = self.method.folding != 4
        statistics = self._buffers(norms) if self.method.folding in (2, 3) else {}
        with self._norms_frozen(frozen):
            return functional_call(self.network, {**weights, **statistics}, (batch.inputs,)).float()

    def before_step(self, step: int, optimizer: torch.optim.Optimizer) -> bool:  # noqa: D102
        bounded(self.network.parameters(), self.method.bound)
        return super().before_step(step, optimizer)

    def state_dict(self) -> dict[str, Any]:  # noqa: D102
        return {**super().state_dict(), QUANTISER: self.state.to_plain()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with the quantiser's state; learned tensors stay the optimiser's, with other values."""
        super().load_state_dict(state)
        restored = self.quantiser.restore(state[QUANTISER], self.layout)
        with torch.no_grad():
            kept = {name: tensor.copy_(restored.tensors[name]) for name, tensor in self.state.tensors.items()}
        self.state = replace(restored, tensors=kept)

    def finish(self) -> Trained:
        """The folded network."""
        self.folded.refresh()
        return Trained(named_state(self.folded.module), self.architecture, b"", {QUANTISER: self.state.to_plain()})

    def _seen(self, inside: Moments, norms: Moments) -> dict[str, Tensor]:
        """What the network bears in this step, by name: quantised as it will be sent, then unfolded for its norms."""
        values = self._values(inside, norms)
        self.state = self.quantiser.refresh(values.detach(), self.layout, self.state)
        seen = reconstructed(self.quantiser, values, self.layout, self.state)
        parts = zip(self.layout.segments, self.layout.split(seen), strict=True)
        found = {segment.name: part.view(segment.shape) for segment, part in parts}
        for convolution, norm in self.norms.items():
            weight, bias = found[f"{convolution}.weight"], found.pop(f"{convolution}.bias")
            scale = self._scale(norm)
            mean, deviation = norms[norm]
            own = self._own_bias(convolution, mean)
            found[f"{convolution}.weight"] = weight * _each(inside[norm][1] / scale, weight)
            found[f"{norm}.bias"] = bias + scale * (mean - own) / deviation
        return found

    def _values(self, inside: Moments, norms: Moments) -> Tensor:
        """The folded network's values as one vector, differentiable by the network's own."""
        named, parts = dict(self.network.named_parameters()), {}
        for convolution, norm in self.norms.items():
            weight, scale, (mean, deviation) = named[f"{convolution}.weight"], self._scale(norm), norms[norm]
            parts[f"{convolution}.weight"] = weight * _each(scale / inside[norm][1], weight)
            own = self._own_bias(convolution, mean)
            parts[f"{convolution}.bias"] = named[f"{norm}.bias"] + scale * (own - mean) / deviation
        return torch.cat([(parts[n] if n in parts else named[n]).reshape(-1) for n in self.layout.names])

    def _scale(self, norm: str) -> Tensor:
        """Of a norm, away from 0."""
        scale = self._module(norm).weight
        return torch.where(scale.abs() < SMALLEST_SCALE, SMALLEST_SCALE, scale)

    def _own_bias(self, convolution: str, like: Tensor) -> Tensor:
        """That a convolution has beside its norm; 0 for most."""
        own = self._module(convolution).bias
        return torch.zeros_like(like) if own is None else own

    def _running(self) -> Moments:
        return {norm: _moments(self._module(norm)) for norm in self.norms.values()}

    @torch.no_grad()
    def _of_batch(self, inputs: Tensor) -> Moments:
        """Statistics of what each convolution would say unquantised of what it gets; running ones follow them."""
        running, parameters = self._running(), dict(self.network.named_parameters())
        with torch.autocast(inputs.device.type, enabled=False):
            weights = self._seen(running, running)
        buffers = {name: torch.empty_like(tensor) for name, tensor in self._buffers(running).items()}
        found: dict[str, tuple[Tensor, Tensor]] = {}

        def note(convolution: str, norm: str) -> Any:
            def hook(module: Any, entering: tuple[Tensor, ...]) -> None:
                said = module._conv_forward(entering[0], parameters[f"{convolution}.weight"], module.bias)
                each = said.float().transpose(0, 1).flatten(1)
                variance, mean = torch.var_mean(each, 1, correction=0)
                found[norm] = mean, (variance + self._module(norm).eps).sqrt()
                buffers[f"{norm}.running_mean"].copy_(mean)
                buffers[f"{norm}.running_var"].copy_(variance)
                self._follow(norm, mean, variance * each.shape[1] / max(1, each.shape[1] - 1))

            return hook

        hooks = [
            self._module(convolution).register_forward_pre_hook(note(convolution, norm))
            for convolution, norm in self.norms.items()
        ]
        try:
            with self._norms_frozen(True):
                functional_call(self.network, {**weights, **buffers}, (inputs,))
        finally:
            for hook in hooks:
                hook.remove()
        return found

    def _follow(self, norm: str, mean: Tensor, variance: Tensor) -> None:
        """Running statistics come nearer to those of a batch, as a norm has it."""
        module: Any = self._module(norm)
        for running, batch in ((self._own[norm][0], mean), (self._own[norm][1], variance)):
            running.lerp_(batch, module.momentum)

    def _buffers(self, norms: Moments) -> dict[str, Tensor]:
        """Statistics as the norms hold them."""
        found = {}
        for name, (mean, deviation) in norms.items():
            found[f"{name}.running_mean"] = mean
            found[f"{name}.running_var"] = deviation.square() - self._module(name).eps
        return found

    @contextmanager
    def _norms_frozen(self, frozen: bool) -> Iterator[None]:
        """Within the context the folded norms use the statistics that they hold."""
        norms = [self._module(name) for name in self.norms.values()] if frozen else []
        for norm in norms:
            norm.eval()
        try:
            yield
        finally:
            for norm in norms:
                norm.train(self.network.training)


def _moments(norm: Any) -> tuple[Tensor, Tensor]:
    """Running mean, and the deviation that a norm divides by; copies, since a step changes them."""
    return norm.running_mean.clone(), (norm.running_var + norm.eps).sqrt()


def _each(factor: Tensor, weight: Tensor) -> Tensor:
    """A factor for each filter, in the shape of the weight."""
    return factor.view(-1, *[1] * (weight.ndim - 1))
