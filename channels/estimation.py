"""Channel estimation from pilots on a grid: a filter over frequency, then one over time, and the error of both."""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Complex, Float, Int
from torch import Tensor

from channels.pilots import ResourceGrid
from channels.tapped_delay_line import DelayProfile, delay_profile, phases

_WINDOW = 16  # pilot-bearing OFDM symbols over which estimation reaches


@dataclass(frozen=True)
class PilotEstimator:
    """Estimates the gains of a channel of TR 38.901 from what was received at its pilots.

    Args:
        method: "ls" or "lmmse".
        model: one of `channels.tapped_delay_line.MODELS`.
        delay_spread: in seconds.
        grid: where the pilots lie.
        subcarrier_spacing: in Hz.
        doppler: maximum Doppler shift times the duration of an OFDM symbol.
    """

    method: str
    model: str
    delay_spread: float
    grid: ResourceGrid
    subcarrier_spacing: float
    doppler: float

    def __call__(
        self,
        pilots: Complex[Tensor, "realizations pilot_rows pilots"],
        variance: Float[Tensor, "realizations 1"],
        positions: Int[Tensor, "n"],
        matched: bool = False,
    ) -> tuple[Complex[Tensor, "realizations n"], Float[Tensor, "realizations n"]]:
        """Gains at resource elements, and their mean square error over realizations of the channel.

        The Wiener filter is designed for the noise variance to the nearest decibel; the error is that of this filter.

        Args:
            pilots: what was received at the pilots, divided by what was sent there.
            variance: of the noise at the pilots.
            positions: resource elements, counted OFDM symbol by OFDM symbol.
            matched: scale the estimates to the least mean square error, as one does who knows their statistics; what
                lmmse does anyway.
        """
        rows = min(pilots.shape[1], _WINDOW + 1)
        if self.method == "ls":
            return _estimate(_filter(self, rows, 0), pilots, variance, positions, matched)
        design = (10 * torch.log10(variance[:, 0])).clamp(-60, 300).round().int()
        levels = design.unique().tolist()
        if len(levels) == 1:
            return _estimate(_filter(self, rows, levels[0]), pilots, variance, positions, matched)
        gain = pilots.new_zeros(len(pilots), len(positions))
        error = variance.new_zeros(gain.shape)
        for level in levels:
            those = design == level
            chosen = _filter(self, rows, level)
            gain[those], error[those] = _estimate(chosen, pilots[those], variance[those], positions, matched)
        return gain, error


@dataclass(frozen=True, eq=False)
class Filter:
    r"""Estimates $\hat h = W_t Y W_f^T$ from pilots, at `points` of time and frequency.

    Args:
        frequency: $W_f$, from the pilots' subcarriers to all of them.
        time: $W_t$, from the pilots' OFDM symbols to all of them.
        cross: $E h \hat h^*$.
        bias: $E|h - \hat h|^2$ without noise: what is lost between pilots.
        amplification: $E|h - \hat h|^2$ per unit of noise variance.
    """

    frequency: Complex[Tensor, "subcarriers pilots"]
    time: Complex[Tensor, "ofdm_symbols pilot_rows"]
    cross: Complex[Tensor, "ofdm_symbols subcarriers"]
    bias: Float[Tensor, "ofdm_symbols subcarriers"]
    amplification: Float[Tensor, "ofdm_symbols subcarriers"]


@dataclass(frozen=True, eq=False)
class PilotGeometry:
    """Where pilots and estimates lie on the axes of a delay profile.

    Args:
        profile: second-order statistics of the channel.
        subcarriers: frequencies of all subcarriers, in Hz.
        pilot_subcarriers: which of them bear pilots.
        times: of all OFDM symbols, times the maximum Doppler shift.
        pilot_rows: which of them bear pilots.
    """

    profile: DelayProfile
    subcarriers: Float[Tensor, "subcarriers"]
    pilot_subcarriers: Int[Tensor, "pilots"]
    times: Float[Tensor, "ofdm_symbols"]
    pilot_rows: Int[Tensor, "pilot_rows"]

    def lags(self) -> tuple[Float[Tensor, "ofdm_symbols pilot_rows"], Float[Tensor, "pilot_rows pilot_rows"]]:
        """Time lags from every OFDM symbol, and from every pilot-bearing one, to the pilot-bearing ones."""
        pilots = self.times[self.pilot_rows]
        return self.times.unsqueeze(-1) - pilots, pilots.unsqueeze(-1) - pilots


def linear_interpolation(geometry: PilotGeometry) -> Filter:
    """Least squares at the pilots, linear between them over frequency and time, constant beyond the last in time."""
    frequency = _linear(len(geometry.subcarriers), geometry.pilot_subcarriers)
    time = _linear(len(geometry.times), geometry.pilot_rows)
    return _with_error(geometry, frequency, time)


