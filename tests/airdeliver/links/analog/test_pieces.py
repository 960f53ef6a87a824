"""A large payload that goes piece by piece arrives as it would have whole."""

import pytest
import torch
from torch import Generator

from airdeliver import AnalogLink
from airdeliver.links import Arrivals, Decoded, Knowledge
from airdeliver.links.analog import Hadamard, Repetition, pieces, plan
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


def arrived(link: AnalogLink, channel, realizations: int, source: Payload | None = None, symbols: int = 4000):
    source = payload() if source is None else source
    agreed = link.plan(source, symbols, Knowledge())
    state = channel.realize(realizations, agreed.payload_symbols, 10.0, Generator().manual_seed(1))
    # Each realization's noise has a seed of its own: here the whole delivery gets that of the first.
    noise = Generator().manual_seed(2)
    if agreed.layout.size < pieces.LARGE:
        noise.manual_seed(int(torch.randint(1 << 62, (1,), generator=Generator().manual_seed(2))))
    return agreed, link.send(source.values, agreed, agreed.layout, channel, state, noise)


def with_constants() -> Payload:
    """The second and the fourth segment are constant: they travel as side information."""
    source = payload()
    parts = source.layout.split(source.values.clone())
    parts[1].fill_(2.0)
    parts[3].fill_(0.0)
    return Payload(torch.cat(parts), source.layout)


@pytest.mark.parametrize("receiver", ["mmse", "zero_forcing", "laplacian", "mixture"])
@pytest.mark.parametrize("channel", [AWGN(), Rayleigh()])
def test_pieces_are_the_whole(small_pieces, receiver, channel):
    """The same noise, so the same values but for rounding."""
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


LINKS = {
    "constants": AnalogLink(),
    "size": AnalogLink(protection="size"),
    "power": AnalogLink(protection="power"),
    "expansion": AnalogLink(protection="expansion"),
    "repetition": AnalogLink(expansion=Repetition(2), protection="size"),
    "hadamard": AnalogLink(expansion=Hadamard(1, 16)),
}


@pytest.mark.parametrize("symbols", [2301, 5000])
@pytest.mark.parametrize("name", LINKS)
def test_whatever_the_plan_pieces_are_as_good_as_the_whole(small_pieces, name, symbols):
    """Constant segments, unequal powers and repetitions: the same error of each segment, power and cost."""
    link, source = LINKS[name], with_constants()
    if name == "repetition":
        symbols *= 2
    expected, whole = arrived(link, AWGN(), 12, source, symbols)
    small_pieces()
    agreed, pieced = arrived(link, AWGN(), 12, source, symbols)
    assert agreed.payload_symbols == expected.payload_symbols
    assert agreed.spans() == expected.spans()
    assert torch.equal(pieced.uses, whole.uses)
    assert pieced.power is not None
    assert torch.allclose(pieced.power, link.power(source.values, agreed), atol=1e-5)
    for truth, one, other in zip(*(source.layout.split(v) for v in (source.values, rows(whole), rows(pieced)))):
        errors = [(received - truth).square().mean() for received in (one, other)]
        # A ratio of two means over 12 n squares of Gaussian errors: five standard errors, and the scales' rounding.
        assert torch.allclose(*errors, rtol=5 * (4 / (12 * len(truth))) ** 0.5 + 5e-3)


@pytest.mark.parametrize("name", LINKS)
def test_without_noise_all_values_arrive_in_their_places(small_pieces, name):
    small_pieces()
    link, source = LINKS[name], with_constants()
    agreed = link.plan(source, 4000, Knowledge())
    state = AWGN().realize(2, agreed.payload_symbols, float("inf"), Generator().manual_seed(1))
    decoded = link.send(source.values, agreed, agreed.layout, AWGN(), state, Generator().manual_seed(2))
    assert torch.allclose(rows(decoded), source.values.expand(2, -1), atol=1e-3)


def rows(decoded: Decoded) -> torch.Tensor:
    return torch.stack([decoded.values[row] for row in range(len(decoded.values))])


def test_realizations_are_made_when_asked_for_and_stay_the_same(small_pieces):
    small_pieces()
    _, decoded = arrived(AnalogLink(), Rayleigh(), 3)
    values = decoded.values
    assert isinstance(values, Arrivals)
    assert (values.shape, values.dtype, len(values)) == ((3, 3000), torch.float32, 3)
    assert torch.equal(values[1], values[1])
    assert torch.equal(values[-1], values[2])
    assert torch.equal(torch.cat([part for _, part in values.pieces(0)]), values[0])
    with pytest.raises(IndexError, match="realizations 0 to 2, not 3"):
        values[3]


def test_a_payload_in_half_precision_stays_in_it(small_pieces):
    """It is measured and sent as the same numbers in float32 would be."""
    small_pieces()
    source = payload()
    half = Payload(source.values.bfloat16(), source.layout)
    agreed, decoded = arrived(AnalogLink(), AWGN(), 1, half)
    expected, single = arrived(AnalogLink(), AWGN(), 1, Payload(half.values.float(), source.layout))
    assert decoded.values.dtype == torch.bfloat16
    assert torch.allclose(agreed.scale, expected.scale, rtol=2e-3)
    assert torch.allclose(decoded.values[0].float(), single.values[0], rtol=2e-2, atol=2e-2)


def test_each_realization_has_its_own_fading_and_noise(small_pieces):
    small_pieces()
    _, decoded = arrived(AnalogLink(receiver="zero_forcing"), AWGN(), 64)
    error = rows(decoded) - payload().values
    scale = torch.tensor([i + 1.0 for i in range(len(SIZES))]).repeat_interleave(torch.tensor(SIZES))
    relative = (error / scale).square().mean(-1)
    # Each is a mean of 3000 squares of variance 0.1: five standard errors, and the scales' sampling.
    assert torch.allclose(relative, torch.full((64,), 0.1), rtol=5 * (2 / 3000) ** 0.5 + 0.1)
    assert len(relative.unique()) == 64


def test_what_needs_the_whole_delivery_gets_it(small_pieces, monkeypatch: pytest.MonkeyPatch):
    """Channels that mix symbols or change during a delivery are not cut."""
    small_pieces()
    monkeypatch.setattr(pieces, "send", None)
    for link, channel in (
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
