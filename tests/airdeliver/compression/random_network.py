"""Small networks with every kind of layer that couples channels."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from airdeliver.architecture import Pruned, Whole
from airdeliver.models import ModelBuilder
from airdeliver.task import Signature

KINDS = ("plain", "residual", "grouped", "depthwise", "concatenated")
NORMS = ("batch", "group", "none")


def norm_of(norm: str, channels: int) -> nn.Module:
    return {"batch": nn.BatchNorm2d(channels), "group": nn.GroupNorm(2, channels), "none": nn.Identity()}[norm]


class Network(nn.Module):
    def __init__(self, inputs: int, classes: int, widths: tuple[int, ...], kind: str, norm: str):
        super().__init__()
        a, b, c = widths
        self.kind = kind
        self.stem = nn.Sequential(nn.Conv2d(inputs, a, 3, padding=1), norm_of(norm, a), nn.ReLU())
        groups = {"grouped": 2, "depthwise": a}.get(kind, 1)
        middle = a if kind == "depthwise" else b
        self.first = nn.Sequential(nn.Conv2d(a, middle, 3, padding=1, groups=groups), norm_of(norm, middle), nn.ReLU())
        last = a if kind == "residual" else c
        inner = a if kind == "concatenated" else middle
        self.second = nn.Sequential(nn.Conv2d(inner, last, 3, padding=1), norm_of(norm, last))
        self.features = middle + last if kind == "concatenated" else last
        self.head = nn.Sequential(norm_of(norm, self.features), nn.AdaptiveAvgPool2d(2), nn.Flatten())
        self.output = nn.Linear(4 * self.features, classes)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stem(x)
        if self.kind == "concatenated":
            x = torch.cat([self.first(x), self.second(x)], 1)
        elif self.kind == "residual":
            x = x + self.second(self.first(x))
        else:
            x = self.second(self.first(x))
        return self.output(self.head(x))


@dataclass(frozen=True)
class RandomNetwork(ModelBuilder):
    widths: tuple[int, int, int] = (8, 12, 8)
    kind: str = "plain"
    norm: str = "batch"

    def architecture(self, channels: int, classes: int) -> nn.Module:
        return Network(channels, classes, self.widths, self.kind, self.norm)


def prunable(model: ModelBuilder, shape: tuple[int, int, int] = (1, 8, 8)) -> Pruned:
    """The architecture of a network that tells ten classes of images of this shape apart."""
    return Pruned(Whole(model, Signature(shape, shape[0], 10)))


def used(model: nn.Module, seed: int) -> nn.Module:
    """The model with values that no constructor would give it."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, tensor in model.state_dict(keep_vars=True).items():
            if name.endswith("running_var"):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.2)
            elif tensor.is_floating_point():
                tensor.add_(0.2 * torch.randn(tensor.shape, generator=generator))
    return model.eval()
