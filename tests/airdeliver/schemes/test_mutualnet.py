"""MutualNet: resolutions save operations and no value, a byte tells which, the best pair within the bound is sent."""

from dataclasses import replace

import pytest
import torch
from torch.nn.functional import interpolate

from airdeliver.elastic import AtResolution, SlimmableBuilder
from airdeliver.payload import load
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.schemes import MutualNet
from airdeliver.schemes.worth import Validation
from airdeliver.training import Trained, Training
from airdeliver.training.methods import Batch, Joint
from airdeliver.training.methods.joint import JointRun
from experiments.stage import closure

SCHEME = MutualNet(builder=SlimmableBuilder(widths=(0.5, 1.0)), resolutions=(8, 4), training=Recipe(epochs=1))


@pytest.fixture(scope="module")
def trained(problem) -> dict[Training, Trained]:
    found: dict[Training, Trained] = {}
    for training in closure(SCHEME.trainings(problem, 8701)):
        found[training] = training.run(problem.task, found)
    return found


def test_the_receiver_builds_width_and_resolution_from_bytes(problem, trained):
    """The network that the description says, filled with the payload, is the sender's member on resized images."""
    elastic = SCHEME.elastic(problem, trained, 8701).eval()
    images = torch.randn(4, 1, 8, 8, generator=stream(0, "noise"))
    seen = interpolate(images, (4, 4), mode="bilinear", align_corners=False, antialias=True)
    small = next(c for c in SCHEME.pairs(elastic, problem) if c.payload.layout.description[0] == 4)
    description = small.payload.layout.description
    received = small.architecture.receive(description).eval()
    load(received, small.payload.layout, small.payload.values)
    for here, there in zip(received.modules(), small.model.modules(), strict=True):
        for name, buffer in there.named_buffers(recurse=False):
            getattr(here, name).copy_(buffer)
    torch.testing.assert_close(received(images), elastic.members[0].model(seen), atol=1e-5, rtol=1e-5)
    assert description[1:] == elastic.members[0].description


def test_a_resolution_costs_a_byte_and_no_value_and_saves_operations(problem, trained):
    elastic = SCHEME.elastic(problem, trained, 8701)
    sizes = {}
    for choice in SCHEME.pairs(elastic, problem):
        sizes.setdefault(choice.payload.layout.description[1:], set()).add(choice.payload.layout.size)
    assert sorted(max(found) for found in sizes.values()) == [3778, 14_458]
    assert all(len(found) == 1 for found in sizes.values())
    quarter = replace(SCHEME, most_macs=0.26)
    found = {(c.payload.layout.description[0], c.payload.layout.size) for c in quarter.pairs(elastic, problem)}
    assert found == {(4, 14_458), (8, 3778), (4, 3778)}
    (least,) = replace(SCHEME, most_macs=1e-6).pairs(elastic, problem)
    assert (least.payload.layout.description[0], least.payload.layout.size) == (4, 3778)


def test_what_is_sent_is_the_best_pair_on_validation(problem, trained):
    package = SCHEME.pack(problem, trained, 8701)
    elastic = SCHEME.elastic(problem, trained, 8701)
    validation = Validation.of(problem, SCHEME.normalisation)
    scores = [validation.score(choice.model) for choice in SCHEME.pairs(elastic, problem)]
    assert validation.score(package.choices[0].model) == pytest.approx(max(scores), abs=1e-6)


def test_the_widest_member_sees_images_as_they_are_and_the_others_at_a_drawn_resolution(problem, trained):
    (training,) = SCHEME.trainings(problem, 8701)
    assert isinstance(training.method, Joint)
    method = replace(training.method, resolutions=(4,))
    run = method.start(problem.task, trained, problem.training, problem.execution)
    assert isinstance(run, JointRun)
    run.network.eval()
    images = torch.randn(6, 1, 8, 8, generator=stream(0, "noise"))
    outputs = run.outputs(Batch(images, torch.zeros(6, dtype=torch.long)), stream(0, "noise"))
    torch.testing.assert_close(outputs, run.elastic.largest(images), atol=1e-4, rtol=1e-4)
    seen = interpolate(images, (4, 4), mode="bilinear", align_corners=False, antialias=True)
    expected = run.elastic.members[0].model(seen)
    torch.testing.assert_close(run._smaller[0], expected, atol=1e-4, rtol=1e-4)


def test_bad_arguments_are_refused(problem):
    with pytest.raises(ValueError, match="from 1 to 255 pixels"):
        MutualNet(resolutions=(0,))
    with pytest.raises(ValueError, match="most_macs must be above 0"):
        MutualNet(most_macs=0.0)
    with pytest.raises(ValueError, match="a byte from 1 to 255"):
        AtResolution(architecture_for(problem)).receive(b"")


def architecture_for(problem):
    from airdeliver.architecture import Pruned, Whole

    return Pruned(Whole.of(problem.task, problem.model))
