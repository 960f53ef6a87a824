# %% [markdown]
# # A recorded channel
#
# Measured gains or impulse responses in an `.npz`, HDF5 or MATLAB file are a channel. Here the recording is made
# first: a walk of ten seconds past eight scatterers, 1,000 samples a second.

# %%
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from airdeliver import deliver, evaluate, zoo
from channels import Recorded
from channels.conformance import check

generator = np.random.default_rng(0)
time = np.arange(10_000) / 1000
doppler = 8.0 * np.cos(generator.uniform(0, 2 * np.pi, 8))  # Hz, a pedestrian at 2 GHz
phases = generator.uniform(0, 2 * np.pi, 8)
gain = np.exp(1j * (2 * np.pi * doppler[:, None] * time + phases[:, None])).sum(0)
file = Path(tempfile.mkdtemp()) / "walk.npz"
np.savez(file, gain=gain, sample_rate=1000.0)

# %% [markdown]
# `symbol_rate` sets how fast the network is sent: at 20,000 symbols a second a delivery of 9,485 channel uses takes
# half a second of the walk, at 1,000 it takes all of it. Each delivery starts at a random place.

# %%
network, card = zoo.load("digits_noise"), zoo.card("digits_noise")
images, labels = zoo.sample("digits")
figure, (above, below) = plt.subplots(2, constrained_layout=True)
above.plot(time, 20 * np.log10(abs(gain) / np.sqrt(np.mean(abs(gain) ** 2))), marker="", linewidth=1)
above.set(xlabel="time (s)", ylabel="gain (dB)", title="The recording")
for symbol_rate in (1_000.0, 20_000.0):
    channel = Recorded(file, symbol_rate=symbol_rate, wrap=True)
    check(channel)
    delivery = deliver(network, card.link, channel, snr_db=8.0, channel_uses=card.channel_uses, realizations=32)
    report = evaluate(delivery, images, labels)
    print(f"{symbol_rate:,.0f} symbols a second: {report}, standard deviation {report.std:.3f}")
    below.hist(
        report.per_realization.numpy(), bins=np.arange(0.8, 1.005, 0.01), alpha=0.6, label=f"{symbol_rate:,} a second"
    )
below.set(
    xlabel="accuracy of one delivery", ylabel="deliveries", title="A fast delivery meets one gain, a slow one all"
)
below.legend()
plt.show()
