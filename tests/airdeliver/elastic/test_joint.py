"""All members in one run: gradients add up in the shared parameters, and an interrupted run ends where another does."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from airdeliver.architecture import Pruned, Whole
from airdeliver.elastic import ElasticArchitecture, NestedBuilder, Sandwich
from airdeliver.links.condition import Condition
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.schemes import AirNetSpectrum
from airdeliver.training import Training
from airdeliver.training.methods import Batch, Distillation, Joint, Teaching
from airdeliver.training.methods.joint import JointRun
from airdeliver.training.methods.plain import PlainRun
from airdeliver.training.methods.through_link import ThroughLinkRun
from tests.airdeliver.few import few_digits


class Memory:
    """A checkpoint that fails after some epochs, as a killed process would."""

    def __init__(self, epochs: int) -> None:
        self.saved, self.left = None, epochs

    def load(self):
        return self.saved

    def save(self, tensors, record):
        self.saved = ({name: t.clone() for name, t in tensors.items()}, deepcopy(record))
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


def run_of(problem, weight=0.5, between=1, share=1.0):
    unpruned, builder = Pruned(Whole.of(problem.task, problem.model)), NestedBuilder()
    network, conditions = problem.build(stream(3, "initialisation")), AirNetSpectrum().conditions(8701)
    with torch.no_grad():
        for p in network.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=stream(1, "noise")))
    spectrum = builder.build(network, conditions, unpruned, problem.task, 0, False)
    teaching = Teaching("largest", Distillation(1.0, weight), share)
    joint = Joint(Training.clean(problem), conditions, builder, Sandwich(between), teaching)
    architecture = ElasticArchitecture(builder, unpruned, conditions)
    return spectrum, JointRun(spectrum, architecture, joint, problem.task, problem.fine_tuning, 0)


def batch():
    return torch.randn(32, 1, 8, 8, generator=stream(0, "noise")), torch.arange(32) % 10


def members_of(run, generator):
    """Whom a step trains."""
    return run.joint.sampler.draw(len(run.arrivals), generator)


def within(spectrum, index, name):
    """Which values of a shared parameter a member has too."""
    mask = torch.zeros(spectrum.largest.get_parameter(name).shape, dtype=torch.bool)
    spectrum.windows[index].of(name, mask, spectrum.members[index].model.get_parameter(name).shape).fill_(True)
    return mask


def test_gradients_accumulate_in_the_shared_parameters(problem):
    """What the largest has alone, or of its own, gets its gradient alone; what all share gets the sum."""
    spectrum, run = run_of(problem)
    spectrum.train()
    sum(run.loss(Batch(*batch()), stream(0, "noise")).values()).backward()
    gradients = {name: p.grad.clone() for name, p in spectrum.shared.named_parameters()}
    assert all(bool(g.abs().sum() > 0) for g in gradients.values())
    spectrum.zero_grad()
    spectrum.steps.zero_()
    noise = stream(0, "training noise", 0)
    members_of(run, noise)  # the choice of members comes first
    run.task.loss(run.arrivals[-1](batch()[0], noise), batch()[1]).backward()
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


def test_a_member_arrives_as_any_network_does(problem):
    """The same values, link, SNR and noise as `ThroughLink`, which replaces the weights of a network in place."""
    spectrum, run = run_of(problem)
    spectrum.eval()
    for index, member in enumerate(spectrum.members):
        condition = replace(member.condition, snr_db=3.0)
        assert isinstance(condition, Condition)
        run.arrivals[index].condition = condition
        logits = run.arrivals[index](batch()[0], stream(5, "noise"))
        plain = PlainRun(member.model, member.architecture, member.description, problem.task, problem.fine_tuning)
        alone = ThroughLinkRun(plain, condition)
        alone.plan = run.arrivals[index].plan
        with alone.arriving(stream(5, "noise")), torch.no_grad():
            expected = member.model(batch()[0])
        torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)


def test_every_step_trains_smallest_and_largest(problem):
    _, run = run_of(problem)
    chosen = [members_of(run, stream(0, "noise", step)) for step in range(40)]
    assert all(members[0] == 0 and members[-1] == 3 for members in chosen)
    assert {members[1] for members in chosen} == {1, 2}
    _, run = run_of(problem, between=5)
    assert sorted(members_of(run, stream(0, "noise"))) == [0, 1, 2, 3]


def test_the_largest_is_taught_by_labels_alone(problem):
    """Small members' loss on the teacher gives the teacher no gradient."""
    spectrum, run = run_of(problem, weight=1.0, between=0)
    spectrum.train()
    run.loss(Batch(*batch()), stream(0, "noise"))["member 0 taught"].backward()
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
    training, task = replace(known.training, recipe=recipe), few_digits(known.problem.task)
    undisturbed = training.run(task, clean)
    memory = Memory(epochs=1)
    with pytest.raises(KeyboardInterrupt):
        training.run(task, clean, memory)
    memory.left = -1
    resumed = training.run(task, clean, memory)
    assert undisturbed.tensors.keys() == resumed.tensors.keys()
    assert all(torch.equal(undisturbed.tensors[name], resumed.tensors[name]) for name in undisturbed.tensors)
    assert undisturbed.state["epochs"] == resumed.state["epochs"]
    assert undisturbed.description == resumed.description


def test_only_what_weights_depend_on_tells_trainings_apart(problem):
    """Not the rule of selection, nor which member is sent alone."""
    scheme = AirNetSpectrum()
    (training,) = scheme.trainings(problem, 8701)
    assert (training,) == replace(scheme, member=2, unknown_snr_db=0.0).trainings(problem, 8701)
    assert (training,) != scheme.trainings(problem, 8702)
    assert (training,) != replace(scheme, share=1.0).trainings(problem, 8701)
    assert isinstance(training.method, Joint)
    with pytest.raises(ValueError, match="at least one condition"):
        replace(training.method, conditions=())
    with pytest.raises(ValueError, match="share must be above 0"):
        Teaching(share=0.0)
