"""G-Ghost: in each stage of a network, a part of the channels skips the blocks in between and is corrected cheaply."""

from dataclasses import dataclass
from typing import Literal, no_type_check

import torch
from jaxtyping import Float
from torch import Tensor, nn

from airdeliver.models.base import ModelBuilder, check, convolution, normalisation, widened
from airdeliver.models.resnet import STAGES, convolved


class Stage(nn.Module):
    r"""A stage of n >= 3 blocks, of which only the first and the last are whole.

    The first $(1 - \lambda) c$ channels $e$ of the first block go through n - 2 thin blocks; the others become
    $\mathrm{ReLU}(\mathrm{BN}\,W x + m)$, where $m = \mathrm{BN}\,W_2\,\mathrm{ReLU}\,\mathrm{BN}\,W_1$ of the means
    over the image of all that the stage has computed so far.

    Args:
        inputs: channels.
        outputs: channels c.
        norm: `batch` or `group`.
        stride: of the first block.
        blocks: n.
        ghosts: share lambda of the channels that skip.
    """

    def __init__(self, inputs: int, outputs: int, norm: str, stride: int, blocks: int, ghosts: float):
        super().__init__()
        thin = outputs - round(ghosts * outputs)
        rest = outputs - thin
        self.base = convolved(inputs, outputs, stride, norm)
        self.thin = nn.ModuleList(convolved(thin, thin, 1, norm) for _ in range(blocks - 2))
        self.mix = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(outputs + thin * (blocks - 2), rest, 1, bias=False),
            normalisation(norm, rest),
            nn.ReLU(inplace=True),
            nn.Conv2d(rest, rest, 1, bias=False),
            normalisation(norm, rest),
        )
        self.ghost = nn.Sequential(nn.Conv2d(rest, rest, 1, bias=False), normalisation(norm, rest))
        self.activation = nn.ReLU(inplace=True)
        self.end = convolved(outputs, outputs, 1, norm)

    @no_type_check  # torch.fx traces it with proxies, which are no tensors
    def forward(self, x: Float[Tensor, "n inputs h w"]) -> Float[Tensor, "n outputs h2 w2"]:
        """The stage; where the channels part says a layer behind, so that pruned stages know it too."""
        x = self.base(x)
        thin = self.ghost[0].in_channels
        seen, e = [x], x[:, :-thin]
        for block in self.thin:
            e = block(e)
            seen.append(e)
        ghosts = self.activation(self.ghost(x[:, -thin:]) + self.mix(torch.cat(seen, 1)))
        return self.end(torch.cat([e, ghosts], 1))


@dataclass(frozen=True)
class GGhostResNet20(ModelBuilder):
    """ResNet-20 of G-Ghost stages, three blocks each, of which the second is thin.

    Args:
        width: factor on all channels, rounded to multiples of 8.
        norm: `batch` or `group`.
        ghosts: share of a stage's channels that skip the blocks between its first and its last.

    Raises:
        ValueError: an unknown norm, a width that is not positive, ghosts that are not a share between 0 and 1.

    Source: K. Han et al., GhostNets on Heterogeneous Devices via Cheap Operations, arXiv 2201.03297; the authors'
    `g_ghost_regnet.py` in huawei-noah/Efficient-AI-Backbones.

    >>> sum(p.numel() for p in GGhostResNet20()(channels=3, classes=10).parameters())
    206730
    """

    width: float = 1.0
    norm: Literal["batch", "group"] = "batch"
    ghosts: float = 0.5

    def __post_init__(self):
        check(self.width, self.norm)
        if not 0 < self.ghosts < 1:
            raise ValueError(f"ghosts must be a share between 0 and 1, got {self.ghosts}")

    def architecture(self, channels: int, classes: int) -> nn.Module:  # noqa: D102
        inputs = widened(16, self.width)
        layers: list[nn.Module] = [*convolution(channels, inputs, self.norm), nn.ReLU(inplace=True)]
        for outputs, stride in STAGES:
            outputs = widened(outputs, self.width)
            layers.append(Stage(inputs, outputs, self.norm, stride, 3, self.ghosts))
            inputs = outputs
        return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inputs, classes))
