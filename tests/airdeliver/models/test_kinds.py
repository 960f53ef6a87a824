"""Models for rows, texts and masks; buffers that constructors compute; layers that `initialise` knows."""

import hashlib
import math
from dataclasses import dataclass

import pytest
import torch
from torch import nn

from airdeliver import AnalogLink, deliver, evaluate
from airdeliver.data import load_dataset
from airdeliver.models import CNN, MLP, VGG, ModelBuilder, ResNet20, Segmenter, Transformer
from airdeliver.task import task_of
from channels import AWGN


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def parameters(model: nn.Module) -> int:
    return sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("name", "builder"),
    [
        ("diabetes", MLP()),
        ("breast_cancer", MLP(depth=0)),
        ("docstrings", Transformer()),
        ("digit_scenes", Segmenter()),
        ("digit_scenes", Segmenter(width=0.5, norm="group")),
        ("digits_and_ink", CNN()),
    ],
)
def test_builds_for_its_data(name, builder):
    """Outputs of the shape that the task takes, a gradient for every parameter, weights from the generator alone."""
    task = task_of(load_dataset(name))
    inputs, targets = task.dataset.train.take(torch.arange(8))
    state = torch.get_rng_state()
    model = task.build(builder, seeded(3))
    assert torch.equal(torch.get_rng_state(), state)
    loss = task.loss(model(task.dataset.prepare(inputs)), targets)
    loss.backward()
    assert all(p.grad is not None and bool(p.grad.isfinite().all()) for p in model.parameters())
    torch.manual_seed(7)
    again = task.build(builder, seeded(3)).state_dict()
    torch.set_rng_state(state)
    assert all(torch.equal(parameter, again[key]) for key, parameter in model.named_parameters())


def test_sizes_are_as_stated():
    assert parameters(Segmenter()(3, 11)) == 115_553
    assert parameters(Transformer()(256, 4)) == 78_980
    assert parameters(MLP()(10, 1)) == 4_929


@pytest.mark.parametrize(
    ("builder", "channels", "digest"),
    [
        (CNN(), 1, "14159e3358ce8e45"),
        (VGG(), 3, "7ba8ea0d2601ff2c"),
        (ResNet20(), 3, "fdd50e0b72bbb011"),
        (VGG(norm="group"), 3, "45475bb2e3d64dd0"),
    ],
)
def test_initial_weights_are_those_of_the_published_tables(builder, channels, digest):
    state = hashlib.sha256()
    for name, tensor in builder(channels, 10, seeded(3)).state_dict().items():
        state.update(name.encode() + tensor.numpy().tobytes())
    assert state.hexdigest()[:16] == digest


class Computing(nn.Module):
    """Buffers of every make, one of them random."""

    def __init__(self, channels: int, classes: int):
        super().__init__()
        self.rate = [float(x.item()) for x in torch.linspace(0, 0.1, 4)]
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("index", torch.arange(49).flip(0))
        self.register_buffer("code", torch.sin(torch.arange(64.0)), persistent=False)
        self.register_buffer("features", torch.randn(5))
        self.convolution, self.head = nn.Conv2d(channels, 16, 3), nn.Linear(16, classes)


@dataclass(frozen=True)
class Builder(ModelBuilder):
    def architecture(self, channels, classes):
        return Computing(channels, classes)


def test_what_constructors_compute_is_kept():
    junk = [torch.full((64,), 7.5) for _ in range(200)]
    del junk
    state = torch.get_rng_state()
    model, other = Builder()(3, 10, seeded(1)), Builder()(3, 10, seeded(2))
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(model.mean.flatten(), torch.tensor([0.485, 0.456, 0.406]))
    assert torch.equal(model.index, torch.arange(49).flip(0))
    assert torch.equal(model.code, torch.sin(torch.arange(64.0)))
    assert torch.equal(model.features, other.features)
    assert not torch.equal(model.head.weight, other.head.weight)
    assert model.rate[-1] == pytest.approx(0.1)


@dataclass(frozen=True)
class Layers(ModelBuilder):
    def architecture(self, channels, classes):
        return nn.ModuleDict(
            {
                "embedding": nn.Embedding(50, 64, padding_idx=0),
                "attention": nn.MultiheadAttention(64, 4, add_bias_kv=True),
                "layer": nn.LayerNorm(64),
                "root": nn.RMSNorm(64),
                "narrow": nn.Conv1d(64, 64, 3),
                "back": nn.ConvTranspose2d(8, 8, 2),
            }
        )


def test_every_kind_of_layer_is_initialised_from_the_generator():
    torch.manual_seed(0)
    first = Layers()(1, 1, seeded(0))
    torch.manual_seed(1)
    second, other = Layers()(1, 1, seeded(0)), Layers()(1, 1, seeded(1))
    for name, parameter in first.named_parameters():
        assert torch.equal(parameter, second.get_parameter(name)), name
        if parameter.ndim > 1:
            assert not torch.equal(parameter, other.get_parameter(name)), name
    weight = first["embedding"].weight.detach()
    assert abs(float(weight[1:].std()) - 1) < 4 / math.sqrt(2 * weight[1:].numel())
    assert not bool(weight[0].any())
    assert bool((first["layer"].weight == 1).all() & (first["root"].weight == 1).all())


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MLP(width=0), "width must be at least 1 and depth at least 0, got 0 and 2"),
        (
            lambda: Transformer(width=30),
            "width must be an even multiple of heads and depth at least 1, got 30, 4 and 1",
        ),
        (lambda: Transformer(depth=0), "depth at least 1, got 64, 4 and 0"),
        (lambda: Segmenter(width=0.0), "width must be a positive factor, got 0.0"),
    ],
)
def test_bad_arguments_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_segmenter_takes_images_of_any_size():
    assert Segmenter()(3, 4).eval()(torch.zeros(2, 3, 20, 27)).shape == (2, 4, 20, 27)


@pytest.mark.parametrize(
    ("name", "builder"),
    [("diabetes", MLP()), ("docstrings", Transformer()), ("digit_scenes", Segmenter()), ("digits_and_ink", CNN())],
)
def test_arrives_as_it_was_sent_at_60_db(name, builder):
    """All that is learned travels: the receiver's answers are the sender's."""
    task = task_of(load_dataset(name))
    inputs = task.dataset.prepare(task.dataset.test.inputs[:20])
    model = task.build(builder, seeded(0)).eval()
    delivery = deliver(model, AnalogLink(), AWGN(), 60.0, 200_000, 1, normalisation="frozen")
    with torch.no_grad():
        own, received = model(inputs), delivery.model(0)(inputs)
    assert float((own - received).square().mean() / own.square().mean()) < 1e-4
    report = evaluate(delivery, inputs, task.dataset.test.targets[:20], task=task)
    assert report.accuracy == pytest.approx(float(task.score(own, task.dataset.test.targets[:20]).mean()), abs=0.02)
    assert report.finite == 1.0
