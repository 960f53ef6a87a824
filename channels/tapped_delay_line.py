"""Delay profiles of 3GPP TR 38.901 and draws of their taps, through Sionna."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from jaxtyping import Bool, Complex, Float
from torch import Generator, Tensor

MODELS = tuple(f"{kind}-{letter}" for kind in ("TDL", "CDL") for letter in "ABCDE")
SPEED_OF_LIGHT = 299_792_458.0
SINUSOIDS = 20  # of each tap of a TDL (Sionna's number), rays of each cluster of a CDL (TR 38.901, table 7.5-3)
_CHUNK = 2**22  # sinusoids drawn at once, which bounds the memory
_TABLES = "phy/channel/tr38901/models/v19_2"  # in Sionna's package; those of release 19, which it draws from
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, eq=False)
class DelayProfile:
    """The paths of a model: what is known of the channel before it is drawn.

    Args:
        delays: of each path, in seconds; a specular path and the scattered one beside it are two paths.
        powers: of each path, linear; they sum to 1.
        doppler: of each path, as a share of the maximum Doppler shift.
        specular: whether a path rotates at that one Doppler shift; otherwise it has the Jakes spectrum up to it.
        line_of_sight: whether the first path is the line of sight.
    """

    delays: Float[Tensor, "paths"]
    powers: Float[Tensor, "paths"]
    doppler: Float[Tensor, "paths"]
    specular: Bool[Tensor, "paths"]
    line_of_sight: bool

    def time_correlation(self, turns: Float[Tensor, "*lags"]) -> Complex[Tensor, "paths *lags"]:
        r"""Correlation of each path at unit power with itself, $J_0(2 \pi f \tau)$ or, specular, $e^{j 2 \pi f \tau}$.

        Args:
            turns: time lags times the maximum Doppler shift.
        """
        shape = (-1,) + (1,) * turns.ndim
        angle = 2 * torch.pi * self.doppler.reshape(shape) * turns
        return torch.where(
            self.specular.reshape(shape),
            torch.polar(torch.ones_like(angle), angle),
            torch.special.bessel_j0(angle).to(torch.complex128),
        )


def check_model(model: str) -> None:
    """Refuse a model that TR 38.901 does not define.

    Raises:
        ValueError: naming those that it does.
    """
    if model not in MODELS:
        raise ValueError(f"model must be one of {', '.join(MODELS)} (3GPP TR 38.901), got {model!r}")


@lru_cache(maxsize=64)
def delay_profile(model: str, delay_spread: float) -> DelayProfile:
    """The power-delay profile of a model: TR 38.901 tables 7.7.1-1 to 7.7.1-5 (CDL) and 7.7.2-1 to 7.7.2-5 (TDL).

    The line of sight of a TDL comes in at 0.7 of the maximum Doppler shift (clause 7.7.2). A CDL is met by a receiver
    that moves horizontally, any way being as likely (table 7.2-1), so that a cluster that comes in at zenith angle
    t has the Jakes spectrum up to sin(t) of the maximum shift.

    Args:
        model: one of `MODELS`.
        delay_spread: root-mean-square delay spread, in seconds.

    >>> profile = delay_profile("TDL-A", 100e-9)
    >>> len(profile.delays), round(float(profile.delays.max()) * 1e9, 2), round(float(profile.powers.sum()), 6)
    (23, 965.86, 1.0)
    """
    check_model(model)
    table = _table(model)
    powers = 10 ** (torch.tensor(table["powers"], dtype=torch.float64) / 10)
    specular = torch.zeros(len(powers), dtype=torch.bool)
    doppler = torch.ones_like(powers)
    if model.startswith("CDL"):
        doppler = torch.tensor(table["zoa"], dtype=torch.float64).deg2rad().sin().abs()
    elif table["los"]:
        doppler[0], specular[0] = 0.7, True
    delays = torch.tensor(table["delays"], dtype=torch.float64) * delay_spread
    return DelayProfile(delays, powers / powers.sum(), doppler, specular, bool(table["los"]))


def _table(model: str) -> dict[str, Any]:
    """A table of TR 38.901 as Sionna ships it: from its file, since Sionna's import takes seconds, if it lies there."""
    installed = find_spec("sionna")
    if installed is not None and installed.origin is not None:
        file = Path(installed.origin).parent / _TABLES / f"{model}.json"
        if file.is_file():
            return json.loads(file.read_text(encoding="utf-8"))
    models = tr38901().models
    return models.load_json(models.parameter_file(f"{model}.json"))


