"""Ray-traced channels: paths against geometry, gains against their paths, and what is said when LLVM is missing."""

import math
import sys

import pytest
import torch

from channels import RayTraced, tracing
from channels.conformance import check

SPEED_OF_LIGHT = 299_792_458.0


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def tracer():
    """Only what is not installed is a reason to skip."""
    try:
        RayTraced("box", (0.0, 0.0, 2.0), ((3.0, 0.0, 2.0),), spacing=None)
    except ImportError as error:
        if "LLVM" not in str(error):
            raise
        pytest.skip(f"needs LLVM: {error}")


needs_tracer = pytest.mark.usefixtures("tracer")


def box(*route, **arguments):
    """Floor at height 0, walls and ceiling farther away."""
    return RayTraced("box", (0.0, 0.0, 2.0), route, spacing=None, **arguments)


@needs_tracer
def test_line_of_sight_has_the_path_gain_of_free_space():
    """Friis: (wavelength / (4 pi d))^2 between isotropic antennas."""
    channel = box((3.0, 0.0, 2.0), (0.0, 4.0, 1.0), max_depth=0, carrier_frequency=3.5e9)
    distances = torch.tensor([3.0, math.sqrt(17)], dtype=torch.float64)
    expected = 20 * torch.log10(SPEED_OF_LIGHT / 3.5e9 / (4 * torch.pi * distances))
    torch.testing.assert_close(channel.path_gain_db, expected, atol=1e-3, rtol=0)


@needs_tracer
def test_reflection_arrives_as_late_as_geometry_says():
    """From the floor, the image of the transmitter lies at height -2: 5 m instead of 3 m."""
    channel = box((3.0, 0.0, 2.0), max_depth=1)
    paths = tracing.trace(
        tracing.scene_file("box"), channel.transmitter, channel.positions, 3.5e9, max_depth=1, rays=100_000
    )
    extra = paths.delays[0] * SPEED_OF_LIGHT
    assert float(extra[0]) == 0
    assert float((extra - 2.0).abs().min()) < 1e-3


@needs_tracer
def test_gains_have_the_covariance_of_their_paths():
    """E|h|^2 = 1 and E h(f + d) h*(f) = sum of P_l exp(-j 2 pi d tau_l) over the sum of P_l."""
    n, step = 20_000, 40
    channel = box((3.0, 0.0, 2.0), max_depth=1, subcarriers=2 * step, subcarrier_spacing=1e6)
    gain = channel.realize(n, 2 * step, 10.0, seeded(0)).gain
    paths = tracing.trace(
        tracing.scene_file("box"), channel.transmitter, channel.positions, 3.5e9, max_depth=1, rays=100_000
    )
    share = paths.powers[0] / paths.powers[0].sum()
    angle = -2 * torch.pi * step * 1e6 * paths.delays[0]
    for lag, expected in ((0, 1.0), (step, complex((share * torch.polar(torch.ones_like(angle), angle)).sum()))):
        products = gain[:, lag] * gain[:, 0].conj()
        assert abs(complex(products.mean()) - expected) < 4 * float(products.std()) / math.sqrt(n)


@needs_tracer
def test_path_gain_is_in_the_noise_variance():
    """12 dB more path gain is 12 dB less noise, and the mean over points in dB is the SNR that was asked for."""
    channel = box((1.0, 0.0, 2.0), (4.0, 0.0, 2.0), max_depth=0)
    state = channel.realize(400, 10, 7.0, seeded(1))
    levels = -10 * state.noise_variance.log10().flatten().double()
    near, far = levels.max(), levels.min()
    assert math.isclose(near - far, 20 * math.log10(4), abs_tol=1e-3)
    assert math.isclose((near + far) / 2, 7.0, abs_tol=1e-3)
    assert 130 < int((levels > 7.0).sum()) < 270
    torch.testing.assert_close(state.gain.abs(), torch.ones(400, 10))


@needs_tracer
def test_symbols_take_the_subcarriers_in_turn():
    channel = box((3.0, 0.0, 2.0), subcarriers=7)
    gain = channel.realize(3, 20, 0.0, seeded(2)).gain
    torch.testing.assert_close(gain[:, 7:14], gain[:, :7])
    assert torch.equal(gain, channel.realize(3, 20, 0.0, seeded(2)).gain)
    assert channel.realize(0, 20, 0.0, seeded(2)).gain.shape == (0, 20)


@needs_tracer
def test_munich_keeps_the_contract():
    """The default scene and transmitter, on a short street that paths reach, and one point where none do."""
    channel = RayTraced(route=((0.0, 50.0, 1.5), (20.0, 60.0, 1.5), (1000.0, 0.0, 1.5)), spacing=None)
    assert math.isclose(channel.coverage, 2 / 3)
    assert bool(((channel.path_gain_db > -90) & (channel.path_gain_db < -60)).all())
    check(channel, realizations=500)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (dict(scene="paris"), "scene must be a scene file or one of box, .*munich.* got 'paris'"),
        (dict(transmitter=(1.0, 2.0)), r"transmitter must be x, y, z in metres, got \(1.0, 2.0\)"),
        (dict(route=()), "route must have at least one point"),
        (dict(route=((math.nan, 0.0, 0.0),)), "every point of route must be x, y, z in metres"),
        (dict(spacing=0.0), "spacing must be above 0 metres"),
        (dict(subcarriers=0), "subcarriers must be at least 1, got 0"),
        (dict(max_depth=-1), "max_depth must be at least 0, got -1"),
        (dict(carrier_frequency=3.5), "carrier_frequency must be at least 1e8 Hz, got 3.5"),
        (dict(subcarrier_spacing=-1.0), "subcarrier_spacing must be above 0 Hz"),
    ],
)
def test_bad_argument_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        RayTraced(**arguments)


@needs_tracer
def test_route_that_no_path_reaches_is_refused():
    with pytest.raises(ValueError, match="no path reaches any of the route's 1 points in floor_wall"):
        RayTraced("floor_wall", (0.0, 0.0, 2.0), ((3.0, 0.0, 2.0),), spacing=None, max_depth=0)


@needs_tracer
def test_scene_that_is_none_is_told_in_one_line(tmp_path):
    own = tmp_path / "own.xml"
    own.write_text("<scene/>")
    with pytest.raises(RuntimeError, match="Sionna RT could not trace the scene: ") as caught:
        RayTraced(str(own))
    assert "\n" not in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU traces without LLVM")
def test_missing_llvm_is_told_in_one_line(monkeypatch):
    monkeypatch.setenv("DRJIT_LIBLLVM_PATH", "/nonexistent/libLLVM.so")
    with pytest.raises(ImportError, match=r"ray tracing needs LLVM, and its .* not found: .* libllvm19") as caught:
        box((2.5, 0.0, 2.0))
    assert "\n" not in str(caught.value)


def test_old_llvm_ends_a_process_that_is_not_ours(monkeypatch):
    """What an old LLVM does: it aborts. A stand-in for the interpreter that does the same."""
    monkeypatch.setattr("channels.tracing._COMMAND", (sys.executable, "-c", "import os; os.abort()"))
    with pytest.raises(ImportError, match="ray tracing needs a newer LLVM than the one found"):
        box((2.0, 0.0, 2.0))
