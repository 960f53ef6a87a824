# %% [markdown]
# # A channel of mine
#
# A channel is one method, `realize`: what the channel happens to be for independent deliveries. `check` examines the
# contract: unit mean gain, the convention of the SNR, randomness from the generator alone.

# %%
import math
from dataclasses import dataclass

import matplotlib.pyplot as plt
import torch

from airdeliver import deliver, evaluate, zoo
from channels import AWGN, Channel, ChannelState, Rayleigh, ergodic_capacity
from channels.base import noise_variance
from channels.conformance import check


@dataclass(frozen=True)
class TwoRay(Channel):
    """A direct path and one reflection, h = (exp(j a) + r exp(j b)) / sqrt(1 + r^2).

    Args:
        reflection: r, amplitude of the reflected path over that of the direct one, 0 to 1.
    """

    reflection: float = 0.9

    def realize(self, realizations: int, n: int, snr_db: float, generator: torch.Generator) -> ChannelState:
        """Two phases for each delivery."""
        phases = torch.rand((2, realizations, 1), generator=generator, device=generator.device) * 2 * math.pi
        direct, reflected = torch.polar(torch.ones_like(phases), phases)
        gain = (direct + self.reflection * reflected) / math.sqrt(1 + self.reflection**2)
        return ChannelState(gain, noise_variance(snr_db, realizations, generator))


check(TwoRay())  # silence is good news

# %% [markdown]
# What it does to a network that was trained through noise, against two channels that everybody knows. The capacity
# says how hard each of them is on average; deep fades are what a network suffers from.

# %%
network, card = zoo.load("digits_noise"), zoo.card("digits_noise")
images, labels = zoo.sample("digits")
figure, axes = plt.subplots()
for channel in (AWGN(), TwoRay(), Rayleigh()):
    delivery = deliver(network, card.link, channel, snr_db=10.0, channel_uses=card.channel_uses, realizations=64)
    report = evaluate(delivery, images, labels)
    name = type(channel).__name__
    print(f"{name}: {report}, capacity {ergodic_capacity(channel, 10.0):.2f} bits a symbol")
    axes.step(report.per_realization.sort().values, torch.linspace(0, 1, 64), where="post", marker="", label=name)
axes.set(xlabel="accuracy of one delivery", ylabel="share of deliveries below it", title="Digits, 10 dB, 64 deliveries")
axes.legend()
plt.show()
