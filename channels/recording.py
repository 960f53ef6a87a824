"""Files of recorded channels: arrays by name, of which only those that are asked for are read."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from channels.read_arrays import read_arrays

SUFFIXES = (".npz", ".h5", ".hdf5", ".mat")

_COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("read_arrays.py")))
_SECONDS = 600.0  # that reading may take: damaged files have loops

Arrays = Mapping[str, np.ndarray | str | None]


class RecordingError(ValueError):
    """A file, or an array in it, that is no recorded channel; the message names the file."""


def arrays_of(path: Path, wanted: list[str]) -> Arrays:
    """What a `.npz`, HDF5 (`.h5`, `.hdf5`) or MATLAB (`.mat`) file holds; see `channels.read_arrays.read_arrays`.

    The libraries for HDF5 and MATLAB end their process at some damaged bytes, so they have one of their own.

    Raises:
        FileNotFoundError: no such file.
        RecordingError: another kind of file, or one that is damaged.
        ImportError: HDF5 without h5py.
    """
    if not is_file(path):
        raise FileNotFoundError(f"no recorded channel at {path}: give the path of a {', '.join(SUFFIXES)} file")
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise RecordingError(f"a recorded channel is a {', '.join(SUFFIXES)} file, got {path.name}")
    if suffix != ".npz":
        return _read_apart(path, wanted)
    try:
        return read_arrays(path, wanted)
    except Exception as error:
        # Bytes may be anything, and libraries have a dozen kinds of errors for that.
        raise _damaged(path, (str(error).strip().splitlines() or [type(error).__name__])[0]) from error


def is_file(path: Path) -> bool:
    """Whether there is such a file; there is none whose name is too long for any."""
    try:
        return path.is_file()
    except OSError:
        return False


def complex_array(arrays: Arrays, name: str, path: Path, dimensions: tuple[int, ...]) -> np.ndarray:
    """An array of complex numbers, complex128; also of pairs named real and imag, as MATLAB writes them.

    Args:
        arrays: what `arrays_of` gives.
        name: of the array.
        path: of the file, for messages.
        dimensions: numbers of axes that it may have.

    Raises:
        RecordingError: another type or shape, or values that are not finite.
    """
    wanted = {1: "(records, time) or (time,)", 3: "(records, time, taps)"}[dimensions[0]]
    array = _as_complex(arrays[name])
    if not isinstance(array, np.ndarray) or array.ndim not in dimensions or array.dtype.kind != "c":
        raise RecordingError(f"{name} in {path} must be complex of shape {wanted}, got {_described(array)}")
    # Wider types than double precision may lose their largest values here.
    with np.errstate(over="ignore"):
        array = array.astype(np.complex128)
    if not np.isfinite(array).all():
        raise RecordingError(f"{name} in {path} must be finite, got NaN or infinite values")
    return array


def number(arrays: Arrays, name: str, path: Path) -> float:
    """One real number, which MATLAB writes as an array of shape (1, 1).

    Raises:
        RecordingError: anything else.
    """
    value = arrays[name]
    if not isinstance(value, np.ndarray) or value.size != 1 or value.dtype.kind not in "iuf":
        raise RecordingError(f"{name} in {path} must be one real number, got {_described(value)}")
    return float(value.reshape(()))


def _read_apart(path: Path, wanted: list[str]) -> Arrays:
    if path.suffix.lower() != ".mat":
        try:
            import h5py  # noqa: F401
        except ImportError as error:
            raise ImportError("HDF5 recordings need h5py: pip install 'airdeliver[recorded]'") from error
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder, "arrays.npz")
        request = json.dumps({"path": str(path.resolve()), "wanted": wanted, "result": str(result)})
        try:
            finished = subprocess.run(
                _COMMAND, input=request, text=True, capture_output=True, check=False, timeout=_SECONDS
            )
        except subprocess.TimeoutExpired as error:
            raise _damaged(path, f"it was not read in {_SECONDS:g} seconds") from error
        answer: dict[str, Any] = (
            json.loads(finished.stdout) if finished.returncode == 0 else {"error": "its library stopped"}
        )
        if "error" in answer:
            raise _damaged(path, answer["error"])
        with np.load(result) as found:
            return {**answer["others"], **{name: found[str(index)] for index, name in enumerate(answer["arrays"])}}


def _damaged(path: Path, reason: str) -> RecordingError:
    return RecordingError(f"{path} cannot be read, is it complete? ({reason})")


def _as_complex(value: np.ndarray | str | None) -> np.ndarray | str | None:
    """Pairs of reals named real and imag as complex numbers; anything else as it is."""
    if not isinstance(value, np.ndarray) or value.dtype.names not in (("real", "imag"), ("re", "im"), ("r", "i")):
        return value
    real, imaginary = (value[name] for name in value.dtype.names)
    if real.dtype.kind not in "iuf" or imaginary.dtype.kind not in "iuf" or real.shape != value.shape:
        return value
    return real.astype(np.float64) + 1j * imaginary.astype(np.float64)


def _described(value: np.ndarray | str | None) -> str:
    return f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else str(value)
