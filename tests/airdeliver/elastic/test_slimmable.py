"""Slimmable networks: members are the first channels, exactly; ordered dropout finds the truncated SVD."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.func import functional_call

from airdeliver.architecture import Pruned, Whole
from airdeliver.elastic import ElasticArchitecture, Every, Ordered, Sandwich, SlimmableBuilder, Statistics
from airdeliver.elastic.statistics import CALIBRATION_BATCH
from airdeliver.models import MLP, VGG
from airdeliver.randomness import stream
from airdeliver.recipe import Recipe
from airdeliver.schemes import ElasticNetwork
from airdeliver.task import Signature
from airdeliver.training import Training
from airdeliver.training.methods import Distillation, Joint, Teaching
from tests.airdeliver.compression.random_network import prunable


def test_values_of_each_width_are_those_of_the_plan():
    """The `cpu` VGG at a quarter, a half, three quarters of its channels, and whole."""
    architecture = prunable(VGG(), (3, 32, 32))
    shapes = SlimmableBuilder().shapes(architecture)
    sizes = [architecture.layout_of_counts(shape, statistics=False).size for shape in shapes]
    assert sizes == [7_486, 29_074, 64_774, 114_586]


def test_members_are_the_first_channels_and_nothing_is_told_of_them(problem):
    """What the receiver builds of an empty description computes what the sender's members do."""
    unpruned = Pruned(Whole.of(problem.task, problem.model))
    builder = SlimmableBuilder(grid=8, statistics=Statistics("own"))
    architecture = ElasticArchitecture(builder, unpruned, (None,) * 4)
    elastic = builder.build(problem.build(), (None,) * 4, unpruned, problem.task, 0, False)
    assert architecture.describe([m.shape for m in elastic.members]) == b""
    assert [elastic.members[i].shape for i in elastic.delivered] == [(4, 8, 8), (8, 16, 16), (12, 24, 24), (16, 32, 32)]
    received = architecture.receive(b"")
    received.load_state_dict(elastic.state_dict())
    images = torch.randn(8, 1, 8, 8)
    for here, there in zip(elastic.eval().members, received.eval().members, strict=True):
        torch.testing.assert_close(here.model(images), there.model(images), atol=1e-5, rtol=1e-5)
    full = elastic.largest.state_dict()
    for name, tensor in elastic.members[0].model.state_dict().items():
        assert torch.equal(tensor, full[name][tuple(slice(0, n) for n in tensor.shape)])


@pytest.mark.parametrize("affine", ["shared", "own"])
def test_scales_are_shared_or_own(affine, problem):
    unpruned = Pruned(Whole.of(problem.task, problem.model))
    builder = SlimmableBuilder(statistics=Statistics(affine))
    elastic = builder.build(problem.build(), (None,) * 4, unpruned, problem.task, 0, False)
    norms = {f"{i}.{kind}" for i in (1, 4, 8) for kind in ("weight", "bias")}
    assert elastic.own_names(0) == (norms if affine == "own" else set())
    with torch.no_grad():
        elastic.members[0].model.get_parameter("1.weight").fill_(7.0)
    assert bool((elastic.largest.get_parameter("1.weight")[:4] == 7.0).all()) is (affine == "shared")


def test_samplers_draw_what_their_papers_say():
    generator = torch.Generator().manual_seed(0)
    drawn = [Sandwich(2).draw(13, generator) for _ in range(200)]
    assert all(len(d) == 4 and d[0] == 0 and d[-1] == 12 and d == sorted(set(d)) for d in drawn)
    assert {index for d in drawn for index in d} == set(range(13))
    assert Every().draw(3, generator) == [0, 1, 2]
    drawn = [Ordered().draw(5, generator) for _ in range(400)]
    shares = [sum(d[0] == k for d in drawn) / 400 for k in range(5)]
    assert all(d[-1] == 4 for d in drawn)
    assert max(abs(share - 0.2) for share in shares) < 5 * (0.2 * 0.8 / 400) ** 0.5


