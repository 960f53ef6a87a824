# %% [markdown]
# # The digital chain, step by step
#
# What `DigitalLink` does, by hand: levels, a container of range-coded packets, a transport block with the CRC and the
# LDPC codes of 5G NR, QAM, noise, likelihoods, decoding, and the network again.

# %%
import matplotlib.pyplot as plt
import numpy as np
import torch

from airdeliver import zoo
from airdeliver.compression.codec import RangeCoded
from airdeliver.compression.quantisers import RateDistortion
from airdeliver.links.digital import MCS_TABLES, TransportBlock
from airdeliver.normalisation import estimate_statistics
from airdeliver.payload import load, payload_of
from channels import AWGN

network = zoo.load("digits_clean").model()
images, labels = zoo.sample("digits")
payload = payload_of(network, statistics=False)
print(f"{payload.layout.size} values in {len(payload.layout.segments)} segments")

# %% [markdown]
# **Source coding.** The quantiser takes the finest levels of which no more than 2 bits a value remain after the
# entropy coder.

# %%
codec, quantiser = RangeCoded(), RateDistortion()
levels = quantiser.fit(
    payload, None, lambda levels: 8 * sum(codec.estimate(levels, 1024)) / payload.layout.size, most=2.0
)
container = codec.pack(levels)
print(f"{len(container.data)} bytes, {8 * len(container.data) / payload.layout.size:.2f} bits a value")

# %% [markdown]
# **Channel coding.** A grade of the standard's table, and a transport block that is as long as the container needs.

# %%
grade = MCS_TABLES[3][15]  # 16-QAM, rate 1/3
bits = torch.from_numpy(np.unpackbits(np.frombuffer(container.data, np.uint8)))
block = TransportBlock(len(bits), round(len(bits) / grade.spectral_efficiency), grade.bits_per_symbol, grade.rate)
symbols = block.encode(bits[None])
print(f"{len(bits)} bits in {block.segmentation.blocks} code blocks, {symbols.shape[1]} symbols,")
print(f"power {float(symbols.abs().square().mean()):.3f}")

# %% [markdown]
# **Channel and receiver.** Below the threshold of the code nothing arrives, a decibel above it everything.

# %%
accuracies, snrs_db = [], [2.0, 3.0, 4.0, 5.0, 6.0]
for snr_db in snrs_db:
    generator = torch.Generator().manual_seed(0)
    state = AWGN().realize(1, symbols.shape[1], snr_db, generator)
    received = AWGN().transmit(symbols, state, generator)
    arrived = block.decode(received.samples, received.gain, received.noise_variance)
    accuracy = 0.1  # chance
    if arrived.block_ok.all():
        data = np.packbits(arrived.bits[0].numpy()).tobytes()
        rebuilt = load(network, payload.layout, codec.unpack(data, payload.layout).values)
        estimate_statistics(rebuilt, images)  # the receiver's own, without labels
        accuracy = float((rebuilt(images).argmax(1) == labels).float().mean())
    accuracies.append(accuracy)
    found = f"{int(arrived.block_ok.sum())} of {block.segmentation.blocks} code blocks"
    print(f"{snr_db:g} dB: {found}, accuracy {accuracy:.3f}")

# %%
figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4), constrained_layout=True)
left.scatter(received.samples[0, :3000].real, received.samples[0, :3000].imag, s=1)
left.set(title=f"received at {snrs_db[-1]:g} dB", xlabel="in phase", ylabel="quadrature", aspect="equal")
right.plot(snrs_db, accuracies, marker="o")
right.set(title="Digits, 16-QAM, rate 1/3", xlabel="SNR (dB)", ylabel="delivered accuracy")
plt.show()
