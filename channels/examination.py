"""What `conformance.check` looks at: each examination yields one line for each fault."""

import inspect
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from numbers import Integral

import numpy as np
import torch
from jaxtyping import Float64
from torch import Generator, Tensor

from channels.base import Channel, ChannelState, Received

_WEAK = 0.25  # power of every second delivery of a test


@dataclass(frozen=True)
class Draw:
    """One batch of deliveries: what was sent, through what, and what came back."""

    symbols: Tensor
    state: ChannelState
    received: Received

    def residual(self) -> Tensor:
        """What the receiver must take for noise."""
        return self.received.samples - self.received.gain * self.symbols

    def slope(self, rows: slice = slice(None)) -> complex:
        """Samples over gain times symbols, by least squares; 1 if the receiver is given the gain."""
        expected = (self.received.gain * self.symbols)[rows]
        return complex((self.received.samples[rows] * expected.conj()).sum() / expected.abs().square().sum())


@dataclass(frozen=True)
class Bench:
    """A channel on the bench: how much is sent through it, from which seeds; see `conformance.check`."""

    channel: Channel
    realizations: int
    n: int
    seed: int
    device: torch.device

    @property
    def rows(self) -> int:
        """Rows of a state: realizations x receivers."""
        return self.realizations * self.channel.receivers

    @property
    def wrapped(self) -> Channel | None:
        """The channel that this one wraps, if it is a wrapper."""
        inner = getattr(self.channel, "channel", None)
        return inner if isinstance(inner, Channel) else None

    def generator(self, stream: int) -> Generator:
        """A fresh generator; the same stream draws the same numbers."""
        return Generator(self.device).manual_seed(1000 * self.seed + stream)

    def symbols(self, *powers: float) -> Tensor:
        """Gaussian symbols, scaled to exactly these powers in turn, delivery after delivery."""
        shape = (self.rows, self.n)
        x = torch.randn(shape, dtype=torch.complex64, generator=self.generator(9), device=self.device)
        power = torch.tensor(powers, device=self.device).repeat(self.rows)[: self.rows].unsqueeze(-1)
        return x * (power * 0.99999 / x.abs().square().mean(-1, keepdim=True)).sqrt()

    def draw(self, snr_db: float, *powers: float, channel: Channel | None = None, stream: int = 1) -> Draw:
        """Send symbols of these powers in turn at one SNR."""
        channel, symbols = channel or self.channel, self.symbols(*powers)
        state = channel.realize(self.realizations, self.n, snr_db, self.generator(stream))
        return Draw(symbols, state, channel.transmit(symbols, state, self.generator(stream + 1)))


def swallowed_arguments(channel: Channel) -> Iterator[str]:
    """Methods that take any argument whatever."""
    cls = type(channel)
    for name in ("__init__", "realize", "transmit"):
        function = getattr(cls, name, None)
        if function is None or function is object.__init__:
            continue
        for parameter in inspect.signature(function).parameters.values():
            if parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
                sign = "**" if parameter.kind is parameter.VAR_KEYWORD else "*"
                yield (
                    f"{cls.__name__}.{name} takes {sign}{parameter.name}: a wrong argument would be swallowed "
                    "silently; name every argument"
                )


def shapes(bench: Bench) -> Iterator[str]:
    """Shapes, dtypes and devices of many symbols and of one; nothing else can be examined before they are right."""
    for n in (bench.n, 1):
        state = bench.channel.realize(bench.realizations, n, 5.0, bench.generator(1))
        faults = list(_fields(f"realize({bench.realizations}, {n}) gives a state with", state, bench, n))
        received = bench.channel.transmit(bench.symbols(1.0)[:1, :n], state, bench.generator(2))
        faults += _fields(f"transmit of {n} symbols gives", received, bench, n)
        if tuple(received.samples.shape) != (bench.rows, n) or received.samples.dtype != torch.complex64:
            got = f"{tuple(received.samples.shape)}, {received.samples.dtype}"
            faults.append(f"transmit of {n} symbols gives samples of {got}; expected {(bench.rows, n)}, complex64")
        if faults:
            yield from faults
            return


