"""Multipath channels traced by rays through a map."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Complex, Float, Int
from torch import Generator, Tensor

from channels.base import Channel, ChannelState, Decibel, noise_variance
from channels.tracing import Paths, Position, scene_file, trace

_CHUNK = 2**23  # path responses worked on at once, which bounds the memory


@dataclass(frozen=True)
class RayTraced(Channel):
    r"""OFDM subcarriers over the paths that Sionna RT finds in a scene, from one transmitter to points of a route.

    Each realization is a receiver at one of the points, all equally likely, within some wavelengths of it, so that the
    phases of its paths are uniform and independent. The channel does not change during a delivery; its symbols take
    the subcarriers in turn. The receiver knows the gains (a wrapper can blur what it knows), and there are no pilots.

    With path powers $P_l$, $h(f) = \sum_l \sqrt{P_l / \sum_m P_m} e^{j \phi_l - j 2 \pi f \tau_l}$, so that
    $E|h|^2 = 1$ at every point; the path gain $\sum_l P_l$ is in the noise variance. `snr_db` is the mean over the
    route's points in dB: a point that hears 6 dB more than the mean has 6 dB less noise. Points that no path reaches
    are left out; `coverage` is the share of the others.

    Args:
        scene: name of a scene that comes with Sionna RT ("munich", "etoile", "florence", ...), or a scene file.
        transmitter: x, y, z in metres.
        route: way-points of the receiver, likewise.
        spacing: metres along the route from point to point; `None` for the way-points alone.
        carrier_frequency: in Hz.
        subcarriers: of the band; 1 for flat fading.
        subcarrier_spacing: in Hz.
        max_depth: most reflections and refractions of a path; 0 for the line of sight alone.
        rays: sent out by the transmitter to find paths.

    Raises:
        ValueError: a scene that does not exist, positions that are none, or a route that no path reaches.
        ImportError: Sionna RT or a suitable LLVM is missing.

    Source: J. Hoydis et al., Sionna RT: Differentiable ray tracing for radio propagation modeling, 2023; random phases
    of paths: D. Tse and P. Viswanath, Fundamentals of Wireless Communication, 2005, section 2.4.2.
    """

    scene: str = "munich"
    transmitter: Sequence[float] = (8.5, 21.0, 27.0)
    route: Sequence[Sequence[float]] = ((0.0, 50.0, 1.5), (100.0, 100.0, 1.5), (60.0, 150.0, 1.5))
    spacing: float | None = 5.0
    carrier_frequency: float = 3.5e9
    subcarriers: int = 600
    subcarrier_spacing: float = 30e3
    max_depth: int = 3
    rays: int = 100_000

    def __post_init__(self):
        # Tuples, so that the channel can be hashed whatever a configuration gave.
        object.__setattr__(self, "transmitter", _position("transmitter", self.transmitter))
        object.__setattr__(self, "route", tuple(_position("every point of route", point) for point in self.route))
        if not self.route:
            raise ValueError("route must have at least one point, got none")
        if self.spacing is not None and not self.spacing > 0:
            raise ValueError(f"spacing must be above 0 metres (None for the way-points alone), got {self.spacing}")
        for name, least in (("subcarriers", 1), ("max_depth", 0), ("rays", 1)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}, got {getattr(self, name)}")
        if not self.subcarrier_spacing > 0:
            raise ValueError(f"subcarrier_spacing must be above 0 Hz, got {self.subcarrier_spacing}")
        if not self.carrier_frequency >= 1e8:
            raise ValueError(f"carrier_frequency must be at least 1e8 Hz, got {self.carrier_frequency}")
        if self.coverage == 0:
            raise ValueError(
                f"no path reaches any of the route's {len(self.positions)} points in {self.scene}: "
                "move the route or the transmitter, or raise max_depth"
            )

    @property
    def positions(self) -> tuple[Position, ...]:
        """Points of the receiver, whether or not a path reaches them."""
        points = tuple(_position("every point of route", point) for point in self.route)
        return points if self.spacing is None else _along(points, self.spacing)

    @property
    def coverage(self) -> float:
        """Share of the route's points that a path reaches."""
        return float((self._paths().powers.sum(-1) > 0).double().mean())

    @property
    def path_gain_db(self) -> Float[Tensor, "points"]:
        """Power gain of the points that a path reaches, in dB."""
        return 10 * self._reached().powers.sum(-1).log10()

    def realize(self, realizations: int, n: int, snr_db: Decibel, generator: Generator) -> ChannelState:  # noqa: D102
        variance = noise_variance(snr_db, realizations, generator)
        paths, path_gain = self._reached(), self.path_gain_db.to(generator.device)
        point = torch.randint(len(path_gain), (realizations,), generator=generator, device=generator.device)
        louder = path_gain - path_gain.mean()
        variance = variance * (10 ** (-louder / 10)).float()[point].unsqueeze(-1)
        return ChannelState(self._gains(paths, point, n, generator), variance)

    def _paths(self) -> Paths:
        return trace(
            scene_file(self.scene),
            _position("transmitter", self.transmitter),
            self.positions,
            self.carrier_frequency,
            self.max_depth,
            self.rays,
        )

    def _reached(self) -> Paths:
        paths = self._paths()
        reached = paths.powers.sum(-1) > 0
        return Paths(paths.powers[reached], paths.delays[reached])

    def _gains(
        self, paths: Paths, point: Int[Tensor, "realizations"], n: int, generator: Generator
    ) -> Complex[Tensor, "realizations n"]:
        """Gains of the subcarriers, repeated until all symbols have one."""
        device = generator.device
        amplitudes = (paths.powers / paths.powers.sum(-1, keepdim=True)).sqrt().float().to(device)
        frequencies = torch.arange(min(n, self.subcarriers), dtype=torch.float64) * self.subcarrier_spacing
        angle = -2 * torch.pi * frequencies * paths.delays.unsqueeze(-1)
        steering = torch.polar(torch.ones_like(angle), angle).to(device, torch.complex64)
        turns = torch.rand((len(point), amplitudes.shape[1]), generator=generator, device=device)
        taps = torch.polar(amplitudes[point], 2 * torch.pi * turns).unsqueeze(1)
        step = max(1, _CHUNK // max(1, steering[0].numel()))
        parts = [
            torch.bmm(taps[first : first + step], steering[point[first : first + step]]).squeeze(1)
            for first in range(0, len(point), step)
        ]
        band = torch.cat(parts) if parts else taps.new_zeros(0, len(frequencies))
        return band if n <= self.subcarriers else band[:, torch.arange(n, device=device) % self.subcarriers]


def _position(what: str, value: Sequence[float]) -> Position:
    point = tuple(float(coordinate) for coordinate in value)
    if len(point) != 3 or not all(math.isfinite(coordinate) for coordinate in point):
        raise ValueError(f"{what} must be x, y, z in metres, got {tuple(value)}")
    return point


def _along(route: Sequence[Position], spacing: float) -> tuple[Position, ...]:
    """Points at equal distances along a route, from its first way-point on.

    >>> _along([(0.0, 0.0, 1.0), (3.0, 0.0, 1.0), (3.0, 4.0, 1.0)], spacing=2.5)
    ((0.0, 0.0, 1.0), (2.5, 0.0, 1.0), (3.0, 2.0, 1.0))
    """
    corners = torch.tensor(route, dtype=torch.float64)
    travelled = torch.cat([torch.zeros(1, dtype=torch.float64), corners.diff(dim=0).norm(dim=-1).cumsum(0)])
    at = torch.arange(0, float(travelled[-1]) + 1e-9, spacing, dtype=torch.float64)
    if len(corners) == 1:
        return tuple(route)
    leg = (torch.searchsorted(travelled, at, right=True) - 1).clamp(max=len(corners) - 2)
    share = (at - travelled[leg]) / (travelled[leg + 1] - travelled[leg]).clamp(min=1e-12)
    points = torch.lerp(corners[leg], corners[leg + 1], share.unsqueeze(-1))
    return tuple((float(x), float(y), float(z)) for x, y, z in points)
