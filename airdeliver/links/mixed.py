"""The mixed link: a digital base that many receivers decode, and an analog refinement for those who hear well."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Literal

import torch
from jaxtyping import Bool, Complex, Float
from torch import Generator, Tensor

from airdeliver.links.analog import AnalogLink, AnalogPlan
from airdeliver.links.arrivals import Arrivals
from airdeliver.links.base import Decoded, Knowledge, Link, memoryless, mutual_information
from airdeliver.links.digital import DigitalLink, DigitalPlan
from airdeliver.links.part import columns, part_of
from airdeliver.links.plan import BudgetError, Plan
from airdeliver.payload import Layout, Payload
from channels import Channel, ChannelState, Received
from channels.base import Decibel

Arrangement = Literal["in turns", "superposed"]

_STEPS = 2.0
"""Thresholds are told in steps of half a dB, one byte each."""

_LOWEST, _HIGHEST = -64.0, 63.0
"""dB; thresholds that a byte tells, and that stand for everybody and nobody."""


@dataclass(frozen=True)
class MixedPlan(Plan):
    """The plans of base and refinement.

    Args:
        base: of the quantised values.
        refinement: of what quantisation took away.
        least_db: the SNR in dB from which a receiver adds the refinement, in half dB.
        superposed: whether both travel in the same symbols.
    """

    base: DigitalPlan
    refinement: AnalogPlan
    least_db: float
    superposed: bool

    @property
    def payload_symbols(self) -> int:  # noqa: D102
        parts = self.base.payload_symbols, self.refinement.payload_symbols
        return max(parts) if self.superposed else sum(parts)

    def to_bytes(self) -> bytes:
        """The threshold, the length of the base's side information, and both."""
        base, told = self.base.to_bytes(), round(_STEPS * self.least_db).to_bytes(1, "little", signed=True)
        return b"".join([told, len(base).to_bytes(3, "little"), base, self.refinement.to_bytes()])


