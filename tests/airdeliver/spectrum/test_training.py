"""All members in one run: gradients add up in the shared parameters, and an interrupted run ends where another does."""

from dataclasses import replace

import pytest
import torch

from airdeliver.compression.architecture import PrunableArchitecture
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.schemes import AirNetSpectrum
from airdeliver.spectrum import NestedBuilder, SpectrumTraining
from airdeliver.spectrum.sandwich import Sandwich
from airdeliver.spectrum.training import IN_PLACE
from airdeliver.training import Through
from airdeliver.training.distillation import Distillation
from airdeliver.training.through import Arrival


class Memory:
    """A checkpoint that fails after some epochs, as a killed process would."""

    def __init__(self, epochs: int) -> None:
        self.saved, self.left = None, epochs

    def load(self):
        return self.saved

    def save(self, tensors, record):
        self.saved = ({name: t.clone() for name, t in tensors.items()}, {**record, "epochs": list(record["epochs"])})
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def spectrum_of(task, distillation=IN_PLACE, between=1, share=1.0):
    architecture = PrunableArchitecture.of(task)
    network = task.build(stream(3, "initialisation"))
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=stream(1, "noise")))
    spectrum = NestedBuilder().build(network, AirNetSpectrum().conditions(8701), architecture, task, 0, False)
    return spectrum, Sandwich(spectrum, task, distillation, between, share, 0)


def batch():
    return torch.randn(32, 1, 8, 8, generator=stream(0, "noise")), torch.arange(32) % 10


def within(spectrum, index, name):
    """Which values of a shared parameter a member has too."""
    mask = torch.zeros(spectrum.largest.get_parameter(name).shape, dtype=torch.bool)
    spectrum.windows[index].of(name, mask, spectrum.members[index].model.get_parameter(name).shape).fill_(True)
    return mask


def test_gradients_accumulate_in_the_shared_parameters(task):
    """What the largest has alone, or of its own, gets its gradient alone; what all share gets the sum."""
    spectrum, objective = spectrum_of(task)
    spectrum.train()
    objective(spectrum, *batch()).backward()
    gradients = {name: p.grad.clone() for name, p in spectrum.shared.named_parameters()}
    assert all(bool(g.abs().sum() > 0) for g in gradients.values())
    spectrum.zero_grad()
    spectrum.steps.zero_()
    noise = stream(0, "training noise", 0)
    objective._members(noise)  # the choice of members comes first
    objective.task.loss(objective.arrivals[-1](batch()[0], noise), batch()[1]).backward()
    largest = dict(spectrum.largest.named_parameters())
    own = spectrum.own_names(0)
    for name, p in largest.items():
        if name in own:
            torch.testing.assert_close(gradients[name], p.grad)
            continue
        inside = within(spectrum, 0, name)
        assert not torch.allclose(gradients[name][inside], p.grad[inside])
    name = max(largest, key=lambda name: largest[name].numel())
    outside = ~torch.stack([within(spectrum, index, name) for index in range(3)]).any(0)
    assert bool(outside.any())
    torch.testing.assert_close(gradients[name][outside], largest[name].grad[outside])


def test_a_member_arrives_as_any_network_does(task):
    """The same values, link, SNR and noise as `Arrival`, which replaces the weights of a network in place."""
    spectrum, objective = spectrum_of(task)
    spectrum.eval()
    for index, member in enumerate(spectrum.members):
        condition = replace(member.condition, snr_db=3.0)
        assert isinstance(condition, Through)
        objective.arrivals[index].condition = condition
        logits = objective.arrivals[index](batch()[0], stream(5, "noise"))
        arrival = Arrival(member.model, condition)
        arrival.plan = objective.arrivals[index].plan
        with arrival(stream(5, "noise")), torch.no_grad():
            expected = member.model(batch()[0])
        torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)


def test_every_step_trains_smallest_and_largest(task):
    _, objective = spectrum_of(task)
    chosen = [objective._members(stream(0, "noise", step)) for step in range(40)]
    assert all(members[0] == 0 and members[-1] == 3 for members in chosen)
    assert {members[1] for members in chosen} == {1, 2}
    _, objective = spectrum_of(task, between=5)
    assert sorted(objective._members(stream(0, "noise"))) == [0, 1, 2, 3]


def test_the_largest_is_taught_by_labels_alone(task):
    """Small members' loss on the teacher gives the teacher no gradient."""
    spectrum, objective = spectrum_of(task, Distillation(1.0, 1.0), between=0)
    spectrum.train()
    noise = stream(0, "training noise", 0)
    objective._members(noise)
    taught = objective.arrivals[-1](batch()[0], noise)
    soft = objective.distillation.divergence(objective.arrivals[0](batch()[0], noise), taught.detach())
    soft.backward()
    own = spectrum.own_names(0)
    for name, p in spectrum.shared.named_parameters():
        if name in own:
            assert p.grad is None
            continue
        assert p.grad is not None
        assert not bool(p.grad[~within(spectrum, 0, name)].any())


def test_an_interrupted_run_ends_at_the_same_weights(known, clean):
    """Bit for bit: shared parameters, statistics of all members, and the noise of the steps that follow."""
    recipe = Recipe(epochs=2, batch_size=64, learning_rate=0.05)
    training = replace(known.training, recipe=recipe)
    undisturbed = training.run(known.task, clean)
    memory = Memory(epochs=1)
    with pytest.raises(KeyboardInterrupt):
        training.run(known.task, clean, memory)
    memory.left = -1
    resumed = training.run(known.task, clean, memory)
    assert undisturbed.tensors.keys() == resumed.tensors.keys()
    assert all(torch.equal(undisturbed.tensors[name], resumed.tensors[name]) for name in undisturbed.tensors)
    assert undisturbed.record["epochs"] == resumed.record["epochs"]
    assert undisturbed.record["members"] == resumed.record["members"]


def test_only_what_weights_depend_on_tells_trainings_apart(task):
    """Not the rule of selection, nor which member is sent alone."""
    scheme = AirNetSpectrum()
    (training,) = scheme.trainings(task, 8701)
    assert (training,) == replace(scheme, member=2, unknown_snr_db=0.0).trainings(task, 8701)
    assert (training,) != scheme.trainings(task, 8702)
    assert (training,) != replace(scheme, share=1.0).trainings(task, 8701)
    assert isinstance(training, SpectrumTraining)
    with pytest.raises(ValueError, match="at least one condition"):
        replace(training, conditions=())
    with pytest.raises(ValueError, match="share above 0"):
        replace(training, share=0.0)
