# %% [markdown]
# # Fading and outage
#
# Under slow fading the mean says little: most deliveries arrive well, and some not at all. `Fades()` draws thousands
# of fades and sends the few that stand for all, each for its share.

# %%
import matplotlib.pyplot as plt

from airdeliver import DigitalLink, Fades, deliver, evaluate, zoo
from channels import Rayleigh, outage_probability

network, card = zoo.load("digits_noise"), zoo.card("digits_noise")
images, labels = zoo.sample("digits")
fades = Fades(drawn=4096, sent=24, exact=64)
links = {"analog": card.link, "digital, made for the mean SNR": DigitalLink("abstraction")}
reports = {}
for name, link in links.items():
    delivery = deliver(network, link, Rayleigh(), 15.0, card.channel_uses, realizations=fades)
    reports[name] = evaluate(delivery, images, labels)
    print(f"{name}: {delivery}\n    {reports[name]}")

# %% [markdown]
# The distribution over fades, each delivery with the share that it stands for, and the outage at an accuracy that
# somebody needs.

# %%
needed = 0.9
figure, axes = plt.subplots()
for name, report in reports.items():
    order = report.per_realization.argsort()
    accuracy, share = report.per_realization[order], report.shares[order]
    axes.step(accuracy, share.cumsum(0), where="post", marker="", label=name)
    print(f"{name}: below {needed:.0%} in {float(share[accuracy < needed].sum()):.1%} of all fades")
print(f"outage of 1 bit a symbol: {outage_probability(Rayleigh(), 15.0, rate=1.0):.1%}")
axes.axvline(needed, color="gray", linestyle=":")
axes.set(xlabel="accuracy of a delivery", ylabel="share of fades below it", title="Digits, Rayleigh fading, 15 dB")
axes.legend()
plt.show()
