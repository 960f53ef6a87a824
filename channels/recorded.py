"""Measured channels, replayed from a file."""

import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Complex
from torch import Generator, Tensor

from channels.base import Channel, ChannelState, Decibel, noise_variance


@dataclass(frozen=True)
class Recorded(Channel):
    """Replays measured gains or impulse responses, each delivery from a random record and a random start.

    The file, `.npz` or HDF5 (`.h5`, `.hdf5`), holds one of

    - `gain`: complex, `(records, time)`, or `(time,)` for one record: a flat channel;
    - `impulse_response`: complex, `(records, time, taps)`, taps at the symbol rate. Symbols then travel on
      `subcarriers` parallel frequencies, one after the other, and each sees the response at its frequency;

    and, if `symbol_rate` is given, `sample_rate`: recorded times per second. A recorded gain is held until the next.

    Args:
        path: of the file.
        symbol_rate: channel uses per second; `None` for one recorded time a symbol (a block of `subcarriers` symbols).
        subcarriers: frequencies of an impulse response, at least its taps; `None` for as many.
        wrap: go on at the start of a record when its end is reached; else a start is drawn that leaves enough, and a
            record that is too short is an error.
        normalise: scale the whole file to E|h|^2 = 1; differences between records and times stay.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a file without gains, of wrong shape or type, with NaN or nothing but zeros; a rate or number of
            subcarriers that does not fit.
        ImportError: HDF5 without h5py.

    >>> import tempfile
    >>> file = Path(tempfile.mkdtemp()) / "walk.npz"
    >>> np.savez(file, gain=np.exp(1j * np.arange(100.0)))
    >>> Recorded(file).realize(2, 5, 10.0, torch.Generator().manual_seed(0)).gain.shape
    torch.Size([2, 5])
    """

    path: str | Path
    symbol_rate: float | None = None
    subcarriers: int | None = None
    wrap: bool = True
    normalise: bool = True

    def __post_init__(self):
        if self.symbol_rate is not None and not 0 < self.symbol_rate < math.inf:
            raise ValueError(f"symbol_rate must be above 0 channel uses per second, got {self.symbol_rate}")
        if self._response.numel() == 0:
            raise ValueError(f"{self.path} holds no gains: its arrays are empty")
        if self.symbol_rate is not None and not 0 < self._sample_rate < math.inf:
            raise ValueError(f"sample_rate in {self.path} must be above 0 times per second, got {self._sample_rate}")

    def realize(self, realizations: int, n: int, snr_db: Decibel, generator: Generator) -> ChannelState:
        """Draw a record and a start for every delivery; arguments are those of `Channel.realize`.

        Raises:
            ValueError: without `wrap`, a recording that is too short for n symbols.
        """
        variance = noise_variance(snr_db, realizations, generator)
        response, device = self._response.to(generator.device), generator.device
        records, times, width = response.shape
        blocks = torch.arange(math.ceil(n / width), dtype=torch.float64, device=device)
        steps = (blocks * self._times_per_block).long()
        span = int(steps[-1]) + 1 if len(steps) else 1
        if not self.wrap and span > times:
            raise ValueError(
                f"{n} symbols last {span} recorded times, but {self.path} holds {times}: send less, or set wrap=True"
            )
        starts = times if self.wrap else times - span + 1
        record = torch.randint(records, (realizations, 1), generator=generator, device=device)
        start = torch.randint(starts, (realizations, 1), generator=generator, device=device)
        gain = response[record, (start + steps) % times].flatten(1)[:, :n]
        return ChannelState(gain, variance)

    @cached_property
    def _arrays(self) -> dict[str, np.ndarray]:
        return _load(Path(self.path))

    @cached_property
    def _response(self) -> Complex[Tensor, "records times subcarriers"]:
        if "gain" in self._arrays:
            if self.subcarriers is not None:
                raise ValueError(f"subcarriers are for impulse responses, but {self.path} holds gains")
            response = np.atleast_2d(_complex(self._arrays["gain"], (1, 2), f"gain in {self.path}"))[..., None]
        else:
            taps = _complex(self._arrays["impulse_response"], (3,), f"impulse_response in {self.path}")
            width = taps.shape[-1] if self.subcarriers is None else self.subcarriers
            if width < taps.shape[-1]:
                raise ValueError(f"subcarriers must be at least the {taps.shape[-1]} taps recorded, got {width}")
            response = np.fft.fft(taps, n=width, axis=-1)
        power = float(np.mean(np.abs(response) ** 2)) if response.size else 1.0
        if power == 0:
            raise ValueError(f"{self.path} holds nothing but zeros")
        return torch.from_numpy(response / math.sqrt(power if self.normalise else 1.0)).to(torch.complex64)

    @property
    def _sample_rate(self) -> float:
        if "sample_rate" not in self._arrays:
            raise ValueError(f"symbol_rate needs sample_rate (recorded times per second) in {self.path}: add it")
        return float(self._arrays["sample_rate"])

    @property
    def _times_per_block(self) -> float:
        if self.symbol_rate is None:
            return 1.0
        return self._sample_rate * self._response.shape[-1] / self.symbol_rate


def _load(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise FileNotFoundError(f"no recorded channel at {path}: give the path of an .npz or HDF5 file")
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
    elif path.suffix in (".h5", ".hdf5"):
        try:
            import h5py
        except ImportError as error:
            raise ImportError("HDF5 recordings need h5py: pip install 'airdeliver[recorded]'") from error
        with h5py.File(path) as file:
            arrays = {name: np.asarray(value) for name, value in file.items()}
    else:
        raise ValueError(f"a recorded channel is an .npz, .h5 or .hdf5 file, got {path.name}")
    if ("gain" in arrays) == ("impulse_response" in arrays):
        found = ", ".join(sorted(arrays)) or "nothing"
        raise ValueError(f"{path} must hold either gain or impulse_response, found {found}")
    return arrays


def _complex(array: np.ndarray, dimensions: tuple[int, ...], name: str) -> np.ndarray:
    if array.ndim not in dimensions or array.dtype.kind != "c":
        shape = {1: "(records, time) or (time,)", 3: "(records, time, taps)"}[dimensions[0]]
        raise ValueError(f"{name} must be complex of shape {shape}, got {array.dtype} of shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite, got NaN or infinite values")
    return array
