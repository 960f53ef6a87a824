"""Serving: a device that holds the first layers sends features, a server that holds the rest answers."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int64
from torch import Generator, Tensor, nn

from airdeliver.links.features import FeatureLink
from airdeliver.links.foreseen import foreseen
from airdeliver.models.bottleneck import Device
from channels import Channel

_FADES = 1024
"""Realizations over which it is averaged how often a device asks."""

_SYMBOLS = 64
"""Of each of them: what receivers see of hardware shows in some."""


@dataclass(frozen=True, eq=False)
class Service:
    """What is there for a device beside its delivery: the rest of the network, and the link to it.

    Args:
        server: from features to answers, in evaluation mode; it stays where it was trained.
        link: that features are sent over.
        features: values of each input's features.
        asked: the share of inputs for which the device is expected to ask, by SNR in dB, rising, as measured on
            validation inputs; empty for a device that always asks.
        least_bits: mutual information in bits per symbol below which the device has nothing that it could serve with.
    """

    server: nn.Module
    link: FeatureLink
    features: int
    asked: tuple[tuple[float, float], ...] = ()
    least_bits: float = 0.0

    def over(self, channel: Channel, snr_db: float) -> "Serving":
        """The same over a channel.

        Args:
            channel: physics.
            snr_db: mean SNR in dB.
        """
        return Serving(self, channel, snr_db)


@dataclass(frozen=True, eq=False)
class Served:
    """Answers to inputs, and what they took.

    Args:
        outputs: of each input.
        asked: whether the server was asked; else the device's own exit answered.
        uses: channel uses of each input.
    """

    outputs: Float[Tensor, "n outputs"]
    asked: Bool[Tensor, "n"]
    uses: Int64[Tensor, "n"]


@dataclass(frozen=True, eq=False)
class Serving:
    """A service over a channel.

    Args:
        service: network and link.
        channel: physics.
        snr_db: mean SNR in dB.
    """

    service: Service
    channel: Channel
    snr_db: float

    @property
    def uses_when_asked(self) -> int:
        """Channel uses of an input for which the server is asked."""
        return self.service.link.uses(self.service.features, self.channel)

    @property
    def uses(self) -> float:
        """Channel uses of an inference, the mean that is expected: an exit of the device's saves some.

        How sure a device is depends on how well it was delivered: over a channel that fades, a mean over the law of its
        gain, of deliveries that arrive.
        """
        if not self.service.asked:
            return float(self.uses_when_asked)
        known, shares = zip(*self.service.asked)
        seen = foreseen(self.channel, self.snr_db, _FADES, _SYMBOLS, torch.Generator().manual_seed(0)).seen
        met = (seen.gain.abs().square() / seen.noise_variance).mean(1)
        arrives = (1 + met).log2() >= self.service.least_bits
        met = met[arrives] if arrives.any() else met
        share = np.interp(10 * met.clamp(min=1e-9).log10().cpu().numpy(), known, shares).mean()
        return float(share) * self.uses_when_asked

    def answer(self, device: Device, inputs: Tensor, generator: Generator) -> Served:
        """What device and server say of inputs together; the channel is drawn anew for each.

        Args:
            device: as it was delivered, in evaluation mode.
            inputs: prepared.
            generator: of fading and noise: the same draws, whether the server is asked or not.
        """
        features = device(inputs)
        arrived = self.service.link.send(features.flatten(1), self.channel, self.snr_db, generator)
        outputs = self.service.server(arrived.reshape(features.shape))
        asked = torch.ones(len(inputs), dtype=torch.bool, device=inputs.device)
        if device.exit is not None:
            own, stands = device.answer(features)
            outputs, asked = torch.where(stands.unsqueeze(-1), own, outputs), ~stands
        return Served(outputs, asked, asked.long() * self.uses_when_asked)
