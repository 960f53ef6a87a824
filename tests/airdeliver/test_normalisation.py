"""Batch-norm statistics: what is estimated, from what, and what stays untouched."""

import inspect

import pytest
import torch
from torch import nn

from airdeliver import AnalogLink, Normalisation, deliver, evaluate, recalibrate
from airdeliver.normalisation import estimate_statistics
from channels import AWGN


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network() -> nn.Module:
    generator = seeded(0)
    model = nn.Sequential(
        nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3), nn.BatchNorm1d(3)
    )
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=generator))
    model(torch.randn(64, 6, generator=generator) * 3 + 1)
    return model.eval()


def test_statistics_become_those_of_the_inputs_layer_by_layer():
    """Mean and unbiased variance of what enters each batch norm, dropout staying off."""
    model, inputs = network(), torch.randn(300, 6, generator=seeded(1)) * 2 - 1
    estimate_statistics(model, inputs)
    first = model[0](inputs)
    assert torch.allclose(model[1].running_mean, first.mean(0), atol=1e-5)
    assert torch.allclose(model[1].running_var, first.var(0), rtol=1e-4)
    second = model[4](model[3](model[2](model[1](first))))
    assert torch.allclose(model[5].running_var, second.var(0), rtol=1e-2)
    assert not any(m.training for m in model.modules())


def test_labels_cannot_be_touched():
    assert list(inspect.signature(estimate_statistics).parameters) == ["model", "inputs"]


@pytest.mark.parametrize("kind", ["frozen", "sender"])
def test_statistics_travel_as_payload_segments(kind):
    model, inputs = network(), torch.randn(64, 6, generator=seeded(1))
    delivery = deliver(model, AnalogLink(), AWGN(), 10.0, 2000, 2, normalisation=kind, calibration_inputs=inputs)
    names = delivery.groups[0].layout.names
    assert "1.running_mean" in names
    transforms = {s.name: s.transform for s in delivery.groups[0].layout.segments}
    assert transforms["1.running_var"] == "log"
    assert bool((delivery.model(0)[1].running_var > 0).all())


def test_receiver_does_not_get_statistics_but_estimates_them():
    model, inputs = network(), torch.randn(400, 6, generator=seeded(1)) * 5
    delivery = deliver(model, AnalogLink(), AWGN(), float("inf"), 2000, 2, normalisation=Normalisation("receiver", 100))
    assert not any("running" in name for name in delivery.groups[0].layout.names)
    received = delivery.model(0, inputs)
    assert torch.allclose(received[1].running_mean, model[0](inputs).mean(0), atol=1e-3)
    # Not yet calibrated, it normalises by the batch that it serves.
    assert torch.allclose(delivery.model(0)(inputs), received(inputs), atol=0.02)
    report = evaluate(delivery, inputs, torch.zeros(400, dtype=torch.int64))
    assert report.calibration_inputs == 100


def test_sender_statistics_are_those_under_the_noise():
    """Zero forcing at 0 dB doubles a weight's variance about its mean: activations vary more than without noise."""
    model, inputs = network(), torch.randn(500, 6, generator=seeded(1)) * 3 + 1
    frozen, sender = (
        deliver(model, AnalogLink("zero_forcing"), AWGN(), 0.0, 4000, 1, normalisation=kind, calibration_inputs=inputs)
        for kind in ("frozen", "sender")
    )
    index = frozen.groups[0].layout.names.index("1.running_var")
    quiet, noisy = (d.groups[0].plan.mean[index] for d in (frozen, sender))
    assert float(noisy) > float(quiet)


def test_models_without_batch_norm_need_none():
    model = nn.Linear(4, 2)
    delivery = deliver(model, AnalogLink(), AWGN(), float("inf"), 300, 1)
    assert torch.allclose(delivery.model(0).weight, model.weight, atol=1e-6)
    assert not delivery.calibrates


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("arguments", "message"), [(("fixed",), "frozen, sender or receiver"), (("receiver", 1), "at least 2")]
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        Normalisation(*arguments)


