"""The contract of a channel: complex symbols in, received samples and channel knowledge out."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import wraps
from numbers import Integral
from typing import Any

import torch
from jaxtyping import Complex, Float
from torch import Generator, Tensor

from channels.checks import check_arguments, check_power
from channels.noise import complex_normal

Decibel = float | int | Tensor

_PROBE = 2**14  # symbols that measure a distortion to one percent


@dataclass(frozen=True)
class ChannelState:
    """What the channel happens to be for these deliveries: the truth.

    A channel that must remember more (gains at its pilots, say) subclasses it with tensors whose first axis is
    realizations.

    Args:
        gain: complex gain of every symbol, `(realizations, 1)` where one gain lasts for the whole delivery. A gain that
            fades turns the phase; real ones are magnitudes, of a receiver that has turned the phase back, not negative.
        noise_variance: noise variance per complex symbol, linear, `(realizations, 1)` or `(realizations, n)`.
    """

    gain: Complex[Tensor, "realizations #n"]
    noise_variance: Float[Tensor, "realizations #n"]

    def __getitem__(self, realizations: Tensor | slice | list[int]) -> "ChannelState":
        """The same state for some realizations only; every tensor is indexed along its first axis."""
        return replace(self, **{f.name: _rows(getattr(self, f.name), realizations) for f in fields(self)})


@dataclass(frozen=True)
class Received:
    """What the receiver has.

    Args:
        samples: received complex samples, one per payload symbol.
        gain: what the receiver believes the gain to be.
        noise_variance: per complex symbol, linear; includes the error of the receiver's belief about the gain.
    """

    samples: Complex[Tensor, "realizations n"]
    gain: Complex[Tensor, "realizations #n"]
    noise_variance: Float[Tensor, "realizations #n"]


class Channel(ABC):
    """Physics alone: symbols in, received samples and channel knowledge out; knows nothing of models.

    Every waveform shows itself as parallel flat complex sub-channels `y = h x + noise`, so that a link never asks
    which channel it has. The first axis is independent realizations. Drawing the channel (`realize`) and sending
    through it (`transmit`) are two steps, because a sender with channel knowledge looks at the state first.

    A channel of one's own needs one method, `realize`. Randomness comes from the given generator alone, and tensors
    live on the generator's device. What can be checked once for all is checked here, before `realize` or `transmit` of
    any channel is asked: counts and SNR, power, that symbols fit the state; and neither is asked for deliveries without
    symbols. `channels.conformance.check` tells whether a channel keeps the rest of the contract.

    Attributes:
        mean_gain: E|h|^2 over realizations; 1 but for erasures.
        array_gain: N for maximal-ratio combining of N antennas, which returns `h = sqrt(sum |h_i|^2 / N)` and the
            noise variance divided by N, so that the SNR is per antenna.
        receivers: receivers that hear one transmission; rows are then realizations x receivers.
        differentiable: whether gradients flow from the samples back to the symbols.
    """

    mean_gain: float = 1.0
    array_gain: float = 1.0
    receivers: int = 1
    differentiable: bool = True

    def __init_subclass__(cls, **arguments: Any) -> None:
        super().__init_subclass__(**arguments)
        own = vars(cls)
        if "realize" in own:
            cls.realize = _realize_checked(own["realize"])
        if "transmit" in own:
            cls.transmit = _transmit_checked(own["transmit"])

    @abstractmethod
    def realize(self, realizations: int, n: int, snr_db: Decibel, generator: Generator) -> ChannelState:
        """Draw the fading and the noise level of independent deliveries.

        Args:
            realizations: number of independent deliveries.
            n: payload symbols of each, at least 1.
            snr_db: mean SNR in dB: unit power times E|h|^2 = 1 over the noise variance per complex symbol;
                a number, or a tensor of shape `(realizations,)`; infinite means noiseless. Checked already.
            generator: the only source of randomness.

        Returns:
            The state, with `noise_variance` = 10^(-snr_db / 10) where nothing else disturbs.

        Raises:
            ValueError: what `check_arguments` refuses.
        """

    def transmit(
        self, symbols: Complex[Tensor, "#realizations n"], state: ChannelState, generator: Generator
    ) -> Received:
        """Send symbols through a state that `realize` drew; the receiver knows the gain.

        Args:
            symbols: `(1, n)` for the same symbols in every realization, or `(realizations, n)`; mean power at most 1.
            state: its first `n` columns are used.
            generator: source of the noise.

        Returns:
            `y = h x + noise`, with circularly symmetric complex Gaussian noise.

        Raises:
            ValueError: a delivery whose mean power is above 1; more symbols or other realizations than the state's.
        """
        check_fits(symbols, state)
        check_power(symbols)
        return receive(symbols, state, generator)

    def effective(
        self, state: ChannelState, generator: Generator, probe: Complex[Tensor, "#realizations n"] | None = None
    ) -> ChannelState:
        """What a link suffers that is not simulated symbol by symbol: all that disturbs, as one gain and one noise.

        A flat channel `y = h x + noise` whose gain its receiver knows, as good as this channel with what its receiver
        makes of it: nonlinear hardware is split into a gain and an uncorrelated distortion (Bussgang), the error of an
        estimate is noise, and the gain is the estimate's, scaled to the samples. Drawn anew at each call as far as it
        is random; `transmit` draws others of the same law.

        By default the state itself where `transmit` is the default, and what a probe is told otherwise. A channel that
        can say it without sending overrides this.

        Args:
            state: what `realize` drew.
            generator: source of estimation errors and probes.
            probe: symbols like those that the link would send, as for `transmit`, whose first columns of the state are
                then meant; `None` stands for Gaussian ones of unit power, as many as the state has columns.

        Returns:
            Gain and noise variance; one column, or one for each symbol.
        """
        if type(self).transmit is Channel.transmit:
            n = None if probe is None else probe.shape[-1]
            return state if n is None else ChannelState(state.gain[:, :n], state.noise_variance[:, :n])
        received = self.transmit(gaussian_probe(state, generator) if probe is None else probe, state, generator)
        return ChannelState(received.gain, received.noise_variance)

    def symbols(self, channel_uses: int) -> int:
        """The most payload symbols that fit into `channel_uses`; all of them, unless there are pilots."""
        return channel_uses

    def uses(self, symbols: int) -> int:
        """What `symbols` payload symbols cost in channel uses, pilots included."""
        return symbols


def receive(symbols: Complex[Tensor, "#realizations n"], state: ChannelState, generator: Generator) -> Received:
    """`y = h x + noise` and nothing checked: what `Channel.transmit` does, for a piece of a delivery that was checked.

    >>> state = ChannelState(torch.ones(1, 1) + 0j, torch.zeros(1, 1))
    >>> receive(torch.tensor([[2.0 + 0j]]), state, torch.Generator().manual_seed(0)).samples
    tensor([[2.+0.j]])
    """
    rows, n = state.gain.shape[0], symbols.shape[-1]
    gain, variance = state.gain[:, :n], state.noise_variance[:, :n]
    # In place: a fresh tensor of this size costs half as long as drawing it.
    samples = complex_normal((rows, n), generator).mul_(variance.sqrt()).addcmul_(gain, symbols)
    return Received(samples, gain, variance)


def gaussian_probe(state: ChannelState, generator: Generator) -> Complex[Tensor, "1 n"]:
    """Gaussian symbols of power 1, as many as the state has columns, or 16,384 where one lasts for all."""
    columns = max(state.gain.shape[-1], state.noise_variance.shape[-1])
    probe = complex_normal((1, columns if columns > 1 else _PROBE), generator)
    return probe / (probe.abs().square().mean().sqrt() * (1 + 1e-6))


def noise_variance(snr_db: Decibel, realizations: int, generator: Generator) -> Float[Tensor, "realizations 1"]:
    """Noise variance per complex symbol at unit signal power, 10^(-snr_db / 10), one row a realization.

    Raises:
        ValueError: what `check_arguments` refuses.

    >>> noise_variance(10.0, 2, torch.Generator())
    tensor([[0.1000],
            [0.1000]])
    """
    check_arguments(realizations, snr_db)
    snr = torch.as_tensor(snr_db, dtype=torch.float64, device=generator.device)
    return (10 ** (-snr / 10)).float().expand(realizations).unsqueeze(-1)


def check_fits(symbols: Complex[Tensor, "_ n"], state: ChannelState, receivers: int = 1) -> None:
    """Refuse symbols that the state was not drawn for.

    Raises:
        ValueError: more symbols than the state has columns, or rows that are neither 1 nor the state's, nor one for
            each transmission that so many receivers hear.

    >>> state = ChannelState(torch.ones(2, 1) + 0j, torch.ones(2, 1))
    >>> check_fits(torch.zeros(3, 5) + 0j, state)
    Traceback (most recent call last):
    ...
    ValueError: symbols must have 1 row or 2 (one for each realization of the state), got 3
    """
    rows, columns = state.gain.shape[0], max(state.gain.shape[-1], state.noise_variance.shape[-1])
    if symbols.shape[0] not in (1, rows // receivers, rows):
        raise ValueError(
            f"symbols must have 1 row or {rows} (one for each realization of the state), got {symbols.shape[0]}"
        )
    if columns != 1 and columns < symbols.shape[-1]:
        raise ValueError(f"the state was drawn for {columns} symbols, got {symbols.shape[-1]}: realize it for as many")


def _realize_checked(realize: Callable[..., ChannelState]) -> Callable[..., ChannelState]:
    """`realize` that is asked only for what a channel can be drawn at, and for at least one symbol."""

    @wraps(realize)
    def checked(self: Channel, realizations: int, n: int, snr_db: Decibel, generator: Generator) -> ChannelState:
        check_arguments(realizations, snr_db)
        if not isinstance(n, Integral) or n < 0:
            raise ValueError(f"n must be a whole number of symbols, 0 or more, got {n!r}")
        return realize(self, realizations, max(n, 1), snr_db, generator)

    return checked


def _transmit_checked(transmit: Callable[..., Received]) -> Callable[..., Received]:
    """`transmit` that is asked only to send symbols of power 1 that the state was drawn for, and at least one."""

    @wraps(transmit)
    def checked(self: Channel, symbols: Tensor, state: ChannelState, generator: Generator) -> Received:
        check_fits(symbols, state, self.receivers)
        check_power(symbols)
        if symbols.shape[-1] == 0:
            samples = symbols.new_zeros(state.gain.shape[0], 0)
            return Received(samples, state.gain[:, :1], state.noise_variance[:, :1])
        return transmit(self, symbols, state, generator)

    return checked


def _rows(value: object, realizations: Tensor | slice | list[int]) -> object:
    return value[realizations] if isinstance(value, Tensor | ChannelState) else value
