# %% [markdown]
# # Segmentation
#
# A task brings its own loss and score. The score of masks is the share of pixels that are right; a delivery of which
# nothing usable arrived counts as a mask of background alone.

# %%
import matplotlib.pyplot as plt
import torch

from airdeliver import AnalogLink, Problem, deliver, evaluate
from airdeliver.data import load_dataset
from airdeliver.models import Segmenter
from airdeliver.recipe import Recipe
from airdeliver.task import task_of
from airdeliver.training import Training
from channels import AWGN

task = task_of(load_dataset("digit_scenes"))
print(task.metric, task.bounds, f"floor {task.floor:.3f}")
problem = Problem(task, Segmenter(), Recipe(epochs=8, batch_size=64, learning_rate=0.01, optimizer="adamw"))
network = Training.clean(problem).run(task, {})
print(f"validation {task.metric}: {network.state['validation_score']:.3f}")

# %% [markdown]
# Four scenes as they are, as they should be seen, and as networks see them that arrived at three SNRs. Noise on the
# weights takes parts of digits, and at last the digits, before it paints anything that is not there: background is what
# the network knows best, so the share of right pixels falls by little where all is lost.

# %%
data = task.dataset
scenes, masks = data.prepare(data.test.inputs[:120]), data.test.targets[:120]
digits = torch.tensor([len(mask.unique()) for mask in masks])
shown = digits.argsort(descending=True, stable=True)[:4]
columns = {"scene": data.test.inputs[shown].permute(0, 2, 3, 1), "its mask": masks[shown]}
for snr_db in (20.0, 5.0, 0.0):
    delivery = deliver(network, AnalogLink(protection="size"), AWGN(), snr_db, channel_uses=65_000, realizations=4)
    report = evaluate(delivery, scenes, masks, task=task)
    print(f"{snr_db:g} dB: {report}")
    seen = delivery.model(0, calibration=scenes)(scenes[shown]).argmax(1)
    columns[f"{snr_db:g} dB: {100 * report.accuracy:.1f} %"] = seen
figure, panels = plt.subplots(4, len(columns), figsize=(8.5, 7), constrained_layout=True)
for column, (title, pictures) in enumerate(columns.items()):
    for row, picture in enumerate(pictures):
        panel = panels[row, column]
        if title == "scene":
            panel.imshow(picture)
        else:
            panel.imshow(picture, cmap="tab20", vmin=0, vmax=19, interpolation="nearest")
        panel.set(xticks=[], yticks=[])
    panels[0, column].set_title(title, fontsize="small")
plt.show()
