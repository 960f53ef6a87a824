"""MGIC: a convolution as a cycle over fewer and fewer channels, whose parameters grow linearly with them."""

import math
from dataclasses import dataclass
from functools import partial
from typing import Literal, no_type_check

from jaxtyping import Float
from torch import Tensor, nn

from airdeliver.models.base import ModelBuilder, convolution, normalisation
from airdeliver.models.vgg import activated, check_stack, stacked


class Multigrid(nn.Module):
    r"""All channels reach all others, through ever coarser levels of half the channels.

    Downwards, $x_{l+1} = R_l x_l$, a grouped 1 x 1 convolution; at the coarsest level an ordinary 3 x 3 convolution;
    upwards $x_l \leftarrow K_l(x_l + \mathrm{BN}(P_l(x_{l+1}' - R_l x_l)))$, where $K_l$ is a 3 x 3 convolution in
    groups of $s_g$ channels. Every 3 x 3 convolution is followed by norm and ReLU.

    Args:
        channels: c, of input and output.
        norm: `batch` or `group`.
        group_size: channels $s_g$ of a group.
        coarsest: channels from which on a level is not made coarser.
    """

    def __init__(self, channels: int, norm: str, group_size: int, coarsest: int):
        super().__init__()
        size = math.gcd(channels, group_size)
        # A group of odd size cannot be halved.
        self.is_coarsest = channels <= coarsest or size % 2 == 1
        if self.is_coarsest:
            self.smooth = nn.Sequential(*convolution(channels, channels, norm), nn.ReLU(inplace=True))
            return
        half, groups = channels // 2, channels // size
        self.restrict = nn.Conv2d(channels, half, 1, groups=groups, bias=False)
        self.coarse = Multigrid(half, norm, group_size, coarsest)
        self.prolong = nn.Sequential(
            nn.Conv2d(half, channels, 1, groups=groups, bias=False), normalisation(norm, channels)
        )
        self.smooth = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, groups=groups, bias=False),
            normalisation(norm, channels),
            nn.ReLU(inplace=True),
        )

    @no_type_check  # torch.fx traces it with proxies, which are no tensors
    def forward(self, x: Float[Tensor, "n channels h w"]) -> Float[Tensor, "n channels h w"]:
        """Down, and up again."""
        if self.is_coarsest:
            return self.smooth(x)
        restricted = self.restrict(x)
        return self.smooth(x + self.prolong(self.coarse(restricted) - restricted))


@dataclass(frozen=True)
class MGICVGG(ModelBuilder):
    """VGG whose convolutions, but for the first, are multigrid cycles; 1 x 1 convolutions where channels change.

    117,242 parameters and 9.65 million multiply-accumulates at width 2 for 3 x 32 x 32 images of 10 classes: those of
    a plain VGG of width 1.

    Args:
        width: factor on all channels, rounded to multiples of 8.
        size: `cpu` or `small16`, as for `VGG`.
        norm: `batch` or `group`.
        group_size: channels of each group of the convolutions of fine levels; even.
        coarsest: channels of a level that is not made coarser.

    Raises:
        ValueError: an unknown size or norm, a width that is not positive, an odd group size, no channels.

    Source: M. Eliasof, J. Ephrath, L. Ruthotto and E. Treister, MGIC: Multigrid-in-Channels Neural Network
    Architectures, arXiv 2011.09128; here with one convolution a level, where the authors' code has ResNet's two.

    >>> sum(p.numel() for p in MGICVGG()(channels=3, classes=10).parameters())
    117242
    """

    width: float = 2.0
    size: Literal["cpu", "small16"] = "cpu"
    norm: Literal["batch", "group"] = "batch"
    group_size: int = 8
    coarsest: int = 16

    def __post_init__(self):
        check_stack(self.size, self.width, self.norm)
        if self.group_size < 2 or self.group_size % 2 or self.coarsest < 1:
            raise ValueError(
                f"group_size must be even and coarsest at least 1, got {self.group_size} and {self.coarsest}"
            )

    def architecture(self, channels: int, classes: int) -> nn.Module:  # noqa: D102
        first = partial(activated, norm=self.norm)
        return stacked(self.size, self.width, channels, classes, first, self._layer)

    def _layer(self, inputs: int, outputs: int) -> list[nn.Module]:
        change: list[nn.Module] = []
        if inputs != outputs:
            change = [
                nn.Conv2d(inputs, outputs, 1, bias=False),
                normalisation(self.norm, outputs),
                nn.ReLU(inplace=True),
            ]
        return [*change, Multigrid(outputs, self.norm, self.group_size, self.coarsest)]
