"""The contract of a channel: complex symbols in, received samples and channel knowledge out."""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from functools import wraps
from numbers import Integral, Real
from typing import Any

import torch
from jaxtyping import Complex, Float
from torch import Generator, Tensor

from channels.noise import complex_normal

Decibel = float | int | Tensor

_MOST_DB = 300.0  # variances of noise and their squares are then within single precision
_STRETCH = 8192  # reals summed at a time
_MOST_SYMBOLS = 2**22  # looked at closely at a time, which bounds the memory


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


def check_arguments(realizations: int, snr_db: Decibel) -> None:
    """Refuse what no channel can be drawn at; `Channel` sees to it before `realize` is asked.

    Raises:
        ValueError: a negative count; an SNR that is neither a number nor a tensor of one for each realization, that is
            NaN, minus infinity, or beyond 300 dB to either side, where single precision ends; infinity is none.

    >>> check_arguments(2, float("nan"))
    Traceback (most recent call last):
    ...
    ValueError: snr_db must be a number of dB between -300 and 300 (inf for no noise), got nan
    """
    if not isinstance(realizations, Integral) or realizations < 0:
        raise ValueError(f"realizations must be a whole number of 0 or more, got {realizations!r}")
    if not isinstance(snr_db, Tensor):
        if not isinstance(snr_db, Real) or isinstance(snr_db, bool):
            raise ValueError(f"snr_db must be a number of dB, or a tensor of one a realization, got {snr_db!r}")
        snr_db = torch.tensor(float(snr_db), dtype=torch.float64)
    elif snr_db.is_complex() or snr_db.ndim > 1 or (snr_db.ndim == 1 and len(snr_db) != realizations):
        raise ValueError(
            f"snr_db must be one number of dB or one for each of {realizations} realizations, got a tensor of "
            f"{snr_db.dtype} and shape {tuple(snr_db.shape)}"
        )
    wrong = ~((snr_db.abs() <= _MOST_DB) | (snr_db == math.inf))
    if bool(wrong.any()):
        raise ValueError(
            f"snr_db must be a number of dB between -{_MOST_DB:g} and {_MOST_DB:g} (inf for no noise), got "
            f"{float(snr_db[wrong].flatten()[0]):g}"
        )


def check_power(symbols: Complex[Tensor, "realizations n"]) -> None:
    """Refuse any delivery whose mean power is above 1, beyond what sampling of unit-power symbols explains.

    The bound is 1 + 1e-5 + 5 std(|x|^2) / sqrt(n), for each delivery alone.

    Raises:
        ValueError: naming the power of the worst delivery, or symbols that are not finite.
    """
    if symbols.numel() == 0:
        return
    mean = mean_power(symbols)
    suspects = ~(mean <= 1 + 1e-5)
    if not bool(suspects.any()):
        return
    if not bool(mean.isfinite().all()):
        raise ValueError("symbols must be finite, got NaN or infinite ones: check the values that were encoded")
    n = symbols.shape[-1]
    for rows in suspects.nonzero().flatten().split(max(1, _MOST_SYMBOLS // n)):
        x = symbols.detach()[rows]
        spread = x.real.square().addcmul_(x.imag, x.imag).std(dim=-1, correction=0)
        excess = mean[rows] - (1 + 1e-5 + 5 * spread / math.sqrt(n))
        if bool((excess > 0).any()):
            raise ValueError(
                f"mean power of a delivery must be at most 1, got {float(mean[rows][excess.argmax()]):.4g}: "
                "scale the symbols down before they are sent"
            )


def mean_power(symbols: Complex[Tensor, "realizations n"]) -> Float[Tensor, "realizations"]:
    """Mean of |x|^2 over each row, float64, without gradient; 0 for a row without symbols.

    >>> mean_power(torch.tensor([[3 + 4j, 0j]]))
    tensor([12.5000], dtype=torch.float64)
    """
    rows, n = symbols.shape
    reals = torch.view_as_real(symbols.detach().resolve_conj()).reshape(rows, 2 * n)
    # Norms of short stretches: fast in float32, and their errors do not grow with n.
    whole = 2 * n // _STRETCH * _STRETCH
    stretches = reals[:, :whole].unflatten(-1, (whole // _STRETCH, _STRETCH))
    energy = torch.linalg.vector_norm(stretches, dim=-1).double().square().sum(-1)
    rest = torch.linalg.vector_norm(reals[:, whole:], dim=-1).double().square()
    return (energy + rest) / max(n, 1)


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
