"""Recorded channels: files of every kind, whole and broken, and arguments of every kind."""

import io
import math
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch

from channels import Recorded
from tests.fuzz.trial import Case, Fault, seeded

DOCUMENTED = (ValueError, FileNotFoundError, ImportError)

RARE = 40
"""One trial in so many is of a format that is read in a process of its own, which takes its time."""


def case(number: int, folder: Path) -> Case:
    """A file and the arguments with which it is replayed."""
    chosen = seeded("recordings", number)
    arrays, words = _arrays(chosen)
    apart = chosen.randrange(RARE) == 0
    suffix = chosen.choice((".mat", ".h5")) if apart else ".npz"
    path = folder / f"{number}{suffix}"
    words += " " + _written(chosen, path, arrays)
    if chosen.random() < 0.4:
        words += " " + _broken(chosen, path)
    path, told = _place(chosen, path)
    arguments = _arguments(chosen)
    words = f"Recorded({words}, {told}, {arguments})"
    snr_db, n = chosen.choice((10.0, 0.0, -30.0, math.inf)), chosen.choice((1, 7, 50, 1000))

    def run() -> None:
        try:
            recorded = Recorded(path, **arguments)
            state = recorded.realize(3, n, snr_db, torch.Generator().manual_seed(0))
        finally:
            for file in folder.glob(f"{number}.*"):
                file.unlink()
        power = float(state.gain.abs().square().mean())
        if not math.isfinite(power) or tuple(state.gain.shape) not in ((3, n), (3, 1)):
            raise Fault(f"gains of shape {tuple(state.gain.shape)} and power {power}")
        if not bool(state.noise_variance.isfinite().all()):
            raise Fault("noise that is not finite")

    return Case(words, run, DOCUMENTED)


def _arrays(chosen: random.Random) -> tuple[dict[str, Any], str]:
    """What is in the file, and in words."""
    rng = np.random.default_rng(chosen.randrange(2**31))
    axes = chosen.choice(
        ((), (1,), (20,), (3, 20), (20, 1), (1, 20), (3, 20, 4), (1, 20, 1), (2, 3, 4, 5), (0,), (3, 0))
    )
    values = rng.standard_normal(axes) + 1j * rng.standard_normal(axes)
    values = values * chosen.choice((1.0, 1.0, 1.0, 1e-6, 1e25, 1e-25, 1e200, 1e-200, 1e-310, 0.0))
    kind = chosen.choice(KINDS)
    if chosen.random() < 0.2 and values.size:
        values = np.array(values)
        values.flat[rng.integers(values.size)] = chosen.choice((math.nan, math.inf, -math.inf, complex(0, math.nan)))
    name = chosen.choice(("gain",) * 6 + ("impulse_response",) * 4 + ("Gain", "h", "gain ", ""))
    arrays: dict[str, Any] = {name: _as_kind(values, kind)}
    if chosen.random() < 0.1:
        arrays["impulse_response" if name == "gain" else "gain"] = np.ones((2, 3, 2), np.complex64)
    if chosen.random() < 0.5:
        arrays["sample_rate"] = chosen.choice(RATES)
    if chosen.random() < 0.2:
        arrays["meta"] = chosen.choice((np.array({"a": 1}, dtype=object), "text", np.zeros((5, 5)), np.array(b"x")))
    return arrays, f"{name} {kind} {axes}"


KINDS = ("complex128",) * 5 + (
    "complex64", "longcomplex", "float64", "float32", "int16", "uint8", "bool", "pairs", "wrong pairs", "text", "bytes",
    "object", "datetime", "record", "big endian", "fortran",
)  # fmt: skip

RATES = (
    1e3, 1, 0, -5.0, math.nan, math.inf, 1e-300, 1e300, np.array([[1e3]]), np.array([1e3, 2e3]), "1000", True,
    np.array(1 + 1j), np.array([], float), np.array(1000, np.int64), np.array(None, object),
)  # fmt: skip