def tap_delays(model: str, delay_spread: float) -> Float[Tensor, "taps"]:
    """Delays in seconds of the taps that `draw_taps` draws; a line of sight shares its tap with the first cluster."""
    profile = delay_profile(model, delay_spread)
    delays = profile.delays[1:] if profile.line_of_sight else profile.delays
    return delays.sort().values if model.startswith("CDL") else delays


def phases(delays: Float[Tensor, "paths"], frequencies: Float[Tensor, "points"]) -> Complex[Tensor, "points paths"]:
    r"""Frequency response of each delay at unit power, $e^{-j 2 \pi f \tau}$, for frequencies in Hz."""
    angle = -2 * torch.pi * frequencies.unsqueeze(-1) * delays
    return torch.polar(torch.ones_like(angle), angle)


def draw_taps(
    model: str,
    delay_spread: float,
    carrier_frequency: float,
    speed: float,
    realizations: int,
    times: int,
    interval: float,
    generator: Generator,
) -> Complex[Tensor, "realizations times taps"]:
    """Draw the taps of independent channels at equally spaced times, with Sionna's `TDL` and `CDL`.

    One transmit and one receive antenna, omnidirectional; the receiver of a CDL moves horizontally in a direction drawn
    for each realization. Mean power over realizations is 1, not that of a realization.

    Args:
        model: one of `MODELS`.
        delay_spread: root-mean-square delay spread, in seconds.
        carrier_frequency: in Hz.
        speed: in metres per second.
        realizations: number of independent channels.
        times: points in time.
        interval: seconds from one to the next.
        generator: the only source of randomness.

    Returns:
        Taps, in the order of `tap_delays`.
    """
    device = _indexed(generator.device)
    per_chunk = max(1, _CHUNK // (SINUSOIDS * 24 * max(times, 1)))
    parts = []
    with _sionna_draws_from(generator, device):
        for first in range(0, max(realizations, 1), per_chunk):
            count = max(1, min(per_chunk, realizations - first))
            draw = _sionna_model(model, delay_spread, carrier_frequency, speed, count, device, generator)
            taps, _ = draw(count, max(times, 1), 1 / interval)
            taps = taps[:, 0, 0, 0, 0, :, :times].transpose(-1, -2)
            if model.startswith("CDL"):
                # Sionna's line of sight has phase 0 in every realization; the distance that sets it is not known.
                turn = 2 * torch.pi * torch.rand((count, 1, 1), generator=generator, device=generator.device)
                taps = taps * torch.polar(torch.ones_like(turn), turn)
            parts.append(taps)
    return torch.cat(parts)[:realizations]


def _sionna_model(
    model: str,
    delay_spread: float,
    carrier_frequency: float,
    speed: float,
    realizations: int,
    device: str,
    generator: Generator,
):
    letter = model[-1]
    if model.startswith("TDL"):
        return tr38901().TDL(letter, delay_spread, carrier_frequency, SINUSOIDS, min_speed=speed, device=device)
    way = 2 * torch.pi * torch.rand(realizations, generator=generator, device=generator.device)
    velocity = speed * torch.stack([way.cos(), way.sin(), torch.zeros_like(way)], dim=-1)
    antenna = tr38901().Antenna("single", "V", "omni", carrier_frequency, device=device)
    return tr38901().CDL(
        letter, delay_spread, carrier_frequency, antenna, antenna, "downlink", ut_velocity=velocity, device=device
    )


@contextmanager
def _sionna_draws_from(generator: Generator, device: str) -> Iterator[None]:
    """Sionna draws from a generator of its own: seed it from ours, and put it back as it was."""
    tr38901()
    from sionna.phy import config

    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    with _one_at_a_time:
        theirs = config.torch_rng(device)
        before = theirs.get_state()
        theirs.manual_seed(seed)
        try:
            yield
        finally:
            theirs.set_state(before)


@lru_cache(maxsize=1)
def tr38901() -> ModuleType:
    """Sionna's package of TR 38.901 models, imported on first use because that takes seconds.

    Raises:
        ImportError: Sionna is not installed.
    """
    # Its import reseeds torch's global generators, which are none of our business.
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        try:
            from sionna.phy.channel import tr38901 as package
        except ImportError as error:
            raise ImportError(
                f"TDL and CDL channels need Sionna: pip install 'airdeliver[sionna]' ({error})"
            ) from error
    return package


def _indexed(device: torch.device) -> str:
    """Sionna wants "cuda:0" where torch is content with "cuda"."""
    if device.type == "cuda" and device.index is None:
        return f"cuda:{torch.cuda.current_device()}"
    return str(device)
