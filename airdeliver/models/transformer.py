"""A small transformer for texts as bytes."""

import math
from dataclasses import dataclass
from typing import no_type_check

import torch
from jaxtyping import Float, Int64
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from airdeliver.models.base import ModelBuilder


class Attention(nn.Module):
    """Every position looks at every other, in several heads."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))

    @no_type_check  # torch.fx traces it with proxies, which are no tensors
    def forward(self, x: Float[Tensor, "n length width"]) -> Float[Tensor, "n length width"]:
        """What each position takes from the others."""
        parts = (part(x).unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in (self.query, self.key, self.value))
        mixed = scaled_dot_product_attention(*parts)
        return self.out(mixed.transpose(1, 2).flatten(2))


class Layer(nn.Module):
    """Attention and a perceptron of each position, each after a norm and beside a skip."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.first, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.second = nn.LayerNorm(width)
        self.perceptron = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))

    def forward(self, x: Float[Tensor, "n length width"]) -> Float[Tensor, "n length width"]:
        """The same, one layer deeper."""
        x = x + self.attention(self.first(x))
        return x + self.perceptron(self.second(x))


class Reader(nn.Module):
    """Embedded tokens, four to a position; layers; the mean over positions; logits."""

    def __init__(self, tokens: int, outputs: int, width: int, depth: int, heads: int):
        super().__init__()
        self.embedding = nn.Embedding(tokens, width)
        self.stem = nn.Conv1d(width, width, 7, stride=4, padding=3)
        self.layers = nn.Sequential(*(Layer(width, heads) for _ in range(depth)))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, outputs)

    @no_type_check  # torch.fx traces it with proxies, which are no tensors
    def forward(self, tokens: Int64[Tensor, "n length"]) -> Float[Tensor, "n outputs"]:
        """Logits of each text."""
        x = nn.functional.gelu(self.stem(self.embedding(tokens).transpose(1, 2))).transpose(1, 2)
        x = x + positions(x.shape[1], x.shape[2]).to(x)
        return self.head(self.norm(self.layers(x)).mean(1))


@torch.fx.wrap
def positions(length: int, width: int) -> Float[Tensor, "length width"]:
    """Sines and cosines of each position, which are computed and not learned.

    Source: A. Vaswani et al., Attention Is All You Need, NeurIPS 2017, section 3.5.

    >>> positions(2, 4)[0].tolist()
    [0.0, 0.0, 1.0, 1.0]
    """
    rates = torch.exp(-math.log(10_000.0) * torch.arange(0, width, 2) / width)
    angles = torch.arange(length)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], 1)


@dataclass(frozen=True)
class Transformer(ModelBuilder):
    """A transformer over tokens, those of four neighbouring positions drawn together by a convolution.

    78,980 parameters for bytes and 4 classes. Texts may have any length.

    Args:
        width: of each position's vector, an even multiple of `heads`.
        depth: layers.
        heads: of each attention.

    Raises:
        ValueError: a width that is no even multiple of the heads, or no layer.

    Source: A. Vaswani et al., Attention Is All You Need, NeurIPS 2017; R. Xiong et al., On Layer Normalization in the
    Transformer Architecture, ICML 2020 (norms before).

    >>> import torch
    >>> Transformer()(256, 4)(torch.zeros(2, 128, dtype=torch.int64)).shape
    torch.Size([2, 4])
    """

    width: int = 64
    depth: int = 1
    heads: int = 4

    def __post_init__(self):
        if self.heads < 1 or self.depth < 1 or self.width < 2 or self.width % self.heads or self.width % 2:
            raise ValueError(
                "width must be an even multiple of heads and depth at least 1, got "
                f"{self.width}, {self.heads} and {self.depth}"
            )

    def architecture(self, channels: int, classes: int) -> nn.Module:  # noqa: D102
        return Reader(channels, classes, self.width, self.depth, self.heads)
