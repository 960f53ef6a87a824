"""Path loss against the tables of TR 38.901."""

import math

import pytest
import torch

from channels import UrbanMacro, UrbanMicro


def test_line_of_sight_by_hand():
    """UMa at 100 m and 2 GHz: 28 + 22 log10(d3D) + 20 log10(2), d3D^2 = 100^2 + 23.5^2."""
    macro = UrbanMacro(carrier_frequency=2e9)
    expected = 28 + 22 * math.log10(math.hypot(100, 23.5)) + 20 * math.log10(2)
    assert float(macro.path_loss(torch.tensor([100.0]), True)) == pytest.approx(expected, abs=1e-4)
    micro = UrbanMicro(carrier_frequency=2e9)
    expected = 32.4 + 21 * math.log10(math.hypot(50, 8.5)) + 20 * math.log10(2)
    assert float(micro.path_loss(torch.tensor([50.0]), True)) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("cell", [UrbanMacro(radius=2000.0), UrbanMicro(radius=2000.0)])
def test_slopes_meet_at_the_breakpoint_and_blocking_never_helps(cell):
    distance = torch.linspace(10, 5000, 20_000, dtype=torch.float64)
    clear, blocked = cell.path_loss(distance, True), cell.path_loss(distance, False)
    assert float(clear.diff().abs().max()) < 1.0
    assert bool((blocked >= clear).all())
    breakpoint_ = 4 * (cell.base_station_height - 1) * 0.5 * 3.5e9 / 299_792_458
    beyond = (distance > 1.2 * breakpoint_).nonzero()[0, 0]
    decade = cell.path_loss(10 * distance[beyond : beyond + 1], True) - clear[beyond]
    assert float(decade) == pytest.approx(40.0, abs=0.2)


@pytest.mark.parametrize(("cell", "decay"), [(UrbanMacro(), 63.0), (UrbanMicro(), 36.0)])
def test_line_of_sight_is_certain_close_by(cell, decay):
    p = cell.line_of_sight_probability(torch.tensor([5.0, 18.0, 100.0], dtype=torch.float64))
    expected = 0.18 + math.exp(-100 / decay) * 0.82
    assert p.tolist() == pytest.approx([1.0, 1.0, expected])


@pytest.mark.parametrize("cell", [UrbanMacro(), UrbanMicro()])
def test_mean_and_spread_over_the_cell(cell):
    """Receivers are uniform over the area; the mean of n draws deviates by their standard deviation / sqrt(n)."""
    n = 400_000
    loss = cell.draw((n,), torch.Generator().manual_seed(0))
    assert float(loss.mean()) == pytest.approx(cell.mean_path_loss, abs=4 * float(loss.std()) / math.sqrt(n))
    flat = cell.shadowing(torch.tensor([True, False])).tolist()
    assert flat == pytest.approx([4.0, 6.0 if isinstance(cell, UrbanMacro) else 7.82])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"radius": 10.0}, "radius"),
        ({"carrier_frequency": 1e5}, "carrier_frequency"),
        ({"receiver_height": 30.0}, "receiver_height"),
        ({"radius": math.nan}, "radius"),
    ],
)
def test_bad_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        UrbanMacro(**arguments)
