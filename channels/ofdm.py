"""OFDM over the multipath channels of 3GPP TR 38.901, with pilots and channel estimation."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, cast

import torch
from jaxtyping import Complex, Float, Int
from torch import Generator, Tensor

from channels.base import Channel, ChannelState, Decibel, Received, noise_variance
from channels.checks import mean_power
from channels.estimation import PilotEstimator
from channels.noise import complex_normal
from channels.pilots import ResourceGrid
from channels.tapped_delay_line import (
    SPEED_OF_LIGHT,
    DelayProfile,
    check_model,
    delay_profile,
    draw_taps,
    phases,
    tap_delays,
)
from channels.waveform import demodulate, modulate

ESTIMATORS = ("perfect", "ls", "lmmse")
# Inter-carrier interference below this share of the signal drowns in any noise that is swept.
_NEGLIGIBLE = 1e-5
_CHUNK = 2**23  # resource elements worked on at once, which bounds the memory


@dataclass(frozen=True)
class OFDMState(ChannelState):
    """The gains of the payload's resource elements, and the taps that they come from.

    Args:
        gain: at the payload's resource elements.
        noise_variance: thermal noise plus inter-carrier interference.
        taps: at every OFDM symbol and at one before and one after them, or a single time if nothing moves.
    """

    taps: Complex[Tensor, "realizations times taps"]


@dataclass(frozen=True)
class OFDM(Channel):
    r"""OFDM with a cyclic prefix over TDL-A to TDL-E or CDL-A to CDL-E of 3GPP TR 38.901, one antenna at both ends.

    Payload symbols lie on the resource elements of a grid between pilots of unit power, and every one sees a flat
    channel $y = h x + w$. The taps, hence $h$, change from one OFDM symbol to the next; within an OFDM symbol
    their first-order change is sent through too where it matters, as inter-carrier interference: a sum over the other
    subcarriers' symbols, whose variance (at unit power on each) is added to the noise variance of state and receiver.
    $E|h|^2 = 1$ over realizations, while the mean over the grid of one delivery fades.

    What it costs: a channel use is a resource element, pilots included (see `ResourceGrid`). The cyclic prefix repeats
    samples that are paid for already and counts neither as channel uses nor as energy: it lengthens the delivery by
    `cyclic_prefix / subcarriers`, alike for everything sent over this channel.

    Args:
        model: "TDL-A" to "TDL-E", "CDL-A" to "CDL-E".
        delay_spread: root-mean-square delay spread in seconds; 0 for flat fading.
        carrier_frequency: in Hz, 0.5e9 to 100e9.
        speed: of the receiver, in metres per second.
        subcarriers: of an OFDM symbol, all of them in use.
        subcarrier_spacing: in Hz.
        cyclic_prefix: in samples (of 1 / (subcarriers * subcarrier_spacing) seconds), at least the delay of the last
            path; `None` for 3GPP's normal prefix, 144/2048 of the OFDM symbol, or more if the last path needs it.
        pilot_spacing_frequency: subcarriers from pilot to pilot.
        pilot_spacing_time: OFDM symbols from pilot to pilot.
        estimator: what the receiver believes h to be: "perfect", the truth; "ls", least squares at the pilots, linear
            in between; "lmmse", Wiener filtering by the profile's covariance. The noise variance that it is given
            includes the estimate's mean square error at that resource element, averaged over realizations, times the
            power of the symbols.
        oversampling: time samples of `modulate` per sample of the band; 4 shows peaks that symbol-rate sampling misses.

    Raises:
        ValueError: an unknown model or estimator, a negative speed or delay spread, a prefix shorter than the
            channel, or a Doppler shift above a tenth of the OFDM symbol rate.
        ImportError: Sionna is not installed.

    Source: 3GPP TR 38.901 V19.2, clauses 7.7.1 and 7.7.2.

    >>> channel = OFDM("TDL-A", delay_spread=100e-9, speed=3.0)
    >>> channel.uses(10_000), channel.symbols(10_505)
    (10505, 10000)
    >>> state = channel.realize(4, 10_000, snr_db=10.0, generator=torch.Generator().manual_seed(0))
    >>> state.gain.shape, round(float(state.noise_variance[0]), 3)
    (torch.Size([4, 10000]), 0.1)
    """

    requires: ClassVar[tuple[str, str]] = ("sionna", "airdeliver[sionna]")

    model: str = "TDL-C"
    delay_spread: float = 100e-9
    carrier_frequency: float = 3.5e9
    speed: float = 1.0
    subcarriers: int = 600
    subcarrier_spacing: float = 30e3
    cyclic_prefix: int | None = None
    pilot_spacing_frequency: int = 6
    pilot_spacing_time: int = 4
    estimator: str = "lmmse"
    oversampling: int = 4

    def __post_init__(self):
        check_model(self.model)
        if self.estimator not in ESTIMATORS:
            raise ValueError(f"estimator must be one of {', '.join(ESTIMATORS)}, got {self.estimator!r}")
        if not (self.speed >= 0 and math.isfinite(self.speed)):
            raise ValueError(f"speed must be 0 or more metres per second, got {self.speed}")
        if not 0 <= self.delay_spread < 1e-3:
            raise ValueError(f"delay_spread must be 0 or more seconds and below 1e-3, got {self.delay_spread}")
        if not 0.5e9 <= self.carrier_frequency <= 100e9:
            raise ValueError(
                f"carrier_frequency must be 0.5e9 to 100e9 Hz (where TR 38.901 holds), got {self.carrier_frequency}"
            )
        if not self.subcarrier_spacing > 0:
            raise ValueError(f"subcarrier_spacing must be above 0 Hz, got {self.subcarrier_spacing}")
        if self.oversampling < 1:
            raise ValueError(f"oversampling must be at least 1, got {self.oversampling}")
        ResourceGrid(self.subcarriers, self.pilot_spacing_frequency, self.pilot_spacing_time)
        if self.cyclic_prefix is not None and self.cyclic_prefix < self._last_path:
            raise ValueError(
                f"cyclic_prefix of {self.cyclic_prefix} samples is shorter than the channel: {self.model} with a delay "
                f"spread of {self.delay_spread:g} s needs {self._last_path}"
            )
        if self.doppler > 0.1:
            raise ValueError(
                f"maximum Doppler shift is {self.doppler:.3g} of the OFDM symbol rate, at most 0.1 is modelled: "
                "lower the speed or widen subcarrier_spacing"
            )

    @property
    def grid(self) -> ResourceGrid:
        """Where pilots and payload symbols lie."""
        return ResourceGrid(self.subcarriers, self.pilot_spacing_frequency, self.pilot_spacing_time)

    @property
    def profile(self) -> DelayProfile:
        """Delays, powers and Doppler of the model's paths."""
        return delay_profile(self.model, self.delay_spread)

    @property
    def prefix(self) -> int:
        """Samples of the cyclic prefix."""
        if self.cyclic_prefix is not None:
            return self.cyclic_prefix
        return max(math.ceil(self.subcarriers * 144 / 2048), self._last_path)

    @property
    def symbol_duration(self) -> float:
        """Seconds of an OFDM symbol, cyclic prefix included."""
        return (self.subcarriers + self.prefix) / (self.subcarriers * self.subcarrier_spacing)

    @property
    def doppler(self) -> float:
        """Maximum Doppler shift times the duration of an OFDM symbol."""
        return self.speed * self.carrier_frequency / SPEED_OF_LIGHT * self.symbol_duration

    @property
    def interference(self) -> float:
        """Variance of the inter-carrier interference at unit power on all subcarriers; 0 where it is negligible."""
        across_two = self.profile.time_correlation(torch.tensor(2 * self.doppler, dtype=torch.float64)).real
        change = float((self.profile.powers * (1 - across_two)).sum()) / 2
        power = change * float((self._ramp() ** 2).mean())
        return power if power > _NEGLIGIBLE else 0.0

    def symbols(self, channel_uses: int) -> int:
        """The most payload symbols that fit into `channel_uses` resource elements beside the pilots."""
        return self.grid.symbols(channel_uses)

    def uses(self, symbols: int) -> int:
        """Resource elements of `symbols` payload symbols and the pilots of the OFDM symbols that they touch."""
        return self.grid.uses(symbols)

    def realize(self, realizations: int, n: int, snr_db: Decibel, generator: Generator) -> OFDMState:  # noqa: D102
        variance = noise_variance(snr_db, realizations, generator) + self.interference
        positions = self.grid.positions(n).to(generator.device)
        taps = draw_taps(
            self.model,
            self.delay_spread,
            self.carrier_frequency,
            self.speed,
            realizations,
            times=self.grid.ofdm_symbols(n) + 2 if self.speed > 0 else 1,
            interval=self.symbol_duration,
            generator=generator,
        )
        steering = self._steering(generator.device)
        gain = torch.cat([_at(_now(taps[part]) @ steering, positions) for part in self._chunks(realizations, n)])
        return OFDMState(gain, variance, taps)

    def transmit(
        self, symbols: Complex[Tensor, "#realizations n"], state: ChannelState, generator: Generator
    ) -> Received:
        """Send payload symbols and pilots through a state that `realize` drew, and estimate the channel.

        Args:
            symbols: `(1, n)` for the same symbols in every realization, or `(realizations, n)`; mean power at most 1.
            state: its first `n` columns are used.
            generator: source of the noise.

        Returns:
            Samples at the payload's resource elements, the estimated gain, and the noise variance with that of
            inter-carrier interference and of the estimation error.

        Raises:
            TypeError: a state of another channel.
            ValueError: a delivery whose mean power is above 1; more symbols or other realizations than the state's.
        """
        if not isinstance(state, OFDMState):
            raise TypeError(f"OFDM needs the state that its own realize drew, got {type(state).__name__}")
        n = symbols.shape[-1]
        parts = [
            self._transmit(symbols if len(symbols) == 1 else symbols[part], cast(OFDMState, state[part]), generator)
            for part in self._chunks(len(state.gain), n)
        ]
        if len(parts) == 1:
            return parts[0]
        return Received(
            torch.cat([part.samples for part in parts]),
            torch.cat([part.gain for part in parts]),
            torch.cat([part.noise_variance for part in parts]),
        )

    def effective(
        self, state: ChannelState, generator: Generator, probe: Complex[Tensor, "#realizations n"] | None = None
    ) -> ChannelState:
        """The estimates that pilots give, scaled to the least mean square error, with that error among the noise.

        Inter-carrier interference is noise at the pilots as it is at the payload's resource elements. The error of an
        estimate disturbs by as much as the probe is strong.

        Raises:
            TypeError: a state of another channel.
        """
        if not isinstance(state, OFDMState):
            raise TypeError(f"OFDM needs the state that its own realize drew, got {type(state).__name__}")
        n = state.gain.shape[-1] if probe is None else probe.shape[-1]
        power = torch.ones(1) if probe is None else mean_power(probe).float()
        power = power.to(state.noise_variance).expand(len(state.gain))
        parts = [
            self._effective(cast(OFDMState, state[part]), n, power[part], generator)
            for part in self._chunks(len(state.gain), n)
        ]
        return ChannelState(torch.cat([x.gain for x in parts]), torch.cat([x.noise_variance for x in parts]))

    def modulate(self, symbols: Complex[Tensor, "k n"]) -> Complex[Tensor, "k m"]:
        """Time samples of payload symbols and pilots with cyclic prefixes, before the channel.

        Returns:
            `oversampling * (subcarriers + prefix)` samples for each OFDM symbol; the power of a sample is on average
            that of a resource element.
        """
        return modulate(self.grid.fill(symbols), self.prefix, self.oversampling)

    def demodulate(self, samples: Complex[Tensor, "k m"], n: int) -> Complex[Tensor, "k n"]:
        """Payload symbols of time samples: `demodulate(modulate(x), n)` is `x`, and what leaves the band is filtered.

        Raises:
            ValueError: another number of samples than `modulate` makes of `n` symbols.
        """
        rows = self.grid.ofdm_symbols(n)
        expected = rows * self.oversampling * (self.subcarriers + self.prefix)
        if samples.shape[-1] != expected:
            raise ValueError(f"{n} symbols are {expected} time samples, got {samples.shape[-1]}")
        grid = demodulate(samples, rows, self.subcarriers, self.prefix, self.oversampling)
        return grid.flatten(1)[:, self.grid.positions(n).to(samples.device)]

    @property
    def _last_path(self) -> int:
        delay = float(self.profile.delays.max())
        return math.ceil(delay * self.subcarriers * self.subcarrier_spacing - 1e-9)

    def _ramp(self) -> Float[Tensor, "samples"]:
        """Time of the samples of an OFDM symbol from its middle, in OFDM symbol durations."""
        middle = (self.subcarriers - 1) / 2
        return (torch.arange(self.subcarriers) - middle) / (self.subcarriers + self.prefix)

    def _steering(self, device: torch.device) -> Complex[Tensor, "taps subcarriers"]:
        """Frequency responses of the taps' delays."""
        frequencies = torch.arange(self.subcarriers, dtype=torch.float64, device=device) * self.subcarrier_spacing
        return phases(tap_delays(self.model, self.delay_spread).to(device), frequencies).mT.to(torch.complex64)

    def _chunks(self, realizations: int, n: int) -> Iterator[slice]:
        step = max(1, _CHUNK // max(1, self.grid.ofdm_symbols(n) * self.subcarriers))
        return (slice(first, first + step) for first in range(0, max(realizations, 1), step))

    def _transmit(
        self, symbols: Complex[Tensor, "#realizations n"], state: OFDMState, generator: Generator
    ) -> Received:
        n = symbols.shape[-1]
        gain, variance = state.gain[:, :n], state.noise_variance[:, :n]
        thermal = (variance - self.interference).clamp(min=0)
        samples = complex_normal((len(gain), n), generator).mul_(thermal.sqrt()).addcmul_(gain, symbols)
        if samples.numel() == 0 or (self.estimator == "perfect" and self.interference == 0):
            return Received(samples, gain, variance)

        rows = self.grid.ofdm_symbols(n)
        pilots = self.grid.pilot_subcarriers.to(variance.device)
        positions = self.grid.positions(n).to(variance.device)
        steering = self._steering(variance.device)
        times = slice(0, rows + 2)
        at_pilots = self._at_pilots(state, n)
        level = thermal.mean(dim=-1, keepdim=True)
        disturbed = at_pilots + complex_normal(tuple(at_pilots.shape), generator).mul_(level.sqrt().unsqueeze(-1))
        if self.interference > 0:
            leaked = self._leak(self.grid.fill(symbols), state.taps[:, times], steering)
            samples = samples + _at(leaked, positions)
            values = self.grid.pilot_values(disturbed.shape[1]).to(leaked)
            disturbed = disturbed + leaked[:, :: self.pilot_spacing_time, pilots] * values.conj()
        if self.estimator == "perfect":
            return Received(samples, gain, variance)
        estimate, error = self._pilot_estimator(disturbed, level + self.interference, positions)
        # The error of an estimate disturbs by as much as the symbols are strong.
        power = mean_power(symbols).to(error).unsqueeze(-1)
        return Received(samples, estimate, variance + error * power)

    def _effective(
        self, state: OFDMState, n: int, power: Float[Tensor, "realizations"], generator: Generator
    ) -> ChannelState:
        gain, variance = state.gain[:, :n], state.noise_variance[:, :n]
        if self.estimator == "perfect" or gain.numel() == 0:
            return ChannelState(gain, variance)
        at_pilots, level = self._at_pilots(state, n), variance.mean(dim=-1, keepdim=True)
        noise = complex_normal(tuple(at_pilots.shape), generator).mul_(level.sqrt().unsqueeze(-1))
        positions = self.grid.positions(n).to(variance.device)
        estimate, error = self._pilot_estimator(at_pilots + noise, level, positions, matched=True)
        return ChannelState(estimate, variance + error * power.unsqueeze(-1))

    def _at_pilots(self, state: OFDMState, n: int) -> Complex[Tensor, "realizations pilot_rows pilots"]:
        """Gains at the pilots of n payload symbols."""
        rows = self.grid.ofdm_symbols(n)
        pilots = self.grid.pilot_subcarriers.to(state.taps.device)
        now = _now(state.taps[:, : rows + 2], rows)[:, :: self.pilot_spacing_time]
        return now @ self._steering(state.taps.device)[:, pilots]

    @property
    def _pilot_estimator(self) -> PilotEstimator:
        return PilotEstimator(
            self.estimator, self.model, self.delay_spread, self.grid, self.subcarrier_spacing, self.doppler
        )

    def _leak(
        self,
        grid: Complex[Tensor, "#realizations ofdm_symbols subcarriers"],
        taps: Complex[Tensor, "realizations times taps"],
        steering: Complex[Tensor, "taps subcarriers"],
    ) -> Complex[Tensor, "realizations ofdm_symbols subcarriers"]:
        """Inter-carrier interference: what a change of the gains linear in time adds to every resource element."""
        change = (taps[:, 2:] - taps[:, :-2]) / 2 @ steering
        return torch.fft.fft(torch.fft.ifft(change * grid) * self._ramp().to(change.device))


def _now(taps: Complex[Tensor, "realizations times taps"], rows: int | None = None) -> Complex[Tensor, "..."]:
    """Taps at the OFDM symbols, without the one before and the one after them."""
    if taps.shape[1] > 1:
        return taps[:, 1:-1]
    return taps if rows is None else taps.expand(-1, rows, -1)


def _at(
    gains: Complex[Tensor, "realizations times subcarriers"], positions: Int[Tensor, "n"]
) -> Complex[Tensor, "realizations n"]:
    """Gains at resource elements; those of a single time last for all OFDM symbols."""
    index = positions % gains.shape[-1] if gains.shape[1] == 1 else positions
    return gains.flatten(1).index_select(1, index)
