# %% [markdown]
# # A data set of mine
#
# `evaluate` takes tensors, NumPy arrays, `Dataset` and `DataLoader` objects. For training as the schemes do it, a
# data set is three splits of 8-bit images and labels, or a folder of parquet files (`load_dataset("birds",
# "FOLDER")`).

# %%
import matplotlib.pyplot as plt
import torch
from torch.utils.data import DataLoader, TensorDataset

from airdeliver import AnalogLink, Problem, deliver, evaluate
from airdeliver.data import Dataset, Split
from airdeliver.models import CNN
from airdeliver.recipe import Recipe
from airdeliver.task import task_of
from airdeliver.training import Training
from channels import AWGN

generator = torch.Generator().manual_seed(0)


def shapes(count: int) -> Split:
    """Bars that lie and bars that stand, at random places of a noisy picture."""
    labels = torch.randint(0, 2, (count,), generator=generator)
    places = torch.randint(0, 14, (count,), generator=generator)
    lying = (torch.arange(16)[None, :, None] - places[:, None, None]).clamp(0, 2).eq(1).expand(-1, 16, 16)
    bars = torch.where(labels[:, None, None] == 0, lying, lying.transpose(1, 2))
    pixels = 60 * bars + 40 * torch.rand(count, 16, 16, generator=generator) + 60
    return Split(pixels.to(torch.uint8)[:, None], labels)


data = Dataset.of_images("bars", (shapes(600), shapes(100), shapes(200)), ("lying", "standing"))
problem = Problem(task_of(data), CNN(), Recipe(epochs=6, batch_size=32, learning_rate=0.05))
training = Training.clean(problem)
network = training.run(problem.task, {})
print(f"validation accuracy {network.state['validation_score']:.3f}")

# %% [markdown]
# What is served may be given in any of these ways.

# %%
images, labels = data.prepare(data.test.inputs), data.test.targets
delivery = deliver(network, AnalogLink(), AWGN(), snr_db=0.0, channel_uses=9_000, realizations=8)
print(evaluate(delivery, images, labels))
print(evaluate(delivery, images.numpy(), labels.numpy()))
print(evaluate(delivery, DataLoader(TensorDataset(images, labels), batch_size=50)))

# %%
received = delivery.model(0, calibration=images)
figure, panels = plt.subplots(2, 6, figsize=(7, 3), constrained_layout=True)
for panel, picture, said in zip(panels.flat, data.test.images, received(images).argmax(1)):
    panel.imshow(picture[0], cmap="gray", vmin=0, vmax=255)
    panel.set(title=data.class_names[said], xticks=[], yticks=[])
plt.show()
