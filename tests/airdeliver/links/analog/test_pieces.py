"""A large payload that goes piece by piece arrives as it would have whole."""

import pytest
import torch
from torch import Generator

from airdeliver import AnalogLink
from airdeliver.links import Knowledge
from airdeliver.links.analog import pieces, plan
from airdeliver.payload import Layout, Payload, Segment
from channels import AWGN, OFDM, Rayleigh

SIZES = (300, 3, 1700, 64, 933)


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch):
    """Whatever has 1000 values is large, and a piece is 256: smaller than a segment, larger than another."""

    def shrink() -> None:
        monkeypatch.setattr(pieces, "LARGE", 1000)
        monkeypatch.setattr(pieces, "PIECE", 256)
        monkeypatch.setattr(plan, "_LARGE", 1000)
        monkeypatch.setattr(plan, "_PIECE", 256)

    return shrink


def payload() -> Payload:
    layout = Layout(tuple(Segment(str(i), (n,)) for i, n in enumerate(SIZES)))
    values = torch.randn(layout.size, generator=Generator().manual_seed(0))
    return Payload(torch.cat([part * (i + 1) + i for i, part in enumerate(layout.split(values))]), layout)


def arrived(link: AnalogLink, channel, realizations: int):
    source = payload()
    agreed = link.plan(source, 4000, Knowledge())
    state = channel.realize(realizations, agreed.payload_symbols, 10.0, Generator().manual_seed(1))
    return agreed, link.send(source.values, agreed, agreed.layout, channel, state, Generator().manual_seed(2))


@pytest.mark.parametrize("receiver", ["mmse", "zero_forcing", "laplacian", "mixture"])
@pytest.mark.parametrize("channel", [AWGN(), Rayleigh()])
def test_pieces_are_the_whole(small_pieces, receiver, channel):
    """The same noise, so the same values but for rounding; one realization, since its noise is drawn in order."""
    link = AnalogLink(receiver=receiver)
    expected, whole = arrived(link, channel, 1)
    small_pieces()
    agreed, pieced = arrived(link, channel, 1)
    assert torch.equal(agreed.mean, expected.mean)
    assert torch.allclose(agreed.scale, expected.scale, rtol=2e-3)
    assert torch.allclose(pieced.values, whole.values, rtol=1e-2, atol=1e-2)
    assert torch.equal(pieced.usable, whole.usable)
    assert torch.equal(pieced.uses, whole.uses)
    assert pieced.power is not None
    assert torch.allclose(pieced.power, link.power(payload().values, agreed), atol=1e-5)


def test_each_realization_has_its_own_fading_and_noise(small_pieces):
    small_pieces()
    _, decoded = arrived(AnalogLink(receiver="zero_forcing"), AWGN(), 64)
    error = decoded.values - payload().values
    scale = torch.tensor([i + 1.0 for i in range(len(SIZES))]).repeat_interleave(torch.tensor(SIZES))
    relative = (error / scale).square().mean(-1)
    # Each is a mean of 3000 squares of variance 0.1: five standard errors, and the scales' sampling.
    assert torch.allclose(relative, torch.full((64,), 0.1), rtol=5 * (2 / 3000) ** 0.5 + 0.1)
    assert len(relative.unique()) == 64


def test_what_needs_the_whole_delivery_gets_it(small_pieces, monkeypatch: pytest.MonkeyPatch):
    """Protection, repetition, and channels that mix symbols or change during a delivery are not cut."""
    small_pieces()
    monkeypatch.setattr(pieces, "send", None)
    for link, channel in (
        (AnalogLink(protection="size"), AWGN()),
        (AnalogLink(), Rayleigh(coherence=1)),
        (AnalogLink(), OFDM()),
    ):
        arrived(link, channel, 1)


def test_power_above_one_is_refused(small_pieces):
    small_pieces()
    link, source, channel = AnalogLink(), payload(), AWGN()
    agreed = link.plan(source, 4000, Knowledge())
    state = channel.realize(1, agreed.payload_symbols, 10.0, Generator().manual_seed(1))
    with pytest.raises(ValueError, match="mean power of a delivery must be at most 1"):
        link.send(source.values * 3, agreed, agreed.layout, channel, state, Generator().manual_seed(2))
