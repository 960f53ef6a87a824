"""Urban canyon: one strong reflection off a wall beside the direct path."""

import math
from dataclasses import dataclass

import torch
from torch import Generator

from channels import Channel, ChannelState
from channels.base import noise_variance


@dataclass(frozen=True)
class TwoRay(Channel):
    """Two paths of different length: h = (1 + r exp(j phase)) / sqrt(1 + r^2), so that E|h|^2 = 1.

    Args:
        reflection: r, amplitude of the reflected path over that of the direct one, 0 to 1.
    """

    reflection: float = 0.9

    def __post_init__(self):
        if not 0 <= self.reflection <= 1:
            raise ValueError(f"reflection must be 0 to 1, got {self.reflection}")

    def realize(self, realizations: int, n: int, snr_db: float | torch.Tensor, generator: Generator) -> ChannelState:
        """One phase between the paths for each delivery."""
        turn = torch.rand((2, realizations, 1), generator=generator, device=generator.device) * 2 * math.pi
        direct, reflected = torch.polar(torch.ones_like(turn), turn)
        gain = (direct + self.reflection * reflected) / math.sqrt(1 + self.reflection**2)
        return ChannelState(gain, noise_variance(snr_db, realizations, generator))
