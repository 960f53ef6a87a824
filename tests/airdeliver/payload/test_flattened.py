"""Torch modules through a payload and back."""

import time

import pytest
import torch
from torch import nn

from airdeliver.payload import Flattened, architecture_of, layout_of, load, payload_of, values_of, write
from tests.airdeliver.payload.networks import NETWORKS, OwnModel, Transformer, used


@pytest.mark.parametrize("name", NETWORKS)
def test_lossless_round_trip_is_bit_exact(name):
    build, x = NETWORKS[name]
    model = used(build())
    payload = payload_of(model)
    received = load(architecture_of(model), payload.layout, payload.values).eval()
    sent = {k: v for k, v in model.state_dict().items() if not k.endswith("num_batches_tracked")}
    assert all(torch.equal(received.state_dict()[k], v) for k, v in sent.items())
    with torch.no_grad():
        assert torch.equal(received(x), model(x))


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("statistics", [None, True, False])
def test_read_returns_what_was_written(name, statistics):
    model = used(NETWORKS[name][0]())
    layout = layout_of(model, statistics)
    half = {i for i, s in enumerate(layout.segments) if s.name == "brief"}
    noise = torch.randn(layout.size, generator=torch.Generator().manual_seed(0))
    for i in half:
        layout.split(noise)[i].copy_(layout.split(noise)[i].bfloat16().float())
    write(model, layout, noise)
    assert torch.allclose(values_of(model, layout), noise, atol=1e-5)


def test_variance_travels_as_logarithm():
    model = used(nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)))
    payload = payload_of(model, statistics=True)
    kinds = {s.name: s.transform for s in payload.layout.segments}
    assert [name for name, kind in kinds.items() if kind == "log"] == ["1.running_var"]
    part = payload.layout.split(payload.values)[payload.layout.names.index("1.running_var")]
    assert torch.allclose(part, model[1].running_var.log())
    received = load(architecture_of(model), payload.layout, payload.values - 30)
    assert bool((received[1].running_var > 0).all())


def test_dead_channel_still_travels():
    """A variance of zero travels as 1e-7, which changes the output by at most 0.5 %."""
    norm = nn.BatchNorm1d(2).eval()
    norm.running_var[0] = 0.0
    payload = payload_of(norm, statistics=True)
    received = load(architecture_of(norm), payload.layout, payload.values).eval()
    x = torch.tensor([[1e-3, 1.0]])
    assert torch.allclose(received(x), norm(x), rtol=5e-3)


def test_unsent_statistics_do_not_survive():
    model = used(NETWORKS["vgg"][0]())
    payload = payload_of(model, statistics=False)
    assert not any("running" in name for name in payload.layout.names)
    load(model, payload.layout, payload.values)
    norms = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d)]
    assert len(norms) == 7
    for norm in norms:
        assert bool((norm.running_mean == 0).all())
        assert bool((norm.running_var == 1).all())
        assert int(norm.num_batches_tracked) == 0


def test_write_leaves_unsent_statistics_alone():
    model = used(NETWORKS["vgg"][0]())
    before = model[0][1].running_mean.clone()
    layout = layout_of(model, statistics=False)
    write(model, layout, torch.zeros(layout.size))
    assert torch.equal(model[0][1].running_mean, before)


def test_architecture_knows_no_learned_value():
    blank = architecture_of(used(OwnModel()))
    assert all(bool(v.isnan().all()) for v in blank.state_dict().values() if v.is_floating_point() or v.is_complex())
    assert int(blank.steps) == 7


def test_tied_weights_are_sent_once():
    model = Transformer()
    layout = layout_of(model)
    assert "embedding.weight" in layout.names
    assert "output.weight" not in layout.names
    assert layout.size == sum(p.numel() for p in model.parameters())
    received = load(architecture_of(model), layout, values_of(model, layout))
    assert received.output.weight is received.embedding.weight


def test_order_is_that_of_the_state_dict():
    model = OwnModel()
    floating = [k for k, v in model.state_dict().items() if v.is_floating_point() or v.is_complex()]
    assert list(layout_of(model).names) == floating


