"""Reads arrays from a file by their names; also run in a process of its own, see `channels.recording`.

As a program, it reads a request as JSON from standard input (`path`, `wanted`, `result`), writes the arrays that are
asked for to the `.npz` file `result`, and to standard output, as JSON, what `read_arrays` says of the others.
"""

import json
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np

MOST_VALUES = 2**28
"""Values of an array from which on it is not read: 4 GiB in double precision."""


def read_arrays(path: Path, wanted: list[str]) -> dict[str, np.ndarray | str | None]:
    """The arrays of a `.npz`, HDF5 or MATLAB file, those that are wanted only.

    Arrays that MATLAB wrote into HDF5 come back with their axes in MATLAB's order.

    Returns:
        For every name in the file: its array if it is wanted, in words what stands in its place if it is none or too
        large, and None if it is not wanted.

    Raises:
        Exception: of many kinds, where the file is damaged.
    """
    reader = _npz if path.suffix.lower() == ".npz" else _hdf5 if _is_hdf5(path) else _matlab
    return reader(path, wanted)


def _npz(path: Path, wanted: list[str]) -> dict[str, np.ndarray | str | None]:
    with np.load(path, allow_pickle=False) as archive:
        return {name: _npy(archive, name) if name in wanted else None for name in archive.files}


def _npy(archive: Any, name: str) -> np.ndarray | str:
    member = name if name in archive.zip.namelist() else f"{name}.npy"
    header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    with archive.zip.open(member) as file:
        shape, _, dtype = header[np.lib.format.read_magic(file)](file)
    return "Python objects" if dtype.hasobject else _too_large(shape) or archive[name]


def _hdf5(path: Path, wanted: list[str]) -> dict[str, np.ndarray | str | None]:
    import h5py

    def array(name: str) -> np.ndarray | str:
        dataset = file[name]
        if not isinstance(dataset, h5py.Dataset):
            return f"a {type(dataset).__name__.lower()}"
        if dataset.shape is None:
            return "nothing"
        if dataset.dtype.hasobject:
            return "text or references"
        values = _too_large(dataset.shape) or np.asarray(dataset[()])
        # MATLAB keeps its first axis last.
        return values.T if isinstance(values, np.ndarray) and "MATLAB_class" in dataset.attrs else values

    with h5py.File(path) as file:
        return {name: array(name) if name in wanted else None for name in map(str, file)}


def _matlab(path: Path, wanted: list[str]) -> dict[str, np.ndarray | str | None]:
    from scipy import io

    def array(name: str, shape: tuple[int, ...], kind: str) -> np.ndarray | str:
        values = _too_large(shape) or io.loadmat(path, variable_names=[name])[name]
        plain = isinstance(values, str) or (isinstance(values, np.ndarray) and not values.dtype.hasobject)
        return values if plain else f"a {kind}"

    return {name: array(name, shape, kind) if name in wanted else None for name, shape, kind in io.whosmat(path)}


def _too_large(shape: tuple[int, ...]) -> str:
    values = math.prod(shape)
    return f"{values} values (at most {MOST_VALUES} are read: cut it into several files)" * (values > MOST_VALUES)


def _is_hdf5(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(520)
    return path.suffix.lower() != ".mat" or b"\x89HDF\r\n\x1a\n" in (head[:8], head[512:])


def main() -> None:
    """Do what the request on standard input says."""
    request = json.load(sys.stdin)
    try:
        found = read_arrays(Path(request["path"]), request["wanted"])
    except Exception as error:
        # Bytes may be anything, and libraries have a dozen kinds of errors for that.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        sys.stdout.write(json.dumps({"error": reason}))
        return
    arrays = {name: value for name, value in found.items() if isinstance(value, np.ndarray)}
    numbered: dict[str, Any] = {str(index): array for index, array in enumerate(arrays.values())}
    np.savez(request["result"], **numbered)
    others = {name: value for name, value in found.items() if name not in arrays}
    sys.stdout.write(json.dumps({"arrays": list(arrays), "others": others}))


if __name__ == "__main__":
    main()
