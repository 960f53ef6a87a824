# %% [markdown]
# # A scheme of mine
#
# A scheme is a whole recipe: which networks are trained, what is sent of them, over which link. This one sends a
# network whose smallest weights are zero, and it is compared with the one that it came from over the same channels
# and noise.

# %%
from collections.abc import Mapping
from dataclasses import dataclass, replace

import matplotlib.pyplot as plt
import torch

from airdeliver import Problem, evaluate
from airdeliver.data import load_dataset
from airdeliver.models import CNN
from airdeliver.package import Package
from airdeliver.payload import Payload
from airdeliver.recipe import Recipe
from airdeliver.schemes import Clean
from airdeliver.task import task_of
from airdeliver.training import Trained, Training
from channels import AWGN


@dataclass(frozen=True)
class Sparse(Clean):
    """Sends the largest values of a cleanly trained network, and zeros for the others.

    Args:
        share: of the values that stay, by magnitude.
    """

    share: float = 0.5

    def pack(self, problem: Problem, trained: Mapping[Training, Trained], channel_uses: int) -> Package:
        """The package of `Clean` with another payload."""
        package = super().pack(problem, trained, channel_uses)
        (choice,) = package.choices
        values = choice.payload.values
        kept = values.abs() >= torch.quantile(values.abs(), 1 - self.share)
        return replace(package, choices=(replace(choice, payload=Payload(values * kept, choice.payload.layout)),))


# %% [markdown]
# All need the same training, which is made once: `prepare` trains what is not there yet.

# %%
recipe = Recipe(epochs=12, batch_size=64, learning_rate=0.1)
problem = Problem(task_of(load_dataset("digits")), CNN(), recipe, recipe)
uses = 9_485
schemes = {"all values": Clean(), "a half of them": Sparse(), "a fifth of them": Sparse(share=0.2)}
# %%
data = problem.task.dataset
images, labels = data.prepare(data.test.inputs), data.test.targets
levels = [0.0, 5.0, 10.0, 20.0]
figure, axes = plt.subplots()
trained: dict[Training, Trained] = {}
for name, scheme in schemes.items():
    package = scheme.prepare(problem, uses, trained)
    reports = [
        evaluate(scheme.send(package, AWGN(), level, uses, "average", 8, seed=0), images, labels) for level in levels
    ]
    axes.errorbar(
        levels,
        [report.accuracy for report in reports],
        [[r.accuracy - r.low for r in reports], [r.high - r.accuracy for r in reports]],
        capsize=3,
        label=name,
    )
    print(name, [f"{report.accuracy:.3f}" for report in reports])
print(f"{len(trained)} training for {len(schemes)} schemes")
axes.set(xlabel="SNR (dB)", ylabel="delivered accuracy", title="Digits, AWGN, 9,485 channel uses")
axes.legend()
plt.show()
