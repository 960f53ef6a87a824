"""The contract of a link: it moves a payload over a channel within a budget."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import ClassVar, Literal

import torch
from jaxtyping import Bool, Complex, Float, Int, Int64
from torch import Generator, Tensor

from airdeliver.links.arrivals import Arrivals
from airdeliver.links.plan import Plan
from airdeliver.payload import Layout, Payload
from channels import Channel, ChannelState, Received
from channels.base import Decibel
from channels.noise import complex_normal

KnowledgeKind = Literal["none", "average", "instantaneous"]

_PROBED = 1 << 20  # symbols that say what a receiver makes of a channel, at most


@dataclass(frozen=True)
class Knowledge:
    """What the sender knows of the channel.

    Args:
        kind: `none` (nothing but the recipe), `average` (mean SNR and the channel's statistics), `instantaneous`
            (this realization too).
        snr_db: mean SNR in dB; None for `none`.
        channel: the channel's statistics; None for `none`.
        state: the realized channel as the sender is told it, for `instantaneous` only: `Channel.effective` of the
            truth, an estimate where the channel has estimation, and not the one that the receiver will decode with.
    """

    kind: KnowledgeKind = "none"
    snr_db: float | None = None
    channel: Channel | None = None
    state: ChannelState | None = None

    def __post_init__(self) -> None:
        if self.kind not in ("none", "average", "instantaneous"):
            raise ValueError(f"knowledge must be none, average or instantaneous, got {self.kind!r}")

    def of(self, realizations: Int64[Tensor, "rows"]) -> "Knowledge":
        """The same for some realizations alone."""
        return self if self.state is None else replace(self, state=self.state[realizations])

    def apart(self) -> "list[Knowledge]":
        """The same for each transmission that the sender can tell apart."""
        if self.state is None:
            return [self]
        receivers = 1 if self.channel is None else self.channel.receivers
        return [self.of(rows) for rows in torch.arange(len(self.state.gain)).view(-1, receivers)]


@dataclass(frozen=True)
class Decoded:
    """What the receiver makes of a delivery.

    Args:
        values: the payload's values as received; where many realizations of a large payload would not fit into memory,
            rows that are made when they are asked for.
        usable: False where nothing usable arrived (side information lost, say).
        uses: channel uses spent.
        power: mean |x|^2 over the payload symbols of each delivery, where sending has measured it; else None.
        layers: of a layered payload, which of its leading layers each realization has; else None.
    """

    values: Float[Tensor, "realizations n"] | Arrivals
    usable: Bool[Tensor, "realizations"]
    uses: Int[Tensor, "realizations"]
    power: Float[Tensor, "#realizations"] | None = None
    layers: Bool[Tensor, "realizations layers"] | None = None

    def of(self, rows: Int64[Tensor, "rows"]) -> "Decoded":
        """The same for some realizations alone."""
        values = self.values.of(rows) if isinstance(self.values, Arrivals) else self.values[rows]
        power = self.power if self.power is None or len(self.power) == 1 else self.power[rows]
        layers = None if self.layers is None else self.layers[rows]
        return Decoded(values, self.usable[rows], self.uses[rows], power, layers)

    def given(self, told: Bool[Tensor, "realizations"]) -> "Decoded":
        """The same, unusable where the side information, by which it was decoded, did not arrive."""
        layers = None if self.layers is None else self.layers & told[:, None]
        return replace(self, usable=self.usable & told, layers=layers)


class Link(ABC):
    """Moves a payload over a channel within a budget.

    Attributes:
        repeats: whether many deliveries of a payload bring the very same values, as digital ones do: however many there
            are, few networks are to be evaluated.
    """

    repeats: ClassVar[bool] = False

    @abstractmethod
    def plan(self, payload: Payload, symbols: int | None, knowledge: Knowledge) -> Plan:
        """Agree on what each segment gets.

        Args:
            payload: what must arrive.
            symbols: complex symbols that fit: `channel.symbols(channel_uses)`; None for as many as it takes.
            knowledge: what the sender knows of the channel.

        Raises:
            BudgetError: the payload does not fit; names the minimum.
        """

    def alike(self, payload: Payload, symbols: int, knowledge: Knowledge) -> Int64[Tensor, "#realizations"]:
        """Equal numbers for realizations that get the same plan; by default one for all.

        A link that adapts to the realized channel is then asked for a plan for each of them, with knowledge of those
        realizations alone.
        """
        return torch.zeros(1, dtype=torch.int64)

    def prospects(self, payload: Payload, symbols: int, knowledge: Knowledge) -> Float[Tensor, "#transmissions"]:
        """What a delivery promises, for each transmission that the sender can tell apart; 0 if the link does not know.

        Args:
            payload: what must arrive.
            symbols: complex symbols that fit.
            knowledge: what the sender knows of the channel.
        """
        return torch.zeros(1)

    def check(self, layout: Layout, symbols: int) -> None:
        """Refuse a network that does not fit, by its layout alone: the link's own plan for generic values says so.

        What is constant in an untrained network (biases of zero, say) is not in a trained one.

        Args:
            layout: of the payload.
            symbols: complex symbols that fit.

        Raises:
            BudgetError: naming the minimum.
        """
        self.plan(generic(layout), symbols, Knowledge())

    def reserve(self, layout: Layout) -> int:
        """Symbols beyond the least cost that a network pruned to a budget should leave to the plan; 0 for none."""
        return 0

    def threshold(self, plan: Plan) -> float | None:
        """Mutual information in bits per complex symbol from which on a delivery arrives, and below which it is lost.

        Of the side information alone, where nothing else is lost as a whole. None where chance decides.
        """
        return None

    @abstractmethod
    def refresh(self, plan: Plan, payload: Payload) -> Plan:
        """The same plan for new values of the same layout: only what depends on the values is computed again."""

    @abstractmethod
    def plan_from_bytes(self, side_information: bytes, layout: Layout) -> Plan:
        """What the receiver makes of the side information and the published recipe."""

    @abstractmethod
    def encode(self, values: Float[Tensor, "n"], plan: Plan) -> Complex[Tensor, "#realizations symbols"]:
        """Turn values into complex symbols of mean power at most 1."""

    @abstractmethod
    def decode(self, received: Received, plan: Plan) -> Decoded:
        """Turn received samples into values, from nothing but what the receiver has."""

    def send(
        self,
        values: Float[Tensor, "n"],
        plan: Plan,
        layout: Layout,
        channel: Channel,
        state: ChannelState,
        generator: Generator,
    ) -> Decoded:
        """Encode, transmit and decode, one row a realization of `state`.

        The decoder works from the plan's bytes and its own layout, never from the sender's objects.

        Args:
            values: the payload's.
            plan: the sender's.
            layout: the receiver's: `Architecture.layout` of the description that it was told.
            channel: physics.
            state: what the channel happens to be.
            generator: of the noise.
        """
        received = channel.transmit(self.encode(values, plan), state, generator)
        decoded = self.decode(received, self.plan_from_bytes(plan.to_bytes(), layout))
        return decoded.given(side_information_arrives(plan, channel, state, generator))

    @property
    def own_rate(self) -> float:
        """Bits per channel use of its side information: the field `side_information_rate`, or 1/4 without one.

        What a sender that adapts the rate goes by: see `airdeliver.links.side_information.rates`.
        """
        return float(getattr(self, "side_information_rate", 0.25))

    def at_rate(self, bits_per_use: float) -> "Link":
        """The same with side information at another rate; by default itself, for a link that has no such field.

        Args:
            bits_per_use: of the side information.
        """
        if is_dataclass(self) and any(field.name == "side_information_rate" for field in fields(self)):
            return replace(self, side_information_rate=bits_per_use)
        return self

    def stand_in(self) -> "Link":
        """What is examined in its place: the same by contract, in less time; by default itself.

        A link of parts asks them, so that those of one's own stay. See `airdeliver.conformance`.
        """
        return self

    def power(self, values: Float[Tensor, "n"], plan: Plan) -> Float[Tensor, "#realizations"]:
        """Mean |x|^2 over the payload symbols of each delivery."""
        return self.encode(values, plan).abs().square().mean(-1)

    def perturb(
        self, values: Float[Tensor, "n"], plan: Plan, channel: Channel, snr_db: Decibel, generator: Generator
    ) -> Float[Tensor, "n"]:
        """One differentiable draw of what would arrive, for training, through the same code that delivers."""
        state = channel.realize(1, plan.payload_symbols, snr_db, generator)
        received = channel.transmit(self.encode(values, plan), state, generator)
        return self.decode(received, plan).values[0]


def generic(layout: Layout) -> Payload:
    """A payload of Gaussian values that are always the same, for what depends on the layout alone."""
    values = torch.randn(layout.size, generator=Generator().manual_seed(0))
    return Payload(values, layout, torch.ones(len(layout.segments)))


def memoryless(channel: Channel, state: ChannelState) -> bool:
    """Whether every symbol meets the same gain and nothing but its own noise, as in slow fading.

    It then does not matter which symbol carries what: every piece of a payload can be sent as a delivery of its own.
    """
    flat = type(channel).transmit is Channel.transmit and type(state) is ChannelState
    return flat and state.gain.shape[-1] == 1 and state.noise_variance.shape[-1] == 1


def side_information_arrives(
    plan: Plan, channel: Channel, state: ChannelState, generator: Generator
) -> Bool[Tensor, "realizations"]:
    """Whether the realized channel, as its receiver sees it, carries the side information at its rate.

    What it sees is `Channel.effective`, impairments and the error of its estimate included, over the payload's symbols,
    or the first million of them.
    """
    if memoryless(channel, state):
        return mutual_information(state) >= plan.side_information_rate
    probe = complex_normal((1, min(max(plan.payload_symbols, 1), _PROBED)), generator)
    probe /= probe.abs().square().mean().sqrt() * (1 + 1e-6)
    seen = channel.effective(state, generator, probe)
    return mutual_information(seen) >= plan.side_information_rate


def mutual_information(received: Received | ChannelState) -> Float[Tensor, "realizations"]:
    """Mutual information of each delivery in bits per complex symbol, at the receiver's knowledge of the channel.

    The mean over symbols of log2(1 + |h|^2 / noise variance).

    Source: D. Tse and P. Viswanath, Fundamentals of Wireless Communication, 2005, equation 5.56 and section 5.4.
    """
    snr = received.gain.abs().square() / received.noise_variance
    return torch.log2(1 + snr.nan_to_num(nan=0.0)).mean(-1)
