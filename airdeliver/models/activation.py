"""Quantised activations: what goes from layer to layer has few levels, whose range is learned."""

from typing import Literal, no_type_check

import torch
from jaxtyping import Float
from torch import Tensor, nn

Rule = Literal["pact", "lsq"]

BEGINNING = 6.0
"""Where the range of PACT begins."""


class QuantisedReLU(nn.Module):
    r"""Clipped to $[0, \alpha]$ and rounded to multiples of $\alpha / (2^b - 1)$, with a learned $\alpha$.

    With `pact`, $\partial y / \partial \alpha = [x \ge \alpha]$, as if nothing were rounded. With `lsq`, the step
    $s = \alpha / (2^b - 1)$ is learned, and it is $(\mathrm{round}(x / s) - x / s) / (2^b - 1)$ within the range too.
    Both are straight through to x within the range. Alpha is a parameter: it travels with the network.

    Args:
        bits: b of a level.
        rule: whose gradient alpha has.

    Source: J. Choi et al., PACT, arXiv 1805.06085, equations 1 to 3 (without its penalty on alpha); S. K. Esser et al.,
    arXiv 1902.08153.
    """

    def __init__(self, bits: int, rule: Rule):
        super().__init__()
        self.bits, self.rule = bits, rule
        self.alpha = nn.Parameter(torch.full((1,), BEGINNING))

    def reset_parameters(self) -> None:
        """Alpha as it begins."""
        nn.init.constant_(self.alpha, BEGINNING)

    @no_type_check  # torch.fx traces it with proxies, which are no tensors
    def forward(self, x: Float[Tensor, "..."]) -> Float[Tensor, "..."]:
        """Levels, as values."""
        most = 2**self.bits - 1
        alpha = self.alpha.clamp(min=1e-3)
        clipped = torch.minimum(torch.relu(x), alpha)
        if self.rule == "pact":
            step = alpha.detach() / most
            return clipped + (torch.round(clipped / step) * step - clipped).detach()
        step = alpha / most
        ratio = torch.minimum(torch.relu(x) / step, torch.full_like(step, most))
        return step * (ratio + (torch.round(ratio) - ratio).detach())
