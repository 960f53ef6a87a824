"""What a receiver makes of a channel, as gain and noise: what links suffer that are not simulated bit by bit."""

import math
from collections.abc import Iterable

import numpy as np
import torch
from jaxtyping import Complex, Float, Float64
from torch import Generator, Tensor

from airdeliver.links.digital.block_errors import effective_snr_db, information_of
from airdeliver.links.digital.modulation import Modulation
from channels import Channel, ChannelState
from channels.noise import complex_normal

GAUSSIAN = 0
"""In place of the bits per symbol of a constellation: Gaussian symbols, decoded by an ideal code."""

_FEWEST, _MOST, _COLUMNS = 32, 128, 4096  # deliveries, and their symbols, that show what a decoder makes of them
_PARTS = 6  # of the range of SNRs of a delivery
_MOST_DB = 3.0
_ALIKE_DB = 0.1
_NEAR_DB = 0.5


def transparent(channel: Channel, state: ChannelState) -> bool:
    """Whether the channel is its state, all of it known to the receiver: nothing is estimated, nothing distorted."""
    row = state[slice(0, channel.receivers)]
    return channel.effective(row, Generator(row.gain.device).manual_seed(0)) is row


def receptions(
    channel: Channel, state: ChannelState, alphabets: Iterable[int], n: int, generator: Generator
) -> dict[int, ChannelState]:
    """What the decoders of several constellations suffer of the same deliveries: where one is unlucky, all are.

    Args:
        channel: physics.
        state: what it happens to be.
        alphabets: bits per symbol of each constellation, 0 for Gaussian symbols.
        n: symbols.
        generator: of probes, estimates, noise and luck.
    """
    if transparent(channel, state):
        return {bits: reception(channel, state, bits, n, generator) for bits in alphabets}
    luck = torch.rand(len(state.gain), generator=generator, device=generator.device).cpu()
    return {bits: reception(channel, state, bits, n, generator, luck) for bits in alphabets}


def reception(
    channel: Channel,
    state: ChannelState,
    bits_per_symbol: int,
    n: int,
    generator: Generator,
    luck: Float[Tensor, "rows"] | None = None,
) -> ChannelState:
    r"""Gain and noise that the decoder of a constellation suffers over the first symbols of a state.

    `Channel.effective` for symbols of that constellation: amplifier, phase noise, converters, erasures, interference
    and the error of the estimate are noise, the gain is what the receiver believes. A decoder takes that noise for
    Gaussian and independent of the symbols. What it gains or loses because it is not is measured: the information
    $m - \sum_j \log_2(1 + \exp(-\pm L_j))$ of the LLRs of symbols that are sent, over symbols of like SNR, against that
    of Gaussian noise; the difference is told as more or less noise. What disturbs a whole delivery alike (one error of
    an estimate for one gain, a phase that wanders off) makes deliveries differ by more than noise does: by as much as
    sampled ones of like SNR differ, each realization is told more or less noise, too.

    Args:
        channel: physics.
        state: what it happens to be.
        bits_per_symbol: of the constellation; 0 for Gaussian symbols, of which nothing is decoded.
        n: symbols.
        generator: of probes, estimates and noise.
        luck: which share of the sampled deliveries of like SNR each realization is at least as good as, from 0 to 1;
            drawn, where it is not given.

    Returns:
        One column, or one for each symbol; the state itself, in its own columns, where the channel is transparent.
    """
    if transparent(channel, state):
        return ChannelState(state.gain[:, :n], state.noise_variance[:, :n])
    probe, bits = _probe(bits_per_symbol, n, generator)
    seen = channel.effective(state, generator, probe)
    if bits_per_symbol == GAUSSIAN:
        return seen
    rows, part = _sampled(len(state.gain), channel.receivers), min(n, _COLUMNS)
    told, observed = _observed(channel, state[rows], probe[:, :part], bits[:, : part * bits_per_symbol], generator)
    snr = seen.gain.abs().square() / seen.noise_variance
    met = _matched(told, snr[rows, :part])
    at, better = _better_db(met, observed, bits_per_symbol)
    gained = torch.from_numpy(np.interp(_decibel(snr), at, better.clip(-_MOST_DB, _MOST_DB)))
    centre, apart = _apart_db(met, observed, at, better, bits_per_symbol)
    if luck is None:
        luck = torch.rand(len(snr), generator=generator, device=generator.device).cpu()
    gained = gained + _lucky(effective_db(seen, bits_per_symbol), centre, apart, luck).unsqueeze(-1)
    return ChannelState(seen.gain, seen.noise_variance / (10 ** (gained / 10)).to(snr))


