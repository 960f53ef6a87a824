"""Trainings of updates: the earlier version never sees what is new, the later one changes as its form allows."""

import pytest
import torch

from airdeliver.data.earlier import Noisy, OtherLabels, Turned, WithoutClasses
from airdeliver.problem import Problem
from airdeliver.schemes import Updated
from airdeliver.training import Trained, Training
from airdeliver.updates import LastLayers, LowRank, MostChanged


@pytest.fixture(scope="module")
def earlier(problem: Problem) -> dict[Training, Trained]:
    """The version from before digits 8 and 9."""
    training, _ = Updated().trainings(problem, 1000)
    return {training: training.run(problem.task, {})}


def test_what_is_new_was_never_seen(problem, earlier):
    """A network from before two classes never says them."""
    ((_, network),) = earlier.items()
    data = problem.task.dataset
    said = network.model()(data.prepare(data.test.inputs)).argmax(1)
    assert not torch.isin(said, torch.tensor([8, 9])).any()
    assert (said == data.test.targets)[data.test.targets < 8].float().mean() > 0.5


@pytest.mark.parametrize("form", [LastLayers(), LowRank(1), MostChanged(0.2)], ids=str)
def test_a_network_changes_only_as_its_form_allows(problem, earlier, form):
    scheme = Updated(form=form)
    ((before, held),) = earlier.items()
    own, training = scheme.trainings(problem, 1000)
    assert own == before
    later = training.run(problem.task, earlier)
    package = scheme.pack(problem, {before: held, training: later}, 1000)
    payload = package.choices[0].payload
    assert payload.layout.size < 0.5 * 14_458
    layout = held.architecture.layout(held.description, False)
    update = package.choices[0].architecture
    made = update.applied(payload.values[None], payload.layout.description, False)[0]
    trained = torch.cat([later.tensors[name].flatten() for name in layout.names])
    torch.testing.assert_close(made, trained, atol=2e-5, rtol=1e-4)
    assert not torch.equal(update.held(layout), trained)


def test_views_change_what_they_say_and_nothing_else():
    images, labels = torch.arange(8.0).view(2, 1, 2, 2), torch.tensor([3, 8])
    noise = torch.Generator().manual_seed(0)
    turned = Turned(2)
    assert turned.inputs(images, noise)[0, 0].tolist() == [[3, 2], [1, 0]]
    assert torch.equal(turned.targets(labels), labels)
    assert WithoutClasses([8]).known(labels).tolist() == [True, False]
    assert OtherLabels([i % 2 for i in range(10)]).targets(labels).tolist() == [1, 0]
    many = torch.randn(10_000, generator=noise)
    assert float(Noisy(2.0).inputs(many, noise).std()) == pytest.approx(1, abs=0.05)
