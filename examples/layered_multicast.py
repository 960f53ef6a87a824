# %% [markdown]
# # Layered multicast
#
# One transmission, receivers over 20 dB, and a sender that knows nothing but that. Nested networks are sent in layers:
# the first is a small network that works by itself, the second what makes it the large one. What does that buy? Not a
# better network at the end: the budget is shared by two layers. It buys time and devices: whoever listens for a few
# channel uses, or has a small processor, has a network that works.

# %%
import matplotlib.pyplot as plt

from airdeliver import Capability, Problem, evaluate
from airdeliver.data import load_dataset
from airdeliver.elastic import SlimmableBuilder
from airdeliver.models import CNN
from airdeliver.recipe import Recipe
from airdeliver.schemes import ElasticNetwork, Layered, Noise
from airdeliver.task import task_of
from channels import AWGN, Multicast

levels = (-2.0, 8.0, 18.0)
cell = Multicast(AWGN(), receivers=len(levels), offsets_db=[level - 8.0 for level in levels])
recipe = Recipe(epochs=10, batch_size=64, learning_rate=0.1)
problem = Problem(task_of(load_dataset("digits")), CNN(), recipe, recipe)
uses = 30_000
heard = (-5.0, 20.0)  # SNRs that both learn to be sent at
layers = Layered(
    network=ElasticNetwork(builder=SlimmableBuilder(widths=[0.4, 1.0]), train_snr_db=heard),
    ratios=[1.0, 2.0, 4.0],
    audience=cell,
    audience_db=8.0,
)
schemes = {"one network": Noise(train_snr_db=heard), "two layers": layers}

# %% [markdown]
# `Delivery.after(uses)` is what receivers had when so many channel uses had been sent: the same delivery, cut short.

# %%
data = problem.task.dataset
images, labels = data.prepare(data.test.inputs), data.test.targets
sent, scores = {}, {}
for name, scheme in schemes.items():
    package = scheme.prepare(problem, uses)  # trains what it needs
    delivery = scheme.send(package, cell, snr_db=8.0, channel_uses=uses, knowledge="none", realizations=4, seed=0)
    steps = sorted({*(s.uses for group in delivery.groups for s in group.snapshots), delivery.channel_uses_spent})
    for step in steps:
        report = evaluate(delivery.after(step), images, labels)
        scores[name, step] = report.per_realization.view(-1, len(levels)).mean(0)  # transmissions x receivers
        told = ", ".join(f"{100 * score:.1f} % at {level:g} dB" for score, level in zip(scores[name, step], levels))
        print(f"{name}, after {step:,} channel uses: {told}")
    sent[name] = steps

# %% [markdown]
# Digits are easy, so that the small network is nearly as good as the large one: the first layer is there early, and
# what the second adds is little. A receiver at -2 dB uses the first alone, if noise on the second costs it more than
# the second is worth: at which SNR that changes, the sender has measured on its validation images, and tells.

# %%
figure, panels = plt.subplots(1, len(levels), figsize=(10, 4), sharey=True, constrained_layout=True)
for number, (panel, level) in enumerate(zip(panels, levels)):
    for name, steps in sent.items():
        ends = [0, *steps, 1.1 * uses]
        values = [problem.task.floor, *(float(scores[name, step][number]) for step in steps)]
        panel.step(ends, [100 * each for each in (*values, values[-1])], where="post", label=name, marker="")
    panel.set(title=f"receiver at {level:g} dB", xlabel="channel uses heard")
    panel.xaxis.set_major_formatter(lambda value, _: f"{value / 1000:g}k")
panels[0].set(ylabel="accuracy of its network (%)", ylim=(0, 103))
figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
plt.show()

# %% [markdown]
# A receiver whose processor takes 150,000 multiply-accumulates builds the first layer, of the same transmission.

# %%
capable = (Capability(macs=150_000), Capability(), Capability())
mixed = Layered(network=layers.network, ratios=layers.ratios, audience=cell, audience_db=8.0, capabilities=capable)
package = mixed.prepare(problem, uses)
delivery = mixed.send(package, cell, snr_db=8.0, channel_uses=uses, knowledge="none", realizations=1, seed=0)
print("networks built, in parameters:", sorted({group.layout.size for group in delivery.groups}))
