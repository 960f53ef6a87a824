# %% [markdown]
# # A ray-traced street
#
# `RayTraced` finds the paths from a base station to a receiver that walks along a street of a scene that comes with
# Sionna RT, and sends over their multipath channel. Extra `raytraced`, and LLVM on the machine.

# %%
import matplotlib.pyplot as plt
import torch

from airdeliver import deliver, evaluate, zoo
from channels import AWGN, RayTraced

street = RayTraced(
    scene="simple_street_canyon",
    transmitter=(-35.0, 0.0, 25.0),
    route=((-20.0, 0.0, 1.5), (50.0, 0.0, 1.5)),
    spacing=10.0,
    rays=20_000,
)
print(f"{street.coverage:.0%} of the points of the route are reached")

# %%
generator = torch.Generator().manual_seed(0)
state = street.realize(3, 600, snr_db=10.0, generator=generator)
figure, (above, below) = plt.subplots(2, constrained_layout=True)
for row in state.gain:
    above.plot(20 * row.abs().clamp_min(1e-3).log10(), marker="", linestyle="-")
above.set(xlabel="subcarrier", ylabel="gain (dB)", title="Three places on the street")

# %%
network, card = zoo.load("digits_noise"), zoo.card("digits_noise")
images, labels = zoo.sample("digits")
levels = [0.0, 5.0, 10.0, 15.0]
for channel in (AWGN(), street):
    reports = [
        evaluate(deliver(network, card.link, channel, snr_db, card.channel_uses, realizations=16), images, labels)
        for snr_db in levels
    ]
    accuracy = torch.tensor([report.accuracy for report in reports])
    ends = torch.tensor([[r.accuracy - r.low, r.high - r.accuracy] for r in reports]).T
    below.errorbar(levels, accuracy, ends, capsize=3, label=type(channel).__name__)
    print(type(channel).__name__, accuracy)
below.set(xlabel="mean SNR along the street (dB)", ylabel="delivered accuracy", title="Digits, noise-trained network")
below.legend()
plt.show()
