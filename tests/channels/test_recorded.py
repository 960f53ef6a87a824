"""Recorded channels: what was measured comes back."""

import math
import sys

import numpy as np
import pytest
import torch

from channels import Recorded
from channels.conformance import check


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    draw = np.random.default_rng(seed)
    return draw.normal(size=shape) + 1j * draw.normal(size=shape)


@pytest.fixture
def gains(tmp_path):
    path = tmp_path / "gains.npz"
    np.savez(path, gain=noise(50, 400), sample_rate=1000.0)
    return path


def test_a_recording_keeps_the_contract(gains):
    check(Recorded(gains))


def test_gains_come_back_in_order_from_random_records_and_starts(gains):
    measured = np.load(gains)["gain"]
    measured = measured / np.sqrt(np.mean(np.abs(measured) ** 2))
    gain = Recorded(gains).realize(200, 300, 0.0, seeded(0)).gain.numpy()
    starts = set()
    for row in gain:
        record, start = np.argwhere(np.abs(measured - row[0]) < 1e-5)[0]
        np.testing.assert_allclose(row, measured[record, (start + np.arange(300)) % 400], atol=1e-5)
        starts.add((record, start))
    assert len(starts) > 190


def test_without_wrapping_a_delivery_stays_inside_its_record(tmp_path):
    path = tmp_path / "ramp.npz"
    np.savez(path, gain=np.arange(1, 101) + 0j)
    channel = Recorded(path, wrap=False, normalise=False)
    gain = channel.realize(500, 40, 0.0, seeded(0)).gain.real
    assert bool((gain.diff() == 1).all())
    assert set(gain[:, 0].tolist()) == set(range(1, 62))
    with pytest.raises(ValueError, match=r"101 symbols last 101 recorded times, but .* holds 100"):
        channel.realize(1, 101, 0.0, seeded(0))


def test_a_slower_recording_is_held(gains):
    """1000 recorded gains a second at 4000 symbols a second: each lasts for 4."""
    gain = Recorded(gains, symbol_rate=4000.0).realize(3, 40, 0.0, seeded(0)).gain
    assert torch.equal(gain, gain[:, ::4].repeat_interleave(4, -1))
    assert bool((gain[:, 3] != gain[:, 4]).all())


@pytest.mark.parametrize("suffix", ["npz", "h5"])
def test_an_impulse_response_becomes_parallel_frequencies(tmp_path, suffix):
    """A tap of delay d turns frequency f of F by -2 pi f d / F; the power is the sum over taps."""
    path, taps = tmp_path / f"taps.{suffix}", np.zeros((1, 5, 4), dtype=np.complex64)
    taps[:, :, 1] = 2.0
    if suffix == "npz":
        np.savez(path, impulse_response=taps)
    else:
        h5py = pytest.importorskip("h5py")
        with h5py.File(path, "w") as file:
            file["impulse_response"] = taps
    gain = Recorded(path, subcarriers=8).realize(2, 20, 0.0, seeded(0)).gain
    expected = torch.exp(-2j * math.pi * torch.arange(20) / 8)
    torch.testing.assert_close(gain, expected.to(torch.complex64).expand(2, 20))


def test_records_of_different_strength_stay_different(tmp_path):
    path = tmp_path / "two.npz"
    np.savez(path, gain=np.array([[1.0, 1.0], [3.0, 3.0]]) + 0j)
    power = Recorded(path).realize(100, 1, 0.0, seeded(0)).gain.abs().square().flatten()
    torch.testing.assert_close(power.unique(), torch.tensor([0.2, 1.8]))


