"""A checkpoint that dies, for trainings that are interrupted."""

import copy

import pytest
import torch

from airdeliver.training import Trained


class Memory:
    """A checkpoint that dies after some epochs."""

    def __init__(self, epochs: int) -> None:
        self.saved, self.left = None, epochs

    def load(self):
        return self.saved

    def save(self, tensors, record):
        self.saved = ({name: tensor.clone() for name, tensor in tensors.items()}, copy.deepcopy(dict(record)))
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def with_and_without_interruption(training, task, trained, epochs) -> tuple[Trained, Trained]:
    """Twice the same training, the second one interrupted after some epochs; their weights are equal, bit for bit."""
    undisturbed, memory = training.run(task, trained), Memory(epochs)
    with pytest.raises(KeyboardInterrupt):
        training.run(task, trained, memory)
    resumed = training.run(task, trained, memory)
    assert all(torch.equal(resumed.tensors[name], tensor) for name, tensor in undisturbed.tensors.items())
    left_out = {"train_seconds"}
    assert {k: v for k, v in resumed.state.items() if k not in left_out} == {
        k: v for k, v in undisturbed.state.items() if k not in left_out
    }
    return undisturbed, resumed
