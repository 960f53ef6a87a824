"""Norms folded into quantised weights, in five ways."""

from dataclasses import replace

import pytest
import torch

from airdeliver import DigitalLink
from airdeliver.architecture import Merged
from airdeliver.compression.quantisers import LSQPlus
from airdeliver.payload import Folded, layout_of, values_of
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.schemes import OneQuantiser
from airdeliver.training import Training
from airdeliver.training.methods import Batch, Continued, FoldedNorms, Plain
from airdeliver.training.methods.folded import FoldedRun
from channels import AWGN
from tests.airdeliver.training.checkpoints import with_and_without_interruption

FINE = LSQPlus(bits=16, small_bits=16, symmetric=False)
"""With nothing beyond its ends."""
WAYS = (0, 1, 2, 3, 4)


def batch() -> Batch:
    return Batch(torch.randn(32, 1, 8, 8, generator=torch.Generator().manual_seed(0)), torch.arange(32) % 10)


def run_of(problem, clean, folding, quantiser=FINE):
    (training,) = clean
    method = FoldedNorms(Continued(training), quantiser, folding)
    return method.start(problem.task, clean, problem.fine_tuning, problem.execution)


@pytest.mark.parametrize("folding", WAYS)
def test_at_16_bits_each_way_says_what_the_network_says_with_its_statistics(problem, clean, folding):
    """0 and 1: running statistics; the others: those of the batch."""
    run = run_of(problem, clean, folding)
    run.network.train()
    with run.arriving(stream(0, "noise")):
        said = run.outputs(batch(), stream(0, "noise"))
    (network,) = (trained.model() for trained in clean.values())
    network.train(folding > 1)
    assert torch.allclose(said, network(batch().inputs), atol=2e-2)


def test_frozen_statistics_compute_exactly_what_is_sent(problem, clean):
    """Way 1 at 3 bits: the folded network with quantised weights."""
    quantiser = LSQPlus(bits=3)
    run = run_of(problem, clean, 1, quantiser)
    assert isinstance(run, FoldedRun)
    run.network.train()
    said = run.outputs(batch(), stream(0, "noise"))
    module = Folded(run.network).module
    layout = layout_of(module)
    arrived = quantiser.quantise(values_of(module, layout), layout, run.state)
    parts = zip(layout.segments, layout.split(arrived), strict=True)
    weights = {segment.name: part.view(segment.shape) for segment, part in parts}
    expected = torch.func.functional_call(module, weights, (batch().inputs,))
    assert torch.allclose(said, expected, atol=1e-4)
    statistics = [b.clone() for b in run.network.buffers()]
    said.sum().backward()
    assert all(torch.equal(a, b) for a, b in zip(statistics, run.network.buffers(), strict=True))
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in run.network.parameters())


@pytest.mark.parametrize("folding", WAYS)
def test_a_folded_network_is_delivered_without_norms(problem, clean, folding):
    short = replace(problem, fine_tuning=Recipe(epochs=2, batch_size=64, learning_rate=0.02))
    scheme = OneQuantiser(LSQPlus(bits=4), folding=folding, link=DigitalLink("capacity"))
    (training,) = scheme.trainings(short, 60_000)
    trained = training.run(short.task, clean)
    assert isinstance(trained.architecture, Merged)
    package = scheme.pack(short, {**clean, training: trained}, 60_000)
    delivery = scheme.send(package, AWGN(), 20.0, 60_000, "average", 1, 0)
    assert not delivery.calibrates
    data = short.task.dataset
    inputs, targets = data.test.take(torch.arange(len(data.test)))
    model = delivery.model(0)
    accuracy = float(short.task.score(model(data.prepare(inputs)), targets).mean())
    assert accuracy > 0.45  # it began with 0.73
    quantised = replace(scheme.quantiser).levels(
        package.choices[0].payload.values, package.choices[0].payload.layout,
        scheme.quantiser.restore(trained.state["quantiser"], package.choices[0].payload.layout),
    )  # fmt: skip
    assert torch.equal(quantised.values(), values_of(model, package.choices[0].payload.layout))


def test_a_folded_training_goes_on_where_it_stopped(problem, clean):
    (before,) = clean
    method = FoldedNorms(Continued(before), LSQPlus(bits=3), 3)
    with_and_without_interruption(
        Training.of(problem, method, Recipe(epochs=2, batch_size=128)), problem.task, clean, 1
    )


def test_foldings_that_cannot_be_are_refused(problem, unchecked):
    with pytest.raises(ValueError, match="folding must be 0 to 4"):
        FoldedNorms(Plain(problem.model), FINE, 5)  # pyright: ignore[reportArgumentType]
    with pytest.raises(ValueError, match="without a penalty"):
        OneQuantiser(FINE, folding=1, penalty=0.5)