@pytest.mark.parametrize(
    ("arrays", "arguments", "message"),
    [
        ({"gain": np.ones((2, 3))}, {}, r"must be complex of shape \(records, time\)"),
        ({"gain": np.ones((2, 3, 4)) + 0j}, {}, "must be complex of shape"),
        ({"gain": np.full((2, 3), np.nan + 0j)}, {}, "must be finite"),
        ({"gain": np.zeros((2, 3), dtype=complex)}, {}, "nothing but zeros"),
        ({"gain": np.zeros((2, 0), dtype=complex)}, {}, "empty"),
        ({"h": np.ones(3) + 0j}, {}, "either gain or impulse_response, found h"),
        ({"impulse_response": np.ones((3, 4)) + 0j}, {}, r"\(records, time, taps\)"),
        ({"impulse_response": np.ones((1, 3, 4)) + 0j}, {"subcarriers": 2}, "at least the 4 taps"),
        ({"gain": np.ones(3) + 0j}, {"subcarriers": 2}, "subcarriers are for impulse responses"),
        ({"gain": np.ones(3) + 0j}, {"symbol_rate": 2.0}, "symbol_rate needs sample_rate"),
        ({"gain": np.ones(3) + 0j, "sample_rate": -1.0}, {"symbol_rate": 2.0}, "sample_rate .* must be above 0"),
        ({"gain": np.ones(3) + 0j}, {"symbol_rate": -2.0}, "symbol_rate must be above 0"),
        ({"gain": np.ones(3) + 0j, "sample_rate": [1.0, 2.0]}, {"symbol_rate": 2.0}, "must be one real number"),
        ({"gain": np.ones(3) + 0j, "sample_rate": "fast"}, {"symbol_rate": 2.0}, "must be one real number"),
        ({"gain": np.ones((1000, 1)) + 0j}, {}, r"a column of shape \(1000, 1\): transpose it if it is one record"),
        ({"gain": np.array([{}, 1], dtype=object)}, {}, "got Python objects"),
        ({"gain": np.full(3, 1e25 + 0j)}, {"normalise": False}, "is 500 dB, which single precision does not hold"),
        ({"gain": np.full(3, 1e-25 + 0j)}, {"normalise": False}, "is -500 dB"),
        ({"impulse_response": np.ones((1, 3, 4)) + 0j}, {"subcarriers": 0}, "at least 1, got 0"),
        ({"impulse_response": np.ones((1, 3, 4)) + 0j}, {"subcarriers": 2**28}, "805306368 gains"),
    ],
)
def test_bad_files_are_refused_in_one_line(tmp_path, arrays, arguments, message):
    path = tmp_path / "bad.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=message) as caught:
        Recorded(path, **arguments)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("dtype", "exponent"),
    [(np.complex64, exponent) for exponent in (-36, -25, -6, 0, 25, 37)]
    + [(np.complex128, exponent) for exponent in (-305, -200, 0, 200, 307)],
)
def test_gains_of_any_magnitude_come_back_at_unit_power(tmp_path, dtype, exponent):
    """|h|^2 of what is recorded may lie far beyond any float: only ratios matter."""
    path, recorded = tmp_path / "scaled.npz", noise(20, 50)
    scaled = (recorded * 10.0**exponent).astype(dtype)
    np.savez(path, gain=scaled)
    gain = Recorded(path).realize(1, 50, 0.0, seeded(0)).gain[0].numpy()
    expected = scaled.astype(np.complex128) / np.abs(scaled.real).max()
    expected = expected / np.sqrt(np.mean(np.abs(expected) ** 2))
    assert min(np.abs(np.roll(row, -k) - gain).max() for row in expected for k in range(50)) < 1e-5


def test_symbols_that_outlast_whole_numbers_are_refused(tmp_path):
    """Recorded times beyond 2^53 cannot be told apart, and beyond 2^63 they are no index."""
    path = tmp_path / "walk.npz"
    np.savez(path, gain=noise(3, 100), sample_rate=1e3)
    with pytest.raises(ValueError, match="raise symbol_rate"):
        Recorded(path, symbol_rate=1e-18).realize(2, 50, 0.0, seeded(0))
    assert Recorded(path, symbol_rate=1e-9).realize(2, 50, 0.0, seeded(0)).gain.shape == (2, 50)


def test_a_path_that_is_none_is_told(unchecked):
    with pytest.raises(ValueError, match="path must be that of a file, got NoneType"):
        Recorded(None)  # type: ignore[arg-type]


def test_missing_files_and_libraries_are_told(tmp_path, monkeypatch):
    with pytest.raises(FileNotFoundError, match="no recorded channel at"):
        Recorded(tmp_path / "none.npz")
    (tmp_path / "a.csv").touch()
    with pytest.raises(ValueError, match=r"a \.npz, \.h5, \.hdf5, \.mat file, got a\.csv"):
        Recorded(tmp_path / "a.csv")
    (tmp_path / "a.h5").touch()
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(ImportError, match=r"airdeliver\[recorded\]"):
        Recorded(tmp_path / "a.h5")
