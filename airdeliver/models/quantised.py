"""Any architecture with quantised activations in place of its ReLUs."""

from dataclasses import dataclass
from typing import Any

from torch import Generator, nn

from airdeliver.models.activation import QuantisedReLU, Rule
from airdeliver.models.base import ModelBuilder

PASSING = (nn.MaxPool1d, nn.MaxPool2d, nn.Dropout, nn.Dropout2d, nn.Identity)
"""Layers behind which activations have the levels that they had before."""


@dataclass(frozen=True)
class QuantisedActivations(ModelBuilder):
    """Another architecture, of which every ReLU is clipped and quantised.

    Convolutions and linear layers that come right after one, or after a maximum pooling of one, compute with so many
    bits: `airdeliver.cost` reads it from them. All others, the first above all, have the activations that they had.

    Args:
        model: the architecture.
        bits: of an activation, 1 to 16.
        rule: how the range is learned, `pact` or `lsq`.

    Raises:
        ValueError: bits out of range, or an unknown rule.

    >>> from airdeliver.models.cnn import CNN
    >>> network = QuantisedActivations(CNN(), bits=4)(1, 10)
    >>> [getattr(layer, "activation_bits", 32) for layer in network if isinstance(layer, nn.Conv2d | nn.Linear)]
    [32, 4, 4, 32]
    """

    model: ModelBuilder
    bits: int = 8
    rule: Rule = "pact"

    def __post_init__(self):
        if not 1 <= self.bits <= 16 or self.rule not in ("pact", "lsq"):
            raise ValueError(f"bits must be 1 to 16 and rule pact or lsq, got {self.bits} and {self.rule!r}")

    @property
    def width(self) -> float:
        """That of the architecture."""
        return self.model.width  # pyright: ignore[reportAttributeAccessIssue]

    def architecture(self, channels: int, classes: int) -> nn.Module:  # noqa: D102
        network = self.model.architecture(channels, classes)
        for module in list(network.modules()):
            for name, child in module.named_children():
                if isinstance(child, nn.ReLU):
                    setattr(module, name, QuantisedReLU(self.bits, self.rule))
        before: nn.Module | None = None
        for layer in network.modules():
            if any(True for _ in layer.children()) or isinstance(layer, PASSING):
                continue
            if isinstance(before, QuantisedReLU) and isinstance(layer, nn.Conv1d | nn.Conv2d | nn.Linear):
                told: Any = layer
                told.activation_bits = self.bits
            before = layer
        return network

    def initialise(self, model: nn.Module, generator: Generator) -> None:
        """As the architecture does, and ranges as they begin."""
        ranges = [module for module in model.modules() if isinstance(module, QuantisedReLU)]
        alphas = [module._parameters.pop("alpha") for module in ranges]
        self.model.initialise(model, generator)
        for module, alpha in zip(ranges, alphas, strict=True):
            module._parameters["alpha"] = alpha
            module.reset_parameters()