@dataclass(frozen=True)
class MixedLink(Link):
    r"""Sends quantised values as bits and what quantisation took away as they are.

    In turns, a share of the symbols is the base's and the rest the refinement's. Superposed, each symbol is
    $\sqrt{a}\,x_b + \sqrt{1-a}\,x_r$: the base is decoded with the refinement as noise, at an SNR of
    $a s / ((1-a) s + 1)$, and taken away; the refinement is then at $(1-a) s$. A receiver without the base has nothing;
    one with it adds the refinement if its SNR, which it knows, reaches `least_db`: below, its noise is more than what
    it mends.

    Args:
        base: digital link; its quantiser says how coarse.
        refinement: analog link; it fills what is left if it has an expansion or a protection.
        share: of the symbols, or of the power, that the base gets.
        arrangement: `in turns` or `superposed`; superposed for channels with one gain a delivery.
        least_db: the SNR in dB from which the refinement is added.
        side_information_rate: bits per channel use at which all that is told is sent.

    Raises:
        ValueError: a share outside 0 to 1, an unknown arrangement; when sending, superposed over a channel whose gain
            changes within a delivery.

    Source: hybrid digital-analog coding, U. Mittal and N. Phamdo, IEEE Transactions on Information Theory 48, 2002.
    """

    base: DigitalLink = field(default_factory=lambda: DigitalLink("abstraction"))
    refinement: AnalogLink = field(default_factory=lambda: AnalogLink(protection="size"))
    share: float = 0.5
    arrangement: Arrangement = "in turns"
    least_db: float = _LOWEST
    side_information_rate: float = 0.25

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            raise ValueError(f"share must lie between 0 and 1, got {self.share}")
        if self.arrangement not in ("in turns", "superposed"):
            raise ValueError(f"arrangement must be 'in turns' or 'superposed', got {self.arrangement!r}")

    def plan(self, payload: Payload, symbols: int | None, knowledge: Knowledge) -> MixedPlan:  # noqa: D102
        if symbols is None:
            raise BudgetError("a mixed link needs a budget: give the channel uses that it may spend")
        layout, superposed = payload.layout, self.arrangement == "superposed"
        left = symbols - math.ceil(8 * (4 + len(layout.description)) / self.side_information_rate)
        bare = replace(layout, description=b"")
        told = self.refinement.plan(Payload(payload.values, bare), None, knowledge).side_information_symbols
        first = left - told if superposed else math.floor(self.share * left)
        base = self.base.plan(Payload(payload.values, bare), max(first, 1), knowledge)
        rest = left - (base.side_information_symbols if superposed else base.symbols)
        residual = Payload(payload.values - self.base.sent(base).to(payload.values), bare, payload.sensitivity)
        refinement = self.refinement.plan(residual, max(rest, 1), knowledge)
        least = min(_HIGHEST, max(_LOWEST, round(_STEPS * self.least_db) / _STEPS))
        plan = MixedPlan(layout, self.side_information_rate, base, refinement, least, superposed)
        plan.check_budget(symbols)
        return plan

    def at_rate(self, bits_per_use: float) -> "MixedLink":  # noqa: D102
        parts = {"base": self.base.at_rate(bits_per_use), "refinement": self.refinement.at_rate(bits_per_use)}
        return replace(self, side_information_rate=bits_per_use, **parts)  # pyright: ignore[reportArgumentType]

    def stand_in(self) -> Link:  # noqa: D102
        return replace(self, base=self.base.stand_in(), refinement=self.refinement.stand_in())

    def threshold(self, plan: MixedPlan) -> float | None:
        """That of the base; not known where the refinement is noise to it."""
        return None if plan.superposed else self.base.threshold(plan.base)

    def refresh(self, plan: Plan, payload: Payload) -> Plan:
        """Not for this link: a network is trained for it by the method `Refined`.

        Raises:
            TypeError: always.
        """
        raise TypeError("no network is trained through a mixed link: train it by the method Refined instead")

    def plan_from_bytes(self, side_information: bytes, layout: Layout) -> MixedPlan:  # noqa: D102
        least = int.from_bytes(side_information[:1], "little", signed=True) / _STEPS
        end = 4 + int.from_bytes(side_information[1:4], "little")
        bare = replace(layout, description=b"")
        base = self.base.plan_from_bytes(side_information[4:end], bare)
        refinement = self.refinement.plan_from_bytes(side_information[end:], bare)
        superposed = self.arrangement == "superposed"
        return MixedPlan(layout, self.side_information_rate, base, refinement, least, superposed)

    def encode(self, values: Float[Tensor, "n"], plan: MixedPlan) -> Complex[Tensor, "1 symbols"]:
        """Both parts, one behind the other or added, where the physical layer has a waveform."""
        base = self.base.encode(values, plan.base)
        refinement = self.refinement.encode(values - self.base.sent(plan.base).to(values), plan.refinement)
        if not plan.superposed:
            return torch.cat([base, refinement], -1)
        wide = [torch.nn.functional.pad(x, (0, plan.payload_symbols - x.shape[-1])) for x in (base, refinement)]
        return math.sqrt(self.share) * wide[0] + math.sqrt(1 - self.share) * wide[1]

    def decode(self, received: Received, plan: MixedPlan) -> Decoded:
        """The base, and where it pays the refinement; in turns only, since `send` takes the base away otherwise.

        Raises:
            ValueError: parts that are superposed.
        """
        if plan.superposed:
            raise ValueError("superposed parts are decoded by `send`, which takes the decoded base away")
        first, end = plan.base.payload_symbols, plan.payload_symbols
        base = self.base.decode(columns(received, 0, first), plan.base)
        rest = columns(received, first, end)
        return self._together(base, self.refinement.decode(rest, plan.refinement), mutual_information(rest), plan)

    def send(  # noqa: D102
        self,
        values: Float[Tensor, "n"],
        plan: MixedPlan,
        layout: Layout,
        channel: Channel,
        state: ChannelState,
        generator: Generator,
    ) -> Decoded:
        told = self.plan_from_bytes(plan.to_bytes(), layout)
        told = replace(told, refinement=told.refinement.granting(plan.refinement.granted))
        bare = replace(layout, description=b"")
        residual = values - self.base.sent(plan.base).to(values)
        of_base, of_rest = self._met(plan, channel, state)
        base = self.base.send(values, plan.base, bare, *of_base, generator)
        rest = self.refinement.send(residual, plan.refinement, bare, *of_rest, generator)
        heard = mutual_information(state)
        return self._together(base, rest, heard, told)

    def power(self, values: Float[Tensor, "n"], plan: MixedPlan) -> Float[Tensor, "#realizations"]:  # noqa: D102
        residual = values - self.base.sent(plan.base).to(values)
        base, rest = self.base.power(values, plan.base), self.refinement.power(residual, plan.refinement)
        n, m = plan.base.payload_symbols, plan.refinement.payload_symbols
        if plan.superposed:
            base, rest = self.share * base, (1 - self.share) * rest
        return (n * base + m * rest) / max(1, plan.payload_symbols)

    def perturb(  # noqa: D102
        self, values: Float[Tensor, "n"], plan: MixedPlan, channel: Channel, snr_db: Decibel, generator: Generator
    ) -> Float[Tensor, "n"]:
        levels = self.base.sent(plan.base).to(values)
        if float(snr_db) < plan.least_db:
            return values + (levels - values).detach()
        db = float(snr_db) + (10 * math.log10(1 - self.share) if plan.superposed else 0.0)
        return levels.detach() + self.refinement.perturb(values - levels, plan.refinement, channel, db, generator)

    def _met(
        self, plan: MixedPlan, channel: Channel, state: ChannelState
    ) -> tuple[tuple[Channel, ChannelState], tuple[Channel, ChannelState]]:
        """Channel and state that base and refinement meet, each as if it were sent alone at power 1."""
        first, end = plan.base.payload_symbols, plan.payload_symbols
        if not plan.superposed:
            return part_of(channel, state, 0, first), part_of(channel, state, first, end)
        if not memoryless(channel, state):
            raise ValueError("superposed parts need one gain a delivery and no impairments: send them in turns")
        rival = (1 - self.share) * state.gain.abs().square()
        base = replace(state, noise_variance=(state.noise_variance + rival) / self.share)
        return (channel, base), (channel, replace(state, noise_variance=state.noise_variance / (1 - self.share)))

    def _together(self, base: Decoded, rest: Decoded, heard: Tensor, plan: MixedPlan) -> Decoded:
        mends = rest.usable & (heard >= math.log2(1 + 10 ** (plan.least_db / 10)))
        values = _mended(base.values, rest.values, mends)
        uses = torch.full_like(base.uses, plan.symbols)
        return Decoded(values, base.usable, uses)


def _mended(
    base: Float[Tensor, "realizations n"] | Arrivals,
    rest: Float[Tensor, "realizations n"] | Arrivals,
    mends: Bool[Tensor, "realizations"],
) -> Float[Tensor, "realizations n"] | Arrivals:
    """The base of each realization, and its refinement where that mends it; made row by row where either is."""
    if isinstance(base, Tensor) and isinstance(rest, Tensor):
        return base + torch.where(mends.unsqueeze(-1), rest, torch.zeros_like(rest))

    def parts(row: int) -> Iterator[tuple[int, Tensor]]:
        values = base[row]
        yield 0, values + rest[row] if mends[row] else values

    return Arrivals(len(base), base.shape[-1], torch.zeros(0, dtype=base.dtype, device=base.device), parts)
