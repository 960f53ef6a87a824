"""Random networks: stacks of layers for vectors, sequences, images and tokens."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Network:
    """A model and examples of what it takes.

    Args:
        model: in evaluation mode.
        inputs: four examples.
        words: what it is, for people.
    """

    model: nn.Module
    inputs: Any
    words: str


class Residual(nn.Module):
    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x)


class Recurrent(nn.Module):
    """The output of a recurrent layer without its state."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)[0]


class Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.attend = nn.MultiheadAttention(width, 2, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        return self.attend(x, x, x, need_weights=False)[0]


class Twice(nn.Module):
    """One module, used twice and registered under two names."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.first, self.second = body, body

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x))


class Mean(nn.Module):
    def __init__(self, axes: tuple[int, ...]) -> None:
        super().__init__()
        self.axes = axes

    def forward(self, x: Tensor) -> Tensor:
        return x.mean(self.axes)


class Views(nn.Module):
    """What takes the memory of its input to be contiguous."""

    def forward(self, x: Tensor) -> Tensor:
        return x.view(len(x), -1)


class Scale(nn.Module):
    """Parameters of odd shapes: one number, none at all, many axes."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.randn(shape))

    def forward(self, x: Tensor) -> Tensor:
        return x * (1 + self.scale.sum())


Maker = Callable[[random.Random, int], nn.Module]

ANY: tuple[Maker, ...] = (
    lambda chosen, width: nn.ReLU(),
    lambda chosen, width: nn.GELU(),
    lambda chosen, width: nn.PReLU(),
    lambda chosen, width: nn.Dropout(0.5),
    lambda chosen, width: nn.Identity(),
    lambda chosen, width: Scale(chosen.choice(((), (0,), (1,), (2, 0, 3), (1, 2, 1, 2, 1)))),
)

VECTORS: tuple[Maker, ...] = (
    *[lambda chosen, width: nn.Linear(width, width, bias=chosen.random() < 0.7)] * 5,
    lambda chosen, width: nn.BatchNorm1d(
        width, affine=chosen.random() < 0.7, track_running_stats=chosen.random() < 0.8
    ),
    lambda chosen, width: nn.LayerNorm(width, elementwise_affine=chosen.random() < 0.7),
    lambda chosen, width: nn.RMSNorm(width),
    lambda chosen, width: nn.utils.parametrizations.weight_norm(nn.Linear(width, width)),
    lambda chosen, width: nn.utils.parametrizations.orthogonal(nn.Linear(width, width)),
    lambda chosen, width: nn.utils.parametrizations.spectral_norm(nn.Linear(width, width)),
    lambda chosen, width: nn.utils.weight_norm(nn.Linear(width, width)),
    lambda chosen, width: Residual(nn.Linear(width, width)),
    lambda chosen, width: Twice(nn.Linear(width, width)),
)

SEQUENCES: tuple[Maker, ...] = (
    *VECTORS[:2],
    *VECTORS[6:],
    lambda chosen, width: Recurrent(nn.LSTM(width, width, batch_first=True, num_layers=chosen.choice((1, 2)))),
    lambda chosen, width: Recurrent(nn.GRU(width, width // 2, batch_first=True, bidirectional=True)),
    lambda chosen, width: Attention(width),
    lambda chosen, width: nn.TransformerEncoderLayer(width, 2, 2 * width, batch_first=True),
)


def _convolution(chosen: random.Random, width: int) -> nn.Module:
    return nn.Conv2d(width, width, chosen.choice((1, 3)), padding="same", groups=chosen.choice((1, 2, width)))


def _normalised(convolution: nn.Module, width: int) -> nn.Module:
    return nn.Sequential(convolution, nn.BatchNorm2d(width))


IMAGES: tuple[Maker, ...] = (
    *[_convolution] * 5,
    lambda chosen, width: nn.ConvTranspose2d(width, width, 3, padding=1, groups=chosen.choice((1, 2))),
    *[lambda chosen, width: nn.BatchNorm2d(width, momentum=chosen.choice((0.1, None)))] * 3,
    lambda chosen, width: nn.GroupNorm(2, width),
    lambda chosen, width: nn.InstanceNorm2d(width, affine=True, track_running_stats=True),
    lambda chosen, width: Residual(_normalised(_convolution(chosen, width), width)),
    lambda chosen, width: _normalised(nn.ConvTranspose2d(width, width, 3, padding=1, groups=2), width),
    lambda chosen, width: nn.ChannelShuffle(2),
)


def random_network(chosen: random.Random, classes: int = 3) -> Network:
    """A stack of one to six layers that ends in logits."""
    kind = chosen.choice(("vectors", "vectors", "sequences", "images", "images", "tokens"))
    width = chosen.choice((2, 4, 8))
    makers = {"vectors": VECTORS, "sequences": SEQUENCES, "images": IMAGES, "tokens": SEQUENCES}[kind]
    layers = [_layer(chosen, makers if chosen.random() < 0.75 else ANY, width) for _ in range(chosen.randrange(1, 7))]
    if kind == "vectors":
        inputs, head = torch.randn(4, width), nn.Linear(width, classes)
    elif kind == "sequences":
        inputs, head = torch.randn(4, 5, width), nn.Sequential(Mean((1,)), nn.Linear(width, classes))
    elif kind == "images":
        ends = (
            nn.Sequential(Mean((2, 3)), nn.Linear(width, classes)),
            nn.Sequential(Views(), nn.Linear(36 * width, classes)),
        )
        inputs, head = torch.randn(4, width, 6, 6), chosen.choice(ends)
    else:
        layers.insert(0, chosen.choice((nn.Embedding(11, width), nn.Embedding(11, width, padding_idx=0))))
        inputs, head = torch.randint(0, 11, (4, 5)), nn.Sequential(Mean((1,)), nn.Linear(width, classes))
    model = nn.Sequential(*layers, head)
    with torch.no_grad():
        model.train()
        if kind != "tokens":
            model(torch.cat([inputs, inputs + 0.1]))  # running statistics that are not those of a new network
    return Network(model.eval(), inputs, f"{kind} of {width}: {', '.join(type(layer).__name__ for layer in layers)}")


def _layer(chosen: random.Random, makers: tuple[Maker, ...], width: int) -> nn.Module:
    return chosen.choice(makers)(chosen, width)
