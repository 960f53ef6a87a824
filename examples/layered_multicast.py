# %% [markdown]
# # Layered multicast
#
# One transmission, receivers over 20 dB, one of them with a small processor, and a sender that knows nothing but that.
# Nested networks are sent in layers: whoever hears the first, or can compute no more, builds the small network; whoever
# hears both builds the large one. How much of the budget each layer gets, the sender chooses by what it may expect.

# %%
import matplotlib.pyplot as plt

from airdeliver import Capability, Problem, evaluate
from airdeliver.data import load_dataset
from airdeliver.elastic import SlimmableBuilder
from airdeliver.models import CNN
from airdeliver.recipe import Recipe
from airdeliver.schemes import Clean, ElasticNetwork, Layered
from airdeliver.task import task_of
from channels import AWGN, Multicast

offsets = (-10.0, -5.0, 0.0, 5.0, 10.0)
cell = Multicast(AWGN(), receivers=len(offsets), offsets_db=offsets)
recipe = Recipe(epochs=10, batch_size=64, learning_rate=0.1)
problem = Problem(task_of(load_dataset("digits")), CNN(), recipe, recipe)
uses = 30_000
layers = Layered(
    network=ElasticNetwork(builder=SlimmableBuilder(widths=[0.4, 1.0])),
    ratios=[2.0, 4.0],
    audience=cell,
    audience_db=8.0,
    capabilities=[Capability(macs=150_000), *[Capability()] * 4],  # the first receiver has a small processor
)
schemes = {"one network": Clean(), "two layers": layers}

# %%
data = problem.task.dataset
images, labels = data.prepare(data.test.inputs), data.test.targets
figure, axes = plt.subplots()
for name, scheme in schemes.items():
    package = scheme.prepare(problem, uses)  # trains what it needs
    delivery = scheme.send(package, cell, snr_db=8.0, channel_uses=uses, knowledge="none", realizations=4, seed=0)
    scores = evaluate(delivery, images, labels).per_realization.view(-1, len(offsets))  # transmissions x receivers
    sizes = {group.layout.size for group in delivery.groups}
    print(f"{name}: mean accuracy {float(scores.mean()):.3f}; networks built, in parameters: {sorted(sizes)}")
    axes.plot([8 + offset for offset in offsets], scores.mean(0), marker="o", label=name)
axes.set(xlabel="SNR of the receiver (dB)", ylabel="delivered accuracy", title="Digits, one transmission for all")
axes.legend()
plt.show()
