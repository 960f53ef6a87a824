# %% [markdown]
# # Text
#
# A small transformer that reads bytes tells from which library a docstring comes. What of it bears noise? A link adds
# noise to every tensor in proportion to the spread of its values; what that costs differs from layer to layer, and is
# measured here, one kind of layer at a time.

# %%
import matplotlib.pyplot as plt
import torch

from airdeliver import AnalogLink, Problem, deliver, evaluate
from airdeliver.data import load_dataset
from airdeliver.models import Transformer
from airdeliver.recipe import Recipe
from airdeliver.task import task_of
from airdeliver.training import Training
from channels import AWGN

task = task_of(load_dataset("docstrings"))
print(f"{len(task.dataset.train)} texts of {task.dataset.classes} classes: {', '.join(task.dataset.class_names)}")
recipe = Recipe(epochs=4, batch_size=64, learning_rate=3e-3, optimizer="adamw", augment=False)
problem = Problem(task, Transformer(), recipe)
network = Training.clean(problem).run(task, {})
print(f"validation accuracy {network.state['validation_score']:.3f}")
data = task.dataset
texts, labels = data.prepare(data.test.inputs[::4]), data.test.targets[::4]

# %% [markdown]
# As much noise as a link at 0 dB adds to each value, on one kind of layer, all others as they are: the mean over four
# draws.

# %%
KINDS = {"embedding": "embedding", "convolution": "stem", "attention": "attention", "perceptron": "perceptron",
         "norms": "norm", "answer": "head"}  # fmt: skip


def kind_of(name: str) -> str:
    """The kind of layer that a parameter is of; the two norms of a block are called first and second."""
    return next((kind for kind, part in KINDS.items() if part in name), "norms")


@torch.no_grad()
def noisy(kind: str, generator: torch.Generator) -> float:
    """Accuracy with noise on one kind of layer."""
    model = network.model().eval()
    for name, parameter in model.named_parameters():
        if kind_of(name) == kind:
            parameter += parameter.std() * torch.randn(parameter.shape, generator=generator)
    return float((model(texts).argmax(1) == labels).float().mean())


generator = torch.Generator().manual_seed(0)
sizes = {kind: sum(p.numel() for n, p in network.model().named_parameters() if kind_of(n) == kind) for kind in KINDS}
hurt = {kind: sum(noisy(kind, generator) for _ in range(4)) / 4 for kind in KINDS}
for kind in KINDS:
    print(f"{kind}: {sizes[kind]:,} values; accuracy {hurt[kind]:.3f} with noise on these alone")

# %% [markdown]
# What is read first is hurt most; norms and answer, by themselves, hardly. Yet `protection="size"`, which sends small
# segments louder and takes little from the others, since they are few, is ahead at low SNR, where noise is on all of
# them together: one kind at a time is not the whole story. A transformer has no batch norm, so there is nothing that
# the receiver could estimate anew.

# %%
levels = [0.0, 5.0, 10.0, 15.0, 20.0]
links = {"all alike": AnalogLink(protection=None), "small segments louder": AnalogLink(protection="size")}
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), width_ratios=[1, 1.3])
share = [100 * sizes[kind] / sum(sizes.values()) for kind in KINDS]
bars = left.barh(list(KINDS), [100 * hurt[kind] for kind in KINDS], color="#0072B2")
left.bar_label(bars, [f"{each:.1f} % of the values" for each in share], label_type="edge", padding=4, fontsize="small")
left.set(xlim=(0, 150), xlabel="accuracy (%)", title="0 dB noise on one kind of layer")
left.set_xticks([0, 50, 100])
left.invert_yaxis()
for name, link in links.items():
    reports = [
        evaluate(deliver(network, link, AWGN(), level, 120_000, realizations=4), texts, labels) for level in levels
    ]
    below, above = ([100 * abs(r.accuracy - end(r)) for r in reports] for end in (lambda r: r.low, lambda r: r.high))
    right.errorbar(levels, [100 * r.accuracy for r in reports], [below, above], capsize=3, marker="o", label=name)
    print(name, [f"{report.accuracy:.3f}" for report in reports])
right.axhline(100 * task.floor, color="gray", linestyle=":", label="chance")
right.set(xlabel="SNR (dB)", ylabel="delivered accuracy (%)", title="all of it over AWGN, 120,000 uses", ylim=(20, 85))
right.legend(loc="upper left")
plt.show()
