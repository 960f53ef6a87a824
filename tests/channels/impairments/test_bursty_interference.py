"""The Gilbert-Elliott chain against its stationary distribution and the length of its bursts."""

import math

import pytest
import torch

from channels import AWGN, Rayleigh
from channels.impairments import BurstyInterference
from channels.impairments.bursty_interference import gilbert_elliott


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("fraction", "length"), [(0.1, 20.0), (0.5, 2.0), (0.7, 50.0), (0.2, 1.25)])
def test_stationary_fraction_burst_length_and_memory(fraction, length):
    """P(bad) and 1 / P(bad to good); the chain's correlation is l^lag with l = 1 - P(good to bad) - P(bad to good)."""
    k, n = 200, 10_000
    bad = gilbert_elliott(k, n, fraction, length, seeded(0))
    leave, enter = 1 / length, fraction / (1 - fraction) / length
    memory = 1 - leave - enter
    samples = k * n * (1 - memory) / (1 + memory)
    spread = math.sqrt(fraction * (1 - fraction) / samples)
    assert abs(float(bad.double().mean()) - fraction) < 4 * spread
    # The first symbol is stationary already.
    assert abs(float(bad[:, 0].double().mean()) - fraction) < 4 * math.sqrt(fraction * (1 - fraction) / k)
    leaving = float((bad[:, :-1] & ~bad[:, 1:]).sum() / bad[:, :-1].sum())
    assert leaving == pytest.approx(leave, abs=4 * math.sqrt(leave * (1 - leave) / (k * n * fraction)) + 1e-9)
    entering = float((~bad[:, :-1] & bad[:, 1:]).sum() / (~bad[:, :-1]).sum())
    assert entering == pytest.approx(enter, abs=4 * math.sqrt(enter * (1 - enter) / (k * n * (1 - fraction))) + 1e-9)


def test_lengths_of_bursts_are_geometric():
    """P(length > l) = (1 - 1 / L)^l."""
    length = 8.0
    bad = gilbert_elliott(1, 2_000_000, 0.3, length, seeded(1))[0]
    edges = bad.int().diff()
    starts, ends = (edges == 1).nonzero().flatten(), (edges == -1).nonzero().flatten()
    ends = ends[ends > starts[0]]
    lengths = ends - starts[: len(ends)]
    for longer in (1, 5, 20):
        expected = (1 - 1 / length) ** longer
        tolerance = 4 * math.sqrt(expected * (1 - expected) / len(lengths))
        assert abs(float((lengths > longer).double().mean()) - expected) < tolerance


def test_interference_is_noise_of_its_variance_and_known():
    k, n = 20, 20_000
    channel = BurstyInterference(Rayleigh(receive_antennas=2), 0.5, 100.0, interference_db=10.0)
    state = channel.realize(k, n, 0.0, seeded(2))
    x = torch.zeros((1, n), dtype=torch.complex64)
    received = channel.transmit(x, state, seeded(3))
    bad = state.noise_variance > 1.0
    assert set(state.noise_variance.unique().tolist()) == {0.5, 5.5}
    assert torch.equal(received.noise_variance, state.noise_variance)
    for where, expected in ((bad, 5.5), (~bad, 0.5)):
        power = received.samples[where].abs().square()
        assert float(power.mean()) == pytest.approx(expected, rel=4 / math.sqrt(len(power)))


def test_rows_of_a_state_keep_their_bursts():
    channel = BurstyInterference(AWGN(), 0.5, 4.0)
    state = channel.realize(4, 50, 0.0, seeded(4))
    part = state[[2, 0]]
    received = channel.transmit(torch.zeros((1, 30), dtype=torch.complex64), part, seeded(5))
    assert torch.equal(received.noise_variance, state.noise_variance[[2, 0], :30])


def test_a_state_of_another_channel_is_refused():
    channel = BurstyInterference(AWGN())
    with pytest.raises(TypeError, match="own realize"):
        channel.transmit(torch.zeros((1, 5)) + 0j, AWGN().realize(1, 5, 0.0, seeded(0)), seeded(0))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"burst_fraction": 1.0}, "burst_fraction"),
        ({"burst_fraction": 0.5, "burst_length": 1.5}, "burst_length must be at least 2 symbols"),
        ({"interference_db": math.nan}, "interference_db"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        BurstyInterference(AWGN(), **arguments)
