"""Measured channels, replayed from a file."""

import math
import os
from dataclasses import dataclass
from functools import cached_property
from numbers import Integral, Real
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Complex
from torch import Generator, Tensor

from channels.base import Channel, ChannelState, Decibel, noise_variance
from channels.read_arrays import MOST_VALUES
from channels.recording import RecordingError, arrays_of, complex_array, number

_EXACT = 2**53  # whole numbers up to which are exact in double precision
_MOST_DB = 300.0  # of the mean power: float32 ends at 380 dB


@dataclass(frozen=True)
class Recorded(Channel):
    """Replays measured gains or impulse responses, each delivery from a random record and a random start.

    The file, `.npz`, HDF5 (`.h5`, `.hdf5`) or MATLAB (`.mat`), holds at its top level one of

    - `gain`: complex, `(records, time)`, or `(time,)` for one record: a flat channel;
    - `impulse_response`: complex, `(records, time, taps)`, taps at the symbol rate. Symbols then travel on
      `subcarriers` parallel frequencies, one after the other, and each sees the response at its frequency;

    and, if `symbol_rate` is given, `sample_rate`: recorded times per second. A recorded gain is held until the next.
    Complex numbers may be pairs named real and imag. Nothing else in the file is read. A column, `(n, 1)`, is refused:
    it may be one record, as MATLAB keeps vectors, or n records of a single time.

    Args:
        path: of the file; `~` is the home folder.
        symbol_rate: channel uses per second; `None` for one recorded time a symbol (a block of `subcarriers` symbols).
        subcarriers: frequencies of an impulse response, at least its taps; `None` for as many.
        wrap: go on at the start of a record when its end is reached; else a start is drawn that leaves enough, and a
            record that is too short is an error.
        normalise: scale the whole file to E|h|^2 = 1; differences between records and times stay.

    Raises:
        FileNotFoundError: no such file.
        ValueError: a file that is damaged, without gains, of wrong shape or type, with NaN or nothing but zeros, or of
            more than 2^28 values; a rate or number of subcarriers that does not fit; without `normalise`, gains whose
            mean power single precision does not hold.
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
        if not isinstance(self.path, str | os.PathLike):
            raise ValueError(f"path must be that of a file, got {type(self.path).__name__}")
        if self.symbol_rate is not None and not _is_rate(self.symbol_rate):
            raise ValueError(f"symbol_rate must be above 0 channel uses per second, got {self.symbol_rate}")
        if self.subcarriers is not None and not (isinstance(self.subcarriers, Integral) and self.subcarriers > 0):
            raise ValueError(f"subcarriers must be a whole number of at least 1, got {self.subcarriers!r}")
        for name in ("wrap", "normalise"):
            if not isinstance(getattr(self, name), bool):
                raise ValueError(f"{name} must be true or false, got {getattr(self, name)!r}")
        recording = self._recording  # read here, so that a bad file is refused where it is given
        if self.symbol_rate is not None and not _is_rate(recording.sample_rate):
            raise ValueError(
                f"sample_rate in {self.path} must be above 0 times per second, got {recording.sample_rate}"
            )

    def realize(self, realizations: int, n: int, snr_db: Decibel, generator: Generator) -> ChannelState:
        """Draw a record and a start for every delivery; arguments are those of `Channel.realize`.

        Raises:
            ValueError: without `wrap`, a recording that is too short for n symbols; symbols that last longer than
                2^53 recorded times in all.
        """
        variance = noise_variance(snr_db, realizations, generator)
        response, device = self._recording.response.to(generator.device), generator.device
        records, times, width = response.shape
        blocks = torch.arange(math.ceil(n / width), dtype=torch.float64, device=device)
        positions = blocks * self._times_per_block
        if len(blocks) and not float(positions[-1]) < _EXACT:
            raise ValueError(
                f"{n} symbols last {float(positions[-1]):.3g} recorded times, at most {_EXACT} can be told apart: "
                "raise symbol_rate"
            )
        steps = positions.long()
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
    def _recording(self) -> "_Recording":
        try:
            path = Path(self.path).expanduser()
        except RuntimeError as error:
            raise FileNotFoundError(f"no home folder for {self.path}: give the whole path of the recording") from error
        arrays = arrays_of(path, ["gain", "impulse_response"] + ["sample_rate"] * (self.symbol_rate is not None))
        kinds = [name for name in ("gain", "impulse_response") if name in arrays]
        if len(kinds) != 1:
            found = ", ".join(sorted(arrays)) or "nothing"
            raise RecordingError(f"{path} must hold either gain or impulse_response, found {found}")
        if self.symbol_rate is not None and "sample_rate" not in arrays:
            raise RecordingError(f"symbol_rate needs sample_rate (recorded times per second) in {path}: add it")
        rate = math.nan if self.symbol_rate is None else number(arrays, "sample_rate", path)
        array = complex_array(arrays, kinds[0], path, (1, 2) if kinds == ["gain"] else (3,))
        response = self._flat(array) if kinds == ["gain"] else self._selective(array)
        return _Recording(response, rate)

    def _flat(self, gains: np.ndarray) -> Complex[Tensor, "records times 1"]:
        if self.subcarriers is not None:
            raise ValueError(f"subcarriers are for impulse responses, but {self.path} holds gains")
        if gains.ndim == 2 and gains.shape[1] == 1 and len(gains) > 1:
            raise ValueError(
                f"gain in {self.path} is a column of shape {gains.shape}: transpose it if it is one record, or repeat "
                "each gain, (records, 2), if they are records of a single time"
            )
        return self._scaled(np.atleast_2d(gains)[..., None])

    def _selective(self, taps: np.ndarray) -> Complex[Tensor, "records times subcarriers"]:
        width = taps.shape[-1] if self.subcarriers is None else self.subcarriers
        if width < taps.shape[-1]:
            raise ValueError(f"subcarriers must be at least the {taps.shape[-1]} taps recorded, got {width}")
        if (values := taps.shape[0] * taps.shape[1] * width) > MOST_VALUES:
            raise ValueError(f"{width} subcarriers make {values} gains of {self.path}, at most {MOST_VALUES} are held")
        return self._scaled(taps, width)

    def _scaled(self, recorded: np.ndarray, width: int | None = None) -> Complex[Tensor, "records times subcarriers"]:
        """Gains scaled as asked for, at `width` frequencies if these are taps."""
        if recorded.size == 0:
            raise ValueError(f"{self.path} holds no gains: its arrays are empty")
        # By the largest part first: squares of the numbers as they are may be too large or too small for any float.
        parts = np.ascontiguousarray(recorded).view(np.float64)
        peak = float(np.abs(parts).max())
        if peak == 0:
            raise ValueError(f"{self.path} holds nothing but zeros")
        response = (parts / peak).view(np.complex128)
        if width is not None:
            response = np.fft.fft(response, n=width, axis=-1)
        amplitude = float(np.sqrt(np.mean(response.real**2 + response.imag**2)))
        if self.normalise:
            return torch.from_numpy(response / amplitude).to(torch.complex64)
        power_db = 20 * (math.log10(amplitude) + math.log10(peak))
        if abs(power_db) > _MOST_DB:
            raise ValueError(
                f"the mean power of {self.path} is {power_db:.0f} dB, which single precision does not hold: "
                "set normalise=True"
            )
        return torch.from_numpy(response * peak).to(torch.complex64)

    @property
    def _times_per_block(self) -> float:
        if self.symbol_rate is None:
            return 1.0
        return self._recording.sample_rate / self.symbol_rate * self._recording.response.shape[-1]


@dataclass(frozen=True, eq=False)
class _Recording:
    """What was read: gains at every recorded time and frequency, and recorded times per second (NaN if not needed)."""

    response: Complex[Tensor, "records times subcarriers"]
    sample_rate: float


def _is_rate(value: object) -> bool:
    return isinstance(value, Real) and not isinstance(value, bool) and 0 < float(value) < math.inf