def test_sender_without_inputs_is_refused():
    with pytest.raises(ValueError, match="give calibration_inputs"):
        deliver(network(), AnalogLink(), AWGN(), 0.0, 4000, 1, normalisation="sender")


class Two(nn.Module):
    """Two inputs, and dropout that no evaluation mode turns off."""

    def __init__(self):
        super().__init__()
        self.norm, self.last, self.drop = nn.BatchNorm1d(6), nn.Linear(6, 3), nn.Dropout(0.5)

    def forward(self, a, b):
        return self.last(nn.functional.dropout(self.norm(self.drop(a * b)), 0.5, training=True))


@pytest.mark.parametrize("kind", ["tuple", "mapping", "list of batches", "DataLoader"])
@pytest.mark.parametrize("training", [True, False])
def test_inputs_of_any_kind_give_the_same_statistics_with_dropout_off(kind, training):
    """Batches of equal size, averaged, are as good as one: the mean is the same, no example is dropped."""
    a, b = torch.randn(40, 6, generator=seeded(1)), torch.randn(40, 6, generator=seeded(2))
    pairs = list(zip(a, b, strict=True))
    inputs = {
        "tuple": (a, b),
        "mapping": {"b": b, "a": a},
        "list of batches": list(zip(a.split(20), b.split(20), strict=True)),
        "DataLoader": torch.utils.data.DataLoader(pairs, batch_size=20),
    }[kind]
    model, state = Two().train(training), torch.get_rng_state()
    estimate_statistics(model, inputs)
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.allclose(model.norm.running_mean, (a * b).mean(0), atol=1e-5)
    assert torch.allclose(model.norm.running_var, (a * b).var(0), rtol=0.2)
    assert not any(module.training for module in model.modules())


def test_one_example_is_refused_with_the_remedy():
    model = network()
    with pytest.raises(ValueError, match="got one example and has no statistics of its own yet"):
        estimate_statistics(model, torch.zeros(1, 6))
    delivery = deliver(network(), AnalogLink(), AWGN(), 20.0, 2000, 1)
    with pytest.raises(ValueError, match="serve at least 2 examples at once"):
        delivery.model(0)(torch.zeros(1, 6))
    delivery.model(0)(torch.randn(2, 6, generator=seeded(0)))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_models_in_half_precision_are_calibrated_in_theirs(dtype):
    """A mean over 300 inputs of unit variance, rounded to eight binary digits at most."""
    model, inputs = network().to(dtype), torch.randn(300, 6, generator=seeded(1))
    estimate_statistics(model, inputs)
    assert model[1].running_mean.dtype == dtype
    assert torch.allclose(model[1].running_mean.float(), model[0].float()(inputs).mean(0), atol=0.05)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_inputs_that_are_not_finite_make_no_statistics(value):
    inputs = torch.randn(20, 3)
    inputs[4, 1] = value
    with pytest.raises(ValueError, match="inputs must be finite"):
        recalibrate(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), inputs)


def test_batch_norm_in_torchscript_is_sent_as_it_is_or_not_at_all():
    """Nobody can estimate its statistics anew: it had been sent frozen where the receiver was to estimate them."""
    scripted = torch.jit.script(nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)).eval())
    for kind in ("receiver", "sender"):
        with pytest.raises(ValueError, match="1 is a BatchNorm1d in TorchScript, which cannot estimate"):
            deliver(
                scripted, AnalogLink(), AWGN(), 10.0, 2_000, normalisation=kind, calibration_inputs=torch.randn(9, 3)
            )
    assert deliver(scripted, AnalogLink(), AWGN(), 10.0, 2_000, normalisation="frozen").realizations == 16
    plain = torch.jit.script(nn.Sequential(nn.Linear(3, 4), nn.ReLU()))
    assert deliver(plain, AnalogLink(), AWGN(), 10.0, 2_000).realizations == 16
