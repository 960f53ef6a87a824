# %% [markdown]
# # Cost and Pareto front
#
# What networks cost beside their channel uses: parameters, operations, memory, energy. Two networks of the zoo, sent
# analog and digital at several bandwidths, and which of these no other beats in both bandwidth and accuracy.

# %%
import matplotlib.pyplot as plt

from airdeliver import BudgetError, DigitalLink, deliver, evaluate, zoo
from airdeliver.cost import Carrier, network_cost
from channels import AWGN

images, labels = zoo.sample("digits")
for name in ("digits_clean", "digits_airnet"):
    cost = network_cost(zoo.load(name).model(), images[:1])
    print(f"{name}: {cost.parameters:,} parameters, {cost.macs:,} multiply-accumulates, ", end="")
    print(f"{cost.activation_bytes:,} bytes of activations, {1e6 * cost.joules():.2f} µJ an inference")

# %%
points = []
for name in ("digits_clean", "digits_airnet"):
    card = zoo.card(name)
    for link_name, link in {"analog": card.link, "digital": DigitalLink("abstraction")}.items():
        for uses in (4_800, 9_485, 19_000):
            try:
                delivery = deliver(zoo.load(name), link, AWGN(), 5.0, uses, realizations=2)
            except BudgetError as error:  # a hole, not a failure
                print(f"{name}, {link_name}, {uses} channel uses: {error}")
                continue
            points.append(
                (delivery.channel_uses_spent, evaluate(delivery, images, labels).accuracy, f"{name}, {link_name}")
            )

# %% [markdown]
# The front: points that no other beats in both.

# %%
front = sorted(p for p in points if not any(q[0] <= p[0] and q[1] >= p[1] and q[:2] != p[:2] for q in points))
for uses, accuracy, name in front:
    print(f"{uses:6,} uses, {Carrier().milliseconds(uses):.2f} ms on a 20 MHz carrier: {accuracy:.3f} ({name})")
figure, axes = plt.subplots()
for name in dict.fromkeys(point[2] for point in points):
    axes.scatter(*zip(*[point[:2] for point in points if point[2] == name]), label=name)
axes.plot([p[0] for p in front], [p[1] for p in front], color="gray", drawstyle="steps-post", zorder=0)
axes.set(
    xscale="log",
    xticks=[5_000, 10_000, 20_000],
    xticklabels=["5,000", "10,000", "20,000"],
    xlabel="channel uses",
    ylabel="delivered accuracy",
    title="Digits, AWGN, 5 dB",
)
axes.legend()
plt.show()
