"""The link that serves inferences: features are sent, each input through a realization of its own."""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from airdeliver.links.analog.expansion import Expansion, Repetition
from airdeliver.links.analog.link import equalise
from airdeliver.links.analog.receiver import MMSE, Receiver
from channels import Channel

_HEADROOM = 1 + 1e-6
"""Power above 1 that is float32's doing."""


@dataclass(frozen=True)
class FeatureLink:
    """Sends feature vectors of mean square 1 as they are, two real channel inputs a symbol.

    Nothing is told beside them: their scale is published. What a network makes of its inputs it makes of unit power.

    Args:
        expansion: of each value into channel inputs; one that keeps the power, such as `Repetition`.
        receiver: estimates values of unit variance from observations.

    Raises:
        ValueError: an expansion whose channel inputs do not have the power of the values.
    """

    expansion: Expansion = field(default_factory=lambda: Repetition(1))
    receiver: Receiver = field(default_factory=MMSE)

    def __post_init__(self) -> None:
        if not self.expansion.isometric:
            raise ValueError(f"features need an expansion that keeps their power, got {self.expansion}")

    def uses(self, values: int, channel: Channel) -> int:
        """Channel uses of one feature vector, pilots included.

        Args:
            values: of the vector.
            channel: that carries it.
        """
        return channel.uses(math.ceil(values * self.expansion.inputs / 2))

    def send(
        self, features: Float[Tensor, "images n"], channel: Channel, snr_db: float, generator: Generator
    ) -> Float[Tensor, "images n"]:
        """What arrives of each image's features, through a realization of its own; differentiable.

        Args:
            features: mean square 1 over each row.
            channel: of one receiver.
            snr_db: mean SNR in dB.
            generator: of fading and noise.

        Raises:
            ValueError: a channel of several receivers: features of one input go to one server.
        """
        if channel.receivers != 1:
            raise ValueError(f"features go to one server, got a channel of {channel.receivers} receivers")
        images, n = features.shape
        inputs = self.expansion.expand(features.reshape(-1)).view(-1, images, n).movedim(0, 1) / math.sqrt(2)
        real = inputs.reshape(images, -1) / _HEADROOM
        real = torch.nn.functional.pad(real, (0, real.shape[1] % 2))
        symbols = torch.view_as_complex(real.view(images, -1, 2).contiguous())
        state = channel.realize(images, symbols.shape[1], snr_db, generator)
        observed, variance = equalise(channel.transmit(symbols, state, generator))
        used = n * self.expansion.inputs
        variance = variance if variance.shape[-1] == 1 else variance[:, :used].reshape(images, -1, n)
        rows = observed[:, :used].reshape(images, -1, n)
        variance = variance.unsqueeze(1) if variance.ndim == 2 else variance
        combined, noise = self.expansion.combine(rows, variance)
        return self.receiver.estimate(combined, noise)
