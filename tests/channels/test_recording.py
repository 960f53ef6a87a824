"""Files of recorded channels: what other programs write is read, what is damaged is refused by its name."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.io
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from channels import Recorded
from channels.read_arrays import MOST_VALUES


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ramp(records: int, times: int) -> np.ndarray:
    """Gains that tell record and time: record + j time, from 1 on."""
    return np.arange(1, records + 1)[:, None] + 1j * np.arange(1, times + 1)


def starts_and_steps(channel: Recorded, n: int) -> tuple[set[int], set[int]]:
    """Records that were met, and steps of time within deliveries."""
    gain = channel.realize(200, n, 0.0, seeded(0)).gain
    return set(gain.real.round().flatten().int().tolist()), set(gain.imag.diff().round().flatten().int().tolist())


def pairs(values: np.ndarray, names: tuple[str, str]) -> np.ndarray:
    """Complex numbers as a compound of two reals."""
    compound = np.zeros(values.shape, dtype=[(name, "f8") for name in names])
    compound[names[0]], compound[names[1]] = values.real, values.imag
    return compound


@pytest.mark.parametrize("names", [("real", "imag"), ("re", "im"), ("r", "i")])
def test_compound_complex_numbers_are_read(tmp_path: Path, names: tuple[str, str]):
    with h5py.File(tmp_path / "c.h5", "w") as file:
        file["gain"] = pairs(ramp(3, 100), names)
    channel = Recorded(tmp_path / "c.h5", normalise=False, wrap=False)
    assert starts_and_steps(channel, 50) == ({1, 2, 3}, {1})


def test_matlab_files_of_version_7_3_keep_their_axes(tmp_path: Path):
    """MATLAB writes (records, time) with its first axis last, scalars as (1, 1), and says that it was MATLAB."""
    path = tmp_path / "walk.mat"
    with h5py.File(path, "w", userblock_size=512) as file:
        file["gain"] = pairs(ramp(3, 100).T, ("real", "imag"))
        file["gain"].attrs["MATLAB_class"] = np.bytes_("double")
        file["sample_rate"] = np.array([[1e3]])
        file["sample_rate"].attrs["MATLAB_class"] = np.bytes_("double")
    with path.open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file".ljust(512))
    channel = Recorded(path, symbol_rate=500.0, normalise=False, wrap=False)
    assert starts_and_steps(channel, 20) == ({1, 2, 3}, {2})


def test_older_matlab_files_are_read(tmp_path: Path):
    scipy.io.savemat(tmp_path / "walk.mat", {"gain": ramp(3, 100), "sample_rate": 1e3, "name": "a walk"})
    channel = Recorded(tmp_path / "walk.mat", symbol_rate=500.0, normalise=False, wrap=False)
    assert starts_and_steps(channel, 20) == ({1, 2, 3}, {2})


def test_what_stands_beside_is_not_read(tmp_path: Path):
    """Two terabytes, a group, a text and nothing, in HDF5; Python objects and an array of 8 TB in numpy's format."""
    with h5py.File(tmp_path / "walk.h5", "w") as file:
        file["gain"] = ramp(3, 100)
        file.create_dataset("raw", shape=(2**38,), dtype="f8", chunks=(2**20,))
        file.create_group("meta")["x"] = 1
        file["names"], file["empty"], file["gone"] = np.array([b"a"]), h5py.Empty("f"), h5py.SoftLink("/nowhere")
    np.savez(tmp_path / "walk.npz", gain=ramp(3, 100), meta=np.array({"a": 1}, dtype=object))
    with zipfile.ZipFile(tmp_path / "walk.npz", "a") as archive:
        archive.writestr("raw.npy", header(2**40))
        archive.writestr("notes.txt", "walked on a sunny day")
    for name in ("walk.h5", "walk.npz"):
        assert starts_and_steps(Recorded(tmp_path / name, normalise=False, wrap=False), 50) == ({1, 2, 3}, {1})