def _fields(what: str, holder: ChannelState | Received, bench: Bench, n: int) -> Iterator[str]:
    for name, dtype in (("gain", torch.complex64), ("noise_variance", torch.float32)):
        value = getattr(holder, name)
        if value.dtype != dtype:
            yield f"{what} {name} of {value.dtype}; expected {dtype}"
        if value.ndim != 2 or value.shape[0] != bench.rows or value.shape[1] not in (1, n):
            yield f"{what} {name} of shape {tuple(value.shape)}; expected ({bench.rows}, 1) or ({bench.rows}, {n})"
        if value.device.type != bench.device.type:
            yield f"{what} {name} on {value.device}; expected the generator's device, {bench.device}"
        if not bool(value.isfinite().all()):
            yield f"{what} {name} that is not finite"


def _gain(bench: Bench) -> Iterator[str]:
    channel, gain = bench.channel, bench.draw(0.0, 1.0).state.gain
    power = gain.abs().square().mean(-1).double()
    allowed = 0.01 + 5 * float(power.std()) / math.sqrt(bench.rows)
    if abs(float(power.mean()) - channel.mean_gain) > allowed:
        yield f"E|h|^2 is {float(power.mean()):.3g}; expected mean_gain = {channel.mean_gain:g}"
    if not bool(gain.imag.any()) and bool((gain.real < 0).any()) and bool((gain.real > 0).any()):
        yield "the gain is real and of both signs: a gain turns the phase; a real one is a magnitude, at least 0"
    again = bench.draw(0.0, 1.0, stream=5).state.gain
    if bool((gain == gain[:1]).all()) and not torch.equal(gain, again):
        yield "one gain is shared by all realizations: each must draw its own"
    elif _neighbours_agree(gain[:, :1] - gain[:, :1].mean()):
        yield "gains of neighbouring realizations are correlated: realizations must be independent"


def _neighbours_agree(rows: Tensor) -> bool:
    energy = float(rows.abs().square().sum())
    together = abs(complex((rows[1:] * rows[:-1].conj()).sum()))
    return energy > 1e-9 * len(rows) and together > 6 / math.sqrt(len(rows)) * energy


def _noise_level(bench: Bench) -> Iterator[str]:
    snr_db = 0.0
    draw = bench.draw(snr_db, 1.0, _WEAK)
    if bench.wrapped is None:
        variance = draw.state.noise_variance.mean(-1).double() * bench.channel.array_gain
        for fault in noise_level_faults(variance, 1.0, snr_db, 5 / math.sqrt(bench.rows)):
            yield f"at snr_db = {snr_db:g} {fault}"
        yield from _noise_after_fading(draw)
    elif bench.channel.receivers == 1:
        inner = bench.draw(snr_db, 1.0, _WEAK, channel=bench.wrapped)
        if float(draw.state.noise_variance.mean()) < 0.95 * float(inner.state.noise_variance.mean()):
            yield "the wrapper's state has less noise than the channel that it wraps"
    for rows, power in ((slice(0, None, 2), 1.0), (slice(1, None, 2), _WEAK)):
        told = float(draw.received.noise_variance[rows].mean())
        suffered = draw.residual()[rows].abs().square().mean(-1).double()
        ratio = float(suffered.mean()) / told
        # A receiver may reckon its estimation error at unit power, which is too much for a weak delivery.
        modest = power != 1.0 and ratio <= 1
        if not modest and abs(ratio - 1) > 0.1 + 5 * float(suffered.std()) / math.sqrt(len(suffered)) / told:
            hint = ": is it per real part? it must be per complex symbol" if 1.7 < ratio < 2.3 or ratio < 0.6 else ""
            yield f"noise of deliveries at power {power:g} is {ratio:.2f} times what the receiver is told{hint}"
        drawn = float(draw.state.noise_variance[rows].mean())
        if bench.wrapped is None and modest and float(suffered.mean()) < 0.8 * drawn:
            share = float(suffered.mean()) / drawn
            yield (
                f"noise of deliveries at power {power:g} is {share:.2f} times that of the state: it must not depend on "
                "the power"
            )
    residual = draw.residual()
    tilt = abs(complex(residual.square().mean())) / float(residual.abs().square().mean().clamp(min=1e-30))
    if tilt > 0.1 + 5 / math.sqrt(residual.numel()):
        yield f"noise has a preferred phase, |E n^2| = {tilt:.2f} E|n|^2: both parts must have equal power"
    if _neighbours_agree(draw.residual()):
        yield "noise of neighbouring realizations is correlated: realizations must be independent"