def test_calibrated_moments_serve_in_evaluation_mode(problem):
    """A member's own modules, in evaluation mode, with what the training left: not the moments of a fresh network."""
    recipe = Recipe(epochs=3, batch_size=64, learning_rate=0.1)
    teaching = Teaching("largest", Distillation(1.0, 1.0), share=1.0)
    scheme = ElasticNetwork(
        builder=SlimmableBuilder(grid=16, statistics=Statistics(moments="calibrated")),
        sampler=Sandwich(2),
        teaching=teaching,
        training=recipe,
    )
    (training,) = scheme.trainings(problem, 8701)
    (fresh,) = training.needs
    trained = {fresh: fresh.run(problem.task, {})}
    made = training.run(problem.task, trained)
    elastic = made.model()
    data = problem.task.dataset
    rows = torch.randperm(len(data.train), generator=stream(0, "calibration"))[: 5 * CALIBRATION_BATCH]
    batches = [data.prepare(data.train.take(part)[0]) for part in rows.split(CALIBRATION_BATCH)]
    for index in elastic.delivered:
        convolution, norm = elastic.members[index].model.eval()[:2]
        means = [convolution(batch).mean((0, 2, 3)) for batch in batches]
        torch.testing.assert_close(norm.running_mean, torch.stack(means).mean(0), atol=1e-5, rtol=1e-4)
    inputs, targets = data.test.take(torch.arange(len(data.test)))
    assert float((elastic(data.prepare(inputs)).argmax(1) == targets).float().mean()) > 0.6
    # An elastic network goes on under other conditions with the values that it has.
    again = Joint(training, (None,) * 4, scheme.builder, scheme.sampler, teaching)
    twice = replace(training, method=again, recipe=Recipe(epochs=0))
    shared = dict(elastic.named_parameters())
    kept = twice.run(problem.task, {training: made}).model()
    assert all(torch.equal(shared[name], p) for name, p in kept.named_parameters())


def test_ordered_dropout_on_a_linear_map_is_the_truncated_svd():
    """Whitened inputs, y = A x, a factorised map of rank k: prefix r leaves the energy of the singular values beyond r.

    Source: S. Horvath et al., arXiv 2102.13451, section 3 (the claim; the test is ours).
    """
    generator = torch.Generator().manual_seed(0)
    size, ranks = 8, 6
    left, _ = torch.linalg.qr(torch.randn(size, size, generator=generator))
    right, _ = torch.linalg.qr(torch.randn(size, size, generator=generator))
    energy = torch.tensor([3.0, 2.4, 1.9, 1.4, 1.0, 0.7, 0.0, 0.0])
    target = left @ energy.diag() @ right
    builder = SlimmableBuilder(widths=[r / ranks for r in range(1, ranks + 1)])
    unpruned = Pruned(Whole(Factorised(ranks), Signature((size,), size, size)))
    elastic = builder.empty(builder.shapes(unpruned), (None,) * ranks, unpruned)
    optimizer = torch.optim.Adam(elastic.parameters(), lr=0.03)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 600, 1e-4)
    inputs, sampler = torch.eye(size), Ordered(with_largest=False)

    def error(index):
        said = functional_call(elastic.members[index].model, elastic.parameters_of(index), (inputs,))
        return (said - target.T).square().sum()

    for step in range(600):
        optimizer.zero_grad()
        # Every rank in every step is the expectation of the draw; one in ten steps is the draw itself.
        drawn = sampler.draw(ranks, generator) if step % 10 == 0 else range(ranks)
        sum(error(index) for index in drawn).backward()
        optimizer.step()
        schedule.step()
    total = float(energy.square().sum())
    for rank in range(1, ranks + 1):
        assert abs(float(error(rank - 1).detach()) - float(energy[rank:].square().sum())) < 0.01 * total


class Linear(nn.Module):
    def __init__(self, inputs, outputs, ranks):
        super().__init__()
        self.first = nn.Linear(inputs, ranks, bias=False)
        self.second = nn.Linear(ranks, outputs, bias=False)

    def forward(self, x):
        return self.second(self.first(x))


class Factorised(MLP):
    """A linear map of a given rank."""

    def __init__(self, ranks):
        super().__init__()
        object.__setattr__(self, "ranks", ranks)

    def architecture(self, channels, classes):
        return Linear(channels, classes, self.ranks)


def test_bad_arguments_are_refused(problem):
    with pytest.raises(ValueError, match="increasing shares"):
        SlimmableBuilder(widths=(0.5, 0.25))
    with pytest.raises(ValueError, match="grid must be 0 or more"):
        SlimmableBuilder(grid=-1)
    with pytest.raises(ValueError, match="4 members, got 2"):
        Joint(Training.clean(problem), (None, None), SlimmableBuilder())
    with pytest.raises(ValueError, match="member must be from 0 to 3"):
        ElasticNetwork(member=4)
    with pytest.raises(ValueError, match="batches must be at least 1"):
        Statistics(batches=0)