def header(values: int) -> bytes:
    """The head of an .npy file of many complex numbers, without any of them."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<c16", "fortran_order": False, "shape": (values,)})
    return head.getvalue()


def test_what_no_memory_holds_is_refused_before_it_is_read(tmp_path: Path):
    with h5py.File(tmp_path / "large.h5", "w") as file:
        file.create_dataset("gain", shape=(4, 2**38), dtype="c16", chunks=(1, 2**20))
    with zipfile.ZipFile(tmp_path / "large.npz", "w") as archive:
        archive.writestr("gain.npy", header(MOST_VALUES + 1))
    for name in ("large.h5", "large.npz"):
        with pytest.raises(ValueError, match=rf"gain in .*{name} must be complex .*, got \d+ values"):
            Recorded(tmp_path / name)


def test_groups_in_place_of_arrays_are_told(tmp_path: Path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["gain/re"] = np.ones(3)
    with pytest.raises(ValueError, match=r"must be complex of shape .* got a group"):
        Recorded(tmp_path / "a.h5")
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["walk/gain"] = np.ones(3) + 0j
    with pytest.raises(ValueError, match="either gain or impulse_response, found walk"):
        Recorded(tmp_path / "b.h5")


def whole(path: Path) -> bytes:
    """A small sound file, by suffix."""
    if path.suffix == ".npz":
        np.savez(path, gain=ramp(3, 20), sample_rate=1e3)
    elif path.suffix == ".h5":
        with h5py.File(path, "w") as file:
            file["gain"], file["sample_rate"] = ramp(3, 20), 1e3
    else:
        scipy.io.savemat(path, {"gain": ramp(3, 20), "sample_rate": 1e3})
    return path.read_bytes()


def read_or_refused(path: Path, data: st.DataObject) -> None:
    """Cut somewhere or not, and some bytes changed: a channel or a ValueError of one line, and nothing else."""
    sound = bytearray(whole(path))
    for _ in range(data.draw(st.integers(0, 3))):
        sound[data.draw(st.integers(0, len(sound) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(sound[: data.draw(st.integers(0, len(sound)))] if data.draw(st.booleans()) else sound)
    fault = refusal(lambda: Recorded(path, symbol_rate=1e3).realize(2, 5, 0.0, seeded(0)))
    assert fault is None or str(path) in fault


def refusal(act: Callable[[], object]) -> str | None:
    """The one line of the ValueError that it ends with, if it does."""
    try:
        act()
    except ValueError as error:
        assert "\n" not in str(error)  # noqa: PT017
        return str(error)
    return None


@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damaged_archives_are_read_or_refused_by_their_name(tmp_path: Path, data: st.DataObject):
    read_or_refused(tmp_path / "walk.npz", data)


@pytest.mark.parametrize("count", [10, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("suffix", [".h5", ".mat"])
def test_damaged_files_are_read_or_refused_by_their_name(tmp_path: Path, suffix: str, count: int):
    """A process for each, which may be stopped by the library that reads."""

    @settings(max_examples=count, deadline=None, derandomize=True)
    @given(data=st.data())
    def examples(data: st.DataObject):
        read_or_refused(tmp_path / f"walk{suffix}", data)

    examples()


def test_a_library_that_stops_its_process_does_not_stop_ours(tmp_path: Path):
    """The array's class, 5 instead of 6, in byte 144: scipy 1.17 ends with a fault of its memory."""
    path = tmp_path / "walk.mat"
    damaged = bytearray(whole(path))
    damaged[144] = 5
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=r"walk\.mat cannot be read, is it complete\?"):
        Recorded(path, symbol_rate=1e3)


@settings(
    max_examples=200, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    gain=arrays.arrays(
        st.sampled_from([np.complex64, np.complex128, np.float32, np.int16, np.bool_, "U3", "S2", "M8[s]"]),
        arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4),
    ),
    name=st.sampled_from(["gain", "impulse_response"]),
    subcarriers=st.sampled_from([None, 1, 4, 7]),
    normalise=st.booleans(),
)
def test_arrays_of_any_type_and_shape_are_replayed_or_refused(
    tmp_path: Path, gain: np.ndarray, name: str, subcarriers: int | None, normalise: bool
):
    """Finite gains, at mean power 1 over the whole file if they are normalised, or a ValueError of one line."""
    path = tmp_path / "any.npz"
    np.savez(path, **{name: gain})
    made: list[Recorded] = []
    if refusal(lambda: made.append(Recorded(path, subcarriers=subcarriers, normalise=normalise))):
        return
    (channel,) = made
    state = channel.realize(4, 6, 0.0, seeded(0))
    assert bool(state.gain.isfinite().all())
    if normalise:
        response = channel._recording.response.to(torch.complex128)
        assert float(response.abs().square().mean()) == pytest.approx(1.0, rel=1e-5)
