# %% [markdown]
# # Text
#
# A small transformer that reads bytes tells from which library a docstring comes. Its embedding tables travel with
# the rest; index tables and masks do not, since the receiver knows them.

# %%
import matplotlib.pyplot as plt

from airdeliver import AnalogLink, Problem, deliver, evaluate
from airdeliver.data import load_dataset
from airdeliver.models import Transformer
from airdeliver.recipe import Recipe
from airdeliver.task import task_of
from airdeliver.training import Training
from channels import AWGN

task = task_of(load_dataset("docstrings", size=64))
print(f"{len(task.dataset.train)} texts of {task.dataset.classes} classes: {', '.join(task.dataset.class_names)}")
recipe = Recipe(epochs=2, batch_size=64, learning_rate=3e-3, optimizer="adamw", augment=False)
problem = Problem(task, Transformer(), recipe)
network = Training.clean(problem).run(task, {})
print(f"validation accuracy {network.state['validation_score']:.3f}")

# %% [markdown]
# Protection by size sends the small segments (norms, biases) louder. A transformer has no batch norm, so there is
# nothing to re-estimate.

# %%
data = task.dataset
texts, labels = data.prepare(data.test.inputs[::4]), data.test.targets[::4]
levels = [0.0, 10.0, 20.0]
figure, axes = plt.subplots()
for name, link in {"all alike": AnalogLink(), "small segments louder": AnalogLink(protection="size")}.items():
    reports = [
        evaluate(deliver(network, link, AWGN(), level, 120_000, realizations=4), texts, labels) for level in levels
    ]
    axes.errorbar(
        levels,
        [report.accuracy for report in reports],
        [[r.accuracy - r.low for r in reports], [r.high - r.accuracy for r in reports]],
        capsize=3,
        label=name,
    )
    print(name, [f"{report.accuracy:.3f}" for report in reports])
axes.axhline(task.floor, color="gray", linestyle=":", label="chance")
axes.set(xlabel="SNR (dB)", ylabel="delivered accuracy", title="Docstrings, AWGN")
axes.legend()
plt.show()