def test_only_batch_norm_statistics_are_left_out():
    """Buffers of the model's own are learned values, whatever they are called."""
    names = layout_of(OwnModel(), statistics=False).names
    assert "running_shift" in names
    assert not {"norm.running_mean", "norm.running_var", "steps", "mask", "positions"} & set(names)


def test_complex_parameters_travel_as_pairs_of_reals():
    layout = layout_of(OwnModel())
    assert layout.segments[layout.names.index("spectrum")].shape == (3, 4, 2)


def test_values_are_a_detached_copy():
    model = nn.Linear(2, 2)
    payload = payload_of(model)
    payload.values.zero_()
    assert not payload.values.requires_grad
    assert bool((model.weight != 0).any())


def test_memory_format_and_gradients_survive_writing():
    model = nn.Conv2d(8, 8, 3).to(memory_format=torch.channels_last)
    flattened = Flattened(model, layout_of(model))
    contiguous = nn.Conv2d(8, 8, 3)
    contiguous.load_state_dict(model.state_dict())
    assert torch.equal(flattened.read(), values_of(contiguous, layout_of(contiguous)))
    flattened.write(flattened.read() + 1)
    assert model.weight.is_contiguous(memory_format=torch.channels_last)
    assert model.weight.requires_grad


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_diverged_network_is_refused_by_name(bad):
    model = used(NETWORKS["vgg"][0]())
    with torch.no_grad():
        model[0][4].weight[0, 0, 0, 0] = bad
    with pytest.raises(ValueError, match=r"^weights of 0\.4\.weight are not finite"):
        payload_of(model, statistics=True)


def test_diverged_statistics_are_refused_by_name():
    norm = nn.BatchNorm1d(2)
    norm.running_var[0] = float("nan")
    with pytest.raises(ValueError, match=r"^weights of running_var are not finite"):
        payload_of(norm, statistics=True)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (nn.Linear(2, 2, dtype=torch.float64), r"weight is float64, payloads are float32: call model\.float\(\)"),
        (nn.LazyLinear(2), "run the lazy model once"),
        (nn.ParameterList([nn.Parameter(torch.tensor([1]), requires_grad=False)]), "only floating-point parameters"),
    ],
)
def test_what_cannot_travel_is_refused(model, message):
    with pytest.raises(ValueError, match=message):
        payload_of(model)


@pytest.mark.parametrize(
    ("other", "message"),
    [
        (nn.Linear(3, 2), r"weight has shape \(2, 3\) in the model and \(2, 2\) in the layout"),
        (nn.Linear(2, 2, bias=False), "layout has bias, the model has not"),
        (nn.Bilinear(2, 2, 2), r"weight has shape"),
        (nn.BatchNorm1d(2), r"weight has shape"),
    ],
)
def test_load_refuses_another_model(other, message):
    payload = payload_of(nn.Linear(2, 2))
    with pytest.raises(ValueError, match=message):
        load(other, payload.layout, payload.values)


def test_load_refuses_a_model_with_more():
    payload = payload_of(nn.Linear(2, 2, bias=False))
    with pytest.raises(ValueError, match="the model has bias, the layout has not"):
        load(nn.Linear(2, 2), payload.layout, payload.values)


def test_model_of_another_library_is_refused():
    with pytest.raises(TypeError, match=r"must be a torch\.nn\.Module or a Keras model, got dict"):
        payload_of({})


def test_model_without_parameters_is_an_empty_payload():
    payload = payload_of(nn.ReLU())
    assert payload.layout.size == 0
    load(nn.ReLU(), payload.layout, payload.values)


def test_reading_and_writing_are_fast():
    """Training does both at every step; the bound is ten times what an idle core needs, for a busy one."""
    model = used(NETWORKS["vgg"][0]())
    flattened = Flattened(model, layout_of(model, statistics=False))
    seconds = []
    for _ in range(20):
        start = time.perf_counter()
        flattened.write(flattened.read())
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 3e-3
