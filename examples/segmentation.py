# %% [markdown]
# # Segmentation
#
# A task brings its own loss and score. The score of masks is the share of pixels that are right; a delivery of which
# nothing usable arrived counts as a mask of background alone.

# %%
import matplotlib.pyplot as plt

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

# %%
data = task.dataset
scenes, masks = data.prepare(data.test.inputs[:120]), data.test.targets[:120]
figure, panels = plt.subplots(1, 4, figsize=(8, 2.4), constrained_layout=True)
panels[0].imshow(data.test.inputs[0, 0], cmap="gray")
panels[0].set_title("scene")
panels[1].imshow(masks[0], interpolation="nearest")
panels[1].set_title("its mask")
for panel, snr_db in zip(panels[2:], (20.0, 0.0)):
    delivery = deliver(network, AnalogLink(protection="size"), AWGN(), snr_db, channel_uses=65_000, realizations=4)
    report = evaluate(delivery, scenes, masks, task=task)
    print(f"{snr_db:g} dB: {report}")
    panel.imshow(delivery.model(0, calibration=scenes)(scenes[:1]).argmax(1)[0], interpolation="nearest")
    panel.set_title(f"received at {snr_db:g} dB")
for panel in panels:
    panel.set(xticks=[], yticks=[])
plt.show()
