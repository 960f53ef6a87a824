# %% [markdown]
# # Federated averaging whose downlink is airdeliver
#
# Each round the server sends its model to all clients over the air at once; each client trains what *it* received on
# data of its own, and the server averages what they made. The uplink is taken to be perfect: the downlink is what
# this example is about. Written in plain torch; in Flower, `broadcast` is what a strategy's `configure_fit` does with
# the parameters.

# %%
import copy

import matplotlib.pyplot as plt
import torch

from airdeliver import AnalogLink, deliver
from airdeliver.data import load_dataset
from channels import AWGN, Multicast

data = load_dataset("digits")
images, labels = data.prepare(data.train.inputs).flatten(1), data.train.targets
test, truth = data.prepare(data.test.inputs).flatten(1), data.test.targets
clients, uses = 5, 5_000
shards = torch.arange(len(labels)).chunk(clients)


def fresh() -> torch.nn.Module:
    """The architecture, which server and clients know."""
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(), torch.nn.Linear(64, 10))


def broadcast(model: torch.nn.Module, snr_db: float | None, round_number: int) -> list[torch.nn.Module]:
    """What each client has of a model: one transmission, noise of its own at each; None for a perfect downlink."""
    if snr_db is None:
        return [copy.deepcopy(model) for _ in range(clients)]
    air = Multicast(AWGN(), receivers=clients, cell=None)
    delivery = deliver(model, AnalogLink(protection="size"), air, snr_db, uses, realizations=1, seed=round_number)
    return [delivery.model(client) for client in range(clients)]


def trained(model: torch.nn.Module, shard: torch.Tensor) -> torch.nn.Module:
    """A client's model after three passes over its own data."""
    optimizer = torch.optim.SGD(model.train().parameters(), lr=0.1, momentum=0.9)
    for batch in shard.repeat(3).split(32):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(images[batch]), labels[batch]).backward()
        optimizer.step()
    return model


@torch.no_grad()
def average(models: list[torch.nn.Module]) -> torch.nn.Module:
    """FedAvg with equal weights: the shards are equally large."""
    mean = fresh()
    for name, parameter in mean.named_parameters():
        parameter.copy_(torch.stack([model.get_parameter(name) for model in models]).mean(0))
    return mean


# %%
figure, axes = plt.subplots()
for snr_db in (None, 10.0, 0.0, -5.0):
    server, accuracy = fresh(), []
    for round_number in range(8):
        server = average([trained(m, shard) for m, shard in zip(broadcast(server, snr_db, round_number), shards)])
        accuracy.append(float((server(test).argmax(1) == truth).float().mean()))
    name = "perfect downlink" if snr_db is None else f"downlink at {snr_db:g} dB"
    print(f"{name}: {accuracy[-1]:.3f} after {len(accuracy)} rounds of {uses} channel uses")
    axes.plot(range(1, 9), accuracy, marker="o", label=name)
axes.set(xlabel="round", ylabel="accuracy of the server's model", title=f"Digits, FedAvg, {clients} clients")
axes.legend()
plt.show()