def _lucky(
    seen: Float64[Tensor, "rows"], centre: Float64[Tensor, "some"], apart: Float64[Tensor, "some"], luck: Tensor
) -> Float64[Tensor, "rows"]:
    """By how many dB each realization is better than all: as sampled deliveries of like SNR are, in order of luck.

    Alike are a quarter of them, those of most like SNR, and all others within half a decibel.
    """
    distance = (seen.unsqueeze(-1) - centre).abs()
    few = max(1, len(centre) // 4)
    reach = distance.kthvalue(few, dim=-1, keepdim=True).values.clamp(min=_NEAR_DB)
    alike = distance <= reach
    ranked = torch.where(alike, apart, torch.inf).sort(-1).values
    place = (luck * alike.sum(-1)).long().clamp(max=alike.sum(-1) - 1)
    return ranked.gather(-1, place.unsqueeze(-1))[:, 0]


def effective_db(state: ChannelState, bits_per_symbol: int) -> Float[Tensor, "rows"]:
    """SNR in dB, float64, of the AWGN channel on which as much is carried as over each realization of a state.

    Args:
        state: as the receiver sees it.
        bits_per_symbol: of the constellation; 0 for Gaussian symbols.
    """
    snr = state.gain.abs().square().double() / state.noise_variance
    if bits_per_symbol == GAUSSIAN:
        nats = torch.log1p(snr.nan_to_num(nan=0.0)).mean(-1)
        return 10 * torch.log10(torch.expm1(nats).clamp(1e-3, 1e5)).cpu()
    return effective_snr_db(information_of(snr, bits_per_symbol), bits_per_symbol)[:, 0]


def _probe(bits_per_symbol: int, n: int, generator: Generator) -> tuple[Complex[Tensor, "1 n"], Tensor]:
    if bits_per_symbol == GAUSSIAN:
        probe = complex_normal((1, n), generator)
        return probe / (probe.abs().square().mean().sqrt() * (1 + 1e-6)), probe.new_zeros(1, 0)
    shape = (1, n * bits_per_symbol)
    bits = torch.randint(0, 2, shape, dtype=torch.uint8, generator=generator, device=generator.device)
    return Modulation(bits_per_symbol).map(bits), bits


def _sampled(count: int, receivers: int) -> Tensor:
    """Rows of a state that are sent through as a sample, again and again where there are few; whole transmissions."""
    most = max(1, min(_MOST, max(_FEWEST, count)) // receivers) * receivers
    return torch.arange(count).repeat(-(-most // count))[:most]


def _decibel(snr: Tensor) -> Float64[np.ndarray, "..."]:
    return 10 * snr.double().clamp(1e-3, 1e5).log10().cpu().numpy()


def _observed(
    channel: Channel, state: ChannelState, probe: Complex[Tensor, "1 n"], bits: Tensor, generator: Generator
) -> tuple[Float[Tensor, "rows n"], Float[Tensor, "rows n"]]:
    """SNR of received symbols as the receiver is told it, and their information in bits per real dimension."""
    received = channel.transmit(probe, state, generator)
    each = bits.shape[-1] // probe.shape[-1]
    llr = Modulation(each).log_likelihood_ratios(received.samples, received.gain, received.noise_variance)
    lost = torch.nn.functional.softplus(llr * (2.0 * bits - 1.0)).unflatten(-1, (-1, each)).sum(-1)
    told = received.gain.abs().square() / received.noise_variance
    return told.expand(lost.shape), (each - lost / math.log(2)) / 2


def _matched(told: Float[Tensor, "rows n"], seen: Float[Tensor, "rows #n"]) -> Float[Tensor, "rows n"]:
    """SNR of each symbol as `Channel.effective` has it, of the same rank as what the receiver is told.

    Both are draws of one law but for a scale that may change with them: a receiver that knows no statistics scales its
    estimates otherwise.

    Args:
        told: SNR of each symbol as the receiver has it.
        seen: SNR of the same symbols of other estimates.
    """
    ranked = seen.expand(told.shape).flatten().sort().values
    return torch.empty_like(ranked).scatter_(0, told.flatten().argsort(), ranked).view(told.shape)


def _better_db(
    met: Float[Tensor, "rows n"], observed: Float[Tensor, "rows n"], bits_per_symbol: int
) -> tuple[Float64[np.ndarray, "parts"], Float64[np.ndarray, "parts"]]:
    """How many dB better a decoder is than in Gaussian noise of the variance of what it suffers, over the SNR in dB.

    Args:
        met: SNR of each symbol, from `_matched`.
        observed: information of each symbol.
        bits_per_symbol: of the constellation.
    """
    order = met.flatten().argsort()
    promised = information_of(met.flatten()[order], bits_per_symbol)
    got = observed.flatten()[order].double().cpu().numpy()
    # Beyond this a constellation is full, or empty, and its information does not tell the SNR any more.
    least, most = 0.005 * bits_per_symbol, 0.495 * bits_per_symbol
    at, better = [], []
    for expected, found in zip(np.array_split(promised, _PARTS), np.array_split(got, _PARTS), strict=True):
        here, there = (
            effective_snr_db(np.array([[expected.mean()], [found.mean()]]), bits_per_symbol).flatten().tolist()
        )
        telling = least < expected.mean() < most and least < found.mean()
        at.append(here)
        better.append(there - here if telling else 0.0)
    if at[-1] - at[0] < _ALIKE_DB:
        return np.array([np.mean(at)]), np.array([np.mean(better)])
    return np.array(at), np.array(better)


def _apart_db(
    met: Float[Tensor, "rows n"],
    observed: Float[Tensor, "rows n"],
    at: Float64[np.ndarray, "parts"],
    better: Float64[np.ndarray, "parts"],
    bits_per_symbol: int,
) -> tuple[Float64[Tensor, "rows"], Float64[Tensor, "rows"]]:
    """Effective SNR in dB of sampled deliveries, and by how many dB each is better than `_better_db` says of all.

    The share of their spread that the noise of so many symbols explains is taken away.
    """
    levels = _decibel(met)
    promised = information_of(torch.from_numpy(10 ** ((levels + np.interp(levels, at, better)) / 10)), bits_per_symbol)
    found = observed.double().cpu().numpy()
    here = effective_snr_db(promised, bits_per_symbol)[:, 0]
    mean = found.mean(-1)
    inside = torch.from_numpy((mean > 0.01 * bits_per_symbol) & (mean < 0.49 * bits_per_symbol))
    inside &= torch.from_numpy(promised.mean(-1) < 0.49 * bits_per_symbol)
    chance = found.std(-1) / math.sqrt(2 * found.shape[-1])
    apart, upper = (
        effective_snr_db(np.clip(x, 0, 0.4999 * bits_per_symbol)[:, None], bits_per_symbol)[:, 0] - here
        for x in (mean, mean + chance)
    )
    noise = (upper - apart)[inside].square().mean()
    spread = apart[inside].square().mean()
    if not bool(inside.any()) or bool(spread < 2 * noise):
        return here, torch.zeros_like(here)
    apart = apart * torch.sqrt(1 - noise / spread)
    return here, torch.where(inside, apart, torch.zeros_like(apart)).clamp(-2 * _MOST_DB, _MOST_DB)
