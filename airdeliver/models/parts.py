"""Networks side by side whose answers are added."""

from collections.abc import Mapping
from typing import no_type_check

from torch import Tensor, nn


class Parts(nn.Module):
    """Networks that each see the input, and know nothing of one another until their answers are added.

    Args:
        parts: networks without a bias of their answer, by number.
        bias: that is added once, a number for each output; None for none.

    >>> import torch
    >>> parts = Parts({0: nn.Identity(), 1: nn.Identity()}, nn.Parameter(torch.ones(2)))
    >>> parts(torch.ones(1, 2)).tolist()
    [[3.0, 3.0]]
    """

    def __init__(self, parts: Mapping[int, nn.Module], bias: nn.Parameter | None) -> None:
        super().__init__()
        self.register_parameter("bias", bias)
        self.parts = nn.ModuleDict({str(number): part for number, part in parts.items()})

    @no_type_check  # torch.fx traces it with proxies, which are no tensors
    def forward(self, inputs: Tensor) -> Tensor:
        """The sum of what all parts say."""
        first, *others = self.parts.values()
        said = first(inputs)
        for part in others:
            said = said + part(inputs)
        return said if self.bias is None else said + self.bias