def noise_level_faults(
    variance: Float64[Tensor, "rows"], expected: float, snr_db: float, deviations: float
) -> Iterator[str]:
    """Whether the mean noise of deliveries is another than an SNR asks for.

    The mean is that of variances, not of decibels: rare and strong noise is most of the one, hardly any of the other.

    Args:
        variance: mean of each delivery.
        expected: of their mean.
        snr_db: that asks for it.
        deviations: how many standard deviations of one delivery their mean may be off by chance.
    """
    mean, spread = float(variance.mean()) / expected, float(variance.std()) / expected
    off_db = -10 * math.log10(mean) if mean else math.inf
    if not mean or abs(off_db) > 0.25 + 10 / math.log(10) * deviations * spread / mean:
        yield (
            f"the state's noise variance is that of {snr_db + off_db:.2f} dB; expected 10^(-snr_db / 10) per complex "
            "symbol (over array_gain), on average over symbols and deliveries, whatever the fading"
        )


def _noise_after_fading(draw: Draw) -> Iterator[str]:
    strength = draw.state.gain.abs().square().mean(-1).log()
    noise = draw.residual().abs().square().mean(-1).log()
    if float(strength.std()) > 0.1 and float(torch.corrcoef(torch.stack([strength, noise]))[0, 1]) > 0.5:
        yield "noise grows with |h|^2: the SNR is set from the faded power, so that no delivery is ever in outage"


def _receiver_knowledge(bench: Bench) -> Iterator[str]:
    draw, alone = bench.draw(30.0, 1.0, _WEAK), bench.draw(30.0, _WEAK)
    weak = slice(1, None, 2)
    if abs(draw.slope(weak) - alone.slope(weak)) > 0.05:
        yield "a weak delivery arrives otherwise beside strong ones: power is measured over the whole batch"
    elif abs(draw.slope() - 1) > 0.05:
        slope = f"{draw.slope().real:.2f}{draw.slope().imag:+.2f}j"
        yield f"samples are {slope} times gain x symbols: the receiver must be given the gain of its samples"


def _state_is_followed(bench: Bench) -> Iterator[str]:
    """Whether samples went through the gain of the state; a wrapper may have its own."""
    if bench.wrapped is not None:
        return
    draw = bench.draw(60.0, 1.0)
    through, samples = draw.state.gain * draw.symbols, draw.received.samples
    energy = float(through.abs().square().sum()) * float(samples.abs().square().sum())
    if energy > 0 and abs(complex((through.conj() * samples).sum())) < 0.5 * math.sqrt(energy):
        yield "samples do not follow the state's gain: transmit must send through what realize has drawn"