def wiener(geometry: PilotGeometry, noise_variance: float) -> Filter:
    r"""Linear minimum mean square error (LMMSE) over frequency, then over time.

    Over frequency, $W_f = R_{sp} (R_{pp} + \sigma^2 I)^{-1}$. Its estimate contains $\alpha$ of the channel, has power
    $\beta$ and noise $\gamma$, so that over time $W_t = \alpha R_{tp} (\beta R_{pp} + \gamma I)^{-1}$. Where the
    channel is flat and does not change, the two together are the LMMSE estimate from all pilots.

    Source: P. Hoeher, S. Kaiser and P. Robertson, Two-dimensional pilot-symbol-aided channel estimation by Wiener
    filtering, ICASSP 1997.

    Args:
        geometry: where pilots lie, and the channel's statistics.
        noise_variance: per pilot, that the filter is designed for.
    """
    profile = geometry.profile
    response = phases(profile.delays, geometry.subcarriers)
    pilots = response[geometry.pilot_subcarriers]
    # (s I + D U* U)^-1 D U* = D U* (U D U* + s I)^-1: as few unknowns as there are paths.
    gram = profile.powers.unsqueeze(-1) * (pilots.mH @ pilots)
    loaded = gram + noise_variance * torch.eye(len(gram))
    frequency = response @ torch.linalg.solve(loaded, profile.powers.unsqueeze(-1) * pilots.mH)

    through = frequency @ pilots
    alpha = ((response * through.conj()).real @ profile.powers).mean()
    beta = (through.abs() ** 2 @ profile.powers).mean()
    gamma = noise_variance * (frequency.abs() ** 2).sum(-1).mean()
    across, within = (
        torch.tensordot(profile.powers.to(torch.complex128), profile.time_correlation(lags), dims=1)
        for lags in geometry.lags()
    )
    loaded = beta * within + gamma * torch.eye(len(within))
    time = torch.linalg.solve(loaded, alpha * across, left=False)
    return _with_error(geometry, frequency, time)


@lru_cache(maxsize=256)
def _filter(estimator: PilotEstimator, pilot_rows: int, noise_db: int) -> Filter:
    """The estimator's filter over as many pilot-bearing OFDM symbols."""
    grid = estimator.grid
    geometry = PilotGeometry(
        profile=delay_profile(estimator.model, estimator.delay_spread),
        subcarriers=torch.arange(grid.subcarriers, dtype=torch.float64) * estimator.subcarrier_spacing,
        pilot_subcarriers=grid.pilot_subcarriers,
        times=torch.arange(pilot_rows * grid.time_spacing, dtype=torch.float64) * estimator.doppler,
        pilot_rows=torch.arange(pilot_rows) * grid.time_spacing,
    )
    return linear_interpolation(geometry) if estimator.method == "ls" else wiener(geometry, 10 ** (noise_db / 10))


def _estimate(
    chosen: Filter,
    pilots: Complex[Tensor, "realizations pilot_rows pilots"],
    variance: Float[Tensor, "realizations 1"],
    positions: Int[Tensor, "n"],
    matched: bool,
) -> tuple[Complex[Tensor, "realizations n"], Float[Tensor, "realizations n"]]:
    """Filter over frequency, then over time in windows that share a pilot-bearing OFDM symbol with the next."""
    device = pilots.device
    covered, reach = chosen.time.shape
    subcarriers, total, spacing = len(chosen.frequency), pilots.shape[1], covered // reach
    starts = torch.arange(0, max(total - 1, 1), max(reach - 1, 1), device=device).clamp(max=total - reach)
    in_frequency = pilots @ chosen.frequency.mT.to(device)
    windows = in_frequency[:, starts.unsqueeze(-1) + torch.arange(reach, device=device)]
    everywhere = chosen.time.to(device) @ windows

    row, subcarrier = positions // subcarriers, positions % subcarriers
    window = (row // (spacing * max(reach - 1, 1))).clamp(max=len(starts) - 1)
    within = (row - spacing * starts[window]) * subcarriers + subcarrier
    gain = everywhere.flatten(1)[:, window * covered * subcarriers + within]
    bias, amplification = (x.to(device).flatten()[within] for x in (chosen.bias, chosen.amplification))
    error = bias + variance * amplification
    if not matched:
        return gain, error
    cross = chosen.cross.to(device).flatten()[within]
    power = (error - 1 + 2 * cross.real).clamp(min=1e-12)  # of the estimate
    return gain * (cross / power), (1 - cross.abs().square() / power).clamp(min=0)


def _linear(points: int, pilots: Int[Tensor, "pilots"]) -> Complex[Tensor, "points pilots"]:
    """Weights of the pilots in linear interpolation at every point, the nearest one alone outside them."""
    at = torch.arange(points)
    above = torch.searchsorted(pilots, at).clamp(max=len(pilots) - 1)
    below = (above - 1).clamp(min=0)
    gap = (pilots[above] - pilots[below]).clamp(min=1)
    share = ((at - pilots[below]) / gap).clamp(max=1).double()
    weights = torch.zeros(points, len(pilots), dtype=torch.float64)
    weights[at, above] += share
    weights[at, below] += 1 - share
    return weights.to(torch.complex128)


def _with_error(
    geometry: PilotGeometry,
    frequency: Complex[Tensor, "subcarriers pilots"],
    time: Complex[Tensor, "ofdm_symbols pilot_rows"],
) -> Filter:
    """Complete a filter by its mean square error, which is exact: the covariance of every path is separable."""
    profile = geometry.profile
    response = phases(profile.delays, geometry.subcarriers)
    through = frequency @ response[geometry.pilot_subcarriers]
    frequency_cross, frequency_power = response * through.conj(), through.abs() ** 2
    across, within = (profile.time_correlation(lags) for lags in geometry.lags())
    time_cross = (across * time.conj()).sum(-1).mT
    time_power = ((time @ within) * time.conj()).sum(-1).real.mT
    cross = (time_cross * profile.powers) @ frequency_cross.mT
    bias = 1 - 2 * cross.real + (time_power * profile.powers) @ frequency_power.mT
    amplification = torch.outer((time.abs() ** 2).sum(-1), (frequency.abs() ** 2).sum(-1))
    return Filter(
        frequency.to(torch.complex64),
        time.to(torch.complex64),
        cross.to(torch.complex64),
        bias.clamp(min=0).float(),
        amplification.float(),
    )