@np.errstate(all="ignore")
def _as_kind(values: np.ndarray, kind: str) -> Any:
    if kind in ("complex128", "complex64", "longcomplex"):
        return values.astype({"longcomplex": np.clongdouble}.get(kind, kind))
    if kind in ("float64", "float32", "int16", "uint8", "bool"):
        return values.real.astype(kind)
    if kind in ("pairs", "wrong pairs", "record"):
        names = {"pairs": ("real", "imag"), "wrong pairs": ("real", "phase"), "record": ("a", "b")}[kind]
        found = np.zeros(values.shape, [(name, "f8") for name in names])
        found[names[0]], found[names[1]] = values.real, values.imag
        return found
    if kind in ("text", "bytes"):
        return values.astype("U" if kind == "text" else "S")
    if kind == "object":
        return values.astype(object)
    if kind == "datetime":
        return np.zeros(values.shape, "datetime64[s]")
    return values.astype(">c16") if kind == "big endian" else np.asfortranarray(values)


def _written(chosen: random.Random, path: Path, arrays: dict[str, Any]) -> str:
    if path.suffix == ".npz":
        save = chosen.choice((np.savez, np.savez_compressed))
        if "" in arrays or chosen.random() < 0.05:
            with zipfile.ZipFile(path, "w") as archive:
                for name, array in arrays.items():
                    buffer = io.BytesIO()
                    np.save(buffer, array)
                    archive.writestr((name or "x") + chosen.choice(("", ".npy")), buffer.getvalue())
            return "zipped by hand"
        save(path, **arrays)
        return save.__name__
    if path.suffix == ".mat":
        from scipy.io import savemat

        try:
            savemat(path, {name: array for name, array in arrays.items() if name.isidentifier()})
        except Exception:  # What MATLAB cannot hold is written as nothing.
            savemat(path, {})
        return "savemat"
    import h5py

    with h5py.File(path, "w") as file:
        for name, array in arrays.items():
            try:
                file[name or "x"] = array
            except (TypeError, ValueError):
                file.create_group(name or "x")
    return "h5py"


def _broken(chosen: random.Random, path: Path) -> str:
    """Damage a file, and say how."""
    content = bytearray(path.read_bytes())
    how = chosen.choice(("cut", "flipped", "flipped", "overwritten", "emptied", "doubled", "header", "other"))
    if how == "cut":
        content = content[: chosen.randrange(len(content))]
    elif how in ("flipped", "overwritten"):
        for _ in range(chosen.choice((1, 3, 20))):
            content[chosen.randrange(len(content))] = chosen.randrange(256)
        if how == "overwritten":
            start = chosen.randrange(len(content))
            content[start : start + 30] = bytes(30)
    elif how == "emptied":
        content = bytearray()
    elif how == "doubled":
        content = content * 2
    elif how == "header":  # a shape that lies
        lie = chosen.choice((b"(99999999999,", b"(-5,", b"(1e3,", b"((((((", b"(3, 20000", b"('a',"))
        content = bytearray(bytes(content).replace(b"'shape': (", b"'shape': " + lie, 1))
    else:
        content = bytearray(
            chosen.choice((b"text", b"\x00" * 100, b"PK\x03\x04" + bytes(30), b"\x93NUMPY\x01\x00", b"{"))
        )
    path.write_bytes(bytes(content))
    return how


def _place(chosen: random.Random, path: Path) -> tuple[Any, str]:
    """The path that is given: mostly that of the file."""
    if chosen.random() < 0.85:
        return chosen.choice((path, str(path))), path.suffix
    others = [
        None, 3, b"x.npz", "", ".", "none.npz", "~/none.npz", "~nobody9/x.npz", str(path.parent), "a\0b.npz", "x" * 300,
        str(path.with_suffix(".csv")), [str(path)], np.zeros(3), torch.zeros(2), Path("/dev/null"), Path,
        "/proc/self/mem.npz", lambda: None,
    ]  # fmt: skip
    other = chosen.choice(others)
    return other, repr(other)[:30]


ODD = (
    0,
    -1,
    2.5,
    math.nan,
    math.inf,
    -math.inf,
    "5",
    None,
    True,
    10**30,
    [1],
    np.float64(3),
    np.array([2, 3]),
    1j,
    b"1",
)


def _arguments(chosen: random.Random) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    if chosen.random() < 0.4:
        arguments["symbol_rate"] = chosen.choice((1e3, 1e4, 10, 1e-18, 1e300, *ODD))
    if chosen.random() < 0.4:
        arguments["subcarriers"] = chosen.choice((4, 64, 1, 3, *ODD))
    for name in ("wrap", "normalise"):
        if chosen.random() < 0.2:
            arguments[name] = chosen.choice((True, False, False, *ODD))
    return arguments