def _snr_arguments(bench: Bench) -> Iterator[str]:
    channel, loudest = bench.channel, bench.draw(math.inf, 1.0)
    if not bool(loudest.received.samples.isfinite().all()):
        yield "snr_db = inf (noiseless) gives samples that are not finite"
    if bench.wrapped is None and float(loudest.state.noise_variance.mean()) > 0.1:
        yield f"snr_db = inf (noiseless) gives a noise variance of {float(loudest.state.noise_variance.mean()):.3g}"
    many = torch.zeros(bench.realizations, device=bench.device)
    many[bench.realizations // 2 :] = 20.0
    variance = channel.realize(bench.realizations, bench.n, many, bench.generator(1)).noise_variance
    first, second = variance.mean(-1).split([bench.rows - bench.rows // 2, bench.rows // 2])
    if float(second.mean()) > 0.9 * float(first.mean()):
        yield "snr_db as a tensor, one number a realization, is not followed"


def _randomness(bench: Bench) -> Iterator[str]:
    before = _global_generators()
    one, same = bench.draw(0.0, 1.0), bench.draw(0.0, 1.0)
    if before != _global_generators():
        yield "a global generator is drawn from: every draw must come from the generator that is given"
    if not (torch.equal(one.state.gain, same.state.gain) and torch.equal(one.received.samples, same.received.samples)):
        yield "the same generators give other results: something is drawn from elsewhere"
    if torch.equal(one.received.samples, bench.draw(0.0, 1.0, stream=5).received.samples):
        yield "other generators give the same samples: the generator is not used"


def _global_generators() -> tuple[bytes, ...]:
    device = [torch.cuda.get_rng_state().numpy().tobytes()] if torch.cuda.is_available() else []
    numpy_state = repr(np.random.get_state(legacy=False)["state"]).encode()  # noqa: NPY002
    return (torch.get_rng_state().numpy().tobytes(), numpy_state, *device)


def _rows(bench: Bench) -> Iterator[str]:
    state = bench.channel.realize(4, bench.n, 5.0, bench.generator(1))
    part = state[slice(0, 2 * bench.channel.receivers)]
    samples = bench.channel.transmit(bench.symbols(1.0)[:1, : bench.n // 2], part, bench.generator(2)).samples
    if tuple(samples.shape) != (2 * bench.channel.receivers, bench.n // 2):
        yield f"the first {bench.n // 2} columns of 2 realizations of a state give samples of {tuple(samples.shape)}"


def promises(bench: Bench) -> Iterator[str]:
    """What `effective` says against samples: mean power of gain and noise, of a channel that is sound otherwise."""
    draw = bench.draw(15.0, 1.0)
    state = bench.channel.effective(draw.state, bench.generator(7), draw.symbols)
    faults = list(_fields("effective gives a state with", state, bench, bench.n))
    yield from faults
    if faults:
        return
    expected = draw.received.gain * draw.symbols * draw.slope()
    noise = (draw.received.samples - expected).abs().square().mean(-1).double()
    for what, suffered, promised in (
        ("noise", noise, state.noise_variance.mean(-1).double()),
        ("|gain|^2", expected.abs().square().mean(-1).double(), state.gain.abs().square().mean(-1).double()),
    ):
        told, truth = float(promised.mean()), float(suffered.mean())
        if abs(told - truth) > 0.1 * truth + 6 * float((suffered - promised).std()) / math.sqrt(bench.rows):
            yield f"effective promises a mean {what} of {told:.3g}, transmit has {truth:.3g}"


def _costs(bench: Bench) -> Iterator[str]:
    channel = bench.channel
    for n in (1, 10, 1000, 12_345):
        uses, fit = channel.uses(n), channel.symbols(n)
        if not isinstance(uses, Integral) or not isinstance(fit, Integral):
            yield f"uses({n}) is {uses!r} and symbols({n}) is {fit!r}: both must be whole numbers"
        elif uses < n:
            yield f"uses({n}) is {uses}: a symbol costs at least one channel use"
        elif channel.symbols(uses) < n:
            yield f"symbols(uses({n})) is {channel.symbols(uses)}: what {n} symbols cost must hold them"
        elif fit > 0 and channel.uses(fit) > n:
            yield f"uses(symbols({n})) is {channel.uses(fit)}: what fits must not cost more"
        else:
            continue
        return


def _gradients(bench: Bench) -> Iterator[str]:
    if not bench.channel.differentiable:
        return
    symbols = bench.symbols(1.0)[:1].clone().requires_grad_()
    state = bench.channel.realize(4, bench.n, 5.0, bench.generator(1))
    samples = bench.channel.transmit(symbols, state, bench.generator(2)).samples
    gradient = torch.autograd.grad(samples.abs().square().sum(), symbols)[0] if samples.requires_grad else None
    if gradient is None or not bool(gradient.any()):
        yield "no gradient flows from samples to symbols: set differentiable = False if none should"
    elif not bool(gradient.isfinite().all()):
        yield "the gradient from samples to symbols is not finite"


EXAMINATIONS: dict[str, Callable[[Bench], Iterator[str]]] = {
    "examining the gain": _gain,
    "examining the noise": _noise_level,
    "examining the receiver's knowledge": _receiver_knowledge,
    "comparing samples with the state": _state_is_followed,
    "examining snr_db": _snr_arguments,
    "examining randomness": _randomness,
    "taking rows of a state": _rows,
    "examining costs": _costs,
    "examining gradients": _gradients,
}
