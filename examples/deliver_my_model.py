# %% [markdown]
# # Deliver a model of mine
#
# Any `torch.nn.Module` goes over any channel: train it as you always do, deliver it, and score what the receivers
# rebuilt. `figures.sweep` does it over several links and SNRs, and draws the picture.

# %%
import torch
from sklearn.datasets import load_digits

from airdeliver import AnalogLink, DigitalLink, deliver, evaluate
from channels import AWGN
from figures import sweep

torch.manual_seed(0)
images, labels = (torch.as_tensor(array) for array in load_digits(return_X_y=True))
images = images.float() / 16
model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
for _ in range(200):
    optimizer.zero_grad()
    torch.nn.functional.cross_entropy(model(images[:1200]), labels[:1200]).backward()
    optimizer.step()

# %% [markdown]
# One delivery at 5 dB, sixteen times over independent noise. 2,917 channel uses are what the 4,810 parameters take
# when two of them share a complex symbol, side information included.

# %%
delivery = deliver(model, AnalogLink(), AWGN(), snr_db=5.0, channel_uses=2_917)
print(delivery)
print(evaluate(delivery, images[1200:], labels[1200:]))
print(delivery.model(0))

# %% [markdown]
# Analog against the limit of a digital link of the same bandwidth: the quantiser follows the SNR, and the code is as
# good as any can be. `DigitalLink()` sends every bit through the codes of 5G NR instead, which takes longer.

# %%
links = {"analog": AnalogLink(), "digital, rate at capacity": DigitalLink("capacity")}
found = sweep(model, links, AWGN(), snr_db=[0, 5, 10], inputs=images[1200:], targets=labels[1200:], realizations=8)
print(found)
figure = found.figure  # `figure.savefig("mine.pdf")` keeps it; in a notebook, `found` alone shows table and figure
