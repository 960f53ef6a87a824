"""Several tasks from one set of images."""

import pytest
import torch

from airdeliver.data import load_dataset
from airdeliver.data.views import VIEWS, Views, several_views
from airdeliver.task import MultiTask, SomeTasks, task_of


def test_views_are_of_the_same_images_and_keep_their_pixels():
    dataset, source = load_dataset("digits_tasks"), load_dataset("digits")
    assert dataset.shape == (7, 8, 8)
    assert dataset.targets.names == tuple(VIEWS)
    rows = torch.arange(5)
    seen = dataset.prepare(dataset.test.take(rows)[0])
    plain = source.prepare(source.test.take(rows)[0])[:, 0]
    assert torch.equal(seen[:, 0], plain)
    assert torch.equal(seen[:, 1], torch.rot90(plain, 1, (1, 2)))
    assert torch.equal(seen[:, 4], -plain)
    assert not torch.equal(seen[:, 5], plain)
    assert torch.equal(seen[:, 5].flatten(1).sort().values, plain.flatten(1).sort().values)
    assert dataset.fingerprint not in (source.fingerprint, several_views(source, "two", ("upright",)).fingerprint)


def test_what_cannot_be_viewed_is_refused():
    with pytest.raises(ValueError, match="only images of classes"):
        several_views(load_dataset("diabetes"), "no", ("upright",))
    with pytest.raises(ValueError, match="views must be some of upright"):
        Views(load_dataset("digits").inputs, ("sideways",))


def test_some_of_several_tasks_are_scored_alone():
    task = task_of(load_dataset("digits_tasks"))
    assert isinstance(task, MultiTask)
    assert (task.metric, task.floor) == ("accuracy", pytest.approx(0.1))
    targets = torch.arange(6).remainder(10).float()[:, None].repeat(1, 7)
    outputs = torch.zeros(6, 70)
    outputs[:, 20:30] = torch.nn.functional.one_hot(torch.arange(6), 10).float()
    some = SomeTasks(task.dataset, chosen=(2, 3))
    assert some.score(outputs, targets).tolist() == [1.0, *[0.5] * 5]  # the other task says 0 of all
    assert list(some.tasks) == ["rotated 180", "rotated 270"]
    with pytest.raises(ValueError, match="chosen must be some of the tasks 0 to 6"):
        SomeTasks(task.dataset, chosen=(7,))
