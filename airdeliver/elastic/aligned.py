"""A narrow network computed at widths that the processor's vectors divide: zeros in place of the missing channels."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import pad

from airdeliver.architecture import Pruned
from airdeliver.architecture.trial import telling
from airdeliver.elastic.window import Window
from airdeliver.payload.inputs import Inputs
from airdeliver.randomness import stream

MULTIPLE = 8
"""Of which the computed widths are multiples: single-precision values in a vector of AVX2."""


class Aligned:
    """Computes a network of any widths as a wider one whose further channels are zero.

    Outputs, gradients and batch-norm statistics are the narrow network's but for rounding, and on two threads a step
    takes two thirds of the time (`benchmarks/spectrum.py`). Where zeros would have an effect (group norm takes its
    moments over several channels) the network is computed as it is.

    Args:
        model: the narrow network, on its device; it keeps its statistics.
        architecture: unpruned.
        counts: its units of each channel group.
    """

    def __init__(self, model: nn.Module, architecture: Pruned, counts: Sequence[int]) -> None:
        self.model = self.wide = model
        self.padding: dict[str, list[int]] = {}
        units = architecture.groups.units
        widths = tuple(min(most, -(-count // MULTIPLE) * MULTIPLE) for count, most in zip(counts, units, strict=True))
        if widths == tuple(counts):
            return
        wide = architecture.of_counts(widths)
        like = next(model.parameters())
        self.wide = wide.to(like, memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue]
        self.padding = _padding(model.state_dict(), wide.state_dict())
        if not self._computes_the_same(architecture.whole.example(2)):
            self.wide, self.padding = model, {}

    def __call__(self, parameters: Mapping[str, Tensor], images: Tensor) -> Tensor:
        """What the network says with these parameters, in its own mode of training or evaluation.

        Args:
            parameters: of the narrow network, all, by name; the output is differentiable by them.
            images: prepared.
        """
        self.wide.train(self.model.training)
        buffers = dict(self.model.named_buffers())
        padded = {name: self._padded(name, tensor) for name, tensor in {**buffers, **parameters}.items()}
        logits = functional_call(self.wide, padded, images)
        with torch.no_grad():
            for name in buffers.keys() & self.padding.keys():
                buffers[name].copy_(Window.first().of(name, padded[name], buffers[name].shape))
        return logits

    def _padded(self, name: str, tensor: Tensor) -> Tensor:
        return pad(tensor, self.padding[name]) if name in self.padding else tensor

    @torch.no_grad()
    def _computes_the_same(self, example: Inputs) -> bool:
        """Tried out, with parameters at random: a network of one's own may do anything with its channels."""
        training, generator = self.model.training, stream(0, "initialisation")
        named = {name: torch.randn(p.shape, generator=generator).to(p) for name, p in self.model.named_parameters()}
        if not isinstance(example, Tensor):
            return False
        inputs, like = telling(example, generator), next(self.model.parameters())
        inputs = inputs.to(like if inputs.is_floating_point() else like.device)
        self.model.eval()
        plain, aligned = functional_call(self.model, named, inputs), self(named, inputs)
        self.model.train(training)
        return bool((aligned - plain).norm() <= 1e-4 * plain.norm())


def _padding(narrow: Mapping[str, Tensor], wide: Mapping[str, Tensor]) -> dict[str, list[int]]:
    """What `torch.nn.functional.pad` adds to each tensor that is smaller than in the wide network."""
    padding = {}
    for name, tensor in narrow.items():
        missing = [more - less for more, less in zip(wide[name].shape, tensor.shape, strict=True)]
        if any(missing):
            padding[name] = [side for count in reversed(missing) for side in (0, count)]
    return padding
