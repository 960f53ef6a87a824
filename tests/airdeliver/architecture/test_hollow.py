"""A large network that is handed in takes no memory of its own until it is built."""

import pytest
import torch
from torch import nn

from airdeliver.architecture import Given, hollow
from airdeliver.payload import load, payload_of


class Tied(nn.Module):
    """A tie, a view of other memory, a channels-last convolution, half precision, an LSTM."""

    def __init__(self):
        super().__init__()
        self.one, self.other = nn.Linear(8, 8), nn.Linear(8, 8)
        self.other.weight = self.one.weight
        self.convolution = nn.Conv2d(4, 8, 3).to(memory_format=torch.channels_last)
        self.short = nn.Linear(16, 4).half()
        self.lstm = nn.LSTM(8, 8)
        self.viewed = nn.Parameter(torch.randn(2, 32)[0])
        self.norm = nn.BatchNorm2d(8)


@pytest.fixture(autouse=True)
def everything_is_large(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(hollow, "LARGE", 1)
    monkeypatch.setattr(hollow, "LEAST", 8)


@pytest.mark.parametrize("statistics", [None, True, False])
def test_what_the_receiver_builds_is_as_it_was(statistics):
    model = Tied()
    payload = payload_of(model, statistics)
    given = Given.of(model)
    assert given.layout(b"", statistics) == payload.layout
    held = sum({s.data_ptr(): s.nbytes() for s in (p.untyped_storage() for p in given.blank.parameters())}.values())
    assert held < 0.2 * sum(p.numel() * p.itemsize for p in model.parameters())
    built = given.receive(b"")
    assert all(bool(p.isnan().all()) for p in built.parameters())
    assert built.other.weight is built.one.weight
    assert built.convolution.weight.stride() == model.convolution.weight.stride()
    assert [p.dtype for p in built.parameters()] == [p.dtype for p in model.parameters()]
    load(built, payload.layout, payload.values)
    for name, parameter in built.named_parameters():
        assert torch.equal(parameter, model.get_parameter(name))
    assert torch.equal(built.lstm(torch.ones(3, 8))[0], model.lstm(torch.ones(3, 8))[0])


def test_two_networks_of_one_architecture_share_nothing():
    given = Given.of(nn.Linear(8, 8))
    one, other = given.receive(b""), given.receive(b"")
    with torch.no_grad():
        one.weight.fill_(1.0)
    assert bool(other.weight.isnan().all())
    assert bool(given.receive(b"").weight.isnan().all())
