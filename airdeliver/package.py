"""All that the sender holds once the trainings are done."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int64
from torch import Generator, Tensor

from airdeliver.architecture import Architecture, Given
from airdeliver.asked import PieceError, asked
from airdeliver.links import Decoded, Knowledge, Link, Plan
from airdeliver.links.side_information import Pace
from airdeliver.normalisation import Normalisation, average_statistics, check_scripted
from airdeliver.payload import Model, Payload, architecture_of, load, payload_of, values_of, write
from airdeliver.payload.inputs import Inputs
from airdeliver.serving import Service
from airdeliver.training.trained import Trained
from channels import Channel

SENDER_ARRIVALS = 8
"""Draws of the noise over which a sender averages batch-norm statistics."""


@runtime_checkable
class Expectation(Protocol):
    """What a thing that can be sent promises, measured beforehand, say."""

    def of(self, knowledge: Knowledge, symbols: int) -> Float[Tensor, "#transmissions"]:
        """Expected score of each transmission that the sender can tell apart, one for all if it cannot.

        Args:
            knowledge: what the sender knows of the channel.
            symbols: complex symbols that fit.
        """
        ...


@dataclass(frozen=True)
class Snapshot:
    """What receivers had some time into a delivery.

    Args:
        uses: channel uses after which they had it.
        description: of the network that it makes, in bytes.
        decoded: what they had of that network's values.
        turnarounds: how often the sender had waited for an answer by then.
    """

    uses: int
    description: bytes
    decoded: Decoded
    turnarounds: int = 0


@dataclass(frozen=True)
class Arrived:
    """Realizations whose receivers build the same network.

    Args:
        rows: which of those that were sent together.
        architecture: of the network.
        description: which one of that architecture.
        decoded: what they have of its values.
        snapshots: what they had before, the earliest first; networks of the same architecture.
        numbers: of these realizations within the delivery, where a realization is a transmission to several receivers;
            None where each row is one.
    """

    rows: Int64[Tensor, "rows"]
    architecture: Architecture
    description: bytes
    decoded: Decoded
    snapshots: tuple[Snapshot, ...] = ()
    numbers: Int64[Tensor, "rows"] | None = None


@dataclass(frozen=True)
class Choice:
    """One thing that can be sent.

    Args:
        architecture: of the network at the receiver, published.
        model: the sender's network.
        payload: its values, in the layout that the normalisation asks for; the layout's description tells the receiver
            which network of the architecture it is.
        link: that it is sent over.
        expectation: what it promises; None for what the link says of it.
        service: what is there for its network with every inference, where it computes the first layers alone; None for
            a network that answers by itself.

    Attributes:
        fuses: whether the receivers of one transmission make one network, so that a realization is a transmission.
    """

    fuses: ClassVar[bool] = False

    architecture: Architecture
    model: Model
    payload: Payload
    link: Link
    expectation: Expectation | None = None
    service: Service | None = None

    @classmethod
    def of(cls, model: Model | Trained, link: Link, normalisation: Normalisation) -> "Choice":
        """A network sent whole, or pruned as it was; the receiver knows its architecture and none of its values.

        Raises:
            ValueError: weights that are not finite; batch norm in TorchScript that is not sent frozen.
        """
        check_scripted(model, normalisation)
        if isinstance(model, Trained):
            network = model.model()
            layout = model.architecture.layout(model.description, normalisation.sends_statistics)
            measured = model.state.get("sensitivity", ())
            sensitivity = torch.tensor(measured) if len(measured) == len(layout.segments) else None
            return cls(model.architecture, network, Payload(values_of(network, layout), layout, sensitivity), link)
        return cls(Given.of(model), model, payload_of(model, statistics=normalisation.sends_statistics), link)

    def prospect(self, knowledge: Knowledge, symbols: int) -> Float[Tensor, "#transmissions"]:
        """Expected score of each transmission that the sender can tell apart, one for all if it cannot.

        One currency: a sender compares by it whatever it holds.

        Args:
            knowledge: what the sender knows of the channel.
            symbols: complex symbols that fit.
        """
        if self.expectation is not None:
            return self.expectation.of(knowledge, symbols)
        return self.link.prospects(self.payload, symbols, knowledge)

    def receive(self, values: Float[Tensor, "n"]) -> Model:
        """The network of a receiver that has these values of the payload."""
        return load(self.architecture.receive(self.payload.layout.description), self.payload.layout, values)

    def fallback(self) -> Model | None:
        """What a receiver has of which nothing usable arrives; None where that is no network."""
        return None

    def arrived(
        self, decoded: Decoded, plan: Plan, numbers: Int64[Tensor, "rows"], receivers: int = 1
    ) -> list[Arrived]:
        """What networks the receivers build: one for all, but where each takes what it can.

        Args:
            decoded: what they have of the payload.
            plan: that was sent by.
            numbers: of the realizations within the delivery.
            receivers: of each transmission, side by side.
        """
        return [Arrived(torch.arange(len(numbers)), self.architecture, self.payload.layout.description, decoded)]

    @torch.no_grad()
    def with_statistics(
        self, inputs: Inputs, channel: Channel, snr_db: float, symbols: int, generator: Generator
    ) -> "Choice":
        """The same with the batch-norm statistics that its network has under the noise of an SNR, on average.

        Args:
            inputs: prepared inputs of the sender's own.
            channel: that the noise is drawn from.
            snr_db: mean SNR in dB.
            symbols: complex symbols that fit.
            generator: of the noise.
        """
        model = architecture_of(self.model)
        layout = self.payload.layout
        sent = self.architecture.layout(layout.description, statistics=False)
        values = values_of(self.model, sent)
        plan = self.link.plan(Payload(values, sent), symbols, Knowledge("average", snr_db, channel))

        def arrivals() -> Iterator[None]:
            for _ in range(SENDER_ARRIVALS):
                load(model, sent, self.link.perturb(values, plan, channel, snr_db, generator))
                yield

        average_statistics(model, arrivals(), inputs)
        write(model, sent, values)
        payload = Payload(values_of(model, layout), layout, self.payload.sensitivity)
        return replace(self, model=model, payload=payload)


@dataclass(frozen=True)
class Package:
    """What may be sent, and how the receiver normalises.

    Args:
        choices: at least one; a sender that knows the channel may hold several.
        normalisation: where batch-norm statistics come from.
        inputs: prepared inputs of the sender's own, for the statistics of normalisation `sender`.
        design_snr_db: the SNR in dB that a sender without knowledge assumes.
        side_information: `fixed`: at each link's own rate; `known`: as fast as what the sender knows allows.
    """

    choices: tuple[Choice, ...]
    normalisation: Normalisation
    inputs: Inputs = None
    design_snr_db: float = 5.0
    side_information: Pace = "fixed"

    @property
    def own_rate(self) -> float:
        """Bits per channel use of the side information of its links, the slowest of them."""
        return min(choice.link.own_rate for choice in self.choices)

    def at_rate(self, bits_per_use: float) -> "Package":
        """The same with side information at another rate; 0 for that of each link."""
        if bits_per_use == 0:
            return self
        return replace(self, choices=tuple(replace(c, link=c.link.at_rate(bits_per_use)) for c in self.choices))

    def with_statistics(self, channel: Channel, snr_db: float, symbols: int, generator: Generator) -> "Package":
        """The same with batch-norm statistics computed by the sender for an SNR."""
        if self.inputs is None:
            raise ValueError("normalisation 'sender' needs inputs of the sender's own: give calibration_inputs")
        choices = (c.with_statistics(self.inputs, channel, snr_db, symbols, generator) for c in self.choices)
        return replace(self, choices=tuple(choices))

    def chosen(self, knowledge: Knowledge, symbols: int, count: int | None = None) -> Int64[Tensor, "#realizations"]:
        """What `select` says, looked at: anybody may override it.

        Args:
            knowledge: what the sender knows of the channel.
            symbols: complex symbols that fit.
            count: of the realizations that it chooses for; None for any number.

        Raises:
            PieceError: no vector of whole numbers, a choice that there is not, neither one for all nor one for each, a
                method that fails.
        """
        with asked(self, "select"):
            found = self.select(knowledge, symbols)
        name = f"{type(self).__name__}.select"
        if not isinstance(found, Tensor) or found.ndim != 1 or found.dtype not in (torch.int64, torch.int32):
            got = f"{found.dtype} of shape {tuple(found.shape)}" if isinstance(found, Tensor) else repr(found)
            raise PieceError(f"{name} must return a vector of indices, torch.tensor([0]) for one of all, got {got}")
        if not len(found) or not 0 <= int(found.min()) <= int(found.max()) < len(self.choices):
            raise PieceError(f"{name} must return indices from 0 to {len(self.choices) - 1}, got {found.tolist()[:4]}")
        if count is not None and len(found) not in (1, count):
            raise PieceError(f"{name} must return one index, or one for each of {count} realizations, got {len(found)}")
        return found.long()

    def select(self, knowledge: Knowledge, symbols: int) -> Int64[Tensor, "#realizations"]:
        """The index of the choice that promises most, for each realization; one for all that cannot be told apart.

        Receivers of one transmission get one choice.

        Args:
            knowledge: what the sender knows of the channel.
            symbols: complex symbols that fit.

        Raises:
            ValueError: a choice that promises what is no number; one line says which.
        """
        if len(self.choices) == 1:
            return torch.zeros(1, dtype=torch.int64)
        prospects = torch.broadcast_tensors(*(_prospect(choice, knowledge, symbols) for choice in self.choices))
        best = torch.stack(prospects).argmax(0)
        receivers = 1 if knowledge.channel is None else knowledge.channel.receivers
        return best if len(best) == 1 else best.repeat_interleave(receivers)


def _prospect(choice: Choice, knowledge: Knowledge, symbols: int) -> Float[Tensor, "#transmissions"]:
    """What a choice promises, looked at: a sender that compares with what is not a number chooses at random."""
    asks = choice if choice.expectation is None else choice.expectation
    with asked(asks, "the promise"):
        found = choice.prospect(knowledge, symbols)
    if not isinstance(found, Tensor) or found.ndim > 1 or not found.numel() or not found.is_floating_point():
        got = f"{found.dtype} of shape {tuple(found.shape)}" if isinstance(found, Tensor) else type(found).__name__
        raise PieceError(f"{type(asks).__name__} must promise an expected score for each transmission, got {got}")
    if bool(found.isnan().any()) or bool((found == torch.inf).any()):
        raise PieceError(f"{type(asks).__name__} promises {float(found.max()):g} at {symbols:,} symbols: not a score")
    return found.reshape(-1)
